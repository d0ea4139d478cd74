"""The pages of no room: the root, and the answer wherever no view has one of its own, in the browser's language.

Django's handlers of errors are here, and ``refusal``, which ``middleware`` and ``front`` use as well. None of those
reads the database, a session or the request's host, so they also work where one of those is what failed. They show no
tenant's brand: only a view knows which tenant an address belongs to. Programs get a problem document instead of a page.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from django_stubs_ext import StrOrPromise

from config.web.hosts import Hosts
from connections.api.problems import problem
from connections.consent.language import preferred_language, shown_in

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
    title: StrOrPromise
    advice: StrOrPromise


_BACK = _("Go back to where you came from and start again.")
_UNREADABLE = _Refusal("invalid_request", "The request cannot be read.", _("This request cannot be read"), _BACK)
_FAILED = _Refusal(
    "internal_error",
    "Something went wrong here; it is in the log.",
    _("Something went wrong here"),
    _("The people who run this service can look it up. Go back to where you came from, and try again in a moment."),
)
_REFUSALS = {
    403: _Refusal(
        "permission_denied",
        "This is not allowed.",
        _("You may not do this"),
        _("Nothing was changed. Ask the people who run this service if you should be able to."),
    ),
    404: _Refusal(
        "not_found",
        "There is nothing at this address.",
        _("There is nothing at this address"),
        _("It may be mistyped, or no longer in use. If a link led you here, ask for a new one where you got it."),
    ),
    405: _Refusal(
        "method_not_allowed",
        "This address does not know the request's method.",
        _("This page cannot be opened by itself"),
        _("It is a step of something that begins elsewhere. Go back to where you came from and start again."),
    ),
    413: _Refusal("request_too_large", "The request is too large.", _("This request is too large"), _BACK),
    503: _Refusal(
        "busy",
        "There is too much to do at the moment: ask again.",
        _("Many people are busy here at the moment"),
        _("Nothing was changed. Load the page again in a few seconds."),
    ),
}
_WRONG_HOST = _Refusal(
    "invalid_request",
    "The request names a host that is not served here.",
    _("This address belongs to another name"),
    _("You reached this server by a name that is not its own. Go back to where you came from, and use the link there."),
)


@csrf_exempt  # so that a POST is told that there is nothing to send
@require_safe
def root(request: HttpRequest) -> HttpResponse:
    """Tell a person who came to the bare host what it is for, and where to go."""
    leads_to_admin = Hosts().answer(request.get_host(), "/admin/")
    language = preferred_language(_languages_of(request))
    return _rendered("root", 200, language=language, leads_to_admin=leads_to_admin)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses to read (``handler400``)."""
    if isinstance(exception, RequestDataTooBig):
        return _refused(request, 413)
    if isinstance(exception, DisallowedHost):
        return _answer(_WRONG_HOST, 400, path=request.path_info, accepts=_languages_of(request), has_way_on=False)
    return _refused(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a view that lacks the right (``handler403``)."""
    return _refused(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer for an address without a view, or without the thing that it names (``handler404``)."""
    return _refused(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a crash (``handler500``)."""
    return _refused(request, 500)


def refusal(status: int, *, path: str, accepts: str) -> HttpResponse:
    """Return what ``status`` (400 or more) means to whoever asked for ``path``: a page, or a problem document. No I/O.

    ``accepts`` is the request's ``Accept-Language``. Statuses without words of their own get those of 400 or 500.
    """
    told = _REFUSALS.get(status, _UNREADABLE if status < 500 else _FAILED)
    return _answer(told, status, path=path, accepts=accepts)


def _refused(request: HttpRequest, status: int) -> HttpResponse:
    return refusal(status, path=request.path_info, accepts=_languages_of(request))


def _languages_of(request: HttpRequest) -> str:
    return str(request.headers.get("Accept-Language", ""))


def _answer(told: _Refusal, status: int, *, path: str, accepts: str, has_way_on: bool = True) -> HttpResponse:
    if _is_for_programs(path):
        return problem(told.code, told.detail, status=status)
    is_operators = path.startswith("/admin/")
    return _rendered(
        "refusal",
        status,
        language=settings.LANGUAGE_CODE if is_operators else preferred_language(accepts),  # the admin is in English
        title=told.title,
        advice=told.advice,
        home=f"{settings.PUBLIC_PATH}/{'admin/' if is_operators else ''}" if has_way_on else "",
        home_label="Open the first page" if is_operators else _("What is this place?"),
    )


def _rendered(template: str, status: int, *, language: str, **context: object) -> HttpResponse:
    with translation.override(language):
        page = {**shown_in(language), "status": status, **context}
        return HttpResponse(render_to_string(f"pages/{template}.html", page), status=status, headers=_HEADERS)


def _is_for_programs(path: str) -> bool:
    return f"{path}/".startswith(("/api/", "/apps/"))
