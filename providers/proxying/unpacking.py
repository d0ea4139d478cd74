"""Undoing the content coding of an answer, part by part: it was not asked for, and hides what the answer holds."""

import zlib
from collections.abc import Iterator
from typing import Any

_GZIP = frozenset({"gzip", "x-gzip"})
_LARGEST_PART = 65_536


class CodingRefused(ValueError):
    """The answer is written in a coding that cannot be undone here, so nobody can see whether it holds the secret."""


class Unpacker:
    """Unpacks a body that is packed as ``content_encoding`` says (RFC 9110 §8.4). Raises ``CodingRefused``.

    ``is_packed`` is False for a body that is as it is.
    """

    def __init__(self, content_encoding: str) -> None:
        codings = [name for part in content_encoding.split(",") if (name := part.strip().lower())]
        codings = [name for name in codings if name != "identity"]
        if len(codings) > 1 or any(name not in _GZIP and name != "deflate" for name in codings):
            raise CodingRefused(f"The answer is coded as {content_encoding[:40]!r}, which was not asked for.")
        self.is_packed = bool(codings)
        self._is_gzip = bool(codings) and codings[0] in _GZIP
        self._decoder: Any = None  # zlib does not name the type
        self._has_begun = False

    def feed(self, part: bytes) -> Iterator[bytes]:
        """Yield what ``part`` unpacks to, in parts of bounded size. Raises ``zlib.error`` for a damaged body."""
        if not self.is_packed:
            yield part
            return
        self._has_begun = self._has_begun or bool(part)
        is_more = bool(part)
        while is_more:
            if (self._decoder is None or self._decoder.eof) and not self._begins(part):
                return
            unpacked = self._decoder.decompress(part, _LARGEST_PART)
            if unpacked:
                yield unpacked
            part = self._decoder.unused_data if self._decoder.eof else self._decoder.unconsumed_tail
            is_more = bool(part) or (len(unpacked) == _LARGEST_PART and not self._decoder.eof)

    def _begins(self, part: bytes) -> bool:
        """Whether ``part`` begins a packed body: the first, or a further member of a gzip (RFC 1952 §2.2)."""
        if self._is_gzip:
            if self._decoder is not None and not part.startswith(b"\x1f"):
                return False
            self._decoder = zlib.decompressobj(zlib.MAX_WBITS | 16)
            return True
        if self._decoder is not None:
            return False
        # RFC 9110 §8.4.1.2 means zlib's format; some servers send bare deflate.
        is_zlib = part[0] & 0x0F == 8 and (len(part) < 2 or int.from_bytes(part[:2]) % 31 == 0)
        self._decoder = zlib.decompressobj(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        return True

    def finish(self) -> None:
        """Raise ``zlib.error`` if the body ended in the middle of its coding. One that never began is whole."""
        if self._has_begun and (self._decoder is None or not self._decoder.eof):
            raise zlib.error("cut short")
