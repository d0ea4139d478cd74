"""Who is signed in to the sandbox's own pages.

Owns the cookie and its meaning. Sessions are rows in the store, found by the digest of a random cookie value.
"""

import time

from flask import Request, Response

from providers.sandbox.people import PEOPLE, Account
from providers.sandbox.state import Sandbox
from providers.sandbox.tokens import digest, new_token

COOKIE = "sandbox_session"


def signed_in(sandbox: Sandbox, request: Request) -> Account | None:
    """Return the person whose browser this is, if any."""
    value = request.cookies.get(COOKIE)
    if not value:
        return None
    with sandbox.store.transaction() as ledger:
        username = ledger.session_username(digest(value))
    return PEOPLE.get(username or "")


def sign_in(sandbox: Sandbox, response: Response, person: Account) -> Response:
    """Start a fresh session for ``person`` and set its cookie on ``response``."""
    value = new_token("")
    with sandbox.store.transaction() as ledger:
        ledger.add_session(digest=digest(value), username=person.username, now=time.time())
    secure = sandbox.issuer.startswith("https:")
    response.set_cookie(COOKIE, value, httponly=True, samesite="Lax", secure=secure)
    return response


def sign_out(sandbox: Sandbox, request: Request, response: Response) -> Response:
    """End the browser's session, if it has one."""
    value = request.cookies.get(COOKIE)
    if value:
        with sandbox.store.transaction() as ledger:
            ledger.end_session(digest(value))
    response.delete_cookie(COOKIE, httponly=True, samesite="Lax")
    return response
