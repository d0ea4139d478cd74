"""An HTTP answer as the rest of ``providers`` sees it, and the bounded reading of its body.

What an answer means is ``providers.oauth.classify``.
"""

import http.client
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.errors import Evidence, MalformedResponse

_CHUNK = 16_384
_UNREADABLE = object()


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ``headers`` ignore case, ``body`` is decoded. Its ``repr`` shows neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    def json(self) -> Any:
        """Return the body read as JSON. Raises ``MalformedResponse`` when it is not."""
        document = _load_json(self.body)
        # Raised here and not where parsing failed: that exception holds the body.
        if document is _UNREADABLE:
            raise MalformedResponse(Evidence("The answer is not JSON.", status=self.status))
        return document


def _load_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return _UNREADABLE


def read_body(answer: http.client.HTTPResponse, *, cap: int) -> bytes:
    """Return the decoded body, at most ``cap`` bytes. Reads from the connection.

    Raises ``ValueError`` when it is cut short, larger than ``cap`` or in an unknown coding, ``zlib.error`` when it
    does not decompress, and what the socket and ``http.client`` raise.
    """
    coding = (answer.getheader("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", "gzip", "x-gzip", "deflate"):
        raise ValueError("unknown content coding")
    decoder = None if coding == "identity" else zlib.decompressobj(zlib.MAX_WBITS | 32)
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        # Decompression stops one byte past the cap, however little was received.
        body += decoder.decompress(chunk, cap + 1 - len(body)) if decoder else chunk
        if len(body) > cap:
            raise ValueError("larger than the cap")
    if answer.length or (decoder and body and (not decoder.eof or decoder.unused_data)):
        raise ValueError("cut short")
    return bytes(body)
