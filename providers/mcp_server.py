"""The two words that we speak to an MCP server: ``initialize``, and the end of the session that it began.

Owns the transport (streamable HTTP: the answer is JSON, or a stream of events that holds it) and the shape of both
messages (Model Context Protocol, revision 2025-11-25, "Lifecycle" and "Transports"; revision 2026-07-28 keeps both for
clients that begin with ``initialize``). Which server it is, and what its refusal means, is decided elsewhere.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from providers import egress
from providers.answer_text import UNREADABLE, document_of, text_of
from providers.errors import ProviderError
from providers.response import Response

_PROTOCOL = "2025-11-25"
_ID = 1
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": _ID,
    "method": "initialize",
    "params": {
        "protocolVersion": _PROTOCOL,
        "capabilities": {},
        "clientInfo": {"name": "Latchkey", "version": "1"},
    },
}
_ACCEPT = {"Accept": "application/json, text/event-stream"}
_SESSION = "Mcp-Session-Id"
_GOODBYE_SECONDS = 3.0
_MAX_BODY_BYTES = 262_144  # an answer may carry long instructions for a model


def initialize(url: str, *, headers: Mapping[str, str] | None = None, total_seconds: float | None = None) -> Response:
    """Send ``initialize`` to the server at ``url`` and return its answer, whatever its status. HTTP.

    ``headers`` carry the credential. A session that the server begins is ended at once. Raises as ``egress.request``.
    """
    sent = {**_ACCEPT, **(headers or {})}
    answer = egress.request(
        "POST",
        url,
        headers=sent,
        json=_INITIALIZE,
        max_body_bytes=_MAX_BODY_BYTES,
        total_seconds=total_seconds,
        is_enough=_has_answer,
    )
    if session := answer.headers.get(_SESSION):
        with suppress(ProviderError):  # a server that keeps it ends it by itself some time
            egress.request(
                "DELETE",
                url,
                headers={**sent, _SESSION: session, "MCP-Protocol-Version": _PROTOCOL},
                total_seconds=_GOODBYE_SECONDS,
            )
    return answer


def greeting_in(answer: Response) -> dict[str, Any] | None:
    """Return the result of ``initialize`` that ``answer`` holds, or None if it holds none. No I/O."""
    if not 200 <= answer.status < 300:
        return None
    text = text_of(answer)
    if not _is_stream(answer.headers.get("Content-Type", "")):
        return _result(document_of(text))
    return next(filter(None, map(_result, _events(text))), None)


def _is_stream(content_type: str) -> bool:
    return content_type.partition(";")[0].strip().lower() == "text/event-stream"


def _has_answer(content_type: str, body: bytes) -> bool:
    """Whether a stream of events holds the answer already: the server may keep it open for hours."""
    if not _is_stream(content_type):
        return False
    return any(_is_answer(event) for event in _events(body.decode("utf-8", "replace"), is_over=False))


def _events(text: str, *, is_over: bool = True) -> Iterator[Any]:
    """Yield the JSON in the data of each complete event (HTML, "Server-sent events")."""
    blocks = text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n")
    for block in blocks if is_over else blocks[:-1]:
        lines = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        with suppress(json.JSONDecodeError, RecursionError):
            yield json.loads("\n".join(lines))


def _is_answer(document: Any) -> bool:
    return isinstance(document, dict) and document.get("id") == _ID and bool({"result", "error"} & document.keys())


def _result(document: Any) -> dict[str, Any] | None:
    if document is UNREADABLE or not _is_answer(document):
        return None
    result = document.get("result")
    return result if isinstance(result, dict) and isinstance(result.get("protocolVersion"), str) else None
