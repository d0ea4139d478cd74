"""The page after the operator's confirmation, on which the end user picks the connection's workspace."""

import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from connections.consent.cookies import browser_secret
from connections.consent.decorators import own_forms_only, widget_page
from connections.consent.finish import return_to_operator, tell_end
from connections.consent.pages import problem_page, widget
from connections.consent.sender import form_proof
from connections.consent.words import Text, failure_named, workspace_label
from connections.database.clock import database_now
from connections.entrance import actor_of
from connections.lifecycle.connect.choose_workspace import Offer, choose, decline, offer
from connections.lifecycle.connect.session import find_session
from connections.models import Binding, SessionState
from connections.models.failures import Failure
from connections.refusals import InvalidRequest, ProviderDown, Refusal, SessionUnusable

NONE_OF_THEM = "none"
_TOLD_TO_THE_RIGHT_BROWSER = (Failure.EXPIRED, Failure.GONE)  # with a way back


@widget_page
@require_http_methods(["GET", "POST"])
@own_forms_only
def workspace(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Ask for the workspace, and take the answer. The token is in the address at first, then in the form."""
    token = str((request.POST if request.method == "POST" else request.GET).get("token", ""))
    secret = browser_secret(request, session_id)
    try:
        if request.method == "GET":
            return _page(request, offer(session_id, token=token, browser_secret=secret, now=database_now()), token)
        if request.POST.get("answer") == NONE_OF_THEM:
            return _take_decline(request, session_id, token)
        return _take_choice(request, session_id, token)
    except SessionUnusable as refusal:
        if refusal.failure in (Failure.NO_CHOICE, Failure.EXCHANGING):  # raised only for the session's own browser
            return HttpResponseRedirect(reverse("connect:outcome", args=[session_id]), status=303)
        session = find_session(session_id) if refusal.failure in _TOLD_TO_THE_RIGHT_BROWSER else None
        return problem_page(request, failure=failure_named(refusal), session=session, status=410)


def _take_choice(request: HttpRequest, session_id: uuid.UUID, token: str) -> HttpResponse:
    secret, now = browser_secret(request, session_id), database_now()
    try:
        chosen = choose(
            session_id,
            token=token,
            browser_secret=secret,
            workspace_id=str(request.POST.get("workspace", "")),
            now=now,
            actor=actor_of(request),
        )
    except InvalidRequest:
        shown = offer(session_id, token=token, browser_secret=secret, now=now)
        return _page(request, shown, token, error=_("Choose one of these."), status=422)
    except SessionUnusable:
        raise
    except Refusal as refusal:
        session = find_session(session_id)
        if session is not None and session.state == SessionState.CHOOSING and isinstance(refusal, ProviderDown):
            shown = offer(session_id, token=token, browser_secret=secret, now=now)
            return _page(
                request, shown, token, error=_("This did not work just now. Try again in a moment."), status=503
            )
        if session is None or session.state != SessionState.FAILED:
            return problem_page(request, failure=failure_named(refusal), status=409)
        return tell_end(request, session, failure=failure_named(refusal))
    if chosen.session.binding == Binding.NONE:
        return return_to_operator(request, chosen.session, connection=str(chosen.connection.id))
    return return_to_operator(request, chosen.session, completion_code=chosen.completion_code)


def _take_decline(request: HttpRequest, session_id: uuid.UUID, token: str) -> HttpResponse:
    session = decline(
        session_id,
        token=token,
        browser_secret=browser_secret(request, session_id),
        now=database_now(),
        actor=actor_of(request),
    )
    return return_to_operator(request, session, error="choice_declined")


def _page(request: HttpRequest, shown: Offer, token: str, *, error: Text = "", status: int = 200) -> HttpResponse:
    """Render the question. Workspaces with the same name are shown with their ids."""
    names = [item.name for item in shown.workspaces]
    choices = [
        {
            "id": item.id,
            "name": item.name or item.id,
            "detail": item.id if item.name and names.count(item.name) > 1 else "",
        }
        for item in shown.workspaces
    ]
    secret = browser_secret(request, shown.session.id)
    response = widget(
        request,
        "workspace",
        shown.session,
        provider=shown.provider,
        label=workspace_label(shown.label),
        choices=choices,
        token=token,
        error=error,
        none_of_them=NONE_OF_THEM,
        form_proof=form_proof(shown.session.id, secret),
    )
    response.status_code = status
    return response
