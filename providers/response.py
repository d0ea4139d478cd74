"""An HTTP answer as the rest of ``providers`` sees it, and the bounded reading of its body.

What an answer means is ``providers.oauth.classify``.
"""

import http.client
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from providers.timed_socket import time_left

_CHUNK = 16_384
_PIECE = 4096
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})
GZIP = b"\x1f\x8b"

# Gets the content type, and returns what gets each part of the body as it comes and says whether to stop there. It must
# not go back to the parts of before: a server may send its body in as many parts as the body has bytes.
IsEnough = Callable[[str], Callable[[bytes], bool]]


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: ``headers`` ignore case, ``body`` is decoded. Its ``repr`` shows neither."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def read_body(
    answer: http.client.HTTPResponse, *, cap: int, deadline: float, is_enough: IsEnough | None = None
) -> bytes:
    """Read the body from the connection and return it, unpacked if it is gzip or deflate.

    Reads no further once ``is_enough`` says so of what has come, still packed. Neither the packed nor the unpacked body
    may exceed ``cap`` bytes. A content coding is only a label: if it is unknown, or the body is not written in it, the
    body is returned as it is. Raises ``ValueError`` if the body is cut short or larger than ``cap``, ``zlib.error`` if
    it is a damaged gzip, ``TimeoutError`` at ``deadline`` (monotonic clock; many parts may lie in the buffer, so that
    no socket looks at it), and what the socket and ``http.client`` raise.
    """
    body = bytearray()
    is_last = None if is_enough is None else is_enough(answer.getheader("Content-Type") or "")
    # ``read`` would wait for a whole chunk, while a stream of events may be silent for long; and it would take all that
    # comes for a chunk of the size -1.
    while chunk := answer.read1(_CHUNK):
        time_left(deadline)
        body += chunk
        if len(body) > cap:
            raise ValueError("larger than the cap")
        if is_last is not None and is_last(chunk):
            return bytes(body)
    if answer.length:
        raise ValueError("cut short")
    codings = {coding.strip().lower() for coding in (answer.getheader("Content-Encoding") or "").split(",")}
    if not codings & _PACKED:
        return bytes(body)
    return gunzip(bytes(body), cap=cap) if body.startswith(GZIP) else inflate(bytes(body), cap=cap)


def gunzip(packed: bytes, *, cap: int) -> bytes:
    """Return what all members of a gzip hold (RFC 1952); bytes behind them are ignored. Raises as ``read_body``."""
    body = bytearray()
    at = 0
    while packed.startswith(GZIP, at):
        decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not decoder.eof:
            # In pieces: a decoder copies what lies behind the end of its member, and there may be thousands of members.
            if not (piece := packed[at : at + _PIECE]):
                raise ValueError("cut short")
            # Decompression stops one byte past the cap, however much a small body would unpack to.
            body += decoder.decompress(piece, cap + 1 - len(body))
            if len(body) > cap:
                raise ValueError("larger than the cap")
            at += len(piece)
        at -= len(decoder.unused_data)
    return bytes(body)


def inflate(packed: bytes, *, cap: int) -> bytes:
    """Return the contents of a deflate, wrapped (RFC 1950) or bare (RFC 1951). Other bytes are returned as they are.

    Raises ``ValueError`` if the contents exceed ``cap`` bytes.
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
