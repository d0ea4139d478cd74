"""Answers of a token endpoint that cannot be read: successes in a form that neither the entry nor Latchkey knows.

Such an answer may hold a grant's only live tokens. So an exception that shows nothing of it carries it up whole, and it
is kept sealed until a mended entry can read it (``lifecycle.credentials.unread``).
"""

import json
import re
from typing import Any

from providers.answer_text import UNREADABLE, document_of, form_of, has_content, text_of
from providers.errors import Evidence, MalformedResponse
from providers.response import Response

_NAMED = re.compile(r"(?:access|refresh)[_\- ]?token", re.IGNORECASE)
_SECRET_NAME = re.compile(r"token|jwt|bearer|credential|secret|apikey|api_key", re.IGNORECASE)
_NO_SECRET_NAME = re.compile(r"type|expir|scope|hint|lifetime|timeout|uri|url", re.IGNORECASE)
_TOKEN = re.compile(r"[\x21-\x7e]+")
_BARE = re.compile(r"[A-Za-z0-9._~+/-]{16,}=*", re.ASCII)  # token68 (RFC 9110 §11.2)
_LONG = 16  # a text of that length without white space is no word
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


class AnswerUnread(MalformedResponse):
    """A 2xx without an error, in which no tokens were found. ``answer`` is the whole response.

    ``may_hold_tokens``: something in it looks like a token. An answer without such a sign (a page for people, an empty
    object) is kept as well, but nothing waits for it.
    """

    code = "answer_unread"

    def __init__(self, answer: Response, evidence: Evidence) -> None:
        super().__init__(evidence)
        self.answer = answer
        self.may_hold_tokens = may_hold_tokens(answer)


def failure_to_read(answer: Response, known: MalformedResponse | None) -> MalformedResponse:
    """Return the failure to raise for a success without a usable token: ``AnswerUnread`` if it has content to keep.

    ``known`` is the failure already found in it: an error of the provider's own is one, unless tokens stand beside it.
    """
    evidence = Evidence("The success holds no usable access token.", status=answer.status)
    unread = AnswerUnread(answer, evidence if known is None else known.evidence)
    if (known is None and has_content(answer)) or (known is not None and unread.may_hold_tokens):
        return unread
    return known or MalformedResponse(evidence)


def may_hold_tokens(answer: Response) -> bool:
    """Whether ``answer`` may hold a token. A wrong True costs an operator a look; a wrong False costs a grant."""
    text = text_of(answer)
    document = document_of(text)
    if document is UNREADABLE:
        document = form_of(text) or UNREADABLE
    if document is not UNREADABLE:
        return _holds(document, name="")
    if _is_cut_short(text):
        return False  # the answer is cut short; it is kept, and a retry stays right
    # A single long word may be a bare token, or a document in an unknown coding.
    return bool(_NAMED.search(text) or _BARE.fullmatch(text.strip())) or not _is_text(answer.body, text)


def _holds(value: Any, *, name: str) -> bool:
    waiting = [(name, value)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.items()
        elif isinstance(value, list):
            waiting += [(name, item) for item in value]
        elif isinstance(value, str) and _looks_like_one(name, value):
            return True
    return False


def _looks_like_one(name: str, value: str) -> bool:
    if not value.strip() or _NO_SECRET_NAME.search(name):
        return False
    if _SECRET_NAME.search(name) or (_NAMED.search(value) and not _NAMED.fullmatch(value)):
        return True  # by the member's name, or inside a string that is a document itself
    return len(value) >= _LONG and _TOKEN.fullmatch(value) is not None and not _ADDRESS.match(value)


def _is_cut_short(text: str) -> bool:
    """Whether ``text`` is JSON that ends before its end."""
    text = text.strip()
    if not text.startswith(("{", "[")):
        return False
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) or error.msg.startswith("Unterminated string")
    except (ValueError, RecursionError):
        return False
    return False


def _is_text(body: bytes, text: str) -> bool:
    """Whether the body is readable text rather than packed or encrypted bytes."""
    odd = sum(not mark.isprintable() and not mark.isspace() for mark in text)
    return b"\x00" not in body and odd * 20 <= len(text)
