"""The icon of a provider: one or two letters of its name on its own colour, as an SVG. No vendor's mark is copied.

An icon depends on two letters and a colour alone, so its address says both, and it can be kept for as long as a browser
likes. Nothing in it is styled inline or escaped by hand: it has letters, digits and a checked colour, and no more.
"""

import re
import unicodedata
from typing import Protocol
from zlib import crc32

from django.utils.html import format_html
from django.utils.safestring import SafeString

from connections.access.addresses import widget_address
from connections.brand.colors import text_on

COLOUR = re.compile(r"#[0-9a-f]{6}")
# For entries that name no colour. White reads well on each of them.
_PALETTE = ("#1f6f54", "#2f5bea", "#6d3fc4", "#9a3412", "#a21caf", "#0f6c8c", "#b4232f", "#475569")
_ASIDE = re.compile(r"\([^()]*\)")
_ENDING = re.compile(r"(?<=\w)\.(com|io|ai|app|dev|net|org|co)\b", re.IGNORECASE)
_APOSTROPHES = "'\u2019"
_SMALL_WORDS = frozenset({"a", "and", "at", "by", "for", "in", "of", "on", "or", "the", "to"})


class Named(Protocol):
    """What has an icon: an entry of the catalogue, or its line in lists."""

    @property
    def name(self) -> str:
        """The provider's name."""

    @property
    def colour(self) -> str:
        """Its colour as ``#rrggbb``, or "" if it has none."""


def letters_of(name: str) -> str:
    """Return the one or two letters or digits that stand for ``name``: GC for Google Calendar, 1P for 1Password.

    They are the beginnings of its first two words, or of the two parts of a name like HubSpot; S for Slack. Remarks in
    brackets and the ending of a domain do not count. A name without any letter or digit gets "?".
    """
    plain = unicodedata.normalize("NFKC", name)
    words = _words(_ENDING.sub("", _ASIDE.sub(" ", plain))) or _words(plain)
    telling = [word for word in words if word.lower() not in _SMALL_WORDS] or words
    if not telling:
        return "?"
    begins = _parts(telling[0])[:2] if len(telling) == 1 else telling[:2]
    return "".join(_capital(word[0]) for word in begins)


def colour_of(entry: Named) -> str:
    """Return the entry's colour, or one that depends on its name alone."""
    if COLOUR.fullmatch(entry.colour):
        return entry.colour
    return _PALETTE[crc32(entry.name.encode("utf-8", "replace")) % len(_PALETTE)]


def is_monogram(letters: str) -> bool:
    """Whether ``letters`` is something that ``letters_of`` could return."""
    return letters == "?" or (0 < len(letters) <= 2 and all(_capital(letter) == letter for letter in letters))


def monogram(letters: str, colour: str) -> SafeString:
    """Return the SVG of an icon; its text is black or white, whichever reads better (at least 4.5 to 1).

    The thin grey edge keeps a white icon apart from a white page, and a black one from a black page. An icon says
    nothing that the name beside it does not, so it is hidden from screen readers.
    """
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="monogram" viewBox="0 0 64 64" width="40" height="40"'
        ' aria-hidden="true" focusable="false">'
        '<rect x="1" y="1" width="62" height="62" rx="15" fill="{}" stroke="#808080" stroke-opacity=".45"'
        ' stroke-width="2"/>'
        '<text x="32" y="32" dy=".35em" text-anchor="middle" font-size="{}" font-weight="600"'
        ' font-family="system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, sans-serif" fill="{}">{}</text>'
        "</svg>",
        colour,
        34 if len(letters) == 1 else 27,
        text_on(colour),
        letters,
    )


def monogram_of(entry: Named) -> SafeString:
    """Return the icon of an entry."""
    return monogram(letters_of(entry.name), colour_of(entry))


def icon_address(entry: Named) -> str:
    """Return the whole address at which the widget serves the icon of an entry."""
    return widget_address("connect:icon", colour_of(entry).removeprefix("#"), letters_of(entry.name))


def _words(text: str) -> list[str]:
    """Return the runs of letters and digits in ``text``. Apostrophes, and marks that belong to a letter, part none."""
    joined = (letter for letter in text if letter not in _APOSTROPHES and unicodedata.category(letter)[0] != "M")
    return "".join(letter if letter.isalnum() else " " for letter in joined).split()


def _parts(word: str) -> list[str]:
    """Return the parts of a word at which its case or the kind of character changes: Hub and Spot, 1 and Password."""
    if word.isupper() and len(word) == 2:
        return list(word)
    parts = [word[0]]
    for before, letter, after in zip(word, word[1:], f"{word[2:]} ", strict=False):
        begins_word = letter.isupper() and (not before.isupper() or after.islower())
        if begins_word or letter.isdigit() != before.isdigit():
            parts.append(letter)
        else:
            parts[-1] += letter
    return parts


def _capital(letter: str) -> str:
    """Return one capital for ``letter``, also where two would be written, as for ß; "" for what is neither."""
    return next((capital for capital in letter.upper() if capital.isalnum()), "")
