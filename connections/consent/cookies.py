"""The cookies of the widget: one binds a connect session to one browser, one protects the click that begins it.

The prefix ``__Host-`` makes a cookie Secure, limits it to this host, and keeps subdomains from setting it. Each session
has its own cookie, so that two tabs do not disturb each other. With SameSite=Lax the browser sends it with the
provider's redirect, but with nothing that another site posts. The settings say what differs on a developer's machine.
"""

import re
import uuid
from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from connections.lifecycle.connect.authorize import BROWSER_LIFETIME
from connections.lifecycle.connect.begin import TOKEN_LIFETIME
from connections.lifecycle.connect.callback import Cookies
from connections.lifecycle.connect.exchange import KEPT_FOR
from connections.lifecycle.connect.hold import HELD_FOR

# The cookie lives as long as the session's row, so that a reload or the back button can still show the outcome.
SESSION_LIFETIME = BROWSER_LIFETIME + HELD_FOR + KEPT_FOR


def cookie_name(session_id: uuid.UUID) -> str:
    """Return the name of the cookie of one session."""
    return f"{settings.COOKIE_PREFIX}{session_id.hex[:16]}"


def set_browser_secret(response: HttpResponse, session_id: uuid.UUID, secret: str) -> None:
    """Bind the browser that gets ``response`` to the session."""
    _set(response, cookie_name(session_id), secret, lifetime=SESSION_LIFETIME)


def browser_secret(request: HttpRequest, session_id: uuid.UUID) -> str | None:
    """Return the secret in the browser's cookie for this session.

    Returns "" if the browser sent other cookies of ours (so it does keep cookies), None if it sent none at all.
    """
    return _held(request, cookie_name(session_id))


def cookies_of(request: HttpRequest) -> Cookies:
    """Return the secrets that the browser holds for all of its sessions."""
    found: dict[str, str] = {}
    for name, secret in request.COOKIES.items():
        if match := re.fullmatch(re.escape(settings.COOKIE_PREFIX) + "([0-9a-f]{16})", name):
            found[match[1]] = secret
    return Cookies(secret_of=lambda session_id: browser_secret(request, session_id), all=found)


def click_secret(request: HttpRequest, session_id: uuid.UUID) -> str | None:
    """Return the secret that ``set_click_secret`` gave to the browser; "" and None as in ``browser_secret``."""
    return _held(request, _click_name(session_id))


def set_click_secret(response: HttpResponse, session_id: uuid.UUID, secret: str) -> None:
    """Give the browser the secret by which ``sender`` tells our form in ``response`` from another site's form."""
    _set(response, _click_name(session_id), secret, lifetime=TOKEN_LIFETIME)


def _click_name(session_id: uuid.UUID) -> str:
    return f"{settings.COOKIE_PREFIX}click-{session_id.hex[:16]}"


def _held(request: HttpRequest, name: str) -> str | None:
    keeps_cookies = any(other.startswith(settings.COOKIE_PREFIX) for other in request.COOKIES)
    return request.COOKIES.get(name, "" if keeps_cookies else None)


def _set(response: HttpResponse, name: str, value: str, *, lifetime: timedelta) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(lifetime.total_seconds()),
        path="/",
        secure=not settings.LOOPBACK_HTTP,
        httponly=True,
        samesite="Lax",
    )
