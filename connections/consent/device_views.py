"""The page on which the end user waits, with a code to enter at the provider (RFC 8628).

Both views ask how it went, as often as the provider's interval allows, however many tabs are open: the page itself when
it is loaded, by which it also works without JavaScript, and ``state`` for the page's script.
"""

import math
import uuid

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from connections.access.targets import entry_of
from connections.consent.cookies import browser_secret
from connections.consent.decorators import set_policy, widget_page
from connections.consent.finish import finish
from connections.consent.pages import problem_page, widget
from connections.consent.words import failure_named
from connections.database.clock import database_now
from connections.entrance import actor_of
from connections.lifecycle.connect.hold import Held
from connections.lifecycle.connect.poll_code import Elsewhere, Waiting, poll_code
from connections.lifecycle.connect.session import find_session
from connections.models.failures import Failure
from connections.refusals import AppMisconfigured, SessionUnusable


@widget_page
@require_GET
def page(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Show the code and where to enter it; go on as soon as the end user has decided."""
    try:
        found = _ask(request, session_id)
    except AppMisconfigured as refusal:
        session = find_session(session_id)
        return problem_page(request, failure=failure_named(refusal), session=session, status=502)
    except SessionUnusable as refusal:
        session = find_session(session_id) if refusal.failure == Failure.NO_COOKIE else None
        return problem_page(request, failure=failure_named(refusal), session=session, status=410)
    if isinstance(found, Held):
        return finish(request, found)
    if isinstance(found, Elsewhere):
        return HttpResponseRedirect(_outcome(session_id), status=303)
    response = _waiting(request, found)
    set_policy(response, ancestors=(), asks_us=True)
    return response


@widget_page
@require_GET
def state(request: HttpRequest, session_id: uuid.UUID) -> HttpResponse:
    """Tell the page's script for how many seconds to wait before it asks again, or where to go.

    It gets neither the code nor anything that the provider gave: the page of the outcome has the way on.
    """
    try:
        found = _ask(request, session_id)
    except (AppMisconfigured, SessionUnusable):
        return JsonResponse({"go": reverse("connect:device", args=[session_id])})  # which says what is wrong
    if isinstance(found, Waiting):
        return JsonResponse({"wait": math.ceil(found.seconds)})
    return JsonResponse({"go": _outcome(session_id)})


def _ask(request: HttpRequest, session_id: uuid.UUID) -> Held | Waiting | Elsewhere:
    secret = browser_secret(request, session_id)
    return poll_code(session_id, browser_secret=secret, now=database_now(), actor=actor_of(request))


def _outcome(session_id: uuid.UUID) -> str:
    return reverse("connect:outcome", args=[session_id])


def _waiting(request: HttpRequest, found: Waiting) -> HttpResponse:
    session, grant = found.session, found.shown.grant
    name = entry_of(session.provider_app).name if session.provider_app is not None else ""
    return widget(
        request,
        "device",
        session,
        provider=name,
        user_code=grant.user_code,
        address=grant.verification_uri,
        shown_address=grant.verification_uri.partition("://")[2].rstrip("/"),
        address_with_code=grant.verification_uri_complete,
        wait=math.ceil(found.seconds),
    )
