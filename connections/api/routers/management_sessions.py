"""``/management-sessions``: invitations to the page on which end users see and end their own connections."""

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import Caller, caller_of
from connections.api.conditional import unchanged
from connections.api.pages import Cursor, Limit, page_of
from connections.api.self_service import ManagementSessionIn, ManagementSessionOut
from connections.api.sessions import ManagementSessionPage, ManagementSessionShown, management_session_shown
from connections.api.texts import EndUser, Slug
from connections.database.clock import database_now
from connections.lifecycle.self_service.begin import Order, begin_management
from connections.lifecycle.self_service.visit import end_visit
from connections.models import ManagementSession, Permission
from connections.refusals import NotFound

router = Router(tags=["management sessions"])


@router.post("", response={201: ManagementSessionOut}, summary="Invite an end user to their connections")
def create_management_session(request: HttpRequest, body: ManagementSessionIn) -> Status[ManagementSessionOut]:
    """Make a session on the click of the user who is logged in, and send that browser to ``manage_url`` at once.

    The link works for 5 minutes and one click; whoever has it can see and end this user's connections for an hour, so
    it belongs in no mail. The client also needs the permission to read, and with ``providers`` the one to connect.
    Without the latter the page offers no reconnecting either. With the permission to grant, the page also asks the user
    to approve what other clients want to do with an account of theirs under a grant that needs an approval.
    """
    caller = caller_of(request, may=Permission.MANAGE)
    begun = begin_management(
        Order(
            end_user=body.end_user,
            return_url=body.return_url,
            origin=body.origin,
            providers=body.providers,
            locale=body.locale,
            code_challenge=body.code_challenge or "",
        ),
        client=caller.client,
        key_id=caller.key_id,
        tenant=caller.tenant(body.tenant),
        now=database_now(),
        actor=caller.actor,
    )
    return Status(
        201,
        ManagementSessionOut(
            id=begun.session.id, token=begun.token, manage_url=begun.url, expires_at=begun.session.expires_at
        ),
    )


@router.get("", response=ManagementSessionPage, summary="List visits to own connections")
def list_management_sessions(
    request: HttpRequest,
    tenant: Slug | None = None,
    end_user: EndUser | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ManagementSessionPage:
    """List the visits of a tenant's end users to their own connections, the newest first."""
    caller, now = caller_of(request, may=Permission.READ), database_now()
    found = ManagementSession.objects.filter(tenant=caller.tenant(tenant))
    found = found if end_user is None else found.filter(end_user=end_user)
    page, following = page_of(found, cursor, limit=limit)
    return ManagementSessionPage(items=[management_session_shown(row, now=now) for row in page], next=following)


@router.get("/{session_id}", response=ManagementSessionShown, summary="Show one visit")
def get_management_session(
    request: HttpRequest, session_id: uuid.UUID, tenant: Slug | None = None
) -> ManagementSessionShown:
    """Show one visit, or the invitation to one. No token is shown."""
    session = _session(caller_of(request, may=Permission.READ), session_id, tenant)
    return management_session_shown(session, now=database_now())


@router.delete("/{session_id}", response=ManagementSessionShown, summary="End a visit")
def end_management_session(
    request: HttpRequest, session_id: uuid.UUID, tenant: Slug | None = None
) -> ManagementSessionShown:
    """End a visit for good: the browser that has it can do nothing there any more. Repeating it changes nothing."""
    caller, now = caller_of(request, may=Permission.MANAGE, conditional=True), database_now()
    seen = unchanged(request, lambda row: management_session_shown(row, now=now))
    end_visit(_session(caller, session_id, tenant).id, now=now, actor=caller.actor, check=seen)
    return management_session_shown(_session(caller, session_id, tenant), now=now)


def _session(caller: Caller, session_id: uuid.UUID, slug: str | None) -> ManagementSession:
    found = ManagementSession.objects.filter(tenant=caller.tenant(slug), id=session_id).first()
    if found is None:
        raise NotFound("There is no such management session.")
    return found
