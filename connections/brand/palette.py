"""The colours of a page: the four that a brand may set, and all that follow from them. No I/O.

What a page shows always reads well (WCAG 2.2 AA): a colour without enough contrast is refused when it is saved, and one
that comes to stand on another ground later (the operator changed theirs) is moved until it has enough.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from connections.brand.colors import FOR_SHAPES, FOR_TEXT, contrast, mixed, nearest, text_on, written

ACCENT, BACKGROUND, SURFACE, TEXT = "accent", "background", "surface", "text"
ROLES = (ACCENT, BACKGROUND, SURFACE, TEXT)
LIGHT = {ACCENT: "#2f5bea", BACKGROUND: "#f3f5f9", SURFACE: "#ffffff", TEXT: "#1a1f2b"}
DARK = {ACCENT: "#2f5bea", BACKGROUND: "#12151c", SURFACE: "#1c212b", TEXT: "#eceff5"}
_ALARM = "#b3261e"
_GOOD = "#1a7f4b"


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one mode, #rrggbb. The names are those of the style sheet's variables."""

    brand: str
    on_brand: str
    ground: str
    paper: str
    ink: str
    soft: str
    line: str
    alarm: str
    good: str

    def as_css(self) -> str:
        """Return the variables as declarations."""
        return " ".join(f"--{field.name.replace('_', '-')}: {getattr(self, field.name)};" for field in fields(self))


@dataclass(frozen=True, slots=True)
class Clash:
    """Two colours that do not go together: ``role`` has the contrast ``had`` to ``ground``; ``passes`` would do."""

    role: str
    ground: str
    had: float
    needed: float
    passes: str


def chosen_colors(given: Mapping[str, str], operators: Mapping[str, str], *, is_dark: bool) -> dict[str, str]:
    """Return the four colours by role: ``given``, else the operator's, else ours."""
    defaults = DARK if is_dark else LIGHT
    return {role: written(given.get(role) or operators.get(role) or defaults[role]) for role in ROLES}


def clashes(colors: Mapping[str, str]) -> list[Clash]:
    """Return the pairs of the four colours that do not read well enough."""
    found = []
    for role, grounds, needed in (
        (TEXT, (SURFACE, BACKGROUND), FOR_TEXT),
        (ACCENT, (SURFACE,), FOR_SHAPES),
    ):
        ratios = {ground: contrast(colors[role], colors[ground]) for ground in grounds}
        worst = min(ratios, key=lambda ground: ratios[ground])
        if ratios[worst] < needed:
            passes = nearest(colors[role], grounds=tuple(colors[ground] for ground in grounds), ratio=needed)
            found.append(Clash(role, worst, ratios[worst], needed, passes))
    return found


def palette_of(colors: Mapping[str, str]) -> Palette:
    """Return the palette that follows from the four colours."""
    paper, ground = colors[SURFACE], colors[BACKGROUND]
    ink = nearest(colors[TEXT], grounds=(paper,), ratio=FOR_TEXT)
    accent = nearest(colors[ACCENT], grounds=(paper,), ratio=FOR_SHAPES)
    return Palette(
        brand=accent,
        on_brand=text_on(accent),
        ground=ground,
        paper=paper,
        ink=ink,
        soft=nearest(mixed(ink, paper, 0.3), grounds=(paper,), ratio=FOR_TEXT),
        line=mixed(paper, ink, 0.16),
        alarm=nearest(_ALARM, grounds=(paper,), ratio=FOR_TEXT),
        good=nearest(_GOOD, grounds=(paper,), ratio=FOR_TEXT),
    )
