"""The authorization servers that stand before the sandbox's MCP server: ``/as/one``, ``/as/two``, or any other word.

Each is a server of its own, with its own issuer and its own clients: tokens, consent and revocation are those of the
sandbox itself (``oauth``, ``consent``). A client makes itself known in one of two ways, as the settings allow: by a
Client ID Metadata Document, fetched when it asks for consent (draft-ietf-oauth-client-id-metadata-document), or by
registering (RFC 7591), with the management of RFC 7592. Clients may have tokens for the MCP server alone (RFC 8707).
"""

import secrets
import time
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from providers import egress
from providers.errors import ProviderError
from providers.oauth.classify import json_object
from providers.sandbox.consent import Authorization
from providers.sandbox.exchange import Exchange
from providers.sandbox.oauth import issue, revoke_token, serve
from providers.sandbox.registry import Client
from providers.sandbox.state import Sandbox
from providers.sandbox.tokens import digest, new_token

SCOPES = ("profile.read", "files.read", "files.write")
_METHODS = ("client_secret_basic", "client_secret_post", "none")
_GRANT_TYPES = ("authorization_code", "refresh_token")
_REGISTRATION_PREFIX, _SECRET_PREFIX = "sbg_", "sbc_"


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("mcp_authorization", __name__)

    @routes.get("/.well-known/oauth-authorization-server/as/<server>")
    def metadata(server: str) -> Response:
        exchange = Exchange(sandbox, "metadata", server=server)
        return exchange.answer(lambda: jsonify(_metadata(exchange)))

    @routes.route("/as/<server>/authorize", methods=["GET", "POST"])
    def authorize(server: str) -> Response:
        _learn(sandbox, server, request.args.get("client_id", ""))
        return Authorization(sandbox, server=server).serve()

    @routes.post("/as/<server>/token")
    def token(server: str) -> Response:
        return serve(sandbox, "token", issue, server=server)

    @routes.post("/as/<server>/revoke")
    def revoke(server: str) -> Response:
        return serve(sandbox, "revoke", revoke_token, server=server)

    @routes.post("/as/<server>/register")
    def register(server: str) -> Response:
        exchange = Exchange(sandbox, "register", server=server)
        return exchange.answer(lambda: _register(exchange))

    @routes.route("/as/<server>/register/<client_id>", methods=["GET", "PUT", "DELETE"])
    def manage(server: str, client_id: str) -> Response:
        exchange = Exchange(sandbox, "register", server=server)
        exchange.name_client(client_id)
        return exchange.answer(lambda: _manage(exchange, client_id))

    return routes


def _metadata(exchange: Exchange) -> dict[str, object]:
    issuer, ways = exchange.issuer, exchange.sandbox.registry.settings.registration
    document: dict[str, object] = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "grant_types_supported": list(_GRANT_TYPES),
        "token_endpoint_auth_methods_supported": list(_METHODS),
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [resource_of(exchange.sandbox)],
    }
    if "document" in ways:
        document["client_id_metadata_document_supported"] = True
    if "dynamic" in ways:
        document["registration_endpoint"] = f"{issuer}/register"
    return document


def resource_of(sandbox: Sandbox) -> str:
    """Return the identifier of the MCP server, which is its address."""
    return f"{sandbox.issuer}/mcp"


def _learn(sandbox: Sandbox, server: str, client_id: str) -> None:
    """Fetch the document that ``client_id`` is the address of, and keep the client that it describes."""
    if "document" not in sandbox.registry.settings.registration or not client_id.startswith(("https://", "http://")):
        return
    try:
        document = json_object(egress.request("GET", client_id))
    except ProviderError:
        return
    if document.get("client_id") != client_id or document.get("token_endpoint_auth_method") != "none":
        return
    redirects = _addresses(document.get("redirect_uris"))
    sandbox.registry.keep(_client(sandbox, server, client_id, document, redirects, public=True))


def _register(exchange: Exchange) -> Response:
    sandbox = exchange.sandbox
    if "dynamic" not in sandbox.registry.settings.registration:
        return _refusal("access_denied", 403)
    document = request.get_json(silent=True)
    if not isinstance(document, dict) or not (redirects := _addresses(document.get("redirect_uris"))):
        return _refusal("invalid_redirect_uri", 400)
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in _METHODS:
        return _refusal("invalid_client_metadata", 400)
    client_id = f"mcp-{secrets.token_hex(6)}"
    client = _client(sandbox, exchange.server, client_id, document, redirects, public=method == "none")
    exchange.entry.outcome = "registered"
    answer = _issued(exchange, client, method, 201)
    exchange.name_client(client_id)
    return answer


def _manage(exchange: Exchange, client_id: str) -> Response:
    registry = exchange.sandbox.registry
    client = registry.client(client_id, server=exchange.server)
    token = request.headers.get("Authorization", "").partition(" ")[2].strip()
    if client is None or not client.registration_digest or digest(token) != client.registration_digest:
        return _refusal("invalid_token", 401)
    if request.method == "DELETE":
        registry.forget(client)
        exchange.entry.outcome = "deleted"
        return make_response("", 204)
    if request.method == "GET":
        exchange.entry.outcome = "read"
        return jsonify(_described(client))
    document = request.get_json(silent=True)
    redirects = _addresses(document.get("redirect_uris")) if isinstance(document, dict) else ()
    if not isinstance(document, dict) or document.get("client_id") != client_id or not redirects:
        return _refusal("invalid_client_metadata", 400)
    exchange.entry.outcome = "updated"
    changed = replace(client, name=str(document.get("client_name") or client_id), redirect_uris=redirects)
    return _issued(exchange, changed, document.get("token_endpoint_auth_method", "client_secret_basic"), 200)


def _issued(exchange: Exchange, client: Client, method: str, status: int) -> Response:
    """Keep the client with a fresh secret and a fresh token to manage it, and show both, once."""
    settings = exchange.sandbox.registry.settings
    shown = _described(client)
    shown["token_endpoint_auth_method"] = method
    if not client.public:
        secret = new_token(_SECRET_PREFIX)
        ends_at = int(time.time()) + settings.registration_lifetime if settings.registration_lifetime else 0
        # The one of before works on until its own end: whoever updates may lose the answer.
        kept = client.secret_digests[:1]
        client = replace(client, secret_digests=(digest(secret), *kept), secret_expires_at=float(ends_at))
        shown |= {"client_secret": secret, "client_secret_expires_at": ends_at}
    if settings.registration_managed:
        token = new_token(_REGISTRATION_PREFIX)
        client = replace(client, registration_digest=digest(token))
        shown["registration_access_token"] = token
        shown["registration_client_uri"] = f"{exchange.issuer}/register/{client.client_id}"
    exchange.sandbox.registry.keep(client)
    response = make_response(jsonify(shown), status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _described(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(client.grant_types),
        "token_endpoint_auth_method": "none" if client.public else "client_secret_basic",
    }


def _client(
    sandbox: Sandbox, server: str, client_id: str, document: dict[str, Any], redirects: tuple[str, ...], *, public: bool
) -> Client:
    return Client(
        client_id=client_id,
        name=str(document.get("client_name") or client_id),
        redirect_uris=redirects,
        scopes=SCOPES,
        resources=(resource_of(sandbox),),
        grant_types=_GRANT_TYPES,
        public=public,
        server=server,
    )


def _addresses(value: object) -> tuple[str, ...]:
    found = value if isinstance(value, list) else []
    return tuple(one for one in found if isinstance(one, str) and one.startswith(("https://", "http://")))


def _refusal(error: str, status: int) -> Response:
    return make_response(jsonify(error=error), status)
