"""Revoke: the job behind a disconnection. It asks the provider to revoke the grant, then proves that this was done.

``revocation_proof`` says what counts as proof. Until there is proof, and for 24 hours at most, the secrets are kept and
the job runs again. The job stores as evidence which tokens it saw alive, before it asks for the revocation. So if it is
killed in between, the next run can still prove the revocation.

A provider may say yes and do nothing. Where a token works on after several such answers, that is told at once
(``given_up``), and is the outcome in the end, unless the provider obeys after all.

While another connection lives on the same grant, the job revokes only this connection's tokens if the provider can do
that, and else nothing (``siblings``).
"""

import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Q, QuerySet

from connections.access.secrets import open_credential
from connections.access.targets import Access, access_of
from connections.database.locks import lock_connection
from connections.database.pool import release_database, short_transaction
from connections.journal import audit, events
from connections.lifecycle.credentials.reread import reread_locked
from connections.lifecycle.end.disconnect import destroy_secrets
from connections.lifecycle.end.given_up import GIVEN_UP, IGNORED_SINCE, tell_given_up
from connections.lifecycle.end.revocation_proof import Proof, is_proved, outlived_at
from connections.lifecycle.end.siblings import can_be_narrowed, reaches_siblings, siblings_of
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt, Revocation, Stage
from connections.refusals import AppMisconfigured, CredentialUnreadable, EndpointMoved
from connections.vault.sealing import Unreadable
from providers.errors import ProviderError

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
RETRY_SECONDS = (5, 30, 120, 600, 1800)
TELL_AFTER = 3  # by then a cache that knew the token has run out
EVIDENCE = "revocation"  # key of the connection's evidence: maps a version's id to ``Proof.noted``


@dataclass(frozen=True, slots=True)
class _Grant:
    """One credential of the grant to revoke."""

    version_id: uuid.UUID
    proof: Proof


@dataclass(frozen=True, slots=True)
class _Work:
    connection_id: uuid.UUID
    places: tuple[Hashable, ...]
    access: Access
    grants: tuple[_Grant, ...]
    is_complete: bool  # whether every stored credential of the grant opened
    is_narrowed: bool  # whether other connections live on the grant, so that only these tokens are revoked


def revoke(connection_id: uuid.UUID) -> Revocation:
    """Revoke one connection's grant at its provider, and return how far the revocation has come.

    HTTP, without a lock and without a database connection meanwhile. Repeating it is harmless.
    """
    work = _load(connection_id)
    release_database()
    if isinstance(work, Revocation):
        return work
    for grant in work.grants:
        grant.proof.look_before()
    if not _keep_evidence(work):
        return Revocation.NOT_ASKED
    release_database()
    asked = [_ask(work, grant) for grant in work.grants]
    findings = [
        grant.proof.look_after(is_promised=was_asked) for grant, was_asked in zip(work.grants, asked, strict=True)
    ]
    return _record_outcome(work, confirmed=work.is_complete and all(asked) and is_proved(findings))


def _load(connection_id: uuid.UUID) -> _Work | Revocation:
    with short_transaction() as now:
        connection = lock_connection(connection_id)
        if connection is None or connection.revocation != Revocation.PENDING:
            return Revocation.NOT_ASKED if connection is None else Revocation(connection.revocation)
        if connection.revocation_deadline_at is not None and connection.revocation_deadline_at <= now:
            return _close(
                connection, Revocation.IGNORED if _is_ignored(connection) else Revocation.UNCONFIRMED, now=now
            )
        if RefreshAttempt.objects.filter(connection=connection, state=AttemptState.SENT, deadline_at__gt=now).exists():
            # The response of a refresh may hold the only live token of the grant: revoke that token as well.
            connection.revoke_at(now + timedelta(seconds=5))
            return Revocation.PENDING
        try:
            access = access_of(connection)
        except AppMisconfigured:
            connection.revoke_at(_again(connection, RETRY_SECONDS[-1], now=now))
            return Revocation.PENDING
        is_shared = reaches_siblings(access) and siblings_of(connection, access).exists()
        if is_shared and not can_be_narrowed(access):
            return _close(connection, Revocation.WITHHELD, now=now)
        reread_locked(connection, now=now)  # a token that came too late to be used can still be revoked
        clock = _clock_from(now)
        opened = [_open_grant(connection, version, access, clock) for version in _stored_of(connection)]
        grants = tuple(grant for grant in opened if isinstance(grant, _Grant))
        for code in {code for code in opened if isinstance(code, str)} if connection.revocation_failures == 0 else ():
            audit.record("connection.revocation", decision=code, connection=connection)
        connection.try_revocation(again_at=now + LEASE)
    return _Work(
        connection_id,
        access.places(connection.provider_app, tenant_id=connection.tenant_id),
        access,
        grants,
        is_complete=len(grants) == len(opened),
        is_narrowed=is_shared,
    )


def _stored_of(connection: Connection) -> QuerySet[CredentialVersion]:
    """Return the stored credential versions of the grant that may still work."""
    return CredentialVersion.objects.filter(Q(grant_id=connection.grant_id), connection=connection).exclude(
        stage=Stage.PREVIOUS
    )


def _clock_from(now: datetime) -> Callable[[], datetime]:
    """Return a clock that stands at ``now`` and goes on without the database."""
    began = time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def _open_grant(
    connection: Connection, version: CredentialVersion, access: Access, clock: Callable[[], datetime]
) -> _Grant | str:
    """Return one credential of the grant, or the code of the reason why it cannot be sent now.

    Its key may be missing, or the endpoints may not be those that issued it. Both may be mended within the 24 hours.
    """
    try:
        credential = open_credential(connection, version)
        access.check_grantor(credential)
    except Unreadable:
        logger.error("credential_unreadable", connection=str(connection.id), version=str(version.id))
        return CredentialUnreadable.code
    except EndpointMoved:
        logger.error("endpoint_moved", connection=str(connection.id), version=str(version.id))
        return EndpointMoved.code
    proof = Proof(access, credential, version.access_expires_at, clock)
    proof.recall(connection.evidence.get(EVIDENCE, {}).get(str(version.id), {}))
    return _Grant(version.id, proof)


def _again(connection: Connection, pause_seconds: float, *, now: datetime) -> datetime:
    """Return when to run again: after the pause, but no later than the secrets may be kept."""
    due = now + timedelta(seconds=pause_seconds)
    return min(due, connection.revocation_deadline_at or due)


def _ask(work: _Work, grant: _Grant) -> bool:
    """Ask the provider to revoke one credential (HTTP). Return False if the provider refused or failed."""
    try:
        with bulkhead.place(*work.places):
            work.access.strategy.revoke(work.access.target, grant.proof.credential, narrowed=work.is_narrowed)
    except ProviderError as error:
        logger.warning("revocation_failed", connection=str(work.connection_id), error=error.code)
        return False
    return True


def _keep_evidence(work: _Work) -> bool:
    """Store the evidence about the tokens. Return False where the revocation was called off meanwhile."""
    with short_transaction():
        connection = lock_connection(work.connection_id)
        if connection is None or connection.revocation != Revocation.PENDING:
            return False
        connection.add_evidence(**_evidence(work))
    return True


def _evidence(work: _Work) -> dict[str, Any]:
    return {EVIDENCE: {str(grant.version_id): grant.proof.noted() for grant in work.grants}}


def _record_outcome(work: _Work, *, confirmed: bool) -> Revocation:
    with short_transaction() as now:
        connection = lock_connection(work.connection_id)
        if connection is None or connection.revocation != Revocation.PENDING:
            return Revocation.NOT_ASKED
        arrived = _stored_of(connection).exclude(id__in=[grant.version_id for grant in work.grants]).exists()
        if confirmed and not arrived:
            return _close(connection, Revocation.CONFIRMED, now=now, is_narrowed=work.is_narrowed)
        pause = RETRY_SECONDS[min(max(connection.revocation_failures - 1, 0), len(RETRY_SECONDS) - 1)]
        connection.add_evidence(**_evidence(work))
        connection.revoke_at(_again(connection, pause, now=now))
        if connection.revocation_failures >= TELL_AFTER:
            _note_ignored(connection, now=now)
    return Revocation.PENDING


def _is_ignored(connection: Connection) -> bool:
    return any(outlived_at(noted) for noted in connection.evidence.get(EVIDENCE, {}).values())


def _note_ignored(connection: Connection, *, now: datetime) -> None:
    """Tell once that the provider said yes and did nothing, while it is tried on; forget it if it obeyed since."""
    if not _is_ignored(connection):
        connection.drop_evidence(IGNORED_SINCE)
    elif IGNORED_SINCE not in connection.evidence:
        connection.add_evidence(**{IGNORED_SINCE: now.isoformat()})
        tell_given_up(connection, Revocation.IGNORED, is_final=False, now=now)


def _close(connection: Connection, outcome: Revocation, *, now: datetime, is_narrowed: bool = False) -> Revocation:
    destroy_secrets(connection)
    connection.drop_evidence(EVIDENCE)
    if outcome != Revocation.IGNORED:
        connection.drop_evidence(IGNORED_SINCE)
    connection.end_revocation(outcome)
    detail = {"narrowed": True} if is_narrowed else {}
    if outcome in GIVEN_UP:
        tell_given_up(connection, outcome, is_final=True, now=now)
    else:
        events.emit(f"connection.revocation_{outcome}", connection, **detail)
    audit.record("connection.revocation", decision=outcome.value, connection=connection, detail=detail)
    return outcome
