"""Colours as #rrggbb: their contrast (WCAG 2.2, "contrast ratio"), and the nearest colour that has enough. No I/O."""

from functools import lru_cache

BLACK, WHITE = "#000000", "#ffffff"
FOR_TEXT, FOR_SHAPES = 4.5, 3.0  # WCAG 2.2 AA, success criteria 1.4.3 and 1.4.11
_STEPS = 200


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours: from 1 (the same) to 21 (black and white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def text_on(color: str) -> str:
    """Return black or white, whichever reads better on ``color``; it always reads well enough (4.5 : 1)."""
    return max((BLACK, WHITE), key=lambda text: contrast(text, color))


def written(color: str) -> str:
    """Return ``color`` as we write it. Raises ``ValueError`` for what is none, so that nothing else reaches a page."""
    return mixed(color, color, 0)


def mixed(color: str, other: str, share: float) -> str:
    """Return ``color`` with ``share`` (0 to 1) of ``other`` in it."""
    pairs = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(mine + (theirs - mine) * share):02x}" for mine, theirs in pairs)


@lru_cache(maxsize=2048)
def nearest(color: str, *, grounds: tuple[str, ...], ratio: float) -> str:
    """Return the colour nearest to ``color``, made darker or lighter, that has ``ratio`` to each of ``grounds``.

    Returns the one with the most contrast where none has enough, as between two grounds that differ much.
    """
    best, most = color, 0.0
    for step in range(_STEPS + 1):
        for end in (BLACK, WHITE):
            found = mixed(color, end, step / _STEPS)
            least = min(contrast(found, ground) for ground in grounds)
            if least >= ratio:
                return found
            if least > most:
                best, most = found, least
    return best


def _channels(color: str) -> list[int]:
    return [int(color[start : start + 2], 16) for start in (1, 3, 5)]


def _luminance(color: str) -> float:
    channels = [value / 255 for value in _channels(color)]
    red, green, blue = (value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
