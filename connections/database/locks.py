"""Every lock of Latchkey: of rows, of own entries and of figures. None is held across HTTP.

Locks are ``FOR NO KEY UPDATE``: a plain FOR UPDATE, which only deletions take, would block inserts that reference the
row. Take locks always in this order: connect session, connection, attempt, registered client; and within one table in
the order of the primary keys. Code that writes rows of other connections never runs under a lock: replay the spool
before you take one.
Every function here needs an open transaction.
"""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, LiteralString, TypeVar

from django.db import connection
from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from connections.database.prepared import fetch_all_prepared
from connections.models import (
    Connection,
    ConnectSession,
    DeliveryState,
    Finding,
    ImportRow,
    ImportRun,
    Installation,
    ManagementSession,
    Offboarding,
    ReceivedPush,
    RefreshAttempt,
    RegisteredClient,
    WatchPosition,
    WebhookDelivery,
    WebhookEndpoint,
)

_Row = TypeVar("_Row", bound=Model)
# Is given a locked row as it is, or None where there is none. Raises a refusal unless it is what the caller means.
RowCheck = Callable[[Any], None]

# How a prepared statement locks the row of ``connections_connection AS connection`` that it decides about. It skips a
# row that is not free. If the row has changed since the statement began, PostgreSQL tries the conditions once more.
CONNECTION_IF_FREE: Final = "FOR NO KEY UPDATE OF connection SKIP LOCKED"

# The same for the row of ``connections_refreshattempt AS attempt``.
ATTEMPT_IF_FREE: Final = "FOR NO KEY UPDATE OF attempt SKIP LOCKED"


@dataclass(frozen=True, slots=True)
class _Locked:
    id: uuid.UUID


def lock_connection(connection_id: uuid.UUID) -> Connection | None:
    """Return the locked connection with its provider app and tenant, or None if there is none."""
    return (
        Connection.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app", "tenant")
        .filter(id=connection_id)
        .first()
    )


def lock_connections(connection_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Connection]:
    """Lock several connections that exist, as ``lock_connections_of`` does."""
    return lock_connections_of(Q(id__in=set(connection_ids)))


def lock_connections_of(which: Q) -> dict[uuid.UUID, Connection]:
    """Lock the connections of ``which``, in the order of their ids so that two callers never wait for each other.

    Returns them by id, with their provider apps and tenants. Leaves out those that are no longer of ``which`` once they
    are locked. Lock all that a transaction needs in one call.
    """
    locked = (
        Connection.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app", "tenant")
        .filter(which)
        .order_by("id")
    )
    return {connection.id: connection for connection in locked}


def lock_free(connection_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    """Lock those of these connections that exist and that nobody has locked. Return their ids. Waits for nobody."""
    statement = (
        "SELECT id FROM connections_connection WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
    )
    return [row.id for row in fetch_all_prepared(statement, {"ids": list(connection_ids)}, _Locked)]


def lock_unlocked_of(connection_ids: LiteralString) -> LiteralString:
    """Return SQL for the ids of those of ``connection_ids`` (SQL) whose rows nobody has locked, and lock these.

    Waits for nobody. Several statements may do so for the same rows at once: none waits for another.
    """
    return (
        f"SELECT id FROM connections_connection WHERE id = ANY (ARRAY({connection_ids}))"  # noqa: S608 (both are literals)
        " ORDER BY id FOR NO KEY UPDATE SKIP LOCKED"
    )


def lock_due(due: QuerySet[Connection], *, limit: int) -> QuerySet[Connection]:
    """Return up to ``limit`` rows of ``due``, locked. Skip rows that another transaction has locked."""
    locked = due.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return locked.only("id", "tenant_id", "provider_app_id", "provider", "party")[:limit]


def lock_if_free_of(rows: QuerySet[_Row], *, limit: int) -> QuerySet[_Row]:
    """Return up to ``limit`` of ``rows``, locked, to delete them. Skip rows that another transaction has locked."""
    return rows.select_for_update(skip_locked=True, of=("self",))[:limit]


def lock_to_reseal(rows: QuerySet[_Row], *, limit: int) -> list[_Row]:
    """Return up to ``limit`` of ``rows``, locked in the order of their keys. Skip those that somebody else has locked.

    Lock no other row beside them: who waits for nobody deadlocks with nobody.
    """
    return list(rows.select_for_update(skip_locked=True, no_key=True, of=("self",)).order_by("pk")[:limit])


def lock_session(**lookup: object) -> ConnectSession | None:
    """Return the locked connect session with its provider app, tenant, API client and key, or None if there is none."""
    return next(iter(lock_sessions(Q(**lookup))), None)


def lock_session_alone(session_id: uuid.UUID) -> ConnectSession | None:
    """Return the locked connect session, with nothing loaded that it refers to, or None if there is none."""
    return ConnectSession.objects.select_for_update(no_key=True).filter(id=session_id).first()


def lock_sessions(which: Q) -> QuerySet[ConnectSession]:
    """Return the connect sessions of ``which``, locked in the order of their ids, as ``lock_session`` returns one."""
    return (
        ConnectSession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app", "tenant", "api_client", "asked_by")
        .filter(which)
        .order_by("id")
    )


def lock_management_session(session_id: uuid.UUID) -> ManagementSession | None:
    """Return the locked management session with its tenant and API client, or None. Lock no other row beside it."""
    return (
        ManagementSession.objects.select_for_update(no_key=True, of=("self",))
        .select_related("tenant", "api_client")
        .filter(id=session_id)
        .first()
    )


def lock_offboarding(offboarding_id: uuid.UUID) -> Offboarding | None:
    """Return the locked offboarding of an end user, or None. Take it after all others."""
    return Offboarding.objects.select_for_update(no_key=True, of=("self",)).filter(id=offboarding_id).first()


def lock_import(run_id: uuid.UUID) -> ImportRun | None:
    """Return the locked import, or None. Lock no connection beside it."""
    return ImportRun.objects.select_for_update(no_key=True, of=("self",)).filter(id=run_id).first()


def lock_import_rows(rows: QuerySet[ImportRow], *, limit: int) -> list[ImportRow]:
    """Return up to ``limit`` of ``rows``, locked. Skip those that another transaction has locked.

    Take it before the locks of connections.
    """
    locked = rows.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return list(locked.order_by("line")[:limit])


def lock_attempt(attempt_id: uuid.UUID) -> RefreshAttempt:
    """Return the locked refresh attempt. Raises ``RefreshAttempt.DoesNotExist``."""
    return RefreshAttempt.objects.select_for_update(no_key=True).get(id=attempt_id)


def lock_to_compare(row: _Row, check: RowCheck) -> _Row:
    """Lock the row that ``row`` was read from, let ``check`` see it as it is now (None if it is not stored), return it.

    One that is not stored is returned as it came.
    """
    rows = type(row)._default_manager.select_for_update(no_key=True, of=("self",))
    locked = None if row._state.adding else rows.filter(pk=row.pk).first()
    check(locked)
    return row if locked is None else locked


def lock_installation() -> Installation:
    """Return the locked row in which the database says which one it is. Makes it first where there is none.

    Take it before the locks of connections.
    """
    Installation.objects.bulk_create([Installation()], ignore_conflicts=True)
    return Installation.objects.select_for_update(no_key=True).get()


def lock_own_entries() -> None:
    """Wait until no other transaction stores an entry of the operator's own. There is no row: an entry is a file."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('latchkey.own_entries', 0))")


def lock_figures() -> bool:
    """Return whether no other transaction counts figures; then none does until this one ends. There is no row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('latchkey.figures', 0))")
        return bool(cursor.fetchone()[0])


def lock_audit_chain() -> None:
    """Wait until no other transaction seals, redacts or prunes the audit trail. Take it after all others."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('latchkey.audit_chain', 0))")


def lock_first_operator() -> None:
    """Wait until no other transaction makes the first operator. There is no row yet that could be locked."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('latchkey.first_operator', 0))")


def lock_registered_client(**lookup: object) -> RegisteredClient | None:
    """Return the locked client that an app has registered, with the app and its tenant, or None if there is none."""
    return (
        RegisteredClient.objects.select_for_update(no_key=True, of=("self",))
        .select_related("provider_app__tenant")
        .filter(**lookup)
        .first()
    )


def lock_push(push_id: uuid.UUID) -> ReceivedPush | None:
    """Return the locked push; None if there is none, or another transaction has it. Lock it before its connections."""
    return ReceivedPush.objects.select_for_update(skip_locked=True, no_key=True).filter(id=push_id).first()


def lock_webhook_endpoint(endpoint_id: uuid.UUID) -> WebhookEndpoint | None:
    """Return the locked webhook endpoint with its tenant, or None if there is none. Lock no other row beside it."""
    return (
        WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",))
        .select_related("tenant")
        .filter(id=endpoint_id)
        .first()
    )


def lock_webhook_endpoints_behind(event_id: int) -> list[WebhookEndpoint]:
    """Return the webhook endpoints that have not taken every event up to this one, locked in the order of their ids."""
    behind = Q(position__lt=event_id) | Exists(
        WebhookDelivery.objects.filter(endpoint=OuterRef("pk"), event_id__lte=event_id, state=DeliveryState.PENDING)
    )
    return list(WebhookEndpoint.objects.select_for_update(no_key=True, of=("self",)).filter(behind).order_by("id"))


def lock_due_endpoints(due: QuerySet[WebhookEndpoint], *, limit: int) -> list[WebhookEndpoint]:
    """Return up to ``limit`` rows of ``due``, locked. Skip rows that another transaction has locked."""
    return list(due.select_for_update(skip_locked=True, no_key=True, of=("self",))[:limit])


def lock_watch_position() -> WatchPosition | None:
    """Return the locked row that says how far the audit trail has been watched, or None where it never was."""
    return WatchPosition.objects.select_for_update(no_key=True).first()


def lock_finding(finding_id: uuid.UUID) -> Finding | None:
    """Return the locked finding with its API client and that one's tenant, or None. Take it before connections."""
    return (
        Finding.objects.select_for_update(no_key=True, of=("self",))
        .select_related("client__tenant")
        .filter(id=finding_id)
        .first()
    )
