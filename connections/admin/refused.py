"""Pages that say why: a form was refused as possibly forged (not Django's bare 403), or a list takes too long."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_NO_CSRF_COOKIE
from django.shortcuts import render

_NO_COOKIE = (
    "Your browser did not keep a cookie",
    (
        "This form needs one, so nothing was changed. Allow cookies for this site in the settings of your browser, or "
        "use a normal window instead of a private one. Then try again."
    ),
)
_OUT_OF_DATE = (
    "This form is out of date",
    (
        "Nothing was changed. Perhaps you logged in or out in another window since you opened it, or another site sent "
        "it. Open the page again, and repeat what you did."
    ),
)


_TOO_LONG = (
    "This list takes too long",
    (
        "The database would read too many rows for it. Narrow it: choose a tenant, a connection or a younger age, "
        "or search for an id. An export on the command line reads everything (manage.py audit export)."
    ),
)


def list_took_too_long(request: HttpRequest) -> HttpResponse:
    """Render why a list is not shown."""
    title, advice = _TOO_LONG
    context = {"title": title, "advice": advice, "failure": "too_long", "reason": "the limit for one statement"}
    response = render(request, "admin/refused.html", context, status=503)
    response["Cache-Control"] = "no-store"
    return response


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Render why a form was refused (``CSRF_FAILURE_VIEW``); ``reason`` is Django's, and holds nothing secret."""
    keeps_cookies = any(name.startswith(settings.COOKIE_PREFIX) for name in request.COOKIES)
    lacks_cookie = reason == REASON_NO_CSRF_COOKIE and not keeps_cookies
    title, advice = _NO_COOKIE if lacks_cookie else _OUT_OF_DATE
    failure = "no_cookie" if lacks_cookie else "out_of_date"
    context = {"title": title, "advice": advice, "failure": failure, "reason": reason}
    response = render(request, "admin/refused.html", context, status=403)
    response["Cache-Control"] = "no-store"
    return response
