"""A language that does not exist: every text of ours stands in ⟦brackets⟧, and is written from right to left.

Whatever is outside of brackets on a page in it was not marked for translation. It goes by the code of Arabic, so that
pages in it show as well how they look from right to left.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

from babel.messages.catalog import Catalog
from django.conf import settings
from django.test import override_settings
from django.utils.translation import trans_real

from tests.campaigns.messages import compiled, texts

CODE = "ar"
_SPOKEN = re.compile(r'\b(?:title|alt|aria-label|placeholder|data-lost|data-done)="([^"]*)"')
_SILENT = re.compile(
    r"<(style|script)\b.*?</\1>|<(label|li|p)\b[^>]* lang=\"en\"[^>]*>.*?</\2>|<bdi>.*?</bdi>|<svg\b.*?</svg>"
    r"|<output\b.*?</output>|<input [^>]*>|<!--.*?-->",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z]{2,}")


@contextmanager
def pseudo_language(folder: Path) -> Iterator[None]:
    """Offer the language in the block; ``folder`` is empty and gets its catalogue."""
    catalogue = Catalog(locale=CODE)
    for text in texts():
        catalogue.add(text, f"⟦{text}⟧")
    file = folder / CODE / "LC_MESSAGES" / "django.mo"
    file.parent.mkdir(parents=True)
    file.write_bytes(compiled(catalogue))
    languages = [*settings.LANGUAGES, (CODE, "Pseudo")]
    with override_settings(LANGUAGES=languages, LOCALE_PATHS=[str(folder)]):
        _forget()
        yield
    _forget()


def plain_english(html: str, *, names: set[str]) -> list[str]:
    """Return the words of a page in this language that are neither in brackets nor one of ``names``."""
    spoken = _SPOKEN.findall(html)
    shown = re.sub(r"<[^>]+>", " ", _SILENT.sub(" ", html))
    words = []
    for text in (*spoken, shown):
        left = unescape(text)
        while (without := re.sub(r"⟦[^⟦⟧]*⟧", " ", left)) != left:
            left = without
        words += [word for word in _WORD.findall(left) if word not in names]
    return words


def _forget() -> None:
    """Let Django read catalogues again."""
    trans_real._translations.pop(CODE, None)
    for one in vars(trans_real).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()
