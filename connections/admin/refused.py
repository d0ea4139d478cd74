"""The page that replaces Django's bare 403: why a form was refused as possibly forged, and what to do."""

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
