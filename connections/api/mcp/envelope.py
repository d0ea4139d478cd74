"""The HTTP around a message: method, origin, media types, and which version of the protocol it speaks. No I/O.

Through 2025-11-25 a header names the version that ``initialize`` has agreed on. From 2026-07-28 on nothing is agreed
on: each request says in its ``_meta`` which version it is of, and its headers repeat that, the method and the tool, so
that what stands between can route it. Where they differ it is refused.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from mcp_types import (
    CLIENT_CAPABILITIES_META_KEY,
    DEFAULT_NEGOTIATED_VERSION,
    HEADER_MISMATCH,
    INVALID_PARAMS,
    PROTOCOL_VERSION_META_KEY,
    UNSUPPORTED_PROTOCOL_VERSION,
)
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, KNOWN_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from connections.api.mcp.messages import Message, ProtocolError
from connections.refusals import PermissionDenied, Refusal

_JSON = "application/json"
_ROUTING = {b"mcp-protocol-version": "version", b"mcp-method": "method", b"mcp-name": "name"}
_ENCODED = re.compile(r"=\?base64\?(.*)\?=")

Headers = Sequence[tuple[bytes, bytes]]


class NotAcceptable(Refusal):
    """The client takes no answer in JSON."""

    code = "not_acceptable"


class UnsupportedMediaType(Refusal):
    """The client sends something else than JSON."""

    code = "unsupported_media_type"


@dataclass(frozen=True, slots=True)
class Routing:
    """What the headers say of the message, "" for what they do not. ``twice`` names a header that came twice."""

    version: str = ""
    method: str = ""
    name: str = ""
    twice: str = ""


def check_envelope(headers: Headers) -> None:
    """Refuse a request of another site's page, and one that neither sends nor takes JSON.

    A browser names the site whose page asks: no page but ours may call, whatever name it has found for this host (DNS
    rebinding). Raises ``PermissionDenied``, ``UnsupportedMediaType`` and ``NotAcceptable``.
    """
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    here = urlsplit(settings.API_URL)
    if any(origin != f"{here.scheme}://{here.netloc}" for origin in origins):
        raise PermissionDenied("Pages of other sites may not call this endpoint.")
    kinds = [value.decode("latin-1") for name, value in headers if name == b"content-type"]
    if [kind.partition(";")[0].strip().lower() for kind in kinds] != [_JSON]:
        raise UnsupportedMediaType(f"Send a message as {_JSON}.")
    accepted = ",".join(value.decode("latin-1").lower() for name, value in headers if name == b"accept")
    ranges = {item.partition(";")[0].strip() for item in accepted.split(",")}
    if accepted and ranges.isdisjoint({_JSON, "application/*", "*/*"}):
        raise NotAcceptable(f"Answers are {_JSON}: accept that.")


def routing_of(headers: Headers) -> Routing:
    """Return what the headers say of the message."""
    found: dict[str, str] = {}
    for name, value in headers:
        if (member := _ROUTING.get(name)) is None:
            continue
        if member in found:
            found["twice"] = name.decode()
        found[member] = value.decode("latin-1").strip()
    return Routing(**found)


def version_of(message: Message, routing: Routing) -> str:
    """Return which version of the protocol a message is of. Raises ``ProtocolError``."""
    if routing.twice:
        raise ProtocolError(HEADER_MISMATCH, f"The header {routing.twice} comes twice.")
    if not routing.version:
        return DEFAULT_NEGOTIATED_VERSION
    if routing.version not in KNOWN_PROTOCOL_VERSIONS:
        raise _unsupported(routing.version)
    if routing.version in HANDSHAKE_PROTOCOL_VERSIONS or message.id is None:
        return routing.version
    meta = message.params.get("_meta")
    told = meta if isinstance(meta, Mapping) else {}
    version = told.get(PROTOCOL_VERSION_META_KEY)
    if not isinstance(version, str) or not isinstance(told.get(CLIENT_CAPABILITIES_META_KEY), Mapping):
        needed = f"{PROTOCOL_VERSION_META_KEY} and {CLIENT_CAPABILITIES_META_KEY}"
        raise ProtocolError(INVALID_PARAMS, f"The params have a _meta with {needed}.")
    if version != routing.version:
        raise ProtocolError(HEADER_MISMATCH, "MCP-Protocol-Version and the version in _meta differ.")
    if routing.method != message.method:
        raise ProtocolError(HEADER_MISMATCH, "Mcp-Method and the message's method differ.")
    if message.method == "tools/call" and _plain(routing.name) != message.params.get("name"):
        raise ProtocolError(HEADER_MISMATCH, "Mcp-Name and the name of the tool differ.")
    return version


def is_modern(version: str) -> bool:
    """Whether a version has no handshake."""
    return version in MODERN_PROTOCOL_VERSIONS


def _unsupported(version: str) -> ProtocolError:
    supported = list(KNOWN_PROTOCOL_VERSIONS)
    data = {"supported": supported, "requested": version[:100]}
    return ProtocolError(UNSUPPORTED_PROTOCOL_VERSION, f"The versions here are {', '.join(supported)}.", data)


def _plain(value: str) -> str | None:
    """Return the text that a header holds, which is in base64 where it is not plain ASCII; None for a damaged one."""
    if (found := _ENCODED.fullmatch(value)) is None:
        return value
    try:
        return base64.b64decode(found[1], validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None
