"""Judge the refusal of a refresh: try another refresh token if there is one, else decide about the grant."""

from datetime import datetime
from typing import Any

from connections.lifecycle.credentials.promote import newest_orphan, promote_orphan
from connections.lifecycle.credentials.unread import was_answered
from connections.lifecycle.health.incidents import freeze_for, spare
from connections.lifecycle.health.status import change_status
from connections.lifecycle.health.strikes import judge_again_at, strike
from connections.models import Connection, CredentialVersion, Reason, RefreshAttempt, Status
from providers.oauth.unread import AnswerUnread


def judge_refusal(connection: Connection, attempt: RefreshAttempt, *, evidence: dict[str, Any], now: datetime) -> None:
    """Judge the refusal of a refresh: try an orphan first; without one, the two-strike rule decides.

    An orphan whose access token has run out does not replace a version that still vends. It is tried when the access
    token of that version ends; until then the connection is suspect. ``evidence`` has the keys of
    ``providers.errors.Evidence``; the strike adds ``attempt``. Call it with connection and attempt locked.
    """
    if connection.current_version_id != attempt.parent_version_id:
        return
    orphan = newest_orphan(connection)
    if orphan is not None:
        if not _outlasts(connection, orphan, now=now):
            promote_orphan(connection, now=now)
            return
        incident = freeze_for(connection, now=now)
        if incident is not None:
            spare(connection, incident, now=now)
        elif connection.status == Status.ACTIVE:
            change_status(connection, Status.SUSPECT, Reason.REFRESH_REFUSED, evidence=evidence, now=now)
        connection.hold_refresh(connection.access_expires_at)
        return
    refusal = strike(
        connection,
        attempt.parent_version_id,
        first=Reason.REFRESH_REFUSED,
        final=_why_ended(connection, attempt),
        is_decisive=attempt.follows_doubt,
        evidence=evidence | {"attempt": str(attempt.id)},
        now=now,
    )
    if not refusal:
        connection.hold_refresh(judge_again_at(connection, now=now))


def _why_ended(connection: Connection, attempt: RefreshAttempt) -> Reason:
    """Return the reason for the end. After an unread answer the token was not lost in flight, but in that answer."""
    if not attempt.follows_doubt:
        return Reason.GRANT_REJECTED
    earlier = RefreshAttempt.objects.filter(
        connection=connection, parent_version_id=attempt.parent_version_id, error=AnswerUnread.code
    )
    answered = was_answered(connection, attempt.parent_version_id) or earlier.exists()
    return Reason.ANSWER_UNREAD if answered else Reason.LOST_IN_FLIGHT


def _outlasts(connection: Connection, orphan: CredentialVersion, *, now: datetime) -> bool:
    """Whether the current access token still vends and that of ``orphan`` has run out."""
    is_orphan_over = orphan.access_expires_at is not None and orphan.access_expires_at <= now
    return is_orphan_over and connection.access_expires_at is not None and connection.access_expires_at > now
