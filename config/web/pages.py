"""The pages of no room: the root, and the answer wherever no view has one of its own.

Django's handlers of errors are here, and ``refusal``, which ``middleware`` and ``front`` use as well. None of them
reads the database, a session or the request's host, so they also work where one of those is what failed. They show no
tenant's brand: only a view knows which tenant an address belongs to. Programs get a problem document instead of a page.
"""

from dataclasses import dataclass

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from connections.api.problems import problem

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """``code`` and ``detail`` are for programs, ``title`` and ``advice`` for people."""

    code: str
    detail: str
    title: str
    advice: str


_BACK = "Go back to where you came from and start again."
_UNREADABLE = _Refusal("invalid_request", "The request cannot be read.", "This request cannot be read", _BACK)
_FAILED = _Refusal(
    "internal_error",
    "Something went wrong here; it is in the log.",
    "Something went wrong here",
    "The people who run this service can look it up. Go back to where you came from, and try again in a moment.",
)
_REFUSALS = {
    403: _Refusal(
        "permission_denied",
        "This is not allowed.",
        "You may not do this",
        "Nothing was changed. Ask the people who run this service if you should be able to.",
    ),
    404: _Refusal(
        "not_found",
        "There is nothing at this address.",
        "There is nothing at this address",
        "It may be mistyped, or no longer in use. If a link led you here, ask for a new one where you got it.",
    ),
    405: _Refusal(
        "method_not_allowed",
        "This address does not know the request's method.",
        "This page cannot be opened by itself",
        f"It is a step of something that begins elsewhere. {_BACK}",
    ),
    413: _Refusal("request_too_large", "The request is too large.", "This request is too large", _BACK),
    503: _Refusal(
        "busy",
        "There is too much to do at the moment: ask again.",
        "Many people are busy here at the moment",
        "Nothing was changed. Load the page again in a few seconds.",
    ),
}
_WRONG_HOST = _Refusal(
    "invalid_request",
    "The request names a host that is not served here.",
    "This address belongs to another name",
    "You reached this server by a name that is not its own. Go back to where you came from, and use the link there.",
)


@csrf_exempt  # so that a POST is told that there is nothing to send
@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Tell a person who came to the bare host what it is for, and where to go."""
    return HttpResponse(render_to_string("pages/root.html"), headers=_HEADERS)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses to read (``handler400``)."""
    if isinstance(exception, RequestDataTooBig):
        return refusal(413, path=request.path)
    if isinstance(exception, DisallowedHost):
        return _answer(_WRONG_HOST, 400, path=request.path, has_way_on=False)
    return refusal(400, path=request.path)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a view that lacks the right (``handler403``)."""
    return refusal(403, path=request.path)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address without a view, or without the thing that it names (``handler404``)."""
    return refusal(404, path=request.path)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash (``handler500``)."""
    return refusal(500, path=request.path)


def refusal(status: int, *, path: str) -> HttpResponse:
    """Return what ``status`` (400 or more) means to whoever asked for ``path``: a page, or a problem document. No I/O.

    Statuses without words of their own get those of 400 or 500.
    """
    return _answer(_REFUSALS.get(status, _UNREADABLE if status < 500 else _FAILED), status, path=path)


def _answer(told: _Refusal, status: int, *, path: str, has_way_on: bool = True) -> HttpResponse:
    if _is_for_programs(path):
        return problem(told.code, told.detail, status=status)
    is_operators = path.startswith("/admin/")
    context = {
        "title": told.title,
        "advice": told.advice,
        "status": status,
        "home": ("/admin/" if is_operators else "/") if has_way_on else "",
        "home_label": "Open the first page" if is_operators else "What is this place?",
    }
    return HttpResponse(render_to_string("pages/refusal.html", context), status=status, headers=_HEADERS)


def _is_for_programs(path: str) -> bool:
    return f"{path}/".startswith(("/api/", "/apps/"))
