"""Undecryptable: the current credential of a connection does not open. An alert, and no verdict on the grant.

Whoever finds it marks the connection, once: operators see it in the admin and in the API, and an event tells of it.
What does not open may open again, when a key that a deployment left out is back or a damaged row is restored, so the
marked ones are tried again and again; a new credential ends the mark as well. ``status`` is never touched by it.
"""

import uuid
from datetime import datetime

import structlog
from django.db.models import Q

from connections.lifecycle import audit, events
from connections.lifecycle.locking import LockTimeout, lock_connection, short_transaction
from connections.lifecycle.outcomes import CredentialUnreadable
from connections.lifecycle.sealing import open_credential
from connections.models import Connection, CredentialVersion
from connections.vault.sealing import Unreadable

logger = structlog.get_logger(__name__)

SAMPLE = 50
LOCK_TIMEOUT_SECONDS = 1.0


def mark_undecryptable(connection: Connection, version_id: uuid.UUID, *, now: datetime) -> None:
    """Mark the locked ``connection``, and tell of it, if it is not marked yet and the version is still current."""
    logger.error("credential_unreadable", connection=str(connection.id), version=str(version_id))
    if connection.undecryptable_at is not None or connection.current_version_id != version_id:
        return
    connection.change(undecryptable_at=now)
    events.emit("connection.credential_undecryptable", connection)
    audit.record(
        "credential.undecryptable", decision=CredentialUnreadable.code, connection=connection, version_id=version_id
    )


def found_undecryptable(connection_id: uuid.UUID, version_id: uuid.UUID) -> None:
    """Lock the connection and mark it; one that somebody keeps locked is marked by the next who finds it."""
    try:
        with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
            connection = lock_connection(connection_id)
            if connection is not None:
                mark_undecryptable(connection, version_id, now=now)
    except LockTimeout:
        logger.error("credential_unreadable", connection=str(connection_id), version=str(version_id))


def retry_undecryptable() -> int:
    """Try to open what is marked, and take the mark off what opens; return how many that were.

    A random sample at a time, and on while any of it opens: a key that is back frees all it held, and rows that stay
    damaged cost one sample. With nothing marked this is one query of a partial index.
    """
    restored = 0
    while True:
        marked = list(Connection.objects.filter(undecryptable_at__isnull=False).order_by("?")[:SAMPLE])
        opened = [connection.id for connection in marked if _opens(connection)]
        if not opened:
            return restored
        for connection_id in opened:
            restored += _restore(connection_id)


def _opens(connection: Connection) -> bool:
    version = CredentialVersion.objects.filter(Q(id=connection.current_version_id)).first()
    if version is None:
        return False
    try:
        open_credential(connection, version)
    except Unreadable:
        return False
    return True


def _restore(connection_id: uuid.UUID) -> bool:
    with short_transaction():
        connection = lock_connection(connection_id)
        if connection is None or connection.undecryptable_at is None or not _opens(connection):
            return False
        connection.change(undecryptable_at=None)
        events.emit("connection.credential_restored", connection)
        audit.record("credential.restored", connection=connection, version_id=connection.current_version_id)
        return True
