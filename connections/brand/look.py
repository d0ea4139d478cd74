"""The brand of one page: the tenant's values, then the operator's, then our own. One query."""

from dataclasses import dataclass, field
from typing import TypeVar

from django.db.models import Q
from django.utils.safestring import SafeString, mark_safe

from connections.brand.fonts import STACKS, Font
from connections.brand.palette import Palette, chosen_colors, palette_of
from connections.brand.texts import PLACES, filled
from connections.models import Brand, Tenant

V = TypeVar("V")

RADIUS = 14
_PICTURES = ("logo", "favicon")
_EMPTY = Brand()


@dataclass(frozen=True, slots=True)
class Look:
    """What a page shows of a brand. ``name`` is the tenant's, or the operator's where a page belongs to no tenant.

    ``texts`` are own words by language and place. ``locale`` is "" if the brand leaves the language to the browser.
    """

    name: str
    light: Palette
    dark: Palette
    radius: int
    font: str
    has_logo: bool
    has_favicon: bool
    support_url: str
    privacy_url: str
    locale: str
    texts: dict[str, dict[str, str]] = field(default_factory=dict)

    def css(self) -> SafeString:
        """Return the style sheet's variables. They follow the system's light or dark mode.

        Nothing in them was typed by anybody: numbers, fonts of a closed list, and colours that ``colors`` has written.
        """
        light, dark = f":root {{ {self._shape()} {self.light.as_css()} }}", f":root {{ {self.dark.as_css()} }}"
        return mark_safe(f"{light} @media (prefers-color-scheme: dark) {{ {dark} }}")  # noqa: S308 (see above)

    def css_in(self, *, is_dark: bool) -> SafeString:
        """Return the variables for one mode, whichever the system has: for a preview."""
        scheme, palette = ("dark", self.dark) if is_dark else ("light", self.light)
        css = f":root {{ {self._shape()} color-scheme: {scheme}; {palette.as_css()} }}"
        return mark_safe(css)  # noqa: S308 (as in ``css``)

    def own_words(self, place: str, *, language: str, names: dict[str, str]) -> str:
        """Return the brand's own text for ``place`` in ``language``, with its names filled in; "" if it has none."""
        return filled(self.texts.get(language, {}).get(place, ""), names)

    def all_own_words(self, *, language: str, names: dict[str, str]) -> dict[str, str]:
        """Return the brand's own text of every place in ``language``; "" where it has none."""
        return {place: self.own_words(place, language=language, names=names) for place in PLACES}

    def _shape(self) -> str:
        return f"--radius: {self.radius}px; --font: {self.font};"


def look_of(tenant: Tenant | None) -> Look:
    """Return the look of ``tenant``'s pages, or of pages that belong to no tenant."""
    rows = Brand.objects.filter(Q(tenant=None) | Q(tenant=tenant)) if tenant else Brand.objects.filter(tenant=None)
    found = {row.tenant_id: row for row in rows.defer(*_PICTURES)}
    own = found.get(tenant.id) if tenant is not None else None
    return look_from(tenant, own=own, operators=found.get(None))


def look_from(tenant: Tenant | None, *, own: Brand | None, operators: Brand | None) -> Look:
    """Return the look that follows from two rows, which may be unsaved. No I/O: reads no picture."""
    first, second = own or _EMPTY, operators or _EMPTY
    font = _set(first.font, second.font, Font.SYSTEM.value)
    return Look(
        name=tenant.name if tenant is not None else second.name,
        light=_palette(first, second, is_dark=False),
        dark=_palette(first, second, is_dark=True),
        radius=next((row.radius for row in (first, second) if row.radius is not None), RADIUS),
        font=STACKS[Font(font)] if font in Font.values else STACKS[Font.SYSTEM],
        has_logo=bool(first.logo_media_type or second.logo_media_type),
        has_favicon=any(
            (first.favicon_media_type, first.logo_media_type, second.favicon_media_type, second.logo_media_type)
        ),
        support_url=_set(first.support_url, second.support_url),
        privacy_url=_set(first.privacy_url, second.privacy_url),
        locale=_set(first.locale, second.locale),
        texts={
            language: {**second.texts.get(language, {}), **first.texts.get(language, {})}
            for language in {*first.texts, *second.texts}
        },
    )


def own_logo(tenant: Tenant) -> tuple[bytes, str] | None:
    """Return the tenant's own logo with its media type, or None where it has none. One query."""
    row = Brand.objects.filter(tenant=tenant).only("logo", "logo_media_type").first()
    return (bytes(row.logo), row.logo_media_type) if row is not None and row.logo else None


def picture_shown(tenant: Tenant | None, *, is_favicon: bool) -> tuple[bytes, str] | None:
    """Return the logo or favicon that the tenant's pages show, with its media type; None for none. One query.

    A favicon that is missing is the logo of the same brand.
    """
    wanted = Q(tenant=None) | Q(tenant=tenant) if tenant is not None else Q(tenant=None)
    rows = sorted(Brand.objects.filter(wanted), key=lambda row: row.tenant_id is None)
    for row in rows:
        for name in ("favicon", "logo") if is_favicon else ("logo",):
            if content := bytes(getattr(row, name)):
                return content, getattr(row, f"{name}_media_type")
    return None


def _palette(own: Brand, operators: Brand, *, is_dark: bool) -> Palette:
    colors = chosen_colors(own.colors(is_dark=is_dark), operators.colors(is_dark=is_dark), is_dark=is_dark)
    if is_dark and not (own.dark_accent or (operators.dark_accent and not own.accent)):
        colors["accent"] = own.accent or operators.accent or colors["accent"]
    return palette_of(colors)


def _set(*values: str) -> str:
    return next((value for value in values if value), "")


OURS = look_from(None, own=None, operators=None)
