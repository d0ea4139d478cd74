"""Tenants: make and change them. Every value is checked before it is written."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.journal import audit
from connections.models import Tenant
from connections.models.tenant import SLUG
from connections.refusals import InvalidRequest

LOGO_MAX_BYTES = 64 * 1024
_PROFILE_COLUMNS = (
    "name",
    "brand_color",
    "allowed_origins",
    "return_urls",
    "reconnect_url",
    "logo",
    "logo_media_type",
    "updated_at",
)

_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+", re.IGNORECASE)  # also keeps a policy header whole
_DATA_URI = re.compile(r"data:(image/(?:png|jpeg|gif|webp|svg\+xml));base64,([A-Za-z0-9+/=\s]+)")
_MAGIC = {
    "image/png": b"\x89PNG\r\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
    "image/svg+xml": b"<",
}


@dataclass(frozen=True, slots=True)
class TenantProfile:
    """The values that a tenant gets. ``logo`` is a data URI of at most 64 KiB, or "" for none."""

    name: str
    brand_color: str = ""
    logo: str | None = None
    allowed_origins: Sequence[str] = field(default_factory=tuple)
    return_urls: Sequence[str] = field(default_factory=tuple)
    reconnect_url: str = ""


def upsert_tenant(slug: str, profile: TenantProfile, *, actor: audit.Actor) -> Tenant:
    """Make the tenant ``slug``, or change it to ``profile``. Raises ``InvalidRequest`` naming the member at fault."""
    try:
        return store_tenant(prepare_tenant(slug, profile), actor=actor)
    except IntegrityError:
        # Another call has just made the tenant. The second run finds it.
        return store_tenant(prepare_tenant(slug, profile), actor=actor)


def prepare_tenant(slug: str, profile: TenantProfile) -> Tenant:
    """Return the tenant as ``store_tenant`` will write it. Raises ``InvalidRequest`` naming the member at fault."""
    for origin in profile.allowed_origins:
        _check_url(origin, field_name="allowed_origins", origin_only=True)
    for url in profile.return_urls:
        _check_url(url, field_name="return_urls")
    if profile.reconnect_url:
        _check_url(re.sub(r"\{[a-z_]+\}", "x", profile.reconnect_url), field_name="reconnect_url")
    try:
        SLUG(slug)
    except ValidationError as error:
        raise InvalidRequest(" ".join(error.messages), field="slug") from None
    tenant = Tenant.objects.filter(slug=slug).first() or Tenant(slug=slug)
    if tenant.shred_at is not None:
        raise InvalidRequest("This tenant is being deleted: wait until that is done, then make it anew.", field="slug")
    tenant.name = profile.name
    tenant.brand_color = profile.brand_color or tenant.brand_color
    tenant.allowed_origins = list(profile.allowed_origins)
    tenant.return_urls = list(profile.return_urls)
    tenant.reconnect_url = profile.reconnect_url
    if profile.logo is not None:
        tenant.logo_media_type, tenant.logo = _parse_logo(profile.logo)
    try:
        tenant.full_clean(validate_unique=False)
    except ValidationError as error:
        name, messages = next(iter(error.message_dict.items()))
        raise InvalidRequest(" ".join(messages), field=name) from None
    return tenant


def store_tenant(tenant: Tenant, *, actor: audit.Actor) -> Tenant:
    """Write a prepared tenant, with its audit row."""
    with transaction.atomic():
        # Update only the columns of the profile: a kill switch that was thrown meanwhile stays thrown.
        tenant.save(update_fields=None if tenant._state.adding else _PROFILE_COLUMNS)
        audit.record("tenant.saved", actor=actor, tenant_id=tenant.id, detail={"slug": tenant.slug})
    return tenant


def _parse_logo(logo: str) -> tuple[str, bytes]:
    if not logo:
        return "", b""
    match = _DATA_URI.fullmatch(logo)
    if match is None:
        raise InvalidRequest("Give the logo as a base64 data URI of a PNG, JPEG, GIF, WebP or SVG.", field="logo")
    try:
        content = base64.b64decode(match[2])
    except binascii.Error:
        raise InvalidRequest("The logo is not valid base64.", field="logo") from None
    if not content.lstrip().startswith(_MAGIC[match[1]]):
        raise InvalidRequest(f"The logo is not a {match[1]} image.", field="logo")
    if len(content) > LOGO_MAX_BYTES:
        raise InvalidRequest("The logo is larger than 64 KiB: give a smaller one.", field="logo")
    return match[1], content


def _check_url(url: str, *, field_name: str, origin_only: bool = False) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 (raises for a port that is no number)
    except ValueError:
        raise InvalidRequest(f"{url!r} is not a URL.", field=field_name) from None
    loopback = settings.DEVELOPMENT and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise InvalidRequest(f"{url!r} has to begin with https://.", field=field_name)
    plain = url.isprintable() and not re.search(r"[ \\#]", url) and "@" not in parts.netloc
    if not plain or not _HOST.fullmatch(parts.hostname or ""):
        raise InvalidRequest(f"{url!r} is not a plain absolute URL.", field=field_name)
    if origin_only and url != f"{parts.scheme}://{parts.netloc}".lower():
        raise InvalidRequest(f"{url!r} is not an origin: give scheme, host and port only.", field=field_name)
