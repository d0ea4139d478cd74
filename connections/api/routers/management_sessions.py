"""``/management-sessions``: invitations to the page on which end users see and end their own connections."""

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import caller_of
from connections.api.self_service import ManagementSessionIn, ManagementSessionOut
from connections.database.clock import database_now
from connections.lifecycle.self_service.begin import Order, begin_management
from connections.models import Permission

router = Router(tags=["management sessions"])


@router.post("", response={201: ManagementSessionOut}, summary="Invite an end user to their connections")
def create_management_session(request: HttpRequest, body: ManagementSessionIn) -> Status[ManagementSessionOut]:
    """Make a session on the click of the user who is logged in, and send that browser to ``manage_url`` at once.

    The link works for 5 minutes and one click; whoever has it can see and end this user's connections for an hour, so
    it belongs in no mail. The client also needs the permission to read, and with ``providers`` the one to connect.
    Without the latter the page offers no reconnecting either.
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
