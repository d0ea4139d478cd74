"""The protocol endpoints for machines: metadata, token, revocation, introspection.

Owns their HTTP (RFC 6749 §3.2, RFC 7009, RFC 7662, RFC 8414, RFC 9126); the rules are in ``validator``. Token requests
may also be JSON. The authorization endpoint, which people see, is in ``consent``.
"""

import json
import time
from collections.abc import Callable
from functools import partial
from urllib.parse import parse_qsl, unquote_plus, urlencode

from flask import Blueprint, Response, jsonify, request
from oauthlib.oauth2 import (
    AuthorizationCodeGrant,
    BearerToken,
    ClientCredentialsGrant,
    DeviceCodeGrant,
    IntrospectEndpoint,
    RefreshTokenGrant,
    ResourceOwnerPasswordCredentialsGrant,
    RevocationEndpoint,
    TokenEndpoint,
)

from providers.sandbox.assertion_grants import SignedAssertionGrant
from providers.sandbox.assertions import ALGORITHMS
from providers.sandbox.device import authorize_device
from providers.sandbox.exchange import Exchange
from providers.sandbox.pushed import push_request
from providers.sandbox.registry import (
    DEVICE_GRANT,
    GRANT_TYPES,
    JWT_BEARER_GRANT,
    SAML_BEARER_GRANT,
    TOKEN_EXCHANGE_GRANT,
)
from providers.sandbox.resource_indicators import demand_resource
from providers.sandbox.state import Sandbox
from providers.sandbox.subject_tokens import SubjectTokenGrant
from providers.sandbox.tokens import ACCESS_PREFIX, REFRESH_PREFIX, fingerprint, new_token
from providers.sandbox.validator import Validator

_AUTH_METHODS = ["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

Answer = tuple[dict[str, str], str, int]
Parameters = list[tuple[str, str]]
Work = Callable[[Validator, str, str, dict[str, str]], Answer]


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("oauth", __name__)

    @routes.get("/.well-known/oauth-authorization-server")
    @routes.get("/.well-known/openid-configuration")
    def metadata() -> Response:
        return Exchange(sandbox, "metadata").answer(lambda: jsonify(_metadata(sandbox)))

    @routes.post("/token")
    def token() -> Response:
        return serve(sandbox, "token", issue)

    @routes.post("/device_authorization")
    def device_authorization() -> Response:
        return serve(sandbox, "device_authorization", partial(authorize_device, sandbox))

    @routes.post("/par")
    def pushed() -> Response:
        return serve(sandbox, "par", partial(push_request, sandbox))

    @routes.post("/revoke")
    def revoke() -> Response:
        return serve(sandbox, "revoke", revoke_token)

    @routes.post("/introspect")
    def introspect() -> Response:
        return serve(sandbox, "introspect", _introspect)

    return routes


def _metadata(sandbox: Sandbox) -> dict[str, object]:
    issuer = sandbox.issuer
    scopes = {scope for client in sandbox.registry.clients() for scope in client.scopes}
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "introspection_endpoint": f"{issuer}/introspect",
        "device_authorization_endpoint": f"{issuer}/device_authorization",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": sandbox.registry.settings.require_pushed,
        "userinfo_endpoint": f"{issuer}/userinfo",
        "scopes_supported": sorted(scopes),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "form_post"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": _AUTH_METHODS[:3],
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS[:4]),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
    }


def serve(sandbox: Sandbox, endpoint: str, work: Work, *, server: str = "") -> Response:
    """Answer a request to one of the endpoints for machines; ``work`` is what it does, ``server`` who is asked."""
    exchange = Exchange(sandbox, endpoint, server=server)
    parameters = _parameters()
    given = dict(parameters or ())
    exchange.name_client(_presented_client_id(given))
    grant_type = given.get("grant_type")
    if grant_type:
        exchange.entry.grant_type = grant_type if grant_type in GRANT_TYPES else "(unsupported)"
    if endpoint == "token":
        # Noted here, for a fault may keep the request from being processed.
        exchange.entry.code_presented = _fingerprint_of(given.get("code") or given.get("device_code"))
        exchange.entry.access_presented = _fingerprint_of(given.get("subject_token") or given.get("assertion"))
        exchange.entry.refresh_presented = _fingerprint_of(given.get("refresh_token"))

    def process() -> Response:
        if parameters is None or len(given) < len(parameters):
            return _invalid_request("The body is not a form or JSON object of single strings.")
        if endpoint == "token" and "grant_type" not in given:
            return _invalid_request("Missing grant_type parameter.")
        if request.query_string:
            return _invalid_request("URL query parameters are not allowed.")
        with sandbox.store.transaction() as ledger:
            validator = Validator(exchange=exchange, ledger=ledger, now=time.time())
            headers, body, status = work(validator, request.base_url, urlencode(parameters), dict(request.headers))
        response = Response(body, status=status, headers=headers)
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="sandbox"'
        return response

    return exchange.answer(process)


def issue(validator: Validator, uri: str, body: str, headers: dict[str, str]) -> Answer:
    """Answer a token request (RFC 6749 §3.2)."""
    bearer = BearerToken(
        validator,
        token_generator=lambda request: new_token(ACCESS_PREFIX),
        refresh_token_generator=lambda request: new_token(REFRESH_PREFIX),
        expires_in=validator.access_lifetime,
    )
    acting = SubjectTokenGrant(validator)
    grants = {
        "authorization_code": AuthorizationCodeGrant(validator),
        "refresh_token": RefreshTokenGrant(validator),
        "password": ResourceOwnerPasswordCredentialsGrant(validator),
        "client_credentials": ClientCredentialsGrant(validator),
        DEVICE_GRANT: DeviceCodeGrant(validator),
        TOKEN_EXCHANGE_GRANT: acting,
        SAML_BEARER_GRANT: SignedAssertionGrant(validator),
        JWT_BEARER_GRANT: acting if "requested_token_use=" in body else SignedAssertionGrant(validator),
    }
    for grant in list(grants.values())[:3]:
        grant.register_token_modifier(validator.without_refresh_token)
    for grant in grants.values():
        demand_resource(grant, validator)
    endpoint = TokenEndpoint("authorization_code", bearer, grants)  # type: ignore[arg-type]  # no name: a handler
    answer: Answer = endpoint.create_token_response(uri, "POST", body, headers)
    return answer


def revoke_token(validator: Validator, uri: str, body: str, headers: dict[str, str]) -> Answer:
    """Answer a revocation request (RFC 7009 §2)."""
    return RevocationEndpoint(validator).create_revocation_response(uri, "POST", body, headers)


def _introspect(validator: Validator, uri: str, body: str, headers: dict[str, str]) -> Answer:
    return IntrospectEndpoint(validator).create_introspect_response(uri, "POST", body, headers)


def _parameters() -> Parameters | None:
    """Return the parameters that have a value (RFC 6749 §3.2: an empty one counts as omitted), None if unreadable."""
    try:
        text = request.get_data(cache=False).decode()
        if request.mimetype != "application/json":
            return parse_qsl(text)
        document = json.loads(text)
    except ValueError:
        return None
    if not isinstance(document, dict) or not all(isinstance(value, str) for value in document.values()):
        return None
    return [(name, value) for name, value in document.items() if value]


def _presented_client_id(parameters: dict[str, str]) -> str | None:
    authorization = request.authorization
    if authorization is not None and authorization.type == "basic" and authorization.username:
        return unquote_plus(authorization.username)
    return parameters.get("client_id")


def _fingerprint_of(value: str | None) -> str:
    return fingerprint(value) if value else ""


def _invalid_request(description: str) -> Response:
    response = jsonify(error="invalid_request", error_description=description)
    response.status_code = 400
    response.headers["Cache-Control"] = "no-store"
    return response
