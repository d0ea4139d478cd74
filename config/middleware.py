"""What happens before any view: health checks by address, and one public host for everything else."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect, UnreadablePostError

from connections.api.health import healthz, readyz

GetResponse = Callable[[HttpRequest], HttpResponse]


class HealthBeforeHostCheck:
    """Answers ``/healthz`` and ``/readyz`` whatever the Host header says: orchestrators probe by address."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path == "/healthz":
            return healthz(request)
        if request.path == "/readyz":
            return readyz(request)
        return self._get_response(request)


class OnePublicHost:
    """Sends a browser that came by another allowed name (localhost for 127.0.0.1) to ``PUBLIC_URL``.

    Host-only cookies set under one name are not sent to the other, so a flow begun there could never finish.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response
        self._netloc = urlsplit(settings.PUBLIC_URL).netloc

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.get_host() != self._netloc and request.method in ("GET", "HEAD"):
            return HttpResponsePermanentRedirect(settings.PUBLIC_URL + request.get_full_path())
        return self._get_response(request)


class NoNul:
    """Refuses what holds NUL: no text in the database can, and a comparison with one would be an error.

    Addresses and the forms of the operators. The API and the widget look at their texts themselves, and answer in their
    own form. The widget has to: a page shown at the callback's address would leave the provider's code in it, unburnt.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if request.path.startswith(("/api/", "/connect/")):
            return self._get_response(request)
        if "\x00" in request.path or "%00" in query or "\x00" in query:
            return _refused("There is nothing at this address.")
        if request.path.startswith("/admin/") and _form_holds_nul(request):
            return _refused("The form holds a NUL character, which no text may hold: nothing was changed.")
        return self._get_response(request)


def _form_holds_nul(request: HttpRequest) -> bool:
    try:
        return any("\x00" in text for name, values in request.POST.lists() for text in (name, *map(str, values)))
    except UnreadablePostError:  # the browser has gone
        return False


def _refused(why: str) -> HttpResponse:
    return HttpResponse(why, status=400, content_type="text/plain")


class ContentLength:
    """Says how long an answer of the API is: all that it needs of Django's ``CommonMiddleware``."""

    def __init__(self, get_response: GetResponse) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response["Content-Length"] = str(len(response.content))
        return response
