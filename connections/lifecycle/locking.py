"""Every row lock of Latchkey, and the rule that none is held across HTTP.

Locks are ``FOR NO KEY UPDATE``: a plain FOR UPDATE would block inserts that reference the row. The order is always
connect session, connection, attempt, and within one table that of the keys. Nothing that writes rows of other
connections runs under a lock: the spool is replayed before one is taken.
"""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TypeVar, cast

from django.db import OperationalError, connection, transaction
from django.db.models import Model, QuerySet
from psycopg import errors as pg

from connections.lifecycle.prepared import execute_prepared
from connections.models import Connection, ConnectSession, RefreshAttempt

_Row = TypeVar("_Row", bound=Model)


class LockTimeout(Exception):
    """The row stayed locked for longer than the caller was ready to wait."""


@contextmanager
def short_transaction(*, lock_timeout_seconds: float = 5.0) -> Iterator[datetime]:
    """Open a transaction whose lock waits are bounded; gives the database's clock as it begins.

    Raises ``LockTimeout`` when a lock is not granted in time.
    """
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT clock_timestamp(), set_config('lock_timeout', %s, true)",
                    [f"{max(1, int(lock_timeout_seconds * 1000))}ms"],
                )
                row = cursor.fetchone()
            yield cast("datetime", row[0])
    except OperationalError as error:
        if isinstance(error.__cause__, pg.LockNotAvailable):
            raise LockTimeout from None
        raise


def release_database() -> None:
    """Give this thread's database connection back before an HTTP call or a wait.

    Raises ``RuntimeError`` inside a transaction: that would hold a lock across HTTP, which is a bug.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A transaction is open where an HTTP call or a wait begins.")
    connection.close()


def replace_broken_connections() -> None:
    """Rid the pool of the connections that broke with one of them, before each of them fails somebody."""
    pool = getattr(connection, "pool", None)
    if pool is not None and not pool.closed:
        pool.check()


def lock_connection(connection_id: uuid.UUID) -> Connection | None:
    """Return the locked connection with its provider app and tenant, or None if there is none."""
    return (
        Connection.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app", "tenant")
        .filter(id=connection_id)
        .first()
    )


def lock_connections(connection_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Connection]:
    """Lock several connections, in the order of their ids so that two callers never wait for each other.

    Returns those that there are, with their provider apps and tenants. Lock all that a transaction needs in one call.
    """
    locked = [lock_connection(connection_id) for connection_id in sorted(set(connection_ids))]
    return {connection.id: connection for connection in locked if connection is not None}


def lock_if_free(connection_id: uuid.UUID) -> bool:
    """Lock the connection's row in the transaction that is open, unless it is gone or somebody else has it locked."""
    statement = "SELECT FROM connections_connection WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED"
    return execute_prepared(statement, {"id": connection_id}) == 1


def lock_due(due: QuerySet[Connection], *, limit: int) -> QuerySet[Connection]:
    """Return up to ``limit`` locked rows of ``due``, passing over those that somebody else has locked."""
    locked = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return locked.only("id", "provider_app_id")[:limit]


def lock_if_free_of(rows: QuerySet[_Row], *, limit: int) -> QuerySet[_Row]:
    """Return up to ``limit`` locked rows, passing over those that somebody else has locked. For deletion."""
    return rows.select_for_update(skip_locked=True, of=("self",))[:limit]


def lock_session(**lookup: object) -> ConnectSession | None:
    """Return the locked connect session with its provider app and tenant, or None if there is none."""
    return (
        ConnectSession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app", "tenant", "api_client")
        .filter(**lookup)
        .first()
    )


def lock_attempt(attempt_id: uuid.UUID) -> RefreshAttempt:
    """Return the locked attempt."""
    return RefreshAttempt.objects.select_for_update(no_key=True).get(id=attempt_id)
