"""How brands travel over the API: what they are changed to, and what is shown of them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from connections.api.texts import Address, Request, Text
from connections.brand.fonts import Font
from connections.brand.profile import BrandProfile
from connections.brand.texts import PLACES
from connections.models import Brand
from connections.models.brand import WIDEST_RADIUS

_PICTURE = "data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it"


class Colors(Request):
    """Colours as #rrggbb; an empty one is the operator's, or ours."""

    accent: Text = Field("", description="buttons and outlines; at least 3 : 1 to `surface` (WCAG 2.2 AA)")
    background: Text = Field("", description="behind the card")
    surface: Text = Field("", description="the card")
    text: Text = Field("", description="at least 4.5 : 1 to `surface` and to `background` (WCAG 2.2 AA)")


class BrandingIn(Request):
    """How the widget looks. What is not given is the operator's, or ours; only pictures stay if they are not given."""

    colors: Colors = Colors(accent="", background="", surface="", text="")
    dark_colors: Colors = Field(
        Colors(accent="", background="", surface="", text=""), description="where the browser asks for a dark page"
    )
    radius: Annotated[int, Field(ge=0, le=WIDEST_RADIUS)] | None = Field(None, description="of corners, in pixels")
    font: Font | Literal[""] = Field("", description="one of a closed list of what systems have")
    texts: dict[Text, dict[Text, Text]] = Field(
        {},
        description="own words, by language and place: "
        + ", ".join(
            f"`{name}` ({place.meaning}; at most {place.longest} characters; may hold "
            f"{' and '.join(f'{{{held}}}' for held in sorted(place.placeholders))})"
            for name, place in PLACES.items()
        ),
    )
    support_url: Address = Field("", description="https; shown under every page")
    privacy_url: Address = Field("", description="https; shown under every page")
    locale: Text = Field("", description="the language of the pages, unless the session names one")
    logo: Text | None = Field(None, description=_PICTURE)
    favicon: Text | None = Field(None, description=f"{_PICTURE}; without one it is the logo")


class OperatorBrandingIn(BrandingIn):
    """How pages look that belong to no tenant, and what stands in where a tenant says nothing."""

    name: Annotated[Text, StringConstraints(max_length=120, strip_whitespace=True)] = ""


class BrandingOut(BaseModel):
    """How the widget looks: what is set, without what stands in for the rest."""

    colors: dict[str, str]
    dark_colors: dict[str, str]
    radius: int | None
    font: str
    texts: dict[str, dict[str, str]]
    support_url: str
    privacy_url: str
    locale: str
    has_logo: bool
    has_favicon: bool


class OperatorBrandingOut(BrandingOut):
    """How pages look that belong to no tenant."""

    name: str


def profile_of(body: BrandingIn) -> BrandProfile:
    """Return what a request says of a brand."""
    return BrandProfile(
        name=body.name if isinstance(body, OperatorBrandingIn) else "",
        colors=body.colors.model_dump(),
        dark_colors=body.dark_colors.model_dump(),
        radius=body.radius,
        font=body.font,
        texts=body.texts,
        support_url=body.support_url,
        privacy_url=body.privacy_url,
        locale=body.locale,
        logo=body.logo,
        favicon=body.favicon,
    )


def branding_out(brand: Brand) -> BrandingOut:
    """Return what the API shows of a brand."""
    return BrandingOut(**_branding(brand))


def operators_branding_out(brand: Brand) -> OperatorBrandingOut:
    """Return what the API shows of the operator's brand."""
    return OperatorBrandingOut(name=brand.name, **_branding(brand))


def _branding(brand: Brand) -> dict[str, Any]:
    return {
        "colors": brand.colors(is_dark=False),
        "dark_colors": brand.colors(is_dark=True),
        "radius": brand.radius,
        "font": brand.font,
        "texts": brand.texts,
        "support_url": brand.support_url,
        "privacy_url": brand.privacy_url,
        "locale": brand.locale,
        "has_logo": bool(brand.logo_media_type),
        "has_favicon": bool(brand.favicon_media_type),
    }
