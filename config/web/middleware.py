"""The steps around every view: a short chain for the API, health checks by address, one public host, no bare page."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, UnreadablePostError
from django.urls import resolve
from django.utils.module_loading import import_string

from config.web.hosts import Hosts
from config.web.pages import refusal
from connections.api.health import readyz
from connections.api.metrics import metrics

_KEPT_HEADERS = ("Allow", "Retry-After")

GetResponse = Callable[[HttpRequest], HttpResponse]


class ApiApart:
    """Answers calls of the API with ``API_MIDDLEWARE`` alone; all other requests go on to the middleware after it.

    A call of the API has no session, form, message or page, so the middleware of the pages would only cost time. An
    agent vends before each of its own calls.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        chain: Any = convert_exception_to_response(_call_view)
        for path in reversed(settings.API_MIDDLEWARE):
            chain = convert_exception_to_response(import_string(path)(chain))
        self._answer_call: GetResponse = chain

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/api/"):
            return self._answer_call(request)
        return self._get_response(request)


def _call_view(request: HttpRequest) -> HttpResponse:
    """Return the answer of the view at the request's address. Raises ``Http404`` if there is no view."""
    match = request.resolver_match = resolve(request.path_info)
    response: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return response


class HealthBeforeHostCheck:
    """Answers ``/readyz`` and ``/metrics`` for any Host header: orchestrators ask by address.

    The front answers ``/healthz``.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info == "/readyz":
            return readyz(request)
        if request.path_info == "/metrics" and settings.METRICS_TOKEN:
            return metrics(request)
        return self._get_response(request)


class NoBarePage:
    """Replaces refusals that say nothing to a person: those without content, and plain text.

    Decorators, other middleware and libraries answer like that (405, for one). What views of ours answer stays.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or response.streaming:
            return response
        if response.content and not response["Content-Type"].startswith("text/plain"):
            return response
        page = refusal(response.status_code, path=request.path_info, accepts=_accepted(request))
        for name in _KEPT_HEADERS:
            if name in response:
                page[name] = response[name]
        return page


class OnePublicHost:
    """Redirects a browser that used another allowed name (localhost for 127.0.0.1) to the host that it meant.

    Browsers do not send host-only cookies of one name to the other, so a flow begun there could never finish.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._hosts = Hosts()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.get_host()
        if not self._hosts.is_public(host) and request.method in ("GET", "HEAD"):
            return HttpResponsePermanentRedirect(self._hosts.home_of(host) + request.get_full_path())
        return self._get_response(request)


class NoNul:
    """Refuses addresses, and forms of the operators, that hold NUL.

    No text in the database can hold NUL, and a comparison with one would be an error. The widget checks its texts
    itself and answers with its own pages. It must: a page shown at the callback's address would leave the provider's
    code in the address, unburnt.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if request.path_info.startswith("/connect/"):
            return self._get_response(request)
        if "\x00" in request.path_info or "%00" in query or "\x00" in query:
            return refusal(HTTPStatus.BAD_REQUEST, path=request.path_info, accepts=_accepted(request))
        if request.path_info.startswith("/admin/") and _form_holds_nul(request):
            return refusal(HTTPStatus.BAD_REQUEST, path=request.path_info, accepts=_accepted(request))
        return self._get_response(request)


def _accepted(request: HttpRequest) -> str:
    return str(request.headers.get("Accept-Language", ""))


def _form_holds_nul(request: HttpRequest) -> bool:
    try:
        return any("\x00" in text for name, values in request.POST.lists() for text in (name, *map(str, values)))
    except UnreadablePostError:  # the browser has gone
        return False
