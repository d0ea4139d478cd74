"""Redaction: a provider that repeats the credential in its answer must not hand it to the caller. No I/O.

A secret is replaced by as many asterisks, so that lengths and ranges stay true. It is found in every form in which a
server would plainly repeat it, also where it is cut into parts. A server that rewrites it in some other way, such as
backwards, cannot be stopped: the methods and paths that a caller may use are what keeps such servers away.
"""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

# What is shorter would be found by chance, and take other words out of an answer.
SHORTEST_SECRET = 6


class Redactor:
    """Takes ``secrets`` out of what is fed to it, part by part. Holds back no more than may be the start of one."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._longest = len(self._forms[0]) if self._forms else 0
        self._held = b""
        self.found = False

    def feed(self, part: bytes) -> bytes:
        """Return what of ``part``, and of what was held back before, can be passed on."""
        if not self._forms:
            return part
        whole = self._held + part
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
        return _blanked(held, self._marks(held))

    def of_text(self, text: str) -> str:
        """Return ``text``, such as a header's value, without the secrets. Independent of what is fed."""
        raw = text.encode("latin-1", "replace")
        return _blanked(raw, self._marks(raw)).decode("latin-1")

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
    escaped = json.dumps(secret)[1:-1]
    texts = {secret, *quoted, *(text.replace("%", "%25") for text in quoted), escaped, escaped.replace("/", "\\/")}
    texts |= {html.escape(secret), html.escape(secret, quote=False)}
    texts |= {"".join(_lower_escapes(text)) for text in quoted}
    yield from (text.encode() for text in texts)
    yield raw.hex().encode()
    for encode in (b64encode, urlsafe_b64encode):
        yield encode(raw).rstrip(b"=")


def _lower_escapes(text: str) -> Iterable[str]:
    """Yield ``text`` with its percent escapes in lower case (RFC 3986 §6.2.2.1)."""
    head, *rest = text.split("%")
    yield head
    for part in rest:
        yield f"%{part[:2].lower()}{part[2:]}"


def _blanked(whole: bytes, marks: Iterable[tuple[int, int]]) -> bytes:
    found = [(start, min(stop, len(whole))) for start, stop in marks if start < len(whole)]
    if not found:
        return whole
    blanked = bytearray(whole)
    for start, stop in found:
        blanked[start:stop] = b"*" * (stop - start)
    return bytes(blanked)
