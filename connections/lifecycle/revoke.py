"""Revoke: the job behind a disconnection. Asks the provider to revoke the grant, then proves that it did.

RFC 7009's 200 proves nothing, so the credential is tried afterwards; only a dead answer to one that would still be
valid confirms the revocation. Until then, and for 24 hours at most, the secrets are kept and the job comes again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db.models import Q

from connections.lifecycle import audit, events
from connections.lifecycle.disconnect import destroy_secrets
from connections.lifecycle.locking import lock_connection, release_database, short_transaction
from connections.lifecycle.outcomes import AppMisconfigured, CredentialUnreadable
from connections.lifecycle.sealing import open_credential
from connections.lifecycle.targets import Access, access_to
from connections.models import Connection, CredentialVersion, RefreshAttempt, Revocation, Stage
from connections.vault.sealing import Unreadable
from providers.errors import ProviderError
from providers.values import Credential
from providers.vocabulary import ProbeVerdict

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=60)
RETRY_SECONDS = (5, 30, 120, 600, 1800)


@dataclass(frozen=True, slots=True)
class _Grant:
    """One credential of the grant to revoke; ``proves`` says that a refusal of it would mean something."""

    version_id: uuid.UUID
    credential: Credential
    proves: bool


@dataclass(frozen=True, slots=True)
class _Work:
    connection_id: uuid.UUID
    access: Access
    grants: tuple[_Grant, ...]
    is_complete: bool  # whether all that is stored of the grant opened


def revoke(connection_id: uuid.UUID) -> Revocation:
    """Revoke one connection's grant at its provider and say how far that has come.

    Holds no lock and no database connection during HTTP. Repeating it is harmless.
    """
    work = _load(connection_id)
    release_database()
    if isinstance(work, Revocation):
        return work
    confirmed = work.is_complete
    for grant in work.grants:
        confirmed = _revoke_one(work, grant) and confirmed
    return _settle(work, confirmed=confirmed)


def _load(connection_id: uuid.UUID) -> _Work | Revocation:
    with short_transaction() as now:
        connection = lock_connection(connection_id)
        if connection is None or connection.revocation != Revocation.PENDING:
            return Revocation.NOT_ASKED if connection is None else Revocation(connection.revocation)
        if connection.revocation_deadline_at is not None and connection.revocation_deadline_at <= now:
            return _close(connection, Revocation.UNCONFIRMED)
        if RefreshAttempt.objects.filter(connection=connection, state="sent", deadline_at__gt=now).exists():
            # Its response may be the only live token of the grant: it is revoked as well.
            connection.change(revocation_due_at=now + timedelta(seconds=5))
            return Revocation.PENDING
        try:
            access = access_to(connection.provider_app, connection.params)
        except AppMisconfigured:
            connection.change(revocation_due_at=_again(connection, RETRY_SECONDS[-1], now=now))
            return Revocation.PENDING
        versions = CredentialVersion.objects.filter(Q(grant_id=connection.grant_id), connection=connection).exclude(
            stage=Stage.PREVIOUS
        )
        opened = [_opened(connection, version, now=now) for version in versions]
        grants = tuple(grant for grant in opened if grant is not None)
        if len(grants) < len(opened) and connection.failures == 0:
            audit.record("connection.revocation", decision=CredentialUnreadable.code, connection=connection)
        connection.change(revocation_due_at=now + LEASE, failures=connection.failures + 1)
    return _Work(connection_id, access, grants, is_complete=len(grants) == len(opened))


def _opened(connection: Connection, version: CredentialVersion, *, now: datetime) -> _Grant | None:
    """Return one credential of the grant, or None for one that does not open: its key may be back within the 24 h."""
    try:
        credential = open_credential(connection, version)
    except Unreadable:
        logger.error("credential_unreadable", connection=str(connection.id), version=str(version.id))
        return None
    return _Grant(version.id, credential, proves=_outlives(version, now=now))


def _again(connection: Connection, pause_seconds: float, *, now: datetime) -> datetime:
    """Return when to come again: after a pause, but no later than the secrets may be kept."""
    due = now + timedelta(seconds=pause_seconds)
    return min(due, connection.revocation_deadline_at or due)


def _outlives(version: CredentialVersion, *, now: datetime) -> bool:
    return version.access_expires_at is None or version.access_expires_at > now + timedelta(seconds=25)


def _revoke_one(work: _Work, grant: _Grant) -> bool:
    strategy, target = work.access.strategy, work.access.target
    try:
        strategy.revoke(target, grant.credential)
    except ProviderError as error:
        logger.warning("revocation_failed", connection=str(work.connection_id), error=error.code)
        return False
    if work.access.capabilities.introspects:
        return strategy.introspect(target, grant.credential).verdict is ProbeVerdict.DEAD
    if not grant.proves or not work.access.capabilities.probes:
        return False
    return strategy.probe(target, grant.credential).verdict is ProbeVerdict.DEAD


def _settle(work: _Work, *, confirmed: bool) -> Revocation:
    with short_transaction() as now:
        connection = lock_connection(work.connection_id)
        if connection is None or connection.revocation != Revocation.PENDING:
            return Revocation.NOT_ASKED
        if confirmed:
            return _close(connection, Revocation.CONFIRMED)
        pause = RETRY_SECONDS[min(max(connection.failures - 1, 0), len(RETRY_SECONDS) - 1)]
        connection.change(revocation_due_at=_again(connection, pause, now=now))
    return Revocation.PENDING


def _close(connection: Connection, outcome: Revocation) -> Revocation:
    destroy_secrets(connection)
    connection.change(revocation=outcome, revocation_due_at=None, revocation_deadline_at=None, failures=0)
    events.emit(f"connection.revocation_{outcome}", connection)
    audit.record("connection.revocation", decision=outcome.value, connection=connection)
    return outcome
