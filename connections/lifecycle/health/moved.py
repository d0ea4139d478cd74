"""Moved: an endpoint is not the one that gave the credential, so nothing is sent to it. Told once, and no verdict.

Whoever finds it in the background marks the connection, in its evidence; an event and an audit row tell of it. The mark
goes when the credential was used again: with the next refresh, which begins its evidence anew, or a proof of life.
"""

from contextlib import suppress
from datetime import datetime

import structlog

from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, short_transaction
from connections.journal import audit, events
from connections.models import VENDS, Connection
from connections.refusals import EndpointMoved

logger = structlog.get_logger(__name__)

MARK = "endpoint_moved_at"
LOCK_TIMEOUT_SECONDS = 1.0


def mark_moved(connection: Connection, *, now: datetime) -> None:
    """Mark the locked ``connection`` and tell of it, unless it is marked already or not in use."""
    if connection.status not in VENDS or MARK in connection.evidence:
        return
    logger.error("endpoint_moved", connection=str(connection.id))
    connection.add_evidence(**{MARK: now.isoformat()})
    events.emit("connection.endpoint_moved", connection)
    audit.record("connection.endpoint_moved", decision=EndpointMoved.code, connection=connection)


def note_moved(connection: Connection) -> None:
    """Lock the connection and mark it; one that somebody keeps locked is marked by the next who finds it."""
    if MARK in connection.evidence:
        return
    with suppress(LockTimeout), short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        locked = lock_connection(connection.id)
        if locked is not None:
            mark_moved(locked, now=now)


def forget_moved(connection: Connection) -> None:
    """Take the mark off the locked ``connection``."""
    connection.drop_evidence(MARK)
