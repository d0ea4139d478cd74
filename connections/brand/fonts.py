"""The fonts that a brand may choose: stacks of what systems have. No page loads a font from anywhere. No I/O."""

from django.db.models import TextChoices


class Font(TextChoices):
    """The closed list."""

    SYSTEM = "system", "The system's own"
    HUMANIST = "humanist", "Humanist (Seravek, Gill Sans, Ubuntu)"
    GEOMETRIC = "geometric", "Geometric (Avenir, Montserrat, Corbel)"
    GROTESQUE = "grotesque", "Grotesque (Helvetica Neue, Arial)"
    ROUNDED = "rounded", "Rounded (SF Rounded, Nunito, Quicksand)"
    SERIF = "serif", "Serif (Georgia, Cambria)"
    MONOSPACE = "monospace", "Monospace"


# Japanese fonts stand at the end of each: without them some systems mix in Chinese forms of the characters.
_JAPANESE = '"Hiragino Sans", "Yu Gothic UI", "Noto Sans JP", "Noto Sans CJK JP"'
STACKS: dict[Font, str] = {
    Font.SYSTEM: f'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", {_JAPANESE}, sans-serif',
    Font.HUMANIST: f'Seravek, "Gill Sans Nova", Ubuntu, Calibri, "DejaVu Sans", {_JAPANESE}, sans-serif',
    Font.GEOMETRIC: f"Avenir, Montserrat, Corbel, URW Gothic, source-sans-pro, {_JAPANESE}, sans-serif",
    Font.GROTESQUE: f'"Helvetica Neue", Helvetica, Arial, "Liberation Sans", {_JAPANESE}, sans-serif',
    Font.ROUNDED: f"ui-rounded, Nunito, Quicksand, Manjari, Calibri, {_JAPANESE}, sans-serif",
    Font.SERIF: 'Georgia, Cambria, "Times New Roman", "Hiragino Mincho ProN", "Noto Serif CJK JP", serif',
    Font.MONOSPACE: f"ui-monospace, Menlo, Consolas, {_JAPANESE}, monospace",
}
