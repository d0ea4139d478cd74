"""The redirect URI: where the provider's authorization response arrives."""

import uuid
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from connections.consent.cookies import browser_secret
from connections.consent.finish import finished
from connections.consent.headers import widget_page
from connections.consent.pages import declined_page, problem_page
from connections.consent.words import failure_named
from connections.entrance import actor_of
from connections.lifecycle.callback import Declined, receive_callback
from connections.lifecycle.clock import database_now
from connections.lifecycle.failures import Failure
from connections.lifecycle.outcomes import AppMisconfigured, SessionUnusable

RESPONSE_PARAMETERS = ("code", "state", "iss", "error")


@widget_page
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, app_id: uuid.UUID) -> HttpResponse:
    """Check the authorization response and hold its code.

    A ``form_post`` answer is a cross-site POST, with which the browser does not send the cookie: it comes in again by
    a GET of our own.
    """
    if request.method == "POST":
        again = urlencode(_response_parameters(request.POST) or {})
        return HttpResponseRedirect(f"{reverse('callback', args=[app_id])}?{again}", status=303)
    response = _response_parameters(request.GET)
    if response is None:
        return problem_page(request, failure=Failure.STATE, status=400)
    try:
        received = receive_callback(
            app_id,
            response,
            browser_secret_of=lambda session_id: browser_secret(request, session_id),
            now=database_now(),
            actor=actor_of(request),
        )
    except SessionUnusable as refusal:
        return problem_page(request, failure=failure_named(refusal), status=400)
    except AppMisconfigured as refusal:
        return problem_page(request, failure=failure_named(refusal), status=502)
    if isinstance(received, Declined):
        return declined_page(request, received.session, received.error)
    return finished(request, received)


def _response_parameters(sent: QueryDict) -> dict[str, str] | None:
    """Return the known parameters, or None if one is given twice (RFC 6749 §3.1: not more than once)."""
    if any(len(sent.getlist(name)) > 1 for name in RESPONSE_PARAMETERS):
        return None
    return {name: str(sent[name]) for name in RESPONSE_PARAMETERS if name in sent}
