"""The texts that a brand may put into its own words: a closed list. Warnings are not on it. No I/O.

A text is plain: one line, no controls, and no marks that turn the direction of what follows. It may hold only the
placeholders of its place, ``{provider}`` and ``{tenant}``; there is no other use of braces.
"""

import re
import unicodedata
from dataclasses import dataclass

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
# Embeddings, overrides and isolates (UAX #9): a name with one of them can turn round the words that come after it.
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORBIDDEN = frozenset(("Cc", "Cs", "Zl", "Zp"))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text stands: at most ``longest`` characters, with these ``placeholders`` if it wants them."""

    longest: int
    placeholders: frozenset[str]
    meaning: str


PLACES: dict[str, Place] = {
    "title": Place(80, frozenset({"provider", "tenant"}), "the heading of the first page"),
    "reason": Place(300, frozenset({"provider", "tenant"}), "the sentence of the first page: who asks for what"),
    "continue": Place(40, frozenset({"provider"}), "the button of the first page"),
    "choose": Place(80, frozenset({"tenant"}), "the heading of the choice"),
    "connect": Place(40, frozenset({"provider"}), "the button under the fields"),
    "back": Place(40, frozenset({"tenant"}), "the way back"),
}


def fault_of_text(text: str, *, longest: int) -> str:
    """Return in words what is wrong with a name or a text; "" if it is plain and not too long."""
    if len(text) > longest:
        return f"It is longer than {longest} characters."
    if any(mark in _TURNS or unicodedata.category(mark) in _FORBIDDEN for mark in text):
        return "It holds a control character, half of a surrogate pair, or a mark that turns the direction of text."
    if text.strip() != text:
        return "It begins or ends with a space."
    return ""


def fault_of_copy(place: str, text: str) -> str:
    """Return in words what is wrong with a brand's text for ``place``; "" if it may be shown there."""
    known = PLACES.get(place)
    if known is None:
        return f"There is no text {place!r}: the texts are {', '.join(PLACES)}."
    if not text:
        return "It is empty: leave it out to keep our words."
    if fault := fault_of_text(text, longest=known.longest):
        return fault
    found = set(_PLACEHOLDER.findall(text))
    if found - known.placeholders or re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        allowed = " and ".join(f"{{{name}}}" for name in sorted(known.placeholders))
        return f"Braces stand only in {allowed} here."
    return ""


def filled(text: str, names: dict[str, str]) -> str:
    """Return ``text`` with its placeholders replaced, each by the name that ``names`` has for it."""
    return _PLACEHOLDER.sub(lambda match: names.get(match[1], match[0]), text)
