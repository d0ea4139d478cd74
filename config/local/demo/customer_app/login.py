"""The product's own users: who is logged in, in a signed cookie; and the check that a form is one of ours."""

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from urllib.parse import urlencode

from flask import abort, current_app, g, redirect, request, session
from flask.typing import ResponseReturnValue

CSRF_FIELD = "csrf_token"
_MOST_BEGUN = 5


@dataclass(frozen=True, slots=True)
class User:
    """One user. ``id`` is what Latchkey knows as ``end_user``: any opaque id of ours that never changes."""

    id: str
    name: str
    password: str = field(repr=False)


# A real product has a table and hashed passwords; these are on the login page.
USERS = {user.id: user for user in (User("ann", "Ann Abel", "ann"), User("ben", "Ben Baker", "ben"))}


def authenticate(*, name: str, password: str) -> User | None:
    """Return the user whose password this is, or None."""
    user = USERS.get(name.strip().lower())
    if user is not None and hmac.compare_digest(user.password.encode(), password.encode()):
        return user
    return None


def log_in(user: User) -> None:
    """Begin a new session for ``user``, without anything from the browser's old session."""
    session.clear()
    session["user"] = user.id


def log_out() -> None:
    """End the session."""
    session.clear()


def current_user() -> User | None:
    """Return the user who is logged in, or None."""
    return USERS.get(session.get("user", ""))


def remember_begun(session_id: str, code_verifier: str, *, over_page: bool = False) -> None:
    """Remember in this login session that it began a connect session at Latchkey, with which verifier, and where.

    The latest few will do. Here they are in the signed cookie, which only this browser has; a real product keeps them
    in its table of login sessions.
    """
    begun = {**session.get("begun", {}), session_id: code_verifier}
    session["begun"] = dict(list(begun.items())[-_MOST_BEGUN:])
    if over_page:
        session["over_page"] = [*session.get("over_page", []), session_id][-_MOST_BEGUN:]


def begun_with(session_id: str) -> str | None:
    """Return the verifier with which this login session began a connect session, None if it did not."""
    verifier: str | None = session.get("begun", {}).get(session_id)
    return verifier


def was_begun_over_page(session_id: str) -> bool:
    """Whether this login session began it over a page of ours, so that it runs in a window of its own."""
    return session_id in session.get("over_page", [])


def login_required(view: Callable[..., ResponseReturnValue]) -> Callable[..., ResponseReturnValue]:
    """Redirect users who are not logged in to the login page, and after the login back to the requested page."""

    @wraps(view)
    def guarded(*args: object, **kwargs: object) -> ResponseReturnValue:
        user = current_user()
        if user is None:
            onwards = f"?{urlencode({'next': request.full_path.rstrip('?')})}" if request.method == "GET" else ""
            return redirect(f"/login{onwards}", 303)
        g.user = user
        return view(*args, **kwargs)

    return guarded


def local_path(value: str | None) -> str:
    """Return ``value`` if it is a path on this server, else the home page: no open redirect."""
    if not value or not value.startswith("/") or value.startswith(("//", "/\\")) or not value.isprintable():
        return "/"
    return value


def csrf_token() -> str:
    """Return the token that this session's forms carry."""
    token: str = session.setdefault("csrf", secrets.token_urlsafe(16))
    return token


def check_csrf() -> None:
    """Refuse a POST that no form of this session made."""
    if request.method != "POST":
        return
    if current_app.config["SESSION_COOKIE_NAME"] not in request.cookies:
        abort(
            400,
            "Your browser did not keep a cookie. Allow cookies for this site in the settings of your browser, or use a "
            "normal window instead of a private one. Then try again.",
        )
    if not hmac.compare_digest(request.form.get(CSRF_FIELD, "").encode(), csrf_token().encode()):
        abort(400, "This form is out of date: go back, reload the page and try again.")
