"""Recover: what becomes of refreshes that did not end: received but not promoted, or sent and never answered.

The rules of doubt are all here. A request that was never answered may still have rotated the refresh token, so its
attempt is *in doubt*. The attempt that follows it supersedes it, in one transaction, once no late writer can come any
more: when the writer said itself that it ended, when the process that claimed it is dead (``presence``), or after the
lease. A refusal after a doubt is then told as what it is. Whoever puts an attempt in doubt makes its connection due.
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

# What was received and is still not promoted after 5 s: its process ended in between, or it came out of the spool.
_UNFINISHED = f"""
WITH held AS MATERIALIZED ({presence.HELD_KEYS})
SELECT connection_id FROM connections_refreshattempt
WHERE state IN ('sent', 'received') AND CASE state
    WHEN 'received' THEN claimed_at < %(now)s - interval '5 seconds'
    ELSE deadline_at <= %(now)s OR absent_since IS NOT NULL
        OR claimant_key IS NOT NULL AND claimant_key NOT IN (TABLE held) AND claimed_at >= pg_postmaster_start_time()
    END
ORDER BY deadline_at LIMIT %(limit)s
"""  # noqa: S608 (what is put in is a constant)


def settle_earlier(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Settle what earlier attempts of the locked ``connection`` left behind, and return the one that is still open.

    That one is ``sent``, and must be waited for, or in doubt. What was received is promoted. The order matters: a store
    takes no lock, and turns an open attempt into a received version in one commit; whoever looked for versions first
    and for attempts second could miss both. The caller has replayed the spool before it took the lock: an answer that
    waits there is worth more than a retry.
    """
    attempt = _open_attempt(connection, now=now)
    if attempt is not None and attempt.state == AttemptState.SENT:
        return attempt
    settled = promote_received(connection, now=now)
    return _open_attempt(connection, now=now) if settled else attempt


def _open_attempt(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Return the open attempt; one that outlived its lease or its process comes back as in doubt."""
    attempt = RefreshAttempt.objects.filter(connection=connection, state__in=OPEN_STATES).first()
    if attempt is None or attempt.state == AttemptState.IN_DOUBT:
        return attempt
    error = "unanswered" if attempt.deadline_at <= now else "abandoned" if _is_abandoned(attempt) else ""
    if not error:
        return attempt
    # Conditional: a store, which takes no lock, may just have turned it into a received one.
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
    """Whether the process that claimed ``attempt`` is known to be dead; notes what this look at its lock saw."""
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

    One that was answered in this very moment stays as received: its version is promoted before or instead.
    """
    RefreshAttempt.objects.filter(id=attempt.id, state=AttemptState.IN_DOUBT).update(state=AttemptState.SUPERSEDED)


def follows_doubt(connection: Connection) -> bool:
    """Whether an earlier attempt with the current refresh token may have been processed without our knowing."""
    return RefreshAttempt.objects.filter(
        parent_version_id=connection.current_version_id, connection=connection, state=AttemptState.SUPERSEDED
    ).exists()


def recover_unfinished(*, now: datetime, limit: int = 200) -> int:
    """Promote what was received, send a refresh for what was never answered; return how many connections that were.

    What is in the spool is stored first. One short transaction for each connection, which is locked; one that somebody
    else keeps locked is left for the next run. With nothing to do this is one query of a partial index.
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
    """Close attempts whose answer was destroyed before anybody promoted it: by a reconnect, or by a disconnection."""
    kept = CredentialVersion.objects.filter(connection=connection, stage=Stage.RECEIVED, attempt_id__isnull=False)
    RefreshAttempt.objects.filter(connection=connection, state=AttemptState.RECEIVED).exclude(
        id__in=kept.values("attempt_id")
    ).update(state=AttemptState.SUPERSEDED, ended_at=now)
