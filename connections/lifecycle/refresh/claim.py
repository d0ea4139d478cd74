"""Claim (T1): the right to send one refresh, recorded before a byte leaves.

Owns the conditions under which a refresh may begin. A unique index of the database excludes a second open attempt. The
lock that is taken here only spares two claimers an ``IntegrityError``.
"""

import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from django.db import transaction
from django.db.models import Q

from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.access.secrets import credential_place, open_for_renewal, unwrap_columns
from connections.access.targets import Access, access_of, access_to
from connections.database.locks import lock_connection, lock_free
from connections.database.pool import LockTimeout, short_transaction
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.grant_end import GrantEnds
from connections.lifecycle.credentials.reread import reread_locked
from connections.lifecycle.credentials.unread import is_held_back
from connections.lifecycle.credentials.versions import ends_of
from connections.lifecycle.health.moved import mark_moved
from connections.lifecycle.health.undecryptable import mark_undecryptable
from connections.lifecycle.refresh import presence
from connections.lifecycle.refresh.claim_query import ClaimRow, insert_plain_claims
from connections.lifecycle.refresh.recover import follows_doubt, settle_earlier, supersede
from connections.models import (
    VENDS,
    AttemptState,
    Connection,
    CredentialVersion,
    Incident,
    IncidentKind,
    ProviderApp,
    RefreshAttempt,
    Trigger,
)
from connections.models.fields import StoredSecret
from connections.models.quarantine import holding, holds
from connections.refusals import AppMisconfigured, EndpointMoved
from connections.vault.keyring import DataKey
from connections.vault.sealing import KeyAway, Unreadable, open_sealed
from providers.values import Credential

LEASE = timedelta(seconds=60)
LOCK_TIMEOUT_SECONDS = 1.0
FLOOR = timedelta(seconds=10)
CLIENT_RETRY = timedelta(seconds=60)
# When to ask again for what a quarantine holds: a worker sorts in seconds, and a person releases when a person does.
SORTED_WITHIN = timedelta(seconds=5)
RELEASED_PERHAPS_WITHIN = timedelta(minutes=5)


class Outcome(StrEnum):
    """The outcome of a request for a refresh."""

    REFRESHED = "refreshed"
    TOO_SOON = "too_soon"  # the current credential is a few seconds old: refreshing again would be a hot loop
    FRESH = "fresh"  # nothing was due: another process was faster
    IN_FLIGHT = "in_flight"
    BACKING_OFF = "backing_off"
    HELD_BACK = "held_back"  # by the throttle
    CROWDED = "crowded"  # too many calls to this provider wait for an answer already
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"
    CLIENT_REJECTED = "client_rejected"
    MOVED = "moved"  # the endpoints are not those that issued the credential: it is not sent there
    ANSWER_UNREAD = "answer_unread"  # the last answer is unread, and may hold the rotated refresh token
    NOT_REFRESHABLE = "not_refreshable"
    UNREADABLE = "unreadable"
    ABORTED = "aborted"
    SWITCHED_OFF = "switched_off"
    QUARANTINED = "quarantined"  # the database was put back, and the refresh token may have been used up since
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """The outcome of a request for a refresh.

    ``attempt_id`` is the attempt that was made, or the one under way for which to wait.
    """

    outcome: Outcome
    attempt_id: uuid.UUID | None = None
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Why a refresh may begin although none is due.

    ``valid_until``: the caller needs a credential that lives until this moment. ``instead_of``: replace this version if
    it is still the current one. ``at_once``: begin also during the backoff after failures.
    """

    valid_until: datetime | None = None
    instead_of: uuid.UUID | None = None
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed refresh: all that the exchange and the store need, so that neither has to read the database first."""

    attempt_id: uuid.UUID
    connection_id: uuid.UUID
    tenant_id: uuid.UUID
    app_id: uuid.UUID
    parent_version_id: uuid.UUID
    grant_id: uuid.UUID
    scopes: tuple[str, ...]
    access: Access
    credential: Credential
    key: DataKey  # under which to seal what the provider answers
    claimed_at: datetime
    claimed_monotonic: float  # taken before the claim began, so that a pause within the claim counts as well
    ends: GrantEnds = field(default_factory=GrantEnds)
    during_incident: bool = False
    made_monotonic: float = field(default_factory=time.monotonic)  # ``claimed_at`` had been read by then

    def received_now(self) -> datetime:
        """Return the database's time of an answer that has just arrived, without asking it; never later than it is.

        Reckoned from before the claim, it would be late by all that the claim waited, and lifetimes would end late.
        """
        return self.claimed_at + timedelta(seconds=time.monotonic() - self.made_monotonic)

    @property
    def rotates(self) -> bool:
        """Whether an unanswered request may have used up the refresh token."""
        return self.access.capabilities.rotates

    @property
    def grace_seconds(self) -> int:
        """For how many seconds the provider still accepts a refresh token that it has replaced."""
        return self.access.target.method.refresh_tokens.grace_seconds


def claimant() -> str:
    """Return the name of the claimant (host, process and thread), for people who look for it."""
    return f"{socket.gethostname()}:{os.getpid()}:{threading.current_thread().name}"[:120]


def claim(
    connection_id: uuid.UUID, *, trigger: Trigger, need: Need, held_seconds: float | None = None
) -> Claim | RefreshReport:
    """Claim the refresh of one connection, or say why there is none to send. One short transaction.

    The plain case takes two statements (``claim_query``); the rules in this module decide about all others. Locks the
    connection; replays the spool first; no HTTP. ``held_seconds`` says for how long the throttle holds the provider
    back: then this claims nothing, and only promotes versions that were received before.
    """
    began = time.monotonic()
    is_plain = held_seconds is None and need.instead_of is None
    if is_plain and (plain := claim_plainly([connection_id], trigger=trigger)):
        return plain[0]
    spool.replay()  # before the lock: an answer that waits in the spool spares a retry
    try:
        with short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS) as now:
            connection = lock_connection(connection_id)
            if connection is None:
                return RefreshReport(Outcome.GONE)
            reread_locked(connection, now=now, only_changed=True)
            doubtful = settle_earlier(connection, now=now)
            if doubtful is not None and doubtful.state == AttemptState.SENT:
                return RefreshReport(Outcome.IN_FLIGHT, doubtful.id)
            open_now = Incident.objects.concerning(connection)
            incident = open_now.filter(kind=IncidentKind.CLIENT_REJECTED).first()
            refused = _why_not(connection, need, is_in_doubt=doubtful is not None, incident=incident, now=now)
            if refused is not None:
                return refused
            if held_seconds is not None:
                return RefreshReport(Outcome.HELD_BACK, retry_after_seconds=held_seconds)
            return _insert_claim(
                connection,
                trigger=trigger,
                doubtful=doubtful,
                during_incident=incident is not None,
                began=began,
                now=now,
            )
    except LockTimeout:
        return RefreshReport(Outcome.IN_FLIGHT)


def claim_plainly(connection_ids: Sequence[uuid.UUID], *, trigger: Trigger) -> list[Claim]:
    """Claim those of these refreshes that are due and plain, in one short transaction; ``claim`` decides about others.

    Two statements (``claim_query``). Skips rows that another transaction has locked. No HTTP.
    """
    began = time.monotonic()
    claims, unusable = [], []
    with transaction.atomic(durable=True):
        rows = insert_plain_claims(
            lock_free(connection_ids),
            trigger=trigger,
            claimed_by=claimant(),
            claimant_key=presence.key(),
            lease=LEASE,
        )
        for row in rows:
            try:
                claims.append(_claim_from(row, began=began))
            except (Unreadable, AppMisconfigured):
                unusable.append(row.attempt_id)
        if unusable:  # nobody has seen these attempts yet
            RefreshAttempt.objects.filter(id__in=unusable).delete()
    return claims


def _claim_from(row: ClaimRow, *, began: float) -> Claim:
    key = unwrap_columns(key_id=row.data_key_id, tenant_id=row.tenant_id, kek_id=row.kek_id, wrapped=row.wrapped)
    sealing_key = key
    if row.sealing_key_id != row.data_key_id:
        sealing_key = unwrap_columns(
            key_id=row.sealing_key_id,
            tenant_id=row.tenant_id,
            kek_id=row.sealing_kek_id,
            wrapped=row.sealing_wrapped,
        )
    place = credential_place(tenant_id=row.tenant_id, connection_id=row.connection_id, version_id=row.version_id)
    app = ProviderApp(
        id=row.app_id,
        tenant_id=row.app_tenant_id,
        provider=row.provider,
        name=row.app_name,
        auth_style=row.auth_style,
        client_id=row.client_id,
        secrets=None if row.app_secrets is None else StoredSecret(row.app_secrets),
        params=json.loads(row.app_params),
        discovered=json.loads(row.discovered),
    )
    app_key = None
    if row.app_key_id is not None:
        app_key = unwrap_columns(
            key_id=row.app_key_id, tenant_id=row.app_tenant_id, kek_id=row.app_kek_id, wrapped=row.app_wrapped
        )
    access = access_to(app, json.loads(row.params), key=app_key)
    credential = Credential.from_bytes(open_sealed(StoredSecret(row.secrets).open_outer(), key=key, place=place))
    access.check_grantor(credential)
    return Claim(
        attempt_id=row.attempt_id,
        connection_id=row.connection_id,
        tenant_id=row.tenant_id,
        app_id=row.app_id,
        parent_version_id=row.version_id,
        grant_id=row.grant_id,
        scopes=tuple(row.scopes),
        access=access,
        credential=credential,
        key=sealing_key,
        claimed_at=row.now,
        claimed_monotonic=began,
        ends=GrantEnds(row.refresh_lifetime_seconds, row.refresh_expires_at, row.grant_expires_at),
    )


def _why_not(
    connection: Connection, need: Need, *, is_in_doubt: bool, incident: Incident | None, now: datetime
) -> RefreshReport | None:
    if connection.status not in VENDS or connection.current_version_id is None:
        return RefreshReport(Outcome.GONE)
    if connection.is_suspended or connection.is_paused:
        return RefreshReport(Outcome.SWITCHED_OFF)
    if connection.refresh_due_at is None:
        return RefreshReport(Outcome.NOT_REFRESHABLE)
    if holds(connection):
        ends_within = SORTED_WITHIN if holding().exists() else RELEASED_PERHAPS_WITHIN
        return RefreshReport(Outcome.QUARANTINED, retry_after_seconds=ends_within.total_seconds())
    if not is_in_doubt and not _is_due(connection, need, now=now):
        return RefreshReport(Outcome.FRESH)
    if is_held_back(connection, now=now):
        return RefreshReport(Outcome.ANSWER_UNREAD)
    if connection.next_attempt_at is not None and connection.next_attempt_at > now and not need.at_once:
        wait = (connection.next_attempt_at - now).total_seconds()
        return RefreshReport(Outcome.BACKING_OFF, retry_after_seconds=wait)
    retry_at = None if incident is None else incident.last_seen_at + CLIENT_RETRY
    if retry_at is not None and retry_at > now and not need.at_once:
        return RefreshReport(Outcome.CLIENT_REJECTED, retry_after_seconds=(retry_at - now).total_seconds())
    return None


def _is_due(connection: Connection, need: Need, *, now: datetime) -> bool:
    if need.instead_of is not None:
        return need.instead_of == connection.current_version_id
    if connection.refresh_due_at is not None and connection.refresh_due_at <= now:
        return True
    if need.valid_until is None or connection.access_expires_at is None:
        return False
    if connection.access_expires_at > need.valid_until:
        return False
    newest = CredentialVersion.objects.only("received_at").get(Q(id=connection.current_version_id))
    return newest.received_at <= now - FLOOR


def _insert_claim(
    connection: Connection,
    *,
    trigger: Trigger,
    doubtful: RefreshAttempt | None,
    during_incident: bool,
    began: float,
    now: datetime,
) -> Claim | RefreshReport:
    version = CredentialVersion.objects.get(Q(id=connection.current_version_id))
    try:
        credential, key = open_for_renewal(connection, version)
        access = access_of(connection, key=key)
        access.check_grantor(credential)
    except KeyAway:
        return RefreshReport(Outcome.UNREADABLE, retry_after_seconds=TRIES_AGAIN_SECONDS)
    except Unreadable:
        mark_undecryptable(connection, version.id, now=now)
        return RefreshReport(Outcome.UNREADABLE)
    except EndpointMoved:
        mark_moved(connection, now=now)
        return RefreshReport(Outcome.MOVED, retry_after_seconds=CLIENT_RETRY.total_seconds())
    except AppMisconfigured:
        return RefreshReport(Outcome.CLIENT_REJECTED, retry_after_seconds=CLIENT_RETRY.total_seconds())
    if doubtful is not None:
        supersede(doubtful)
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=version.id,
        state=AttemptState.SENT,
        trigger=trigger,
        claimed_by=claimant(),
        claimant_key=presence.key(),
        claimed_at=now,
        deadline_at=now + LEASE,
        follows_doubt=follows_doubt(connection),
    )
    return Claim(
        attempt_id=attempt.id,
        connection_id=connection.id,
        tenant_id=connection.tenant_id,
        app_id=connection.provider_app_id,
        parent_version_id=version.id,
        grant_id=version.grant_id,
        scopes=tuple(version.scopes),
        access=access,
        credential=credential,
        key=key,
        claimed_at=now,
        claimed_monotonic=began,
        ends=ends_of(version),
        during_incident=during_incident,
    )
