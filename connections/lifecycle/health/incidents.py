"""Incidents: a fault of a provider app, reported once for the app instead of once for each connection.

Where an app stands before many parties, each has incidents of its own (``party``: ``Connection.party``, None for the
provider of the app). They concern only the connections that lead there. ``attend`` looks at those that are open.
"""

import uuid
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from connections import dispatch
from connections.access.parties import party_named
from connections.journal import audit
from connections.lifecycle.health.causes import probable_cause
from connections.lifecycle.health.facts import WITHIN, gather
from connections.lifecycle.health.telling import tell_closed, tell_opened
from connections.models import LIVE, Connection, Incident, IncidentKind, ProviderApp, RefreshAttempt
from providers.errors import AddressRefused, ClientRejected

logger = structlog.get_logger(__name__)

MANY = 5
MANY_SHARE = 0.2
# Where an incident was closed because those that fail are at fault themselves, it takes so many to open another soon.
MOST_SHARE = 0.5
SOON = timedelta(hours=1)
OUTLASTED = "Closed: the others have worked for a day"
# While downgrades are frozen, what is refused is tried again after so long, rather than after the 30 s of two strikes.
SPARED_RETRY = timedelta(minutes=5)


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

    A client secret that is read from where the operator keeps it is read again at once: it may be another by now.
    ``evidence`` has the keys of ``providers.errors.Evidence``: ``detail``, ``status``, ``error`` and ``sent``.
    """
    _open(app, IncidentKind.CLIENT_REJECTED, party=party, evidence=evidence, now=now)
    if app.hurry_source(now=now):
        dispatch.read_client_secrets_later()


def close_client_incident(app: ProviderApp, *, party: uuid.UUID | None = None, now: datetime) -> None:
    """Close the incident of a refused registration, because a token request has just succeeded there."""
    refused = Incident.objects.filter(provider_app=app, party=party, kind=IncidentKind.CLIENT_REJECTED, closed_at=None)
    for incident in refused.select_related("provider_app"):
        close_incident(incident, now=now, actor=audit.SYSTEM)


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


def freeze_for(connection: Connection, *, now: datetime) -> Incident | None:
    """Return the incident for which ``connection`` is not downgraded: not it is at fault, but its provider app.

    Opens one where so many fail at once: five connections of the app that lead to the same party and a fifth of the
    live ones, refused within 10 minutes; or half of them, where an incident has just ended because what failed was
    found to be at fault itself. The connection that is judged counts as well. The evidence of the incident has
    the key ``refused``: their number. A refused registration freezes as long as it was seen within 10 minutes.
    """
    app, party = connection.provider_app, connection.party
    frozen = Incident.objects.concerning(connection).filter(
        Q(kind__in=(IncidentKind.MANY_FAILURES, IncidentKind.UNAVAILABLE))
        | Q(kind=IncidentKind.CLIENT_REJECTED, last_seen_at__gt=now - WITHIN)
    )
    incident = frozen.order_by("opened_at").first()
    if incident is not None:
        return incident
    refused = _refused_since(app, party, now - WITHIN).count()
    live = Connection.objects.filter(provider_app=app, party=party, status__in=LIVE)
    if refused < MANY or refused < _share(app, party, now=now) * live.count():
        return None
    return _open(app, IncidentKind.MANY_FAILURES, party=party, evidence={"refused": refused}, now=now)


def _share(app: ProviderApp, party: uuid.UUID | None, *, now: datetime) -> float:
    closed = Incident.objects.filter(
        provider_app=app, party=party, kind=IncidentKind.MANY_FAILURES, closed_at__gt=now - SOON
    )
    was_outlasted = any(incident.timeline[-1]["what"] == OUTLASTED for incident in closed if incident.timeline)
    return MOST_SHARE if was_outlasted else MANY_SHARE


def spare(connection: Connection, incident: Incident, *, now: datetime) -> None:
    """Note that the locked ``connection`` would be downgraded now, were it not for ``incident``, which counts it once.

    What it was refused meanwhile is not held against it later (``strikes``).
    """
    if connection.spared_by != incident.id:
        Incident.objects.filter(id=incident.id).update(spared=F("spared") + 1)
    connection.spare(incident.id, now=now)


def count_refused(incident: Incident) -> None:
    """Count whom the incident of a refused registration spares: all that were refused, and are not touched by it."""
    if incident.kind != IncidentKind.CLIENT_REJECTED:
        return
    refused = RefreshAttempt.objects.filter(
        connection__provider_app=incident.provider_app_id,
        connection__party=incident.party,
        error=ClientRejected.code,
        ended_at__gte=incident.opened_at,
    )
    spared = refused.order_by().values("connection").distinct().count()
    Incident.objects.filter(id=incident.id).update(spared=spared)


def open_silence_incident(app: ProviderApp, *, party: uuid.UUID | None, failing: int, now: datetime) -> None:
    """Record that the provider of ``app`` gives no answer to ``failing`` connections. No connection is downgraded."""
    _open(app, IncidentKind.UNAVAILABLE, party=party, evidence={"unanswered": failing}, now=now)


def _open(
    app: ProviderApp, kind: IncidentKind, *, party: uuid.UUID | None, evidence: dict[str, Any], now: datetime
) -> Incident:
    with transaction.atomic():
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
            return incident
        if party is not None:
            incident.at = party_named(app, party).at
        incident.step("Opened", now=now)
        facts = gather(kind, app, party=party, now=now)
        incident.learn(probable_cause(kind, facts), facts.as_dict(), now=now)
        incident.save(update_fields=["at"])
        audit.record(
            "incident.opened",
            decision=kind.value,
            tenant_id=app.tenant_id,
            detail={"provider_app": str(app.id), "evidence": evidence} | ({"at": incident.at} if incident.at else {}),
        )
        tell_opened(incident)
    logger.error("incident_opened", provider_app=str(app.id), at=incident.at, kind=kind.value, evidence=evidence)
    return incident


def close_incident(incident: Incident, *, now: datetime, actor: audit.Actor, what: str = "Closed: it is over") -> bool:
    """Close ``incident``, for the timeline as ``what``. Return False if it was closed already.

    It opens anew if the fault persists.
    """
    with transaction.atomic():
        if not Incident.objects.filter(id=incident.id, closed_at=None).update(closed_at=now):
            return False
        count_refused(incident)
        incident.refresh_from_db()
        incident.step("Closed by an operator" if actor.operator else what, now=now)
        incident.save(update_fields=["timeline"])
        audit.record(
            "incident.closed",
            decision=incident.kind,
            actor=actor,
            tenant_id=incident.provider_app.tenant_id,
            detail={"provider_app": str(incident.provider_app_id), "incident": str(incident.id)},
        )
        tell_closed(incident, now=now)
    return True
