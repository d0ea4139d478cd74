"""Recover: finish refreshes that did not end: received but not promoted, or sent and never answered.

All rules of doubt are here. A request that was never answered may still have rotated the refresh token, so its attempt
is *in doubt*. The next attempt supersedes it, in one transaction, once no late answer can be written any more: when the
writer itself has recorded its end, when the process that claimed it is dead (``presence``), or after the lease. A
refusal after a doubt then has a reason of its own (lost in flight). The code that puts an attempt in doubt also makes
its connection due.
"""

import uuid
from datetime import datetime

import structlog
from django.db import connection as database

from connections import dispatch
from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, short_transaction
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.promote import promote_received
from connections.lifecycle.refresh import presence
from connections.models import (
    OPEN_STATES,
    VENDS,
    AttemptState,
    Connection,
    CredentialVersion,
    RefreshAttempt,
    Stage,
)

logger = structlog.get_logger(__name__)

LOCK_TIMEOUT_SECONDS = 1.0

# A version that is still not promoted 5 s after it was received: its process ended in between, or it was spooled.
_UNFINISHED = f"""
WITH held AS MATERIALIZED ({presence.HELD_KEYS})
SELECT connection_id FROM connections_refreshattempt
WHERE state IN ('sent', 'received') AND CASE state
    WHEN 'received' THEN claimed_at < %(now)s - interval '5 seconds'
    ELSE deadline_at <= %(now)s OR absent_since IS NOT NULL
        OR claimant_key IS NOT NULL AND claimant_key NOT IN (TABLE held) AND claimed_at >= pg_postmaster_start_time()
    END
ORDER BY deadline_at LIMIT %(limit)s
"""  # noqa: S608 (only constants are put in)


def settle_earlier(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Settle what earlier attempts of the locked ``connection`` left behind. Return the attempt that is still open.

    An open attempt is ``sent``, so that the caller has to wait for it, or in doubt. Received versions are promoted. The
    order matters: look for the open attempt first and for received versions second. A store takes no lock, and turns an
    open attempt into a received version in one commit; in the other order this could miss both. The caller has to
    replay the spool before it takes the lock: an answer that waits there spares a retry. No HTTP.
    """
    attempt = _open_attempt(connection, now=now)
    if attempt is not None and attempt.state == AttemptState.SENT:
        return attempt
    settled = promote_received(connection, now=now)
    return _open_attempt(connection, now=now) if settled else attempt


def _open_attempt(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Return the open attempt. Put it in doubt first if its lease is over or its process is dead."""
    attempt = RefreshAttempt.objects.filter(connection=connection, state__in=OPEN_STATES).first()
    if attempt is None or attempt.state == AttemptState.IN_DOUBT:
        return attempt
    error = "unanswered" if attempt.deadline_at <= now else "abandoned" if _is_abandoned(attempt) else ""
    if not error:
        return attempt
    # Conditional: a store takes no lock, and may just have turned the attempt into a received one.
    in_doubt = {"state": AttemptState.IN_DOUBT, "error": error, "ended_at": now}
    if not RefreshAttempt.objects.filter(id=attempt.id, state=AttemptState.SENT).update(**in_doubt):
        return None
    for name, value in in_doubt.items():
        setattr(attempt, name, value)
    logger.warning("refresh_in_doubt", connection=str(connection.id), attempt=str(attempt.id), error=error)
    if connection.current_version_id == attempt.parent_version_id:
        connection.hasten_refresh(now)
    return attempt


def _is_abandoned(attempt: RefreshAttempt) -> bool:
    """Whether the process that claimed ``attempt`` is known to be dead. Records what this look at its lock saw."""
    if attempt.claimant_key is None:
        return False
    absent_at = presence.absence(attempt.claimant_key, since=attempt.claimed_at)
    if absent_at is not None and attempt.absent_since is not None:
        return absent_at - attempt.absent_since >= presence.GONE_AFTER
    if absent_at != attempt.absent_since:
        attempt.absent_since = absent_at
        attempt.save(update_fields=["absent_since"])
    return False


def supersede(attempt: RefreshAttempt) -> None:
    """Close an attempt in doubt in favour of the one that the same transaction inserts.

    An attempt whose answer has just been stored stays ``received``: its version is promoted before or instead.
    """
    RefreshAttempt.objects.filter(id=attempt.id, state=AttemptState.IN_DOUBT).update(state=AttemptState.SUPERSEDED)


def follows_doubt(connection: Connection) -> bool:
    """Whether an earlier attempt with the current refresh token may have been processed without our knowing."""
    return RefreshAttempt.objects.filter(
        parent_version_id=connection.current_version_id, connection=connection, state=AttemptState.SUPERSEDED
    ).exists()


def recover_unfinished(*, now: datetime, limit: int = 200) -> int:
    """Promote received versions, and order a refresh where an attempt was never answered. Return how many connections.

    Replays the spool first. Locks each connection in a short transaction of its own; a connection that another
    transaction keeps locked is left for the next run. No HTTP. With nothing to do this is one query of a partial index.
    """
    connection_ids = set(spool.replay())
    with database.cursor() as cursor:
        cursor.execute(_UNFINISHED, {"now": now, "limit": limit})
        connection_ids.update(connection_id for (connection_id,) in cursor)
    for connection_id in connection_ids:
        try:
            _recover(connection_id, now=now)
        except LockTimeout:
            logger.info("recovery_postponed", connection=str(connection_id))
    return len(connection_ids)


def _recover(connection_id: uuid.UUID, *, now: datetime) -> None:
    with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS):
        connection = lock_connection(connection_id)
        if connection is None:
            return
        unanswered = settle_earlier(connection, now=now)
        _close_destroyed(connection, now=now)
        if unanswered is not None and unanswered.state == AttemptState.IN_DOUBT and connection.status in VENDS:
            dispatch.refresh_later(connection.id)


def _close_destroyed(connection: Connection, *, now: datetime) -> None:
    """Close attempts whose answer was destroyed before it was promoted, by a reconnect or a disconnection."""
    kept = CredentialVersion.objects.filter(connection=connection, stage=Stage.RECEIVED, attempt_id__isnull=False)
    RefreshAttempt.objects.filter(connection=connection, state=AttemptState.RECEIVED).exclude(
        id__in=kept.values("attempt_id")
    ).update(state=AttemptState.SUPERSEDED, ended_at=now)
