"""What every page of the widget sends along, and what every POST to it must bring."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlsplit

from csp.constants import NONCE, NONE, SELF
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from connections.consent.pages import failure_named, problem_page
from connections.entrance import log_crash
from connections.lifecycle.locking import LockTimeout
from connections.lifecycle.outcomes import Refusal

View = Callable[..., HttpResponse]


def widget_page(view: View) -> View:
    """Send the widget's headers with whatever ``view`` returns, and let in only POSTs that our own pages made.

    Django's CSRF check cannot serve here: under ``Referrer-Policy: no-referrer`` browsers send ``Origin: null``, which
    it refuses. ``Sec-Fetch-Site`` says the same and cannot be forged by a page; browsers too old to send it have the
    SameSite cookie that every step after the first needs.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: object, **kwargs: object) -> HttpResponse:
        if request.method == "POST" and not _is_own_form(request):
            response = problem_page(request, failure="foreign_form", status=403)
        else:
            response = _answered(view, request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        response.setdefault("Cross-Origin-Opener-Policy", "same-origin")
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if not hasattr(response, "_csp_replace"):
            set_policy(response, ancestors=())
        return response

    return csrf_exempt(wrapped)


def _answered(view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Return what ``view`` answers; what it did not expect becomes a page as well."""
    try:
        return view(request, *args, **kwargs)
    except Refusal as refusal:
        return problem_page(request, failure=failure_named(refusal), status=409)
    except LockTimeout:
        return problem_page(request, failure="busy", status=503)
    except Exception as error:  # noqa: BLE001 (an end user is never left without a page that says what to do)
        log_crash(request, error)
        return problem_page(request, failure="internal", status=500)


def set_policy(response: HttpResponse, *, ancestors: tuple[str, ...]) -> None:
    """Give a page its content security policy; only ``ancestors`` may frame it."""
    setattr(  # noqa: B010 (the attribute by which django-csp is told)
        response,
        "_csp_replace",
        {
            "default-src": [NONE],
            "script-src": [SELF],
            "style-src": [SELF, NONCE],
            "img-src": [SELF],
            "font-src": [SELF],
            "connect-src": [NONE],
            "form-action": [SELF],
            "base-uri": [NONE],
            "frame-ancestors": list(ancestors) or [NONE],
        },
    )
    if ancestors:
        setattr(response, "xframe_options_exempt", True)  # noqa: B010 (the attribute by which Django is told)


def is_framed(request: HttpRequest) -> bool:
    """Whether the browser says that it loads this page into a frame."""
    return request.headers.get("Sec-Fetch-Dest", "document") in ("iframe", "frame", "embed", "object")


def _is_own_form(request: HttpRequest) -> bool:
    if request.path.startswith("/connect/callback/"):
        return True  # a form_post answer comes from the provider, and is checked by state, cookie and issuer
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin", "null")
    return origin == "null" or urlsplit(origin).netloc == urlsplit(settings.PUBLIC_URL).netloc
