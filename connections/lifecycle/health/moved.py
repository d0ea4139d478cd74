"""Moved: the provider app's endpoint is not the one that issued the credential, so the credential is not sent there.

Background work that finds this marks the connection once, in its evidence (key ``endpoint_moved_at``, an ISO time),
with an event and an audit row. The mark says nothing about the grant. It goes when the credential is used again: at the
next refresh, which clears the evidence, or at a proof of life.
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
    """Mark the locked ``connection``, with an event and an audit row, unless it is marked already or not in use."""
    if connection.status not in VENDS or MARK in connection.evidence:
        return
    logger.error("endpoint_moved", connection=str(connection.id))
    connection.add_evidence(**{MARK: now.isoformat()})
    events.emit("connection.endpoint_moved", connection)
    audit.record("connection.endpoint_moved", decision=EndpointMoved.code, connection=connection)


def note_moved(connection: Connection) -> None:
    """Lock the connection and mark it, in a short transaction. Skip it where another transaction keeps it locked."""
    if MARK in connection.evidence:
        return
    with suppress(LockTimeout), short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
        locked = lock_connection(connection.id)
        if locked is not None:
            mark_moved(locked, now=now)


def forget_moved(connection: Connection) -> None:
    """Remove the mark from the locked ``connection``."""
    connection.drop_evidence(MARK)
