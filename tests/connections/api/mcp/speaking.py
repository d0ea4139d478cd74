"""A client of ours for the endpoint: it says exactly what a test wants, also what no client should."""

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse

from tests.asgi_client import AsgiClient
from tests.factories import Caller

HANDSHAKE, MODERN = "2025-11-25", "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


def post(
    caller: Caller | None, body: Any, *, headers: dict[str, str | None] | None = None, without: tuple[str, ...] = ()
) -> HttpResponse:
    """Send ``body`` (bytes as they are, else as JSON), and return the answer; ``without`` names headers left out, as
    None for a value does."""
    sent: dict[str, str | None] = {"accept": "application/json, text/event-stream", "latchkey-end-user": "alice"}
    if caller is not None:
        sent |= {"authorization": f"Bearer {caller.key}"}
    sent |= {name.lower(): value for name, value in (headers or {}).items()}
    sent = {name: value for name, value in sent.items() if value is not None}
    kind = sent.pop("content-type", "application/json")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer: HttpResponse = AsgiClient().post(
        "/mcp",
        content,
        content_type=kind,
        headers={name: value for name, value in sent.items() if name not in without},
    )
    return answer


def request(method: str, params: Any = None, id_: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "method": method} | ({} if params is None else {"params": params})


def ask(caller: Caller | None, method: str, params: Any = None, *, version: str = HANDSHAKE, **options: Any) -> Any:
    """Make one request in the manner of ``version``, and return the whole answer as JSON."""
    headers = {"mcp-protocol-version": version, **options.pop("headers", {})}
    if version == MODERN:
        params = {**(params or {}), "_meta": META}
        headers = {"mcp-method": method, "mcp-name": str(params.get("name", "")), **headers}
    answer = post(caller, request(method, params), headers=headers, **options)
    return answer.json()


@dataclass
class Returned:
    """What a tool returned."""

    is_error: bool
    structured: Any
    content: list[dict[str, Any]]

    @property
    def code(self) -> str:
        """The code of a refusal."""
        assert self.is_error, self.structured
        return str(self.structured["code"])

    @property
    def text(self) -> str:
        return "\n".join(block.get("text", "") for block in self.content)


def use(caller: Caller | None, tool: str, /, version: str = HANDSHAKE, said: Any = None, **arguments: Any) -> Returned:
    """Use a tool. ``said`` are headers of the request."""
    answer = ask(caller, "tools/call", {"name": tool, "arguments": arguments}, version=version, headers=said or {})
    assert "result" in answer, answer
    result = answer["result"]
    return Returned(result.get("isError", False), result["structuredContent"], result["content"])
