"""Telling: an incident's beginning and end, as an event and as a notice to the operator's people."""

from datetime import datetime
from typing import Any

from connections.journal import events, notices
from connections.journal.event_types import EventType
from connections.lifecycle.health.causes import Explanation, explain
from connections.models import Incident, IncidentCause
from providers.catalog.loader import UnknownProvider, entry

_OPENED = """{what}

What it means: {means}

What to do: {to_do}

Answers of the last ten minutes: {answers}
The incident: {page}
"""
_CLOSED = """It is over: {what_was}.

What it means: connections of the provider app “{app}” are judged as ever. {spared} were not downgraded meanwhile; what
they were refused in that time is not held against them.

What to do: nothing.

It lasted from {opened:%Y-%m-%d %H:%M} to {closed:%Y-%m-%d %H:%M} UTC: {page}
"""


def explanation(incident: Incident) -> Explanation:
    """Return what people are told of ``incident``. Its provider app is loaded."""
    app = incident.provider_app
    return explain(incident.cause, app=app.name, provider=_name_of(app.provider), at=incident.at, facts=incident.facts)


def tell_opened(incident: Incident) -> None:
    """Write the event and the notice of a new incident, in the caller's transaction."""
    _emit(EventType.INCIDENT_OPENED, incident, evidence=incident.evidence)
    subject, body = opening(incident)
    notices.tell(f"incident.opened:{incident.id}", subject, body, now=incident.opened_at)


def tell_closed(incident: Incident, *, now: datetime) -> None:
    """Write the event and the notice of an incident that has just ended, in the caller's transaction."""
    _emit(EventType.INCIDENT_CLOSED, incident, spared=incident.spared)
    subject, body = ending(incident, now=now)
    notices.tell(f"incident.closed:{incident.id}", subject, body, now=now)


def opening(incident: Incident) -> tuple[str, str]:
    """Return the subject and the text of the notice that ``incident`` was opened. No I/O."""
    told = explanation(incident)
    body = _OPENED.format(
        what=told.what,
        means=told.means,
        to_do=told.to_do,
        answers=", ".join(incident.facts.get("answers", ())) or "none",
        page=notices.admin_page(incident),
    )
    return f"{_label(incident)}: {incident.provider_app.name}", body


def ending(incident: Incident, *, now: datetime) -> tuple[str, str]:
    """Return the subject and the text of the notice that ``incident`` has ended ``now``. No I/O."""
    body = _CLOSED.format(
        what_was=_label(incident),
        app=incident.provider_app.name,
        spared=incident.spared,
        opened=incident.opened_at,
        closed=now,
        page=notices.admin_page(incident),
    )
    return f"Over: {_label(incident)}: {incident.provider_app.name}", body


def _emit(type_: EventType, incident: Incident, **more: Any) -> None:
    told = explanation(incident)
    payload = {
        "incident": str(incident.id),
        "provider_app": str(incident.provider_app_id),
        "provider": incident.provider_app.provider,
        "kind": incident.kind,
        "cause": incident.cause,
        "detail": told.what,
        "to_do": told.to_do,
        "at": incident.at,
    }
    events.emit_of_tenant(type_, incident.provider_app.tenant_id, payload=payload | more)


def _label(incident: Incident) -> str:
    return str(IncidentCause(incident.cause).label) if incident.cause else str(incident.get_kind_display())


def _name_of(provider: str) -> str:
    try:
        return entry(provider).name
    except UnknownProvider:
        return provider
