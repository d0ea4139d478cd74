"""Recover: what becomes of refreshes that did not end: received but not promoted, or sent and never answered.

The rules of doubt are all here. A request that was never answered may still have rotated the refresh token, so its
attempt is *in doubt*. The attempt that follows it supersedes it, in one transaction, once no late writer can come any
more: when the writer said itself that it ended, or after the lease. A refusal after a doubt is then told as what it is.
"""

from datetime import datetime

from django.db.models import Q

from connections.lifecycle import spool
from connections.lifecycle.locking import lock_connection, short_transaction
from connections.lifecycle.promote import promote
from connections.models import (
    OPEN_STATES,
    VENDS,
    AttemptState,
    Connection,
    CredentialVersion,
    RefreshAttempt,
    Stage,
)


def settle_earlier(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Settle what earlier attempts of the locked ``connection`` left behind, and return the one that is still open.

    That one is ``sent``, and must be waited for, or in doubt. What was received is promoted. The order matters: a store
    takes no lock, and turns an open attempt into a received version in one commit; whoever looked for versions first
    and for attempts second could miss both.
    """
    attempt = _open_attempt(connection, now=now)
    if attempt is not None and attempt.state == AttemptState.SENT:
        return attempt
    received = CredentialVersion.objects.filter(
        connection=connection, stage=Stage.RECEIVED, attempt_id__isnull=False
    ).order_by("received_at")
    settled = [promote(connection, version, now=now) for version in received]
    return _open_attempt(connection, now=now) if settled else attempt


def _open_attempt(connection: Connection, *, now: datetime) -> RefreshAttempt | None:
    """Return the open attempt; one that outlived its lease comes back as in doubt."""
    attempt = RefreshAttempt.objects.filter(connection=connection, state__in=OPEN_STATES).first()
    if attempt is not None and attempt.state == AttemptState.SENT and attempt.deadline_at <= now:
        attempt.state = AttemptState.IN_DOUBT
        attempt.error = "unanswered"
        attempt.ended_at = now
        attempt.save(update_fields=["state", "error", "ended_at"])
    return attempt


def supersede(attempt: RefreshAttempt) -> None:
    """Close an attempt in doubt in favour of the one that the same transaction inserts."""
    attempt.state = AttemptState.SUPERSEDED
    attempt.save(update_fields=["state"])


def follows_doubt(connection: Connection) -> bool:
    """Whether an earlier attempt with the current refresh token may have been processed without our knowing."""
    return RefreshAttempt.objects.filter(
        Q(parent_version_id=connection.current_version_id), connection=connection, state=AttemptState.SUPERSEDED
    ).exists()


def recover_unfinished(*, now: datetime, limit: int = 200) -> int:
    """Promote what was received, and make due what was never answered; return how many connections that were.

    What is in the spool is stored first. One short transaction for each connection, which is locked. The retry itself
    is the sweep's.
    """
    spooled = spool.replay()
    attempts = RefreshAttempt.objects.filter(
        state__in=[*OPEN_STATES, AttemptState.RECEIVED], deadline_at__lt=now, connection__status__in=VENDS
    )
    connection_ids = {*spooled, *attempts.values_list("connection_id", flat=True)[:limit]}
    for connection_id in connection_ids:
        with short_transaction():
            connection = lock_connection(connection_id)
            if connection is None:
                continue
            unanswered = settle_earlier(connection, now=now)
            if unanswered is not None and (connection.refresh_due_at is None or connection.refresh_due_at > now):
                connection.change(refresh_due_at=now)
    return len(connection_ids)
