"""Probe: a cheap authenticated call that proves that a credential still works, or gives reason to doubt it.

A probe alone never ends a grant that can be refreshed: its dead answer forces a refresh, and the refresh decides. A
probe also compares requested, granted and observed scopes. The throttle decides whether the provider may be asked now.
"""

import math
import time
import uuid
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from django.db.models import Q

from connections.access.held_keks import TRIES_AGAIN_SECONDS
from connections.access.secrets import open_credential
from connections.access.switched_off import switched_off
from connections.access.targets import Access, access_of
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import release_database, short_transaction
from connections.journal import meters
from connections.lifecycle.credentials.due import probe_at_the_end, probe_intervals
from connections.lifecycle.credentials.scopes import forget_lack, observe_lack, observe_scopes
from connections.lifecycle.credentials.versions import outlive
from connections.lifecycle.health.failing import note_dead_probe
from connections.lifecycle.health.incidents import open_address_incident
from connections.lifecycle.health.moved import forget_moved, note_moved
from connections.lifecycle.health.rules import ProbeDecision, decide_probe, next_probe_at
from connections.lifecycle.health.strikes import record_proof, strike_credential
from connections.lifecycle.health.undecryptable import note_undecryptable
from connections.lifecycle.refresh.claim import Need
from connections.lifecycle.refresh.refresh import refresh_and_wait
from connections.lifecycle.throttle import admission
from connections.lifecycle.throttle.bulkhead import AGAIN_SECONDS, Crowded, bulkhead
from connections.models import VENDS, Connection, CredentialVersion, Trigger
from connections.refusals import AppMisconfigured, EndpointMoved
from connections.vault.sealing import KeyAway, Unreadable
from providers.errors import MisconfiguredProvider
from providers.values import Account, Credential, ProbeResult
from providers.vocabulary import ProbeVerdict

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Trial:
    """One credential version to try, opened, and how to call its provider."""

    connection_id: uuid.UUID
    party_or_app: uuid.UUID
    places: tuple[Hashable, ...]
    version_id: uuid.UUID
    access: Access
    credential: Credential
    is_refreshable: bool


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """The result of a probe: a verdict, or None where there was nothing to try. ``detail`` says why, for people.

    ``account`` is whose credential it is, if the answer names that.
    """

    verdict: ProbeVerdict | None
    detail: str = ""
    account: Account | None = None


def probe(connection_id: uuid.UUID, *, trigger: Trigger) -> ProbeReport:
    """Probe one connection now and act on the answer. HTTP, without a lock or a database connection meanwhile.

    After a dead answer about a refreshable credential this refreshes it at once, and the refresh decides. While the
    throttle holds the provider back nothing is sent, and the probe becomes due when the wait is over.
    """
    trial = _load(connection_id)
    release_database()
    if isinstance(trial, ProbeReport):
        return trial
    if trigger == Trigger.SWEEP:
        return _probe(trial, connection_id, trigger=trigger)
    try:
        with bulkhead.place(*trial.places):
            return _probe(trial, connection_id, trigger=trigger)
    except Crowded:
        return _postpone(trial, AGAIN_SECONDS)


def _probe(trial: _Trial, connection_id: uuid.UUID, *, trigger: Trigger) -> ProbeReport:
    strategy, target = trial.access.strategy, trial.access.target
    is_probed = trial.access.capabilities.probes
    server = admission.Server.RESOURCE if is_probed else admission.Server.AUTHORIZATION
    wait = admission.admit(
        trial.party_or_app, budget=target.entry.requests_per_minute, is_urgent=trigger != Trigger.SWEEP, server=server
    )
    if wait is not None:
        return _postpone(trial, wait)
    began = time.monotonic()
    try:
        found = strategy.probe(target, trial.credential) if is_probed else strategy.introspect(target, trial.credential)
    except MisconfiguredProvider as error:  # nothing was sent
        found = ProbeResult(ProbeVerdict.UNAVAILABLE, detail=f"Probe: {error.evidence.detail}")
    meters.probe_sent(target.entry.slug, found.verdict, seconds=time.monotonic() - began)
    is_accounts_own = trial.access.asks_accounts_own
    admission.note_probe(
        trial.party_or_app, connection_id=connection_id, found=found, server=server, is_accounts_own=is_accounts_own
    )
    if _record(trial, found, verified_by="probe" if is_probed else "introspection") == "refresh":
        refresh_and_wait(connection_id, trigger=trigger, need=Need(instead_of=trial.version_id))
    logger.info("probed", connection=str(connection_id), verdict=found.verdict.value, status=found.status)
    return ProbeReport(found.verdict, found.detail, found.account)


def _postpone(trial: _Trial, wait: float) -> ProbeReport:
    """Make the probe due after ``wait`` seconds, unless the connection is never probed."""
    again = database_now() + timedelta(seconds=wait)
    Connection.objects.filter(
        current_version_id=trial.version_id, id=trial.connection_id, probe_due_at__isnull=False
    ).probe_next(again)
    return ProbeReport(None, f"The provider is not asked for another {math.ceil(wait)} s: it wants to be left alone.")


def _load(connection_id: uuid.UUID) -> _Trial | ProbeReport:
    connection = Connection.objects.select_related("provider_app", "tenant").filter(id=connection_id).first()
    if connection is None or connection.status not in VENDS:
        return ProbeReport(None, "The connection is not in use.")
    if (off := switched_off(connection)) is not None:
        return ProbeReport(None, off.detail)
    version = CredentialVersion.objects.get(Q(id=connection.current_version_id))
    try:
        access = access_of(connection)
        credential = open_credential(connection, version)
        access.check_grantor(credential)
    except AppMisconfigured as refusal:
        if isinstance(refusal, EndpointMoved):
            note_moved(connection)
        return ProbeReport(None, refusal.detail)
    except KeyAway:
        later = database_now() + timedelta(seconds=TRIES_AGAIN_SECONDS)
        Connection.objects.filter(id=connection_id, probe_due_at__lt=later).probe_next(later)
        return ProbeReport(None, "The stored credential does not open now: the service of its key does not answer.")
    except Unreadable:
        note_undecryptable(connection_id, version.id)
        return ProbeReport(None, "The stored credential does not open: its key may be missing.")
    if not (access.capabilities.probes or access.capabilities.introspects):
        Connection.objects.filter(id=connection_id).probe_next(None)
        return ProbeReport(None, "The provider offers no call to prove a credential with.")
    return _Trial(
        connection_id,
        access.party_id or connection.provider_app_id,
        access.places(connection.provider_app, tenant_id=connection.tenant_id),
        version.id,
        access,
        credential,
        version.is_refreshable,
    )


def _compare_scopes(connection: Connection, found: ProbeResult, trial: _Trial) -> None:
    if found.scopes is not None:
        observe_scopes(connection, found.scopes, unnamed=trial.access.target.refresh_scope)
    elif found.lacks:
        observe_lack(connection, found.lacks)
    elif found.verdict is ProbeVerdict.ALIVE:
        forget_lack(connection)


def _record(trial: _Trial, found: ProbeResult, *, verified_by: str) -> ProbeDecision:
    """Record the result for the credential that was tried, if it is still in use. Return the decision."""
    with short_transaction() as now:
        connection = lock_connection(trial.connection_id)
        if connection is None or connection.status not in VENDS or connection.current_version_id != trial.version_id:
            return "nothing"
        if found.refuses_address:
            evidence = {"detail": found.detail, "status": found.status}
            open_address_incident(connection.provider_app, evidence=evidence, now=now, connection=connection)
        if connection.party != trial.access.party_id:
            connection.lead_to(trial.access.party_id)
        usual = probe_intervals().after(connection.last_vended_at, now=now)
        due = next_probe_at(found.verdict, usual=usual, retry_after_seconds=found.retry_after_seconds, now=now)
        ends_at, is_refreshable = connection.access_expires_at, trial.is_refreshable
        connection.probe_at(probe_at_the_end(due, ends_at=ends_at, is_refreshable=is_refreshable, now=now))
        _compare_scopes(connection, found, trial)
        # A token that we sign ourselves can always be signed anew, which proves nothing: the probe decides.
        has_ended = ends_at is not None and ends_at <= now
        is_asked = is_refreshable and (has_ended or not trial.access.capabilities.asks_nobody)
        decision = decide_probe(found.verdict, is_refreshable=is_asked)
        if decision == "proved":
            forget_moved(connection)
            outlive(connection, CredentialVersion.objects.get(Q(id=trial.version_id)), now=now)
            record_proof(connection, trial.version_id, by=verified_by, now=now)
        elif decision == "strike":
            evidence = {"detail": found.detail, "status": found.status, "by": verified_by}
            strike_credential(connection, trial.version_id, evidence=evidence, now=now)
        elif decision == "refresh":
            note_dead_probe(connection, status=found.status)
        return decision
