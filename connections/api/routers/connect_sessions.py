"""``/connect-sessions``: invitations to connect, and their confirmation."""

import uuid

from django.http import HttpRequest
from ninja import Router, Status

from connections.api.auth import Caller, caller_of
from connections.api.pages import Cursor, Limit, page_of
from connections.api.representations import completed_out
from connections.api.schemas import CompletedOut, CompleteIn, ConnectSessionIn, ConnectSessionOut, ContinueOut
from connections.api.sessions import (
    ConnectSessionPage,
    ConnectSessionShown,
    ConnectTraceOut,
    connect_session_shown,
    connect_step_out,
)
from connections.api.texts import EndUser, Slug
from connections.database.clock import database_now
from connections.lifecycle.connect.begin import Invitation, begin_connect
from connections.lifecycle.connect.complete import complete
from connections.lifecycle.connect.exchange import ChoiceDue
from connections.models import Binding, ConnectSession, OwnerKind, Permission, SessionState
from connections.refusals import NotFound

router = Router(tags=["connect sessions"])


@router.post("", response={201: ConnectSessionOut}, summary="Invite an end user to connect")
def create_connect_session(request: HttpRequest, body: ConnectSessionIn) -> Status[ConnectSessionOut]:
    """Make a session for one end user; send their browser to ``connect_url`` within 10 minutes."""
    caller = caller_of(request, may=Permission.CONNECT)
    begun = begin_connect(
        Invitation(
            end_user=body.end_user,
            owner=OwnerKind(body.owner),
            providers=[body.provider] if isinstance(body.provider, str) else body.provider,
            scopes=body.scopes,
            add_scopes=body.add_scopes or (),
            return_url=body.return_url,
            origin=body.origin,
            connection=body.connection,
            params=body.params,
            locale=body.locale,
            binding=Binding(body.binding),
            code_challenge=body.code_challenge or "",
            allow_account_change=body.allow_account_change,
            label=body.label or "",
        ),
        client=caller.client,
        key_id=caller.key_id,
        tenant=caller.tenant(body.tenant),
        now=database_now(),
        actor=caller.actor,
    )
    return Status(
        201,
        ConnectSessionOut(
            id=begun.session.id,
            token=begun.token,
            connect_url=begun.connect_url,
            expires_at=begun.session.expires_at,
            binding=begun.session.binding,
        ),
    )


@router.post("/{session_id}/complete", response=CompletedOut | ContinueOut, summary="Confirm who connected")
def complete_connect_session(
    request: HttpRequest, session_id: uuid.UUID, body: CompleteIn
) -> CompletedOut | ContinueOut:
    """Confirm with the id of the user who is logged in where the completion code arrived.

    Take that id from your own session, never from the link that brought the code, and confirm only a session that your
    user's login session has begun: a `code_challenge` makes sure of that. With `next`, the end user has to
    choose a workspace first: redirect the same browser there. It comes back to the return URL with the same completion
    code, and the same call then answers with the connection. After a 503 the same call may be made again, until
    `held_until`.
    """
    caller = caller_of(request, may=Permission.CONNECT)
    outcome = complete(
        session_id,
        completion_code=body.completion_code,
        end_user=body.end_user,
        code_verifier=body.code_verifier,
        client=caller.client,
        tenant=caller.tenant(body.tenant),
        actor=caller.actor,
    )
    if isinstance(outcome, ChoiceDue):
        return ContinueOut(next=outcome.continue_url)
    return completed_out(outcome)


@router.get("", response=ConnectSessionPage, summary="List connect sessions")
def list_connect_sessions(
    request: HttpRequest,
    tenant: Slug | None = None,
    end_user: EndUser | None = None,
    state: SessionState | None = None,
    cursor: Cursor | None = None,
    limit: Limit = 50,
) -> ConnectSessionPage:
    """List a tenant's invitations to connect, the newest first: how far each came, and why it ended."""
    caller = caller_of(request, may=Permission.READ)
    wanted = {"tenant": caller.tenant(tenant), "end_user": end_user, "state": state}
    found = ConnectSession.objects.filter(**{name: value for name, value in wanted.items() if value is not None})
    page, following = page_of(found.defer("held", "code_verifier"), cursor, limit=limit)
    return ConnectSessionPage(items=[connect_session_shown(row) for row in page], next=following)


@router.get("/{session_id}", response=ConnectSessionShown, summary="Show one connect session")
def get_connect_session(request: HttpRequest, session_id: uuid.UUID, tenant: Slug | None = None) -> ConnectSessionShown:
    """Show how far an invitation to connect came. No token or code is shown."""
    return connect_session_shown(_session(caller_of(request, may=Permission.READ), session_id, tenant))


@router.get("/{session_id}/steps", response=ConnectTraceOut, summary="Trace one connect session")
def list_connect_steps(request: HttpRequest, session_id: uuid.UUID, tenant: Slug | None = None) -> ConnectTraceOut:
    """List each step that was tried, in order, where it stopped, and what was sent to the provider and came back.

    What is kept of a request or an answer is what a list allows: no code, token, key or state.
    """
    session = _session(caller_of(request, may=Permission.READ), session_id, tenant)
    return ConnectTraceOut(steps=[connect_step_out(step) for step in session.steps.all()])


def _session(caller: Caller, session_id: uuid.UUID, slug: str | None) -> ConnectSession:
    """Return one session of the tenant that the call is about. Raises ``NotFound``, always in the same words."""
    found = ConnectSession.objects.filter(tenant=caller.tenant(slug), id=session_id).defer("held", "code_verifier")
    if (session := found.first()) is None:
        raise NotFound("There is no such connect session.")
    return session
