"""The text of an answer, and the document in it, as any mainstream client would read them. Pure: no I/O.

A charset or a content coding is only a label. If it is wrong or unknown, the bytes themselves decide. A byte that does
not decode spoils only its own letter, because tokens are ASCII (RFC 6749 appendix A).
"""

import codecs
import json
import re
import zlib
from collections.abc import Iterator
from email.message import Message
from typing import Any
from urllib.parse import unquote, unquote_plus

from providers.response import GZIP, Response, gunzip, inflate

_MOST_UNPACKED = 1_048_576
# The longer marks come first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"})
# Prefixes that providers put before JSON, so that no foreign page can run it as a script.
_LONGEST_LABEL = 256  # the library's reading of it takes a time that grows with its square
_GUARDS = re.compile(r"(?:\)\]\}'?,?|for\s*\(;;\);?|while\s*\((?:1|true)\);?|throw\s*[01];?|&&&START&&&)\s*")
_CALL = re.compile(r"(?:/\*\*?/)?\s*[A-Za-z_$][\w$.]*\s*\((.*)\)\s*;?", re.DOTALL)
_FORM = re.compile(r"[^\s=&<>{}\[\]\"]+=[^\s<>{}\[\]\"]*", re.ASCII)
_FORM_BEGINS = re.compile(r"[^\s=&<>{}\[\]\"]+[=&]", re.ASCII)
_FORM_TYPE = re.compile(r"\s*application/x-www-form-urlencoded\b", re.IGNORECASE)
_SEMICOLONS = re.compile(r";[A-Za-z_]\w*=", re.ASCII)
_MOST_FIELDS = 500
_MOST_STARTS = 20  # places in a text that are tried as the beginning of an object
_MOST_DIGITS = 400  # of a whole number; a float holds 308
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
UNREADABLE = object()


def text_of(response: Response) -> str:
    """Return the body as text, whatever its labels say. Unpacks a gzip or zlib even if no header announced it."""
    body = _unpacked(response.body)
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    if b"\x00" in body[:4] and (charset := json.detect_encoding(body)) != "utf-8":
        return body.decode(charset, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return labelled_text(body, response.headers.get("Content-Type", ""))


def document_of(text: str) -> Any:
    """Return the JSON document that ``text`` is, or ``UNREADABLE``.

    This removes a guard against foreign scripts and a call around the document (JSONP), and reads JSON that was written
    as a JSON string. If a name occurs twice, the last one counts. Line breaks within strings are allowed.
    """
    found = _loaded(text)
    if found is UNREADABLE and (guard := _GUARDS.match(text.strip())) is not None:
        found = _loaded(text.strip()[guard.end() :])
    if found is UNREADABLE and (call := _CALL.fullmatch(text.strip())) is not None:
        found = _loaded(call.group(1))
    if isinstance(found, str):
        inner = _loaded(found)
        return inner if isinstance(inner, dict | list) else found
    return found


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Yield the complete JSON objects inside other text, such as one behind a warning or before a comment.

    Use this only on the answer to our own token request: a page for people may hold any object.
    """
    start = text.find("{")
    for _ in range(_MOST_STARTS):
        if start < 0:
            return
        try:
            found, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield found
        start = text.find("{", end)


def form_of(text: str, *, content_type: str = "") -> dict[str, str]:
    """Return the fields of a form-encoded ``text``, the last value of each name; {} if it is no form.

    A text that is labelled as a form may hold white space and signs that should have been encoded. A plus sign means
    white space (as HTML says), except within a token: there the provider left it unencoded.
    """
    text = text.strip().lstrip("?#&").replace("&amp;", "&")
    if "&" not in text and _SEMICOLONS.search(text):
        text = text.replace(";", "&")  # as HTML 4 recommended (appendix B.2.2)
    is_form = _FORM_BEGINS.match(text) if _FORM_TYPE.match(content_type) else _FORM.fullmatch(text)
    if not is_form or text.count("&") > _MOST_FIELDS:
        return {}
    fields = {}
    for pair in text.split("&"):
        name, _, value = pair.partition("=")
        name = unquote_plus(name)
        fields[name] = unquote(value) if "token" in name.lower() and "type" not in name.lower() else unquote_plus(value)
    return fields if any(value.strip("=") for value in fields.values()) else {}  # a single word and "=" is Base64


def _unpacked(body: bytes) -> bytes:
    for _ in range(2):  # it may be packed twice, or behind a label that hides it
        try:
            if body.startswith(GZIP):
                body = gunzip(body, cap=_MOST_UNPACKED)
            elif body.startswith(_ZLIB):
                body = inflate(body, cap=_MOST_UNPACKED)
            else:
                break
        except (ValueError, zlib.error):
            break
    return body


def labelled_text(body: bytes, content_type: str) -> str:
    """Return a body that is no UTF-8 as the text that its label says it is, or as that of Western Europe."""
    label = Message()
    label["Content-Type"] = content_type[:_LONGEST_LABEL].replace("\r", " ").replace("\n", " ")
    charset = label.get_content_charset("")
    try:
        if charset and codecs.lookup(charset).name.replace("-", "_") not in _NO_CHARSETS:
            return body.decode(charset)
    except (LookupError, ValueError):
        pass  # the charset is unknown, is none at all, or is not the one of these bytes
    return body.decode("latin-1")


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text.strip().strip("\ufeff\x00 \t\r\n"))
    except (ValueError, RecursionError):
        return UNREADABLE


def _whole_number(digits: str) -> int | float:
    """Return a whole number. One that is too long for Python counts as infinite, so that the rest can still be read."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_DECODER = json.JSONDecoder(strict=False, parse_int=_whole_number)


def has_content(response: Response) -> bool:
    """Whether the body holds anything but white space."""
    return bool(response.body.strip(b"\x00 \t\r\n"))
