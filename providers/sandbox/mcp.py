"""An MCP server with protected resource metadata (RFC 9728), and one tool: ``whoami``.

Owns ``/mcp``, streamable HTTP without sessions (Model Context Protocol, revision 2025-11-25): the answer is JSON, or a
stream of events where the settings say so. It takes the tokens of the authorization server that the settings name
(``mcp_authorization``), and no others: when that changes, those of before are refused.
"""

import json
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from providers.sandbox.exchange import Exchange
from providers.sandbox.mcp_authorization import SCOPES, resource_of
from providers.sandbox.people import PEOPLE
from providers.sandbox.resources import Caller, token_caller
from providers.sandbox.state import Sandbox

_PROTOCOL = "2025-11-25"
_WELL_KNOWN = "/.well-known/oauth-protected-resource"
_ASKED_FOR = ("profile.read", "files.read")
_UNKNOWN_METHOD = -32601


def blueprint(sandbox: Sandbox) -> Blueprint:
    """Return the routes."""
    routes = Blueprint("mcp", __name__)

    @routes.get(f"{_WELL_KNOWN}/mcp")
    @routes.get(_WELL_KNOWN)
    def metadata() -> Response:
        return Exchange(sandbox, "resource_metadata").answer(lambda: jsonify(_metadata(sandbox)))

    @routes.post("/mcp")
    def answer() -> Response:
        exchange = Exchange(sandbox, "mcp")
        caller = _authenticate(exchange)
        return exchange.answer(lambda: _challenge(exchange) if caller is None else _answer(exchange, caller))

    return routes


def _metadata(sandbox: Sandbox) -> dict[str, object]:
    return {
        "resource": resource_of(sandbox),
        "authorization_servers": [f"{sandbox.issuer}/as/{sandbox.registry.settings.mcp_server}"],
        "scopes_supported": list(SCOPES),
        "bearer_methods_supported": ["header"],
        "resource_name": sandbox.name,
    }


def _authenticate(exchange: Exchange) -> Caller | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        exchange.entry.outcome = "no_credential"
        return None
    caller = token_caller(exchange, token.strip())
    registry = exchange.sandbox.registry
    if caller is not None and registry.client(caller.client_id, server=registry.settings.mcp_server) is None:
        exchange.entry.outcome = "wrong_issuer"
        return None
    return caller


def _challenge(exchange: Exchange) -> Response:
    where = f'resource_metadata="{exchange.sandbox.issuer}{_WELL_KNOWN}/mcp"'
    error = "" if exchange.entry.outcome == "no_credential" else 'error="invalid_token", '
    response = make_response(jsonify(error="unauthorized"), 401)
    response.headers["WWW-Authenticate"] = f'Bearer {error}{where}, scope="{" ".join(_ASKED_FOR)}"'
    return response


def _answer(exchange: Exchange, caller: Caller) -> Response:
    asked = request.get_json(silent=True)
    if not isinstance(asked, dict) or not isinstance(asked.get("method"), str):
        return make_response(jsonify(error="invalid_request"), 400)
    if "id" not in asked:
        return make_response("", 202)  # a notification
    message = {"jsonrpc": "2.0", "id": asked["id"], **_result(asked["method"], caller)}
    if not exchange.sandbox.registry.settings.mcp_stream:
        return jsonify(message)
    return Response(f"event: message\ndata: {json.dumps(message)}\n\n", content_type="text/event-stream")


def _result(method: str, caller: Caller) -> dict[str, Any]:
    if method == "initialize":
        server = {"name": "Sandbox", "version": "1"}
        return {"result": {"protocolVersion": _PROTOCOL, "capabilities": {"tools": {}}, "serverInfo": server}}
    if method == "tools/list":
        tool = {"name": "whoami", "description": "Says who you are", "inputSchema": {"type": "object"}}
        return {"result": {"tools": [tool]}}
    if method == "tools/call":
        person = PEOPLE[caller.username]
        return {"result": {"content": [{"type": "text", "text": person.subject}], "isError": False}}
    return {"error": {"code": _UNKNOWN_METHOD, "message": "Method not found"}}
