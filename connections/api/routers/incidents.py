"""``/incidents``: faults of provider apps.

Without ``tenant`` a tenant's client means those of its tenant's own apps, and an operator-wide one the shared.
"""

import uuid

from django.db.models import F, QuerySet
from django.http import HttpRequest
from ninja import Router

from connections.api.auth import Caller, caller_of
from connections.api.pages import Cursor, Limit, page_of
from connections.api.provider_apps import IncidentOut, IncidentPage, incident_out
from connections.api.texts import Owner
from connections.database.clock import database_now
from connections.lifecycle.health.incidents import close_incident
from connections.models import Incident, Permission
from connections.refusals import NotFound

router = Router(tags=["incidents"])


@router.get("", response=IncidentPage, summary="List incidents")
def list_incidents(
    request: HttpRequest,
    tenant: Owner | None = None,
    provider_app: uuid.UUID | None = None,
    open: bool | None = None,  # noqa: A002 (the parameter's name in the query)
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> IncidentPage:
    """List the incidents of provider apps, the newest first: open ones, closed ones, or both."""
    found = _incidents(caller_of(request, may=Permission.APPS), tenant)
    if provider_app is not None:
        found = found.filter(provider_app=provider_app)
    if open is not None:
        found = found.filter(closed_at__isnull=open)
    page, following = page_of(found.annotate(created_at=F("opened_at")), cursor, limit=limit)
    return IncidentPage(items=[incident_out(row) for row in page], next=following)


@router.get("/{incident_id}", response=IncidentOut, summary="Show one incident")
def get_incident(request: HttpRequest, incident_id: uuid.UUID, tenant: Owner | None = None) -> IncidentOut:
    """Show one incident, open or closed."""
    return incident_out(_incident(caller_of(request, may=Permission.APPS), incident_id, tenant))


@router.post("/{incident_id}/close", response=IncidentOut, summary="Close an incident", operation_id="close_incident")
def close(request: HttpRequest, incident_id: uuid.UUID, tenant: Owner | None = None) -> IncidentOut:
    """Say that the fault is mended: what is refused from then on is held against a connection again.

    It opens anew if the fault is still there. Repeating the call changes nothing.
    """
    caller = caller_of(request, may=Permission.APPS)
    incident = _incident(caller, incident_id, tenant)
    close_incident(incident, now=database_now(), actor=caller.actor)
    return incident_out(incident)


def _incidents(caller: Caller, slug: str | None) -> "QuerySet[Incident]":
    return Incident.objects.select_related("provider_app").filter(provider_app__tenant=caller.owner(slug))


def _incident(caller: Caller, incident_id: uuid.UUID, slug: str | None) -> Incident:
    found = _incidents(caller, slug).filter(id=incident_id).first()
    if found is None:
        raise NotFound("There is no such incident.")
    return found
