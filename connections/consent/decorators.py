"""What every page of the widget sends along, and what every POST to it must bring."""

import uuid
from collections.abc import Callable
from functools import wraps

from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from connections.consent.cookies import browser_secret
from connections.consent.pages import problem_page, status_of
from connections.consent.sender import Sender, lacks_cookie, sender_of
from connections.consent.words import failure_named
from connections.database.pool import LockTimeout
from connections.entrance import log_crash
from connections.models.failures import Failure
from connections.refusals import Refusal

# Django raises these for a body or a query that it cannot or will not read: the sender's fault, not an error of ours.
BAD_REQUESTS = (SuspiciousOperation, BadRequest, MultiPartParserError, UnreadablePostError)

View = Callable[..., HttpResponse]


def widget_page(view: View) -> View:
    """Send the widget's headers with every answer of ``view``. An unexpected exception becomes a page, too."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, *args: object, **kwargs: object) -> HttpResponse:
        response = _answer(view, request, *args, **kwargs)
        response["Referrer-Policy"] = "no-referrer"
        response["Cache-Control"] = "no-store"
        # A redirect shows nothing, and a strict policy there would sever the window from the page that opened it.
        is_redirect = "Location" in response
        response.setdefault("Cross-Origin-Opener-Policy", "unsafe-none" if is_redirect else "same-origin")
        response["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
        if not hasattr(response, "_csp_replace"):
            set_policy(response, ancestors=())
        return response

    return csrf_exempt(wrapped)  # ``sender`` takes the place of Django's check


def own_forms_only(view: View) -> View:
    """Let in only POSTs that our own pages sent from a browser that a session is bound to."""

    @wraps(view)
    def wrapped(request: HttpRequest, /, session_id: uuid.UUID, *args: object, **kwargs: object) -> HttpResponse:
        if request.method == "POST":
            secret = browser_secret(request, session_id)
            if sender_of(request, session_id, secret=secret) is not Sender.OURS:
                failure = Failure.NO_COOKIE if lacks_cookie(request, secret=secret) else Failure.FOREIGN_FORM
                return problem_page(request, failure=failure, status=403)
        return view(request, session_id, *args, **kwargs)

    return wrapped


def _answer(view: View, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Return the answer of ``view``; turn every exception into a page. ``Http404`` has a page already."""
    try:
        return view(request, *args, **kwargs)
    except Http404:
        raise
    except Refusal as refusal:
        return problem_page(request, failure=failure_named(refusal), status=409)
    except LockTimeout:
        return problem_page(request, failure=Failure.BUSY, status=503)
    except BAD_REQUESTS as error:
        failure = failure_of_bad(error)
        return problem_page(request, failure=failure, status=status_of(failure))
    except Exception as error:  # noqa: BLE001 (an end user must always get a page that says what to do)
        log_crash(request.path_info, error)
        return problem_page(request, failure=Failure.INTERNAL, status=500)


def failure_of_bad(error: Exception) -> Failure:
    """Return the failure that the page for one of ``BAD_REQUESTS`` names."""
    return Failure.TOO_LARGE if isinstance(error, RequestDataTooBig) else Failure.MALFORMED


def set_policy(response: HttpResponse, *, ancestors: tuple[str, ...], asks_us: bool = False) -> None:
    """Give a page its content security policy; only ``ancestors`` may frame it. ``asks_us``: its script may ask us."""
    setattr(  # noqa: B010 (the attribute that django-csp reads)
        response,
        "_csp_replace",
        {
            "default-src": [NONE],
            "script-src": [SELF],
            "style-src": [SELF, NONCE],
            "img-src": [SELF],
            "font-src": [SELF],
            "connect-src": [SELF] if asks_us else [NONE],
            "form-action": [SELF],
            "base-uri": [NONE],
            "frame-ancestors": list(ancestors) or [NONE],
        },
    )
    if ancestors:
        setattr(response, "xframe_options_exempt", True)  # noqa: B010 (the attribute that Django reads)


def is_framed(request: HttpRequest) -> bool:
    """Whether the browser says that it loads this page into a frame."""
    return request.headers.get("Sec-Fetch-Dest", "document") in ("iframe", "frame", "embed", "object")
