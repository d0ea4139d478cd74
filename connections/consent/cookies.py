"""The cookies of the widget: one that ties a connect session to one browser, and one for the click that begins it.

``__Host-``: Secure, for this host alone, set by no subdomain. One cookie a session, so that two tabs do not disturb
each other; SameSite=Lax lets it come back with the provider's redirect, and with nothing that another site posts. What
differs on a developer's machine is decided in the settings.
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

# To the very end of a session: whoever comes once more, by a reload or the back button, is told where it stands.
SESSION_LIFETIME = BROWSER_LIFETIME + HELD_FOR + KEPT_FOR


def cookie_name(session_id: uuid.UUID) -> str:
    """Return the name of the cookie of one session."""
    return f"{settings.COOKIE_PREFIX}{session_id.hex[:16]}"


def set_browser_secret(response: HttpResponse, session_id: uuid.UUID, secret: str) -> None:
    """Bind the browser that gets ``response`` to the session."""
    _set(response, cookie_name(session_id), secret, lifetime=SESSION_LIFETIME)


def browser_secret(request: HttpRequest, session_id: uuid.UUID) -> str | None:
    """Return what the browser holds for the session.

    "" where it holds other cookies of ours, so that it does keep them, and None where it sent none at all.
    """
    return _held(request, cookie_name(session_id))


def cookies_of(request: HttpRequest) -> Cookies:
    """Return what the browser holds for whatever session."""
    found: dict[str, str] = {}
    for name, secret in request.COOKIES.items():
        if match := re.fullmatch(re.escape(settings.COOKIE_PREFIX) + "([0-9a-f]{16})", name):
            found[match[1]] = secret
    return Cookies(secret_of=lambda session_id: browser_secret(request, session_id), all=found)


def click_secret(request: HttpRequest, session_id: uuid.UUID) -> str | None:
    """Return what the browser was given when it was asked for the click once more; "" and None as above."""
    return _held(request, _click_name(session_id))


def set_click_secret(response: HttpResponse, session_id: uuid.UUID, secret: str) -> None:
    """Let the form of ``response`` be told from those of other sites."""
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
