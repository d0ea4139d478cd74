"""JSON-RPC 2.0 as MCP uses it over HTTP: one message in, one answer out. No I/O.

A message that two readers could read in two ways is refused: members that come twice, numbers that are none, text that
is no UTF-8. So is a batch, which only one revision of the protocol had.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mcp_types import INVALID_REQUEST, PARSE_ERROR, JSONRPCNotification, JSONRPCRequest
from pydantic import ValidationError

from providers import strict_json

DEEPEST = 100
LONGEST_ID = 255
_SHAPE = f"A message is an object, of {DEEPEST} levels at most."

RequestId = int | str


class ProtocolError(Exception):
    """A message that cannot be answered as it wants: a JSON-RPC error with ``code``, plain words and ``data``."""

    def __init__(self, code: int, message: str, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


@dataclass(frozen=True, slots=True)
class Message:
    """One request, or a notification, whose ``id`` is None."""

    id: RequestId | None
    method: str
    params: Mapping[str, Any] = field(repr=False)


def read_message(body: bytes) -> Message:
    """Return the one message in ``body``. Raises ``ProtocolError``."""
    sent = _decoded(body)
    if isinstance(sent, list):
        raise ProtocolError(INVALID_REQUEST, "Send one message at a time: batches are not taken.")
    if not isinstance(sent, dict):
        raise ProtocolError(INVALID_REQUEST, _SHAPE)
    try:
        if "id" not in sent:
            told = JSONRPCNotification.model_validate(sent)
            return Message(None, told.method, told.params or {})
        asked = JSONRPCRequest.model_validate(sent)
    except ValidationError:
        raise ProtocolError(
            INVALID_REQUEST, 'A message has "jsonrpc": "2.0", a method, params that are an object, and an id.'
        ) from None
    if len(str(asked.id)) > LONGEST_ID:
        raise ProtocolError(INVALID_REQUEST, f"An id has {LONGEST_ID} characters at most.")
    return Message(asked.id, asked.method, asked.params or {})


def result_of(id_: RequestId, result: Mapping[str, Any]) -> bytes:
    """Return the answer that holds a result."""
    return _encoded({"jsonrpc": "2.0", "id": id_, "result": result})


def error_of(id_: RequestId | None, error: ProtocolError) -> bytes:
    """Return the answer that holds an error; ``id_`` is None where the message's id is not known."""
    told: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.data is not None:
        told["data"] = error.data
    return _encoded({"jsonrpc": "2.0", "id": id_, "error": told})


def _encoded(answer: Mapping[str, Any]) -> bytes:
    return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode("ascii")


def _decoded(body: bytes) -> Any:
    try:
        return strict_json.parse(body, deepest=DEEPEST + 1)
    except strict_json.TooDeep:
        raise ProtocolError(INVALID_REQUEST, _SHAPE) from None
    except ValueError:  # also a number of too many digits
        raise ProtocolError(PARSE_ERROR, "The body is no JSON, in UTF-8, whose members come once each.") from None
