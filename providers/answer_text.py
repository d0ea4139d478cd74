"""The text of an answer, and the document in it, as any mainstream client would read them. Pure: no I/O.

A charset or a content coding is a label: where it is wrong or unknown, the bytes themselves decide. One byte that does
not decode costs its own letter and nothing else, because tokens are ASCII (RFC 6749 appendix A).
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
# The longer marks first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf_7"})
# What stands before JSON so that no foreign page can run it as a script.
_GUARDS = re.compile(r"(?:\)\]\}'?,?|for\s*\(;;\);?|while\s*\((?:1|true)\);?|throw\s*[01];?|&&&START&&&)\s*")
_CALL = re.compile(r"(?:/\*\*?/)?\s*[A-Za-z_$][\w$.]*\s*\((.*)\)\s*;?", re.DOTALL)
_FORM = re.compile(r"[^\s=&<>{}\[\]\"]+=[^\s<>{}\[\]\"]*", re.ASCII)
_FORM_BEGINS = re.compile(r"[^\s=&<>{}\[\]\"]+[=&]", re.ASCII)
_FORM_TYPE = re.compile(r"\s*application/x-www-form-urlencoded\b", re.IGNORECASE)
_SEMICOLONS = re.compile(r";[A-Za-z_]\w*=", re.ASCII)
_MOST_FIELDS = 500
_MOST_STARTS = 20  # of an object in other text
_MOST_DIGITS = 400  # a float holds 308
_ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
UNREADABLE = object()


def text_of(response: Response) -> str:
    """Return the body as text, whatever its labels say. A gzip or zlib that nobody announced is undone."""
    body = _unpacked(response.body)
    for mark, charset in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(charset, "replace")
    if b"\x00" in body[:4] and (charset := json.detect_encoding(body)) != "utf-8":
        return body.decode(charset, "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        return _labelled(body, response.headers.get("Content-Type", ""))


def document_of(text: str) -> Any:
    """Return the JSON document that ``text`` is, or ``UNREADABLE``.

    Undone are a guard against foreign scripts, a call around it (JSONP), and JSON that was written as a JSON string. Of
    a name that comes twice the last one counts. Line breaks within strings are allowed.
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
    """Yield the JSON objects that stand in other text, such as a warning before or a comment behind: those whole alone.

    Nobody may take what is found so for the answer to anything but a request of our own for tokens: a page for people
    may hold any object.
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
    """Return the fields of a form-encoded ``text``, the last of each name; {} where it is no form.

    What is labelled as a form may hold white space and signs that were to be encoded. A plus sign is white space (as
    HTML says), but within a token: there it was left unencoded.
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
    return fields if any(value.strip("=") for value in fields.values()) else {}  # one word and = is Base64


def _unpacked(body: bytes) -> bytes:
    for _ in range(2):  # packed twice, or under a label that hides it
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


def _labelled(body: bytes, content_type: str) -> str:
    label = Message()
    label["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    charset = label.get_content_charset("")
    try:
        if charset and codecs.lookup(charset).name.replace("-", "_") not in _NO_CHARSETS:
            return body.decode(charset)
    except (LookupError, ValueError):
        pass  # unknown, no charset at all, or not the one in which this was written
    return body.decode("latin-1")


def _loaded(text: str) -> Any:
    try:
        return _DECODER.decode(text.strip().strip("\ufeff\x00 \t\r\n"))
    except (ValueError, RecursionError):
        return UNREADABLE


def _whole_number(digits: str) -> int | float:
    """Return a whole number; one so long that Python does not read it is infinite, and costs nothing else."""
    return int(digits) if len(digits) <= _MOST_DIGITS else float(digits)


_DECODER = json.JSONDecoder(strict=False, parse_int=_whole_number)


def has_content(response: Response) -> bool:
    """Whether the body holds anything but white space."""
    return bool(response.body.strip(b"\x00 \t\r\n"))
