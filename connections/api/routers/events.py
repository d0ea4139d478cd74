"""``/events``: the outbox, by cursor."""

from typing import Annotated

from django.db.models import Q
from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from connections.api.auth import caller_of
from connections.api.schemas import EventOut, EventPage
from connections.api.texts import Slug
from connections.journal.events import read_settled
from connections.models import Permission
from connections.refusals import CursorExpired, InvalidRequest

router = Router(tags=["events"])


@router.get("", response=EventPage, summary="Read events")
def list_events(
    request: HttpRequest,
    tenant: Slug | None = None,
    cursor: str = "0",
    limit: Annotated[int, Field(ge=1, le=500)] = 100,
) -> EventPage:
    """Read a tenant's events after ``cursor``, oldest first; without one, from the oldest that is kept."""
    caller = caller_of(request, may=Permission.READ)
    owner = caller.tenant(tenant)
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InvalidRequest("The cursor is not one that this call returned.", field="cursor")
    if 0 < int(cursor) < owner.events_gone_to:
        raise CursorExpired(
            "Events after this cursor are no longer kept: read the connections as they are, and go on from `cursor`.",
            cursor=str(owner.events_gone_to),
        )
    events = read_settled(Q(tenant_id=owner.id), after=int(cursor), limit=limit).events
    return EventPage(
        items=[
            EventOut(
                id=event.event_id,
                type=event.type,
                tenant=owner.slug,
                connection=event.connection_id,
                data=event.payload,
                created_at=event.created_at,
            )
            for event in events
        ],
        next=str(events[-1].id) if events else cursor,
    )
