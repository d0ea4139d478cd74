"""Settle: record the result of an exchange, however it ended.

A success is stored before any decision about it (T2a), then promoted (T2b). Failures are of four kinds: the grant is
refused, our registration is refused, nothing was sent, or it is unknown what the provider did.
"""

import random
import time
from datetime import datetime, timedelta
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

import structlog
from django.db import IntegrityError, InterfaceError, OperationalError

from connections.database.clock import database_now
from connections.database.locks import lock_attempt, lock_connection
from connections.database.pool import release_database, replace_broken_connections, short_transaction
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.lifetime import grant_lifetimes, with_known_lifetime
from connections.lifecycle.credentials.promote import promote, promote_received
from connections.lifecycle.credentials.unread import SealedAnswer, note_unread, seal_answer, store_unread
from connections.lifecycle.credentials.versions import SealedVersion, seal_version, set_lifetime
from connections.lifecycle.health.failing import is_refused_alone, judge_failure
from connections.lifecycle.health.incidents import close_client_incident, note_refusal, open_client_incident
from connections.lifecycle.health.rules import backoff_seconds
from connections.lifecycle.refresh.arrivals import store_and_promote
from connections.lifecycle.refresh.claim import Claim, Outcome, RefreshReport
from connections.lifecycle.refresh.judge_refusal import judge_refusal
from connections.lifecycle.registration.refused import give_up_refused
from connections.models import VENDS, AttemptState, Connection, CredentialVersion, RefreshAttempt, Stage
from providers.errors import (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    NotSentInTime,
    ProviderError,
    RequestRejected,
)
from providers.oauth.unread import AnswerUnread
from providers.values import Obtained

logger = structlog.get_logger(__name__)

STORE_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)


def settle_success(claimed: Claim, obtained: Obtained) -> RefreshReport:
    """Store the credential that the provider issued (T2a), then promote it (T2b).

    Short transactions; T2b locks the connection. Where the lifetime is unknown, introspection in between is HTTP.
    """
    sealed = seal_version(
        obtained,
        tenant_id=claimed.tenant_id,
        connection_id=claimed.connection_id,
        grant_id=claimed.grant_id,
        key=claimed.key,
        # RFC 6749 §6: a refresh that names no scopes, or an empty list, changes none.
        scopes=obtained.scopes or claimed.scopes,
        is_refreshable=True,
        received_at=claimed.received_now(),
        grantor=claimed.access.target.grantor,
        parent_id=claimed.parent_version_id,
        attempt_id=claimed.attempt_id,
        before=claimed.ends,
    )
    asks = obtained.lifetime_seconds is None and not obtained.is_endless and claimed.access.capabilities.introspects
    is_plain = not (asks or claimed.during_incident)
    kept = _store(sealed, lifetimes=_lifetimes(claimed, sealed) if is_plain else None)
    if kept is _Kept.APART:
        return RefreshReport(Outcome.UNAVAILABLE, claimed.attempt_id, retry_after_seconds=STORE_RETRY_SECONDS[-1])
    if kept is _Kept.RECEIVED:
        learnt = _learnt_lifetime(claimed, obtained) if asks else None
        with short_transaction() as now:
            connection = lock_connection(claimed.connection_id)
            if connection is None:
                return RefreshReport(Outcome.GONE, claimed.attempt_id)
            version = CredentialVersion.objects.filter(id=sealed.id).first()
            if version is not None and version.stage == Stage.RECEIVED:
                if learnt is not None:
                    set_lifetime(version, learnt)
                promote(connection, version, now=now)
            if claimed.during_incident:
                close_client_incident(connection.provider_app, party=claimed.access.party_id, now=now)
    logger.info("refreshed", connection=str(claimed.connection_id), attempt=str(claimed.attempt_id))
    return RefreshReport(Outcome.REFRESHED, claimed.attempt_id)


def _lifetimes(claimed: Claim, sealed: SealedVersion) -> GrantLifetimes:
    target = claimed.access.target
    return grant_lifetimes(target.entry.slug, target.style, refresh_lifetime_seconds=sealed.refresh_lifetime_seconds)


def _learnt_lifetime(claimed: Claim, obtained: Obtained) -> int | None:
    """Return the lifetime in seconds from introspection (HTTP). None if that does not know it either."""
    release_database()
    return with_known_lifetime(claimed.access, obtained).lifetime_seconds


def settle_unread(claimed: Claim, unread: AnswerUnread) -> RefreshReport:
    """Store an answer that cannot be read, before any decision about it; then record the failure."""
    sealed = seal_answer(
        unread,
        tenant_id=claimed.tenant_id,
        connection_id=claimed.connection_id,
        grant_id=claimed.grant_id,
        parent_id=claimed.parent_version_id,
        attempt_id=claimed.attempt_id,
        key=claimed.key,
        grantor=claimed.access.target.grantor,
        provider=claimed.access.target.entry.slug,
        rotates=claimed.rotates,
        received_at=claimed.received_now(),
    )
    if _store(sealed) is _Kept.APART:
        return RefreshReport(Outcome.UNAVAILABLE, claimed.attempt_id, retry_after_seconds=STORE_RETRY_SECONDS[-1])
    report = settle_failure(claimed, unread)
    if sealed.holds_back and not claimed.grace_seconds and report.outcome is Outcome.UNAVAILABLE:
        return RefreshReport(Outcome.ANSWER_UNREAD, claimed.attempt_id)
    return report


class _Kept(Enum):
    """Where an answer is."""

    APART = auto()  # in the spool
    RECEIVED = auto()
    PROMOTED = auto()


def _insert(sealed: SealedVersion | SealedAnswer, lifetimes: GrantLifetimes | None) -> _Kept:
    if isinstance(sealed, SealedVersion):
        return _Kept.PROMOTED if store_and_promote(sealed, lifetimes=lifetimes) else _Kept.RECEIVED
    store_unread(sealed)
    return _Kept.RECEIVED


def _store(sealed: SealedVersion | SealedAnswer, *, lifetimes: GrantLifetimes | None = None) -> _Kept:
    """Store ``sealed`` in a transaction of its own, on a new connection if the database went away meanwhile.

    At the first failure this also writes it to the spool, where it survives a kill; if the database stays away, that
    keeps it. Only errors of a lost connection are handled: any other error is a bug, and rises. A version with
    ``lifetimes`` is promoted as well, if its case is plain (``arrivals``).
    """
    is_spooled, has_failed = False, False
    for pause in (*STORE_RETRY_SECONDS, None):
        try:
            kept = _insert(sealed, lifetimes)
        except (OperationalError, InterfaceError):
            has_failed = True
            try:
                if not is_spooled:
                    spool.write(sealed)
                    is_spooled = True
            except OSError as error:
                logger.error("version_not_spooled", connection=str(sealed.connection_id), error=type(error).__name__)
                if pause is None:
                    raise
            release_database()
            replace_broken_connections()
            if pause is not None:
                time.sleep(pause)
        except IntegrityError:
            if not is_spooled:
                raise
            return _Kept.RECEIVED  # another process has replayed the spool already
        else:
            if has_failed:
                spool.discard(sealed)
            return kept
    return _Kept.APART


def abort(claimed: Claim, failure: NotSentInTime) -> RefreshReport:
    """End a claim whose request was never sent. The next sweep may try again. One short transaction."""
    with short_transaction():
        _end(lock_attempt(claimed.attempt_id), AttemptState.ABORTED, failure.code, failure.evidence.as_dict())
    return RefreshReport(Outcome.ABORTED, claimed.attempt_id, retry_after_seconds=1)


def settle_failure(claimed: Claim, failure: ProviderError) -> RefreshReport:
    """Record a failed exchange on the attempt, the connection or the provider app, whichever is at fault.

    One short transaction that locks the connection and the attempt. Replays the spool before it where the grant was
    refused.
    """
    if isinstance(failure, GrantRejected):
        # If an earlier attempt was answered late, the provider may take this one for a replay. Store that answer first.
        spool.replay()
    with short_transaction() as now:
        connection = lock_connection(claimed.connection_id)
        if connection is None:
            return RefreshReport(Outcome.GONE, claimed.attempt_id)
        attempt = lock_attempt(claimed.attempt_id)
        report = _settle_failure(claimed, connection, attempt, failure, now=now)
    logger.warning(
        "refresh_failed",
        connection=str(claimed.connection_id),
        attempt=str(claimed.attempt_id),
        error=failure.code,
        evidence=failure.evidence.as_dict(),
    )
    return report


def _settle_failure(
    claimed: Claim, connection: Connection, attempt: RefreshAttempt, failure: ProviderError, *, now: datetime
) -> RefreshReport:
    evidence = failure.evidence.as_dict()
    if isinstance(failure, GrantRejected):
        _end(attempt, AttemptState.REJECTED, failure.code, evidence)
        promote_received(connection, now=now)
        judge_refusal(connection, attempt, evidence=evidence, now=now)
        return RefreshReport(Outcome.REFUSED, attempt.id, retry_after_seconds=_seconds_left(connection, now))
    give_up_refused(connection.provider_app, connection.registered_client, failure, now=now)
    is_alone = isinstance(failure, ClientRejected) and (failure.by_typed_host or is_refused_alone(connection, attempt))
    if isinstance(failure, ClientRejected) and not is_alone:
        _end(attempt, AttemptState.REJECTED, failure.code, evidence)
        open_client_incident(connection.provider_app, party=claimed.access.party_id, evidence=evidence, now=now)
        return RefreshReport(Outcome.CLIENT_REJECTED, attempt.id)
    if isinstance(failure, ClientRejected | RequestRejected):
        _end(attempt, AttemptState.REJECTED, failure.code, evidence)
        grace_seconds = 0
    elif failure.sent and claimed.rotates and not _used_no_token(failure):
        _end(attempt, AttemptState.IN_DOUBT, failure.code, evidence)
        grace_seconds = claimed.grace_seconds
    else:
        _end(attempt, AttemptState.ABORTED, failure.code, evidence)
        grace_seconds = 0
    if isinstance(failure, AnswerUnread):
        note_unread(connection, now=now)
    if isinstance(failure, AddressRefused):
        party = claimed.access.party_id
        note_refusal(connection.provider_app, failure, party=party, now=now, connection=connection)
    wait = backoff_seconds(
        connection.failures + 1,
        spread=random.random(),
        retry_after_seconds=failure.retry_after_seconds,
        grace_seconds=grace_seconds,
    )
    if connection.status in VENDS and connection.current_version_id == claimed.parent_version_id:
        connection.count_failure(retry_at=now + timedelta(seconds=wait))
        capabilities = claimed.access.capabilities
        can_probe = capabilities.probes or capabilities.introspects
        judge_failure(connection, failure, can_probe=can_probe, now=now)
    return RefreshReport(Outcome.UNAVAILABLE, attempt.id, retry_after_seconds=wait)


def _used_no_token(failure: ProviderError) -> bool:
    """Whether the provider has answered that it did not look at the refresh token."""
    return isinstance(failure, AddressRefused) or failure.evidence.status == HTTPStatus.TOO_MANY_REQUESTS


def _end(attempt: RefreshAttempt, state: AttemptState, error: str, evidence: dict[str, Any]) -> None:
    """Close the attempt with ``error`` and ``evidence``. If recovery has closed it meanwhile, add only those two."""
    if attempt.state == AttemptState.SENT:
        attempt.state = state
    attempt.error = error[:40]
    attempt.evidence = evidence
    attempt.ended_at = database_now()
    attempt.save(update_fields=["state", "error", "evidence", "ended_at"])


def _seconds_left(connection: Connection, now: datetime) -> float | None:
    if connection.next_attempt_at is None:
        return None
    return max(0.0, (connection.next_attempt_at - now).total_seconds())
