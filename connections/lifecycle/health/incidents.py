"""Incidents: a fault of a provider app, reported once for the app instead of once for each connection.

Where an app stands before many parties, each has incidents of its own (``party``: ``Connection.party``, None for the
provider of the app). They concern only the connections that lead there.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from connections.access.parties import party_named
from connections.journal import audit
from connections.models import LIVE, VENDS, Connection, Incident, IncidentKind, ProviderApp, RefreshAttempt
from providers.errors import AddressRefused, ClientRejected

logger = structlog.get_logger(__name__)

MANY = 5
MANY_SHARE = 0.2
MANY_WITHIN = timedelta(minutes=10)
QUIET_FOR = timedelta(hours=1)


def note_refusal(
    app: ProviderApp,
    failure: Exception,
    *,
    party: uuid.UUID | None,
    now: datetime,
    connection: Connection | None = None,
) -> None:
    """Open the incident of ``app`` that ``failure`` is, if it is one: our registration or our address is refused.

    A refusal of our registration by a host that an end user typed is none. A refused address is told, and changes
    nothing else: no connection is downgraded by it, and its refreshes are tried again.
    """
    if isinstance(failure, ClientRejected) and not failure.by_typed_host:
        open_client_incident(app, party=party, evidence=failure.evidence.as_dict(), now=now)
    elif isinstance(failure, AddressRefused):
        evidence = failure.evidence.as_dict()
        open_address_incident(app, party=party, evidence=evidence, now=now, connection=connection)


def open_address_incident(
    app: ProviderApp,
    *,
    party: uuid.UUID | None = None,
    evidence: dict[str, Any],
    now: datetime,
    connection: Connection | None = None,
) -> None:
    """Record that the provider takes no calls from our address, and for which connection that was noticed last.

    ``evidence`` has the keys of ``providers.errors.Evidence``.
    """
    noticed = {} if connection is None else {"connection": str(connection.id)}
    _open(app, IncidentKind.ADDRESS_REFUSED, party=party, evidence=evidence | noticed, now=now)


def open_client_incident(
    app: ProviderApp, *, party: uuid.UUID | None = None, evidence: dict[str, Any], now: datetime
) -> None:
    """Record that the provider refuses our registration. Refreshes there pause; no connection changes its status.

    ``evidence`` has the keys of ``providers.errors.Evidence``: ``detail``, ``status``, ``error`` and ``sent``.
    """
    _open(app, IncidentKind.CLIENT_REJECTED, party=party, evidence=evidence, now=now)


def close_client_incident(app: ProviderApp, *, party: uuid.UUID | None = None, now: datetime) -> None:
    """Close the incident of a refused registration, because a token request has just succeeded there."""
    refused = Incident.objects.filter(provider_app=app, party=party, kind=IncidentKind.CLIENT_REJECTED, closed_at=None)
    if refused.update(closed_at=now):
        audit.record("incident.closed", tenant_id=app.tenant_id, detail={"provider_app": str(app.id)})


def close_quiet_incidents(*, now: datetime) -> int:
    """Close the incidents of many failures and of refused addresses that have been quiet for an hour; return how many.

    The incident of a refused client registration stays open until a token request succeeds or an operator closes it.
    """
    quiet = Incident.objects.filter(
        kind__in=(IncidentKind.MANY_FAILURES, IncidentKind.ADDRESS_REFUSED),
        closed_at=None,
        last_seen_at__lt=now - QUIET_FOR,
    ).select_related("provider_app")
    closed = 0
    for incident in quiet:
        lasts = _refused_since(incident.provider_app, incident.party, now - QUIET_FOR).filter(status__in=VENDS)
        if incident.kind == IncidentKind.MANY_FAILURES and lasts.exists():
            continue
        closed += close_incident(incident, now=now, actor=audit.SYSTEM)
    return closed


def open_common_incident(
    app: ProviderApp, *, party: uuid.UUID | None = None, evidence: dict[str, Any], now: datetime
) -> None:
    """Record that the connections of ``app`` to ``party`` fail together, however few they are.

    None of them is downgraded then.

    ``evidence`` has the keys of ``providers.errors.Evidence`` and ``failures``.
    """
    _open(app, IncidentKind.MANY_FAILURES, party=party, evidence=evidence, now=now)


def _refused_since(app: ProviderApp, party: uuid.UUID | None, moment: datetime) -> QuerySet[Connection]:
    """Return the connections of ``app`` to ``party`` whose grant or refreshes it began to refuse after ``moment``."""
    refusals = RefreshAttempt.objects.refused().filter(parent_version_id=OuterRef("current_version_id"))
    return Connection.objects.filter(provider_app=app, party=party).filter(
        Q(refused_at__gt=moment) | Q(refresh_failing_at__gt=moment) & Exists(refusals.filter(connection=OuterRef("id")))
    )


def downgrades_frozen(app: ProviderApp, *, party: uuid.UUID | None = None, now: datetime) -> bool:
    """Whether so many connections of ``app`` to ``party`` fail at once that they are not at fault.

    Opens an incident if so. The limit is five connections and a fifth of the live ones, refused within 10 minutes. The
    connection that is judged counts as well. The evidence of the incident has the key ``refused``: their number.
    """
    theirs = Incident.objects.filter(provider_app=app, party=party)
    open_now = theirs.filter(closed_at=None, last_seen_at__gt=now - MANY_WITHIN)
    if open_now.exclude(kind=IncidentKind.ADDRESS_REFUSED).exists():
        return True
    refused = _refused_since(app, party, now - MANY_WITHIN).count()
    live = Connection.objects.filter(provider_app=app, party=party, status__in=LIVE)
    if refused < MANY or refused < MANY_SHARE * live.count():
        return False
    _open(app, IncidentKind.MANY_FAILURES, party=party, evidence={"refused": refused}, now=now)
    return True


def _open(
    app: ProviderApp, kind: IncidentKind, *, party: uuid.UUID | None, evidence: dict[str, Any], now: datetime
) -> None:
    incident, created = Incident.objects.get_or_create(
        provider_app=app,
        party=party,
        kind=kind,
        closed_at=None,
        defaults={"opened_at": now, "last_seen_at": now, "evidence": evidence},
    )
    if not created:
        incident.last_seen_at = now
        incident.evidence = evidence
        incident.save(update_fields=["last_seen_at", "evidence"])
        return
    if party is not None:
        incident.at = party_named(app, party).at
        incident.save(update_fields=["at"])
    logger.error("incident_opened", provider_app=str(app.id), at=incident.at, kind=kind.value, evidence=evidence)
    audit.record(
        "incident.opened",
        decision=kind.value,
        tenant_id=app.tenant_id,
        detail={"provider_app": str(app.id), "evidence": evidence} | ({"at": incident.at} if incident.at else {}),
    )


def close_incident(incident: Incident, *, now: datetime, actor: audit.Actor) -> bool:
    """Close ``incident``. Return False if it was closed already. It opens anew if the fault persists."""
    with transaction.atomic():
        if not Incident.objects.filter(id=incident.id, closed_at=None).update(closed_at=now):
            return False
        audit.record(
            "incident.closed",
            decision=incident.kind,
            actor=actor,
            tenant_id=incident.provider_app.tenant_id,
            detail={"provider_app": str(incident.provider_app_id), "incident": str(incident.id)},
        )
    incident.closed_at = now
    return True
