"""The short transaction, in which all locks are taken, and the release of the database connection before HTTP."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, cast

from django.conf import settings
from django.db import OperationalError, connection, transaction
from psycopg import errors as pg

CHECKED_EVERY_SECONDS = 0.5

_DIRECT = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}

# What concerns only Django's own cursors.
_OF_DJANGO = ("cursor_factory", "context", "prepare_threshold")


class LockTimeout(Exception):
    """The row stayed locked for longer than the caller was ready to wait."""


class TookTooLong(Exception):
    """The database would take longer for a statement than it may."""


@contextmanager
def short_transaction(*, lock_timeout_seconds: float = 5.0) -> Iterator[datetime]:
    """Open a transaction that waits at most ``lock_timeout_seconds`` for each lock.

    Yields the database's clock at the beginning. Raises ``LockTimeout`` when a lock is not granted in time.
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


@contextmanager
def statements_within(seconds: float) -> Iterator[None]:
    """Open a transaction in which no statement takes longer than that, for reading what people have asked for.

    Raises ``TookTooLong`` where one would.
    """
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [f"{max(1, int(seconds * 1000))}ms"])
            yield
    except OperationalError as error:
        if isinstance(error.__cause__, pg.QueryCanceled):
            raise TookTooLong from None
        raise


def in_transaction() -> bool:
    """Whether this thread has a transaction open. No I/O."""
    return bool(connection.in_atomic_block)


def release_database() -> None:
    """Give this thread's database connection back before an HTTP call or a wait.

    Raises ``RuntimeError`` inside a transaction: that would hold a lock across HTTP, which is a bug.
    """
    if connection.in_atomic_block:
        raise RuntimeError("A transaction is open where an HTTP call or a wait begins.")
    connection.close()


def hand_back_database() -> None:
    """Give this thread's database connection back at the end of its work, unless a transaction is open around it."""
    if not connection.in_atomic_block:
        connection.close()


def direct_parameters() -> dict[str, Any]:
    """Return the arguments with which psycopg opens a direct session, outside the pool, like one of Django's.

    It goes past a pooler where ``DATABASE_DIRECT_URL`` says how. Leaves out the settings that concern only Django's own
    cursors. No I/O.
    """
    parameters = usual_parameters()
    if direct := settings.DATABASE_DIRECT:
        given = {name: direct[key] for name, key in _DIRECT.items() if direct.get(key)}
        parameters = {**parameters, **dict.fromkeys(_DIRECT), **given, **direct.get("OPTIONS", {})}
    for name in _OF_DJANGO:
        parameters.pop(name, None)
    return parameters


def usual_parameters() -> dict[str, Any]:
    """Return the arguments with which psycopg opens a session outside the pool, the way that Django's go. No I/O."""
    parameters: dict[str, Any] = connection.get_connection_params()
    for name in _OF_DJANGO:
        parameters.pop(name, None)
    return parameters


def replace_broken_connections() -> None:
    """Remove broken connections from the pool, before each of them fails a caller. Call it after one has broken.

    One thread of a process looks, once in ``CHECKED_EVERY_SECONDS``: nobody gets a connection while all are looked at,
    and many callers fail at once where something is wrong.
    """
    pool = getattr(connection, "pool", None)
    if pool is not None and not pool.closed and _look.begin():
        try:
            pool.check()
        finally:
            _look.end()


class _Look:
    """Whose turn it is to look at the pool's connections. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._again_at = 0.0

    def begin(self) -> bool:
        """Whether the caller is to look now; then it calls ``end``."""
        if not self._guard.acquire(blocking=False):
            return False
        if time.monotonic() >= self._again_at:
            return True
        self._guard.release()
        return False

    def end(self) -> None:
        """Let others look, after a while."""
        self._again_at = time.monotonic() + CHECKED_EVERY_SECONDS
        self._guard.release()


_look = _Look()
