"""Brands: check and write how a tenant's pages look, or the operator's own. Every value is checked before."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.brand.fonts import Font
from connections.brand.palette import ACCENT, ROLES, chosen_colors, clashes
from connections.brand.pictures import FAVICON_PIXELS, LOGO_PIXELS, NotAPicture, picture_from
from connections.brand.profile import BrandProfile
from connections.brand.texts import fault_of_copy, fault_of_text
from connections.database.locks import RowCheck, lock_to_compare
from connections.journal import audit
from connections.models import Brand, Tenant
from connections.models.brand import OPERATORS, WIDEST_RADIUS
from connections.models.mutators import differs
from connections.refusals import InvalidRequest

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", re.IGNORECASE)  # also keeps a policy header whole
_COLUMNS = tuple(
    column.name for column in Brand._meta.concrete_fields if column.name not in ("id", "tenant", "created_at")
)
_LONGEST_NAME = 120


def save_brand(
    tenant: Tenant | None, profile: BrandProfile, *, actor: audit.Actor, check: RowCheck | None = None
) -> Brand:
    """Change the brand of ``tenant``, or the operator's for None.

    Raises ``InvalidRequest`` naming the member, and what ``check`` raises of the locked brand.
    """
    try:
        return store_brand(prepare_brand(tenant, profile), actor=actor, check=check)
    except IntegrityError:
        # Another call has just made the row. The second run finds it.
        return store_brand(prepare_brand(tenant, profile), actor=actor, check=check)


def prepare_brand(tenant: Tenant | None, profile: BrandProfile) -> Brand:
    """Return the brand as ``store_brand`` will write it. Raises ``InvalidRequest`` naming the member at fault."""
    stored = Brand.objects.filter(tenant=tenant).first() if tenant is None or not tenant._state.adding else None
    brand = stored or (Brand(tenant=tenant) if tenant is not None else Brand(id=OPERATORS))
    _check_texts(profile, is_operators=tenant is None)
    brand.name, brand.font, brand.locale, brand.radius = profile.name, profile.font, profile.locale, profile.radius
    brand.texts = {language: dict(texts) for language, texts in profile.texts.items() if texts}
    for url, name in ((profile.support_url, "support_url"), (profile.privacy_url, "privacy_url")):
        if url:
            check_url(url, field_name=name)
    brand.support_url, brand.privacy_url = profile.support_url, profile.privacy_url
    for prefix, member, colors in (("", "colors", profile.colors), ("dark_", "dark_colors", profile.dark_colors)):
        for role in colors:
            if role not in ROLES:
                raise InvalidRequest(f"There is no colour {role[:40]!r}: they are {', '.join(ROLES)}.", field=member)
        for role in ROLES:
            setattr(brand, prefix + role, colors.get(role, "").lower())
    for name, given, pixels in (("logo", profile.logo, LOGO_PIXELS), ("favicon", profile.favicon, FAVICON_PIXELS)):
        _take_picture(brand, name, given, pixels)
    try:
        brand.full_clean(exclude=["tenant"], validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidRequest(" ".join(messages), field=name) from None
    _check_contrast(brand, Brand.objects.filter(tenant=None).defer("logo", "favicon").first())
    return brand


def store_brand(brand: Brand, *, actor: audit.Actor, check: RowCheck | None = None) -> Brand:
    """Write a prepared brand, with its audit row, where something of it changes. Opens a transaction.

    Raises what ``check`` raises of the locked brand.
    """
    with transaction.atomic():
        if check is not None:
            lock_to_compare(brand, check)
        if not brand._state.adding and not differs(brand, *(name for name in _COLUMNS if name != "updated_at")):
            return brand
        brand.save(update_fields=None if brand._state.adding else _COLUMNS)
        slug = brand.tenant.slug if brand.tenant is not None else ""
        audit.record("brand.saved", actor=actor, tenant_id=brand.tenant_id, detail={"slug": slug} if slug else {})
    return brand


def check_url(url: str, *, field_name: str, origin_only: bool = False) -> None:
    """Raise ``InvalidRequest`` unless ``url`` is a plain absolute https address; ``origin_only``: without a path."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises for a port that is no number)
    except ValueError:
        raise InvalidRequest(f"{url!r} is not a URL.", field=field_name) from None
    loopback = settings.DEVELOPMENT and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InvalidRequest(f"{url!r} has to begin with https://.", field=field_name)
    plain = url.isprintable() and not re.search(r'[ \\#"<>^`|]', url) and "@" not in parts.netloc
    if not plain or not _HOST.fullmatch(parts.hostname or ""):
        raise InvalidRequest(f"{url!r} is not a plain absolute URL.", field=field_name)
    if origin_only and url != f"{parts.scheme}://{parts.netloc}".lower():
        raise InvalidRequest(f"{url!r} is not an origin: give scheme, host and port only.", field=field_name)


def check_name(name: str) -> None:
    """Raise ``InvalidRequest`` unless ``name`` is a plain name that pages can show."""
    if not name.strip():
        raise InvalidRequest("Give a name.", field="name")
    if fault := fault_of_text(name, longest=_LONGEST_NAME):
        raise InvalidRequest(fault, field="name")


def _check_texts(profile: BrandProfile, *, is_operators: bool) -> None:
    if profile.name and not is_operators:
        raise InvalidRequest("A tenant's name is its own: change the tenant.", field="name")
    if profile.name:
        check_name(profile.name)
    if profile.font and profile.font not in Font.values:
        raise InvalidRequest(f"There is no such font: they are {', '.join(Font.values)}.", field="font")
    if profile.radius is not None and not 0 <= profile.radius <= WIDEST_RADIUS:
        raise InvalidRequest(f"Give the radius in pixels, from 0 to {WIDEST_RADIUS}.", field="radius")
    languages = [code for code, _ in settings.LANGUAGES]
    if profile.locale and profile.locale not in languages:
        raise InvalidRequest(f"There is no such language: they are {', '.join(languages)}.", field="locale")
    for language, texts in profile.texts.items():
        if language not in languages:
            raise InvalidRequest(f"There is no such language: they are {', '.join(languages)}.", field="texts")
        for place, text in texts.items():
            if fault := fault_of_copy(place, text):
                raise InvalidRequest(fault, field=f"texts.{language}.{place[:40]}")


def _check_contrast(brand: Brand, operators: Brand | None) -> None:
    second = operators if operators is not None and brand.tenant is not None else Brand()
    for is_dark, mode, prefix in ((False, "light", ""), (True, "dark", "dark_")):
        given = {role: color for role, color in brand.colors(is_dark=is_dark).items() if color}
        colors = chosen_colors(given, second.colors(is_dark=is_dark), is_dark=is_dark)
        for clash in clashes(colors):
            if clash.role not in given and (clash.role == ACCENT or clash.ground not in given):
                continue  # it is not this brand's doing, and pages mend it
            raise InvalidRequest(
                f"The {clash.role} {colors[clash.role]} has a contrast of {clash.had:.2f} : 1 to the {clash.ground} "
                f"{colors[clash.ground]} in {mode} mode, and {clash.needed:g} : 1 is needed (WCAG 2.2 AA). "
                f"{clash.passes} would do.",
                field=prefix + clash.role,
            )


def _take_picture(brand: Brand, name: str, given: str | None, pixels: int) -> None:
    if given is None:
        return
    try:
        picture = picture_from(given, pixels=pixels)
    except NotAPicture as error:
        raise InvalidRequest(str(error), field=name) from None
    setattr(brand, name, picture.content)
    setattr(brand, f"{name}_media_type", picture.media_type)
