"""The redirect URI: where the provider's authorization response arrives.

The request's address holds the code, so no page is ever shown there. The browser always gets a redirect to an address
without a query; so the code stays neither in the address bar nor in the history.
"""

import uuid
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from connections.consent.cookies import cookies_of
from connections.consent.decorators import BAD_REQUESTS, failure_of_bad, widget_page
from connections.consent.finish import finish
from connections.consent.pages import problem_page, status_of
from connections.consent.words import failure_named
from connections.database.pool import LockTimeout
from connections.entrance import actor_of, log_crash
from connections.lifecycle.connect.callback import Told, parameters_read, receive_callback
from connections.lifecycle.connect.hold import Held
from connections.models import Binding
from connections.models.failures import Failure
from connections.refusals import Refusal
from providers.oauth.authorization_response import LONGEST_CODE


@widget_page
@require_http_methods(["GET", "POST"])
def callback(request: HttpRequest, app_id: uuid.UUID) -> HttpResponse:
    """Check the authorization response and hold its code, or show where its session stands.

    A ``form_post`` answer is a cross-site POST, and the browser sends no cookie with it. So this view redirects it to
    itself as a GET, with which the cookie comes along.
    """
    if request.method == "POST":
        return _again_by_get(request, app_id)
    try:
        given = {name: request.GET.getlist(name) for name in request.GET}
        received = receive_callback(app_id, given, cookies=cookies_of(request), actor=actor_of(request))
    except Exception as error:  # noqa: BLE001 (whatever it is, no page may be shown at this address)
        received = Told(None, _failure_of(request, error))
    if isinstance(received, Told):
        return _shown(received, app_id)
    return _gone_on(request, received)


@widget_page
@require_GET
def show_refusal(request: HttpRequest, app_id: uuid.UUID, failure: str) -> HttpResponse:
    """Show a browser without a session why the response was refused: with no tenant's brand, and with no link."""
    told = Failure.named(failure) or Failure.STATE
    return problem_page(request, failure=told, status=status_of(told))


def _again_by_get(request: HttpRequest, app_id: uuid.UUID) -> HttpResponse:
    read = parameters_read(app_id)
    sent = [(name, value) for name in request.POST if name in read for value in request.POST.getlist(name)]
    if any(len(value) > LONGEST_CODE for _, value in sent) or len(sent) > 2 * len(read):
        return problem_page(request, failure=Failure.TOO_LARGE, status=status_of(Failure.TOO_LARGE))
    return _redirect(f"{reverse('connect:callback', args=[app_id])}?{urlencode(sent)}")


def _gone_on(request: HttpRequest, held: Held) -> HttpResponse:
    """Redirect to the return URL, or to the outcome page if it must post a message or exchange the code first."""
    if held.session.origin or held.session.binding == Binding.NONE:
        return _redirect(reverse("connect:outcome", args=[held.session.id]))
    return finish(request, held)


def _shown(told: Told, app_id: uuid.UUID) -> HttpResponse:
    if told.session_id is None:
        return _redirect(reverse("connect:refused", args=[app_id, told.failure or Failure.STATE]))
    if told.failure is None:
        return _redirect(reverse("connect:outcome", args=[told.session_id]))
    return _redirect(reverse("connect:unchanged", args=[told.session_id, told.failure]))


def _redirect(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=303)


def _failure_of(request: HttpRequest, error: Exception) -> Failure:
    if isinstance(error, Refusal):
        return failure_named(error)
    if isinstance(error, LockTimeout):
        return Failure.BUSY
    if isinstance(error, BAD_REQUESTS):
        return failure_of_bad(error)
    log_crash(request.path_info, error)
    return Failure.INTERNAL
