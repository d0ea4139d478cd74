"""Redaction: a provider that repeats the credential in its answer must not hand it to the caller. No I/O.

A secret is replaced by as many asterisks, so that lengths and ranges stay true. It is found in every form in which a
server would plainly repeat it, also where it is cut into parts. A server that rewrites it in some other way, such as
backwards, cannot be stopped: the methods and paths that a caller may use are what keeps such servers away.

Of an answer that is a part of a whole (RFC 9110 §14), the beginning may be the end of a secret, and the end the
beginning of one. So that nobody puts a secret together from parts, such pieces of it go too.
"""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# What is shorter would be found by chance, and take other words out of an answer.
SHORTEST_SECRET = 6
SHORTEST_PIECE = 4  # of a secret, at an end of a part
_MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
# Which characters JSON writers escape besides those that they have to: none, Go's, Gson's, .NET's, or all but letters.
_JSON_ESCAPED = ("", "<>&", "<>&='", "<>&'\"+`", _MARKS)
_JSON_WRITERS = tuple(
    str.maketrans({'"': '\\"', "\\": "\\\\"} | {mark: f"\\u{ord(mark):{digits}}" for mark in escaped})
    for escaped in _JSON_ESCAPED
    for digits in ("04x", "04X")
)
# The same of HTML writers: Python's, with quotes and without; Go's; and those of Mustache and its kin.
_OF_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HTML_WRITERS = (
    str.maketrans(_OF_HTML),
    str.maketrans(_OF_HTML | {'"': "&quot;", "'": "&#x27;"}),
    str.maketrans(_OF_HTML | {'"': "&#34;", "'": "&#39;", "+": "&#43;"}),
    str.maketrans(_OF_HTML | {'"': "&quot;", "'": "&#39;", "/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;"}),
)
_LOWER_ESCAPE = re.compile("%[0-9A-F]{2}")


class Redactor:
    """Takes ``secrets`` out of what is fed to it, part by part. Holds back no more than may be the start of one.

    ``is_part``: what is fed is a part of a larger answer, so that it may begin or end within a secret.
    """

    def __init__(self, secrets: Iterable[str], *, is_part: bool = False) -> None:
        self._forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._longest = len(self._forms[0]) if self._forms else 0
        self._held = b""
        self._awaits_start = self._is_part = is_part
        self.found = False

    def feed(self, part: bytes) -> bytes:
        """Return what of ``part``, and of what was held back before, can be passed on."""
        if not self._forms:
            return part
        whole = self._held + part
        if self._awaits_start:
            if len(whole) < self._longest:
                self._held = whole
                return b""
            whole, self._awaits_start = self._without_piece_at_start(whole), False
        marks = self._marks(whole)
        end = self._end_of_certain(whole)
        for start, stop in marks:
            if start < end < stop:
                end = start
        self._held = whole[end:]
        return _blanked(whole[:end], marks)

    def flush(self) -> bytes:
        """Return what was held back: nothing comes after it."""
        held, self._held = self._held, b""
        if self._awaits_start:
            held, self._awaits_start = self._without_piece_at_start(held), False
        held = _blanked(held, self._marks(held))
        return self._without_piece_at_end(held) if self._is_part else held

    def of_text(self, text: str) -> str:
        """Return ``text``, such as a header's value, without the secrets. Independent of what is fed."""
        raw = text.encode("latin-1", "replace")
        return _blanked(raw, self._marks(raw)).decode("latin-1")

    def _without_piece_at_start(self, whole: bytes) -> bytes:
        """Return ``whole`` without what, at its beginning, is the end of a secret, or all of it within one."""
        for form in self._forms:
            if SHORTEST_PIECE <= len(whole) < len(form) and whole in form:
                self.found = True
                return b"*" * len(whole)
            for size in range(min(len(form), len(whole) + 1) - 1, SHORTEST_PIECE - 1, -1):
                if whole.startswith(form[-size:]):
                    self.found = True
                    whole = b"*" * size + whole[size:]
                    break
        return whole

    def _without_piece_at_end(self, rest: bytes) -> bytes:
        """Return ``rest``, the last that there is, without what is the beginning of a secret."""
        for form in self._forms:
            for size in range(min(len(form), len(rest) + 1) - 1, SHORTEST_PIECE - 1, -1):
                if rest.endswith(form[:size]):
                    self.found = True
                    rest = rest[:-size] + b"*" * size
                    break
        return rest

    def _marks(self, whole: bytes) -> list[tuple[int, int]]:
        marks = []
        for form in self._forms:
            at = whole.find(form)
            while at >= 0:
                marks.append((at, at + len(form)))
                at = whole.find(form, at + 1)
        self.found = self.found or bool(marks)
        return sorted(marks)

    def _end_of_certain(self, whole: bytes) -> int:
        """Return where the longest tail begins that may be the start of a secret."""
        first = max(0, len(whole) - self._longest + 1)
        end = len(whole)
        for form in self._forms:
            at = whole.find(form[:1], first)
            while 0 <= at < end:
                tail = len(whole) - at
                if tail < len(form) and whole.startswith(form[:tail], at):
                    end = at
                    break
                at = whole.find(form[:1], at + 1)
        return end


def _forms(secret: str) -> Iterable[bytes]:
    if len(secret) < SHORTEST_SECRET:
        return
    raw = secret.encode()
    quoted = {quote(secret, safe=""), quote(secret), quote_plus(secret)}
    texts = {secret, secret.lower(), secret.upper(), *quoted, *(text.replace("%", "%25") for text in quoted)}
    texts |= {_LOWER_ESCAPE.sub(lambda escape: escape[0].lower(), text) for text in quoted}
    written = {json.dumps(secret)[1:-1]} | {secret.translate(writer) for writer in _JSON_WRITERS}
    written |= {text.replace("/", "\\/") for text in written}
    texts |= written | {text.translate(_JSON_WRITERS[0]) for text in written}  # a JSON text within another, too
    texts |= {secret.translate(writer) for writer in _HTML_WRITERS}
    yield from (text.encode() for text in texts)
    yield from (raw.hex().encode(), raw.hex().upper().encode())
    yield secret.encode("utf-16-le")[:-1]  # without its last zero it is found in either order of bytes
    yield from (form for form in _base64_forms(raw) if len(form) >= SHORTEST_SECRET)


def _base64_forms(raw: bytes) -> Iterable[bytes]:
    """Yield what ``raw`` is in base64 (RFC 4648), by itself and wherever it stands in a longer text that is encoded."""
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).rstrip(b"=")
        for before in range(3):
            # The first and the last character may hold bits of what stands beside it.
            start, stop = -(-before * 8 // 6), (before + len(raw)) * 8 // 6
            yield encode(bytes(before) + raw)[start:stop]


def _blanked(whole: bytes, marks: Iterable[tuple[int, int]]) -> bytes:
    found = [(start, min(stop, len(whole))) for start, stop in marks if start < len(whole)]
    if not found:
        return whole
    blanked = bytearray(whole)
    for start, stop in found:
        blanked[start:stop] = b"*" * (stop - start)
    return bytes(blanked)
