"""Undecryptable: the current credential of a connection does not open. This is an alert and no verdict on the grant.

The code that finds it marks the connection once. Operators see the mark in the admin and in the API, and an event
reports it. The credential may open again when a key that a deployment left out is back, or when a damaged row is
restored, so marked connections are tried again. A new credential or the end of the connection removes the mark as
well. A mark lasts some minutes at least: while a deployment replaces its keys, some processes can open values that
others cannot. None of this changes ``status``.
"""

import random
import time
import uuid
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from connections.access.secrets import open_credential, open_for_renewal
from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, short_transaction
from connections.journal import audit, events
from connections.models import VENDS, Connection
from connections.refusals import CredentialUnreadable
from connections.vault.sealing import Unreadable

logger = structlog.get_logger(__name__)

MARKED_FOR = timedelta(minutes=5)
LOCK_TIMEOUT_SECONDS = 1.0

# The limits of one run. Where very many connections are marked it tries a random part, and ends before the next run.
MOST = 2000
RUN_SECONDS = 20.0


def mark_undecryptable(connection: Connection, version_id: uuid.UUID, *, now: datetime) -> None:
    """Mark the locked ``connection``, with an event, unless it is marked or ended or ``version_id`` is not current."""
    logger.error("credential_unreadable", connection=str(connection.id), version=str(version_id))
    if not _is_to_mark(connection, version_id):
        return
    connection.mark_undecryptable(now)
    events.emit("connection.credential_undecryptable", connection)
    audit.record(
        "credential.undecryptable", decision=CredentialUnreadable.code, connection=connection, version_id=version_id
    )


def note_undecryptable(connection_id: uuid.UUID, version_id: uuid.UUID) -> None:
    """Lock the connection and mark it, in a short transaction. Skip it where another transaction keeps it locked."""
    found = Connection.objects.filter(id=connection_id).first()
    if found is None or not _is_to_mark(found, version_id):
        return
    with suppress(LockTimeout), short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        connection = lock_connection(connection_id)
        if connection is not None:
            mark_undecryptable(connection, version_id, now=now)


def _is_to_mark(connection: Connection, version_id: uuid.UUID) -> bool:
    return (
        connection.status in VENDS
        and connection.undecryptable_at is None
        and connection.current_version_id == version_id
    )


def retry_undecryptable(*, now: datetime) -> int:
    """Try each marked connection once, and remove the mark where the credential opens. Return how many opened.

    Short transactions that lock one connection each; no HTTP. With nothing marked this is one query of a partial index.
    """
    give_up_at = time.monotonic() + RUN_SECONDS
    marked = list(
        Connection.objects.filter(undecryptable_at__lte=now - MARKED_FOR).order_by().values_list("id", flat=True)
    )
    restored = 0
    for connection_id in random.sample(marked, min(MOST, len(marked))):
        if time.monotonic() > give_up_at:
            break
        connection = Connection.objects.filter(id=connection_id).first()
        if connection is not None and _opens(connection):
            with suppress(LockTimeout):
                restored += _restore(connection_id)
    return restored


def _opens(connection: Connection) -> bool:
    version = connection.current_version
    if version is None:
        return False
    try:
        if version.is_refreshable:
            open_for_renewal(connection, version)
        else:
            open_credential(connection, version)
    except Unreadable:
        return False
    return True


def _restore(connection_id: uuid.UUID) -> bool:
    with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS):
        connection = lock_connection(connection_id)
        if connection is None or connection.undecryptable_at is None or not _opens(connection):
            return False
        connection.mark_undecryptable(None)
        events.emit("connection.credential_restored", connection)
        audit.record("credential.restored", connection=connection, version_id=connection.current_version_id)
        return True
