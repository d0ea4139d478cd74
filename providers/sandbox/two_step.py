"""A login by a call: a name and a password make a session token, and a further call ends it.

Owns ``/session``: POST {"user": {"name": …, "password": …}} as JSON, or ``name`` and ``password`` as a form, is
answered with {"session": {"token": …, "expires_in": …}} and the header ``X-Session``; DELETE with the token as a Bearer
token ends it. The resource API takes it like any other token. A session is a grant without a client.
"""

import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from providers.sandbox.exchange import Exchange
from providers.sandbox.passwords import person_with
from providers.sandbox.state import Sandbox
from providers.sandbox.store import AccessToken
from providers.sandbox.tokens import SESSION_PREFIX, digest, fingerprint, new_token

_SCOPE = "profile.read files.read files.write"


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("two_step", __name__)

    @routes.post("/session")
    def log_in() -> Response:
        exchange = Exchange(sandbox, "session")
        return exchange.answer(lambda: _log_in(exchange))

    @routes.delete("/session")
    def log_out() -> Response:
        exchange = Exchange(sandbox, "session")
        return exchange.answer(lambda: _log_out(exchange))

    return routes


def _log_in(exchange: Exchange) -> Response:
    sandbox, typed = exchange.sandbox, _typed()
    person = person_with(exchange, typed.get("name"), typed.get("password"))
    if person is None:
        return make_response(jsonify(error="login_refused"), 401)
    token, now = new_token(SESSION_PREFIX), time.time()
    lifetime = sandbox.registry.settings.access_lifetime
    with sandbox.store.transaction() as ledger:
        grant_id = ledger.add_grant(client_id="", username=person.username, scope=_SCOPE, now=now)
        ledger.activate_grant(grant_id, now=now)
        ledger.add_access_token(AccessToken(digest(token), grant_id, _SCOPE, now, now + lifetime))
    exchange.entry.grant_id, exchange.entry.outcome = grant_id, "issued"
    exchange.entry.access_issued = fingerprint(token)
    answer = make_response(jsonify(session={"token": token, "expires_in": lifetime}), 201)
    answer.headers["X-Session"] = token
    return answer


def _log_out(exchange: Exchange) -> Response:
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    exchange.entry.access_presented = fingerprint(token) if token else ""
    with exchange.sandbox.store.transaction() as ledger:
        found = ledger.access_token(digest(token))
        if found is None:
            exchange.entry.outcome = "token_unknown"
            return make_response(jsonify(error="invalid_token"), 401)
        exchange.entry.grant_id = found.grant_id
        ledger.revoke_grants(grant_id=found.grant_id, by="logout", now=time.time())
    exchange.entry.outcome = "revoked"
    return make_response("", 204)


def _typed() -> Mapping[str, Any]:
    document = request.get_json(silent=True) if request.is_json else {"user": request.form}
    user = document.get("user") if isinstance(document, Mapping) else None
    return user if isinstance(user, Mapping) else {}
