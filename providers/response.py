"""An HTTP answer as the rest of ``providers`` sees it, and the bounded reading of its body.

What an answer means is ``providers.oauth.classify``.
"""

import http.client
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

_CHUNK = 16_384
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ``headers`` ignore case, ``body`` is decoded. Its ``repr`` shows neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def read_body(answer: http.client.HTTPResponse, *, cap: int) -> bytes:
    """Return the body, unpacked where it is gzip or deflate; at most ``cap`` bytes, packed and unpacked. Reads from the
    connection.

    A content coding is a label: the body comes back as it is where that names none that is known here, or one in which
    it is not written. Raises ``ValueError`` when it is cut short or larger than ``cap``, ``zlib.error`` when it is a
    damaged gzip, and what the socket and ``http.client`` raise.
    """
    body = bytearray()
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > cap:
            raise ValueError("larger than the cap")
    if answer.length:
        raise ValueError("cut short")
    codings = {coding.strip().lower() for coding in (answer.getheader("Content-Encoding") or "").split(",")}
    if not codings & _PACKED:
        return bytes(body)
    return gunzip(bytes(body), cap=cap) if body.startswith(GZIP) else inflate(bytes(body), cap=cap)


def gunzip(packed: bytes, *, cap: int) -> bytes:
    """Return what the members of a gzip hold (RFC 1952); what follows them is left out. Raises as ``read_body``."""
    body = bytearray()
    while packed.startswith(GZIP):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        # Decompression stops one byte past the cap, however little was received.
        body += decoder.decompress(packed, cap + 1 - len(body))
        if len(body) > cap:
            raise ValueError("larger than the cap")
        if not decoder.eof:
            raise ValueError("cut short")
        packed = decoder.unused_data
    return bytes(body)


def inflate(packed: bytes, *, cap: int) -> bytes:
    """Return what a deflate holds, wrapped (RFC 1950) or bare (RFC 1951); what is neither is returned as it is.

    Raises ``ValueError`` when it holds more than ``cap`` bytes.
    """
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        decoder = zlib.decompressobj(window)
        try:
            body = decoder.decompress(packed, cap + 1)
        except zlib.error:
            continue
        if len(body) > cap:
            raise ValueError("larger than the cap")
        if decoder.eof:
            return body
    return packed
