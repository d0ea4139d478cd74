"""Apps that are installed: a token that the app has signed about itself buys one for an installation, as at GitHub.

Owns ``POST /installations/ID/access_tokens``, where ID is a person's subject, and ``DELETE /installation/token``. The
app is a client with ``jwks``. An installation of somebody who is locked is suspended: 403.
"""

import time
from datetime import UTC, datetime

from flask import Blueprint, Response, jsonify, make_response, request

from providers.sandbox.assertions import Refused, judge, signer_of
from providers.sandbox.exchange import Exchange
from providers.sandbox.people import PEOPLE
from providers.sandbox.state import Sandbox
from providers.sandbox.store import AccessToken
from providers.sandbox.tokens import ACCESS_PREFIX, digest, fingerprint, new_token


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("installations", __name__)

    @routes.post("/installations/<installation>/access_tokens")
    def issue(installation: str) -> Response:
        exchange = Exchange(sandbox, "installations")
        return exchange.answer(lambda: _issue(exchange, installation))

    @routes.delete("/installation/token")
    def end() -> Response:
        exchange = Exchange(sandbox, "installations")
        return exchange.answer(lambda: _end(exchange))

    return routes


def _issue(exchange: Exchange, installation: str) -> Response:
    sandbox, token = exchange.sandbox, _bearer()
    client = sandbox.registry.client(signer_of(token))
    exchange.name_client(client.client_id if client is not None else None)
    try:
        claims = judge(
            token,
            keys=client.jwks if client is not None else (),
            audiences=(None,),
            replays=None,
            now=time.time(),
        )
    except Refused as refused:
        exchange.entry.outcome = refused.outcome
        return make_response(jsonify(message="A JSON web token could not be decoded"), 401)
    exchange.entry.kid = claims["kid"]
    person = next((known for known in PEOPLE.values() if known.subject == installation), None)
    if client is None or person is None:
        exchange.entry.outcome = "unknown_subject"
        return make_response(jsonify(message="Not Found"), 404)
    exchange.entry.username = person.username
    if person.username in sandbox.registry.settings.locked:
        exchange.entry.outcome = "locked"
        return make_response(jsonify(message="This installation has been suspended"), 403)
    access, now = new_token(ACCESS_PREFIX), time.time()
    ends, scope = now + sandbox.registry.access_lifetime(client), " ".join(client.scopes)
    with sandbox.store.transaction() as ledger:
        grant_id = ledger.add_grant(client_id=client.client_id, username=person.username, scope=scope, now=now)
        ledger.activate_grant(grant_id, now=now)
        ledger.add_access_token(AccessToken(digest(access), grant_id, scope, now, ends))
    exchange.entry.grant_id, exchange.entry.outcome = grant_id, "issued"
    exchange.entry.access_issued = fingerprint(access)
    return make_response(jsonify(token=access, expires_at=datetime.fromtimestamp(ends, UTC).isoformat()), 201)


def _end(exchange: Exchange) -> Response:
    token = _bearer()
    exchange.entry.access_presented = fingerprint(token) if token else ""
    with exchange.sandbox.store.transaction() as ledger:
        found = ledger.access_token(digest(token))
        if found is None:
            exchange.entry.outcome = "token_unknown"
            return make_response(jsonify(message="Bad credentials"), 401)
        exchange.entry.grant_id = found.grant_id
        ledger.revoke_grants(grant_id=found.grant_id, by="its holder", now=time.time())
    exchange.entry.outcome = "revoked"
    return make_response("", 204)


def _bearer() -> str:
    return request.headers.get("Authorization", "").partition(" ")[2].strip()
