"""Pushed authorization requests (RFC 9126): what a client pushes is kept, and a browser brings the reference to it.

A reference lives ``pushed_lifetime`` seconds, is its client's alone, and is of no use once a code was issued for it.
"""

import json
import time

from oauthlib.common import Request
from oauthlib.oauth2 import AuthorizationCodeGrant, AuthorizationEndpoint, BearerToken, OAuth2Error

from providers.sandbox.client_proof import is_authenticated
from providers.sandbox.resource_indicators import check_resource
from providers.sandbox.state import Sandbox
from providers.sandbox.store import Ledger
from providers.sandbox.tokens import digest, new_token
from providers.sandbox.validator import Validator

_KIND = "pushed"
_PROOF = frozenset({"client_secret", "client_assertion", "client_assertion_type"})
_PREFIX = "urn:ietf:params:oauth:request_uri:"  # RFC 9126 §2.2

Answer = tuple[dict[str, str], str, int]
Pairs = list[tuple[str, str]]


def push_request(sandbox: Sandbox, validator: Validator, uri: str, body: str, headers: dict[str, str]) -> Answer:
    """Answer a pushed authorization request (RFC 9126 §2.1 to §2.3)."""
    asked = Request(uri, "POST", body, headers)
    if not is_authenticated(validator, asked):
        return _answer({"error": "invalid_client"}, 401)
    pushed = list(asked.decoded_body or ())
    if "request_uri" in dict(pushed):
        return _answer({"error": "invalid_request"}, 400)
    grant = AuthorizationCodeGrant(validator, post_auth=[lambda request: check_resource(validator, request)])
    bearer, grants = BearerToken(validator), {"code": grant}
    endpoint = AuthorizationEndpoint("code", bearer, grants)  # type: ignore[arg-type]  # no name: a handler
    try:
        endpoint.validate_authorization_request(f"{sandbox.issuer}/authorize?{body}")
    except OAuth2Error as error:
        return _answer({"error": error.error}, 400)
    reference, settings = new_token(_PREFIX), sandbox.registry.settings
    pairs = [[name, value] for name, value in pushed if name not in _PROOF]
    kept = {"client_id": validator.client.client_id, "pairs": pairs}
    validator.ledger.put_document(_KIND, digest(reference), kept, expires_at=time.time() + settings.pushed_lifetime)
    validator.entry.outcome = "pushed"
    return _answer({"request_uri": reference, "expires_in": settings.pushed_lifetime}, 201)


def request_behind(ledger: Ledger, given: Pairs, *, now: float) -> Pairs | None:
    """Return the request that ``given`` refers to: itself without a reference, None if the reference is of no use."""
    named = dict(given)
    if "request_uri" not in named:
        return given
    kept = ledger.document(_KIND, digest(named["request_uri"]), now=now)
    if kept is None or kept["client_id"] != named.get("client_id"):
        return None
    return [(name, value) for name, value in kept["pairs"]]


def use_up(ledger: Ledger, given: Pairs) -> None:
    """Forget the request that ``given`` refers to, because a code was issued for it."""
    if reference := dict(given).get("request_uri"):
        ledger.drop_document(_KIND, digest(reference))


def _answer(document: dict[str, object], status: int) -> Answer:
    return {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(document), status
