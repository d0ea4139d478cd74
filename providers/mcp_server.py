"""The two words that we speak to an MCP server: ``initialize``, and the end of the session that it began.

Owns the transport (streamable HTTP: the answer is JSON, or a stream of events that holds it) and the shape of both
messages (Model Context Protocol, revision 2025-11-25, "Lifecycle" and "Transports"; revision 2026-07-28 keeps both for
clients that begin with ``initialize``). Which server it is, and what its refusal means, is decided elsewhere.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from providers import egress
from providers.answer_text import document_of, text_of
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
_EVENT_ENDS = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_LONGEST_END = 4


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
        is_enough=_until_answered,
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


def _until_answered(content_type: str) -> Callable[[bytes], bool]:
    """Return what says of each part of the body whether the answer has come: a server may keep a stream open."""
    return _Stream().holds_answer_with if _is_stream(content_type) else lambda _: False


class _Stream:
    """A stream of events as it comes. Each byte is looked at once, however small the parts are."""

    def __init__(self) -> None:
        self._begun = bytearray()  # the event that is not complete yet

    def holds_answer_with(self, part: bytes) -> bool:
        """Whether one of the events that ``part`` completes is the answer."""
        look_from = max(0, len(self._begun) - _LONGEST_END)
        self._begun += part
        begin, has_answer = 0, False
        for end in _EVENT_ENDS.finditer(self._begun, look_from):
            event, begin = self._begun[begin : end.start()], end.end()
            if b"data:" in event and not has_answer:
                has_answer = _is_answer(_data_of(event.decode("utf-8", "replace")))
        del self._begun[:begin]
        return has_answer


def _events(text: str) -> Iterator[Any]:
    """Yield the document in the data of each event (HTML, "Server-sent events"); the last one may lack its end."""
    for block in text.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        yield _data_of(block)


def _data_of(event: str) -> Any:
    lines = re.split("\r\n|\n|\r", event)
    return document_of("\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:")))


def _is_answer(document: Any) -> bool:
    return isinstance(document, dict) and document.get("id") == _ID and bool({"result", "error"} & document.keys())


def _result(document: Any) -> dict[str, Any] | None:
    if not _is_answer(document):
        return None
    result = document.get("result")
    return result if isinstance(result, dict) and isinstance(result.get("protocolVersion"), str) else None
