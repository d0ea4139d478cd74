"""Verdict: carrying out what the policy decides about a connection's health.

Every proof names the credential version that it tested and is dropped unless that is the current one. Call these
functions in a transaction, with the connection locked.
"""

import uuid
from datetime import datetime
from typing import Any

from django.db.models import Q

from connections.lifecycle.incidents import downgrades_frozen
from connections.lifecycle.policy import STRIKE_INTERVAL, decide_refusal
from connections.lifecycle.promote import newest_orphan, promote_orphan
from connections.lifecycle.status import change_status
from connections.lifecycle.unread import was_answered
from connections.lifecycle.versions import outlive
from connections.models import Connection, CredentialVersion, Reason, RefreshAttempt, Status
from providers.oauth.unread import AnswerUnread


def refresh_refused(
    connection: Connection, attempt: RefreshAttempt, *, evidence: dict[str, Any], now: datetime
) -> None:
    """Judge the refusal of a refresh: an orphan is tried first, then the two-strike rule decides.

    An orphan whose access token has run out does not take the place of one that still vends: it is tried when that
    ends, and the connection is suspect until then.
    """
    if connection.current_version_id != attempt.parent_version_id:
        return
    orphan = newest_orphan(connection)
    if orphan is not None:
        if not _outlasts(connection, orphan, now=now):
            promote_orphan(connection, now=now)
            return
        if connection.status == Status.ACTIVE and not downgrades_frozen(connection.provider_app, now=now):
            change_status(connection, Status.SUSPECT, Reason.REFRESH_REFUSED, evidence=evidence, now=now)
        retry_at = connection.access_expires_at
        connection.change(next_attempt_at=retry_at, refresh_due_at=retry_at, refresh_enqueued_until=None)
        return
    refusal = _struck(
        connection,
        attempt.parent_version_id,
        first=Reason.REFRESH_REFUSED,
        final=_why_ended(connection, attempt),
        is_decisive=attempt.follows_doubt,
        evidence=evidence | {"attempt": str(attempt.id)},
        now=now,
    )
    if not refusal:
        retry_at = (connection.refused_at or now) + STRIKE_INTERVAL
        connection.change(next_attempt_at=retry_at, refresh_due_at=retry_at, refresh_enqueued_until=None)


def _why_ended(connection: Connection, attempt: RefreshAttempt) -> Reason:
    """Return what a final refusal means: after an answer that could not be read, nothing was lost on the way."""
    if not attempt.follows_doubt:
        return Reason.GRANT_REJECTED
    earlier = RefreshAttempt.objects.filter(
        connection=connection, parent_version_id=attempt.parent_version_id, error=AnswerUnread.code
    )
    answered = was_answered(connection, attempt.parent_version_id) or earlier.exists()
    return Reason.ANSWER_UNREAD if answered else Reason.LOST_IN_FLIGHT


def _outlasts(connection: Connection, orphan: CredentialVersion, *, now: datetime) -> bool:
    """Whether the current access token still vends, and that of ``orphan`` does not."""
    is_orphan_over = orphan.access_expires_at is not None and orphan.access_expires_at <= now
    return is_orphan_over and connection.access_expires_at is not None and connection.access_expires_at > now


def credential_refused(
    connection: Connection, version_id: uuid.UUID, *, evidence: dict[str, Any], now: datetime
) -> None:
    """Judge a probe's dead answer on a credential that cannot be refreshed: twice, at least 30 s apart."""
    if not _struck(
        connection,
        version_id,
        first=Reason.PROBE_REFUSED,
        final=Reason.CREDENTIAL_DEAD,
        is_decisive=False,
        evidence=evidence,
        now=now,
    ):
        connection.change(probe_due_at=(connection.refused_at or now) + STRIKE_INTERVAL)


def proved_alive(connection: Connection, version_id: uuid.UUID, *, by: str, now: datetime) -> None:
    """Record a proof that the credential works, and lift a suspicion that no refused refresh supports.

    A proof that comes after the end of what cannot be refreshed shows that this was not its end.
    """
    if connection.current_version_id != version_id:
        return
    if connection.status == Status.SUSPECT and connection.reason == Reason.PROBE_REFUSED:
        change_status(connection, Status.ACTIVE, Reason.RECOVERED, now=now)
        connection.change(refused_at=None)
    outlive(connection, CredentialVersion.objects.get(Q(id=version_id)), now=now)
    connection.change(verified_at=now, verified_by=by)


def _struck(
    connection: Connection,
    version_id: uuid.UUID,
    *,
    first: Reason,
    final: Reason,
    is_decisive: bool,
    evidence: dict[str, Any],
    now: datetime,
) -> bool:
    """Count one refusal of ``version_id``; return whether it ended the connection."""
    if connection.current_version_id != version_id or connection.status not in (Status.ACTIVE, Status.SUSPECT):
        return True
    is_first = connection.refused_at is None
    if is_first:
        connection.change(refused_at=now)
    decision = decide_refusal(
        refused_at=connection.refused_at,
        is_first=is_first,
        is_decisive=is_decisive,
        is_frozen=downgrades_frozen(connection.provider_app, now=now),
        now=now,
    )
    if decision == "end":
        change_status(connection, Status.NEEDS_REAUTH, final, evidence=evidence, now=now)
        connection.change(refresh_due_at=None, probe_due_at=None, next_attempt_at=None)
        return True
    if decision == "suspect" and connection.status == Status.ACTIVE:
        change_status(connection, Status.SUSPECT, first, evidence=evidence, now=now)
    return False
