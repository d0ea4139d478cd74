"""Text of one line that people read: what they type as a name, and what a provider calls an account."""

import re
import unicodedata

# Words of Persian and Hindi, and many emoji, are written with a joiner between two of their marks. Between ASCII marks
# one does nothing but make two names that look the same.
_JOINED = re.compile(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f\u200c\u200d])")
_SPACES = re.compile(r"[^\S\n\r\t\v\f\x1c-\x1f\x85\u2028\u2029]")


def plain_line(text: str) -> str | None:
    """Return ``text`` as one line, without space around it; None if it holds marks that nobody sees. No I/O.

    Every kind of space becomes a plain one: Japanese keyboards type U+3000, French ones U+202F. What looks the same is
    the same (NFC).
    """
    line = unicodedata.normalize("NFC", _SPACES.sub(" ", text)).strip(" ")
    return line if _JOINED.sub("", line).isprintable() else None
