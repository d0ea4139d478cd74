"""The cookie that ties a connect session to one browser.

``__Host-``: Secure, for this host alone, set by no subdomain. One cookie a session, so that two tabs do not disturb
each other; SameSite=Lax lets it come back with the provider's redirect, and with nothing that another site posts.
"""

import uuid

from django.http import HttpRequest, HttpResponse

from connections.lifecycle.authorize import BROWSER_LIFETIME


def cookie_name(session_id: uuid.UUID) -> str:
    """Return the name of the cookie of one session."""
    return f"__Host-latchkey-{session_id.hex[:16]}"


def set_browser_secret(response: HttpResponse, session_id: uuid.UUID, secret: str) -> None:
    """Bind the browser that gets ``response`` to the session."""
    response.set_cookie(
        cookie_name(session_id),
        secret,
        max_age=int(BROWSER_LIFETIME.total_seconds()),
        path="/",
        secure=True,
        httponly=True,
        samesite="Lax",
    )


def browser_secret(request: HttpRequest, session_id: uuid.UUID) -> str | None:
    """Return what the browser holds for the session, if anything."""
    return request.COOKIES.get(cookie_name(session_id))


def forget(response: HttpResponse, session_id: uuid.UUID) -> None:
    """Take the cookie back when the session is over."""
    response.set_cookie(cookie_name(session_id), "", max_age=0, path="/", secure=True, httponly=True, samesite="Lax")
