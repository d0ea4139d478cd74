"""Provision: tenants, provider apps and API clients, as the API, the commands and the demo's seed make them."""

import base64
import binascii
import hashlib
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from connections.lifecycle import audit
from connections.lifecycle.locking import release_database
from connections.lifecycle.outcomes import InvalidRequest
from connections.lifecycle.sealing import open_registration, seal_client_secrets
from connections.lifecycle.targets import registrar_of
from connections.models import ApiClient, ApiKey, Permission, ProviderApp, Tenant
from connections.models.tenant import SLUG
from connections.vault.sealing import Unreadable
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.resolve import spelled_out
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill
from providers.errors import ProviderError
from providers.oauth.discovery import discover
from providers.vocabulary import ParamScope

KEY_PREFIX = "lk_"
DEFAULT_KEY_LIFETIME = timedelta(days=365)
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
_REGISTRATION_COLUMNS = ("name", "client_id", "params", "discovered", "scopes", "secrets", "updated_at")
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
    """What a tenant is made or changed to. ``logo`` is a data URI of at most 64 KiB, or "" for none."""

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
        # Another call has made it in this very moment: now it is found.
        return store_tenant(prepare_tenant(slug, profile), actor=actor)


def prepare_tenant(slug: str, profile: TenantProfile) -> Tenant:
    """Return the tenant as ``store_tenant`` would write it. Raises ``InvalidRequest`` naming the member at fault."""
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
        # Of a tenant that exists only what the profile holds: a switch thrown meanwhile stays as it is.
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


@dataclass(frozen=True, slots=True)
class Registration:
    """Our registration at a provider, as it is entered. Without a client id the app is a draft.

    ``client_secrets`` are in order, the preferred first; None keeps those that are stored, unless the client id
    or an endpoint changes: then they have to be given again.
    """

    provider: str
    auth_style: str
    name: str = ""
    client_id: str = ""
    client_secrets: Sequence[str] | None = field(default_factory=tuple, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    scopes: Sequence[str] = field(default_factory=tuple)


def save_provider_app(registration: Registration, *, tenant: Tenant | None, actor: audit.Actor) -> ProviderApp:
    """Make or replace the one app of ``tenant`` (shared for None) at a provider; it keeps its id and redirect URI.

    For entries that are discovered, the issuer's metadata is fetched (HTTP). Raises ``InvalidRequest``.
    """
    return store_provider_app(prepare_provider_app(registration, tenant=tenant), actor=actor)


@dataclass(frozen=True, slots=True)
class PreparedApp:
    """A provider app that is checked and ready to write; ``app`` has no primary state in the database yet if new."""

    app: ProviderApp
    client_secrets: Sequence[str] | None = field(repr=False)

    @property
    def is_new(self) -> bool:
        """Whether there was no app of this owner at this provider before."""
        return self.app._state.adding


def prepare_provider_app(registration: Registration, *, tenant: Tenant | None) -> PreparedApp:
    """Return the app as ``store_provider_app`` would write it; ``save_provider_app`` says what is checked.

    May fetch the issuer's metadata (HTTP), so no transaction may be open. Raises ``InvalidRequest``.
    """
    if tenant is not None and tenant.shred_at is not None:
        raise InvalidRequest("This tenant is being deleted: it gets no more provider apps.", field="tenant")
    try:
        described = entry(registration.provider)
    except UnknownProvider:
        raise InvalidRequest(
            f"There is no provider {registration.provider!r} in the catalogue.", field="provider"
        ) from None
    if registration.auth_style not in described.auth_styles:
        styles = ", ".join(described.auth_styles)
        raise InvalidRequest(f"{described.name} connects by {styles} only.", field="auth_style")
    params = _checked_app_params(described, registration.params)
    discovered = _discovered(described, registration.auth_style, params)
    app = ProviderApp.objects.filter(
        tenant=tenant, provider=registration.provider, auth_style=registration.auth_style
    ).first() or ProviderApp(tenant=tenant, provider=registration.provider, auth_style=registration.auth_style)
    app.name = registration.name or described.name
    app.client_id = registration.client_id
    app.params = params
    app.discovered = discovered
    app.scopes = list(registration.scopes)
    if registration.client_secrets is None and app.secrets is not None:
        _check_kept_secrets(app)
    return PreparedApp(app, registration.client_secrets)


def _check_kept_secrets(app: ProviderApp) -> None:
    """Raise ``InvalidRequest`` unless the stored client secrets are for the app as it is to be.

    Whoever may change the app may not read its secrets: kept, they would be sent to wherever the change points.
    """
    try:
        is_meant = open_registration(app).registrar == registrar_of(app)
    except Unreadable:
        raise InvalidRequest(
            "The stored client secrets do not open: enter them again.", field="client_secrets"
        ) from None
    if not is_meant:
        raise InvalidRequest(
            "This changes where the client secrets are sent (the client id, or an endpoint): enter them again.",
            field="client_secrets",
        )


def store_provider_app(prepared: PreparedApp, *, actor: audit.Actor) -> ProviderApp:
    """Seal the secrets of a prepared app and write it, with its audit row."""
    app = prepared.app
    with transaction.atomic():
        if prepared.client_secrets is not None:
            app.secrets = seal_client_secrets(app, prepared.client_secrets, registrar=registrar_of(app))
        # Likewise: the check before may have taken as long as an HTTP call.
        app.save(update_fields=None if prepared.is_new else _REGISTRATION_COLUMNS)
        audit.record(
            "provider_app.saved",
            actor=actor,
            tenant_id=app.tenant_id,
            detail={"provider_app": str(app.id), "provider": app.provider, "auth_style": app.auth_style},
        )
    return app


def _checked_app_params(described: CatalogEntry, given: Mapping[str, str]) -> dict[str, str]:
    declared = {param.name: param for param in described.params_of(ParamScope.APP)}
    for name in given:
        if name not in declared:
            raise InvalidRequest(f"{described.name} has no parameter {name!r}.", field=f"params.{name}")
    params = {}
    for name, param in declared.items():
        value = given.get(name, "") or param.default
        if not re.fullmatch(param.pattern, value):
            raise InvalidRequest(f"The parameter {name!r} ({param.label}) is missing or malformed.", field=name)
        params[name] = value
    return params


def _discovered(described: CatalogEntry, style: str, params: Mapping[str, str]) -> dict[str, str]:
    method = described.oauth_method(style)
    if method is None or not method.discover:
        return {}
    release_database()
    try:
        return discover(fill(method.issuer, params), spelled_out=spelled_out(method))
    except ProviderError as error:
        raise InvalidRequest(f"The issuer's metadata cannot be used: {error.evidence.detail}", field="issuer") from None


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A fresh API key; ``key`` is shown this once."""

    client: ApiClient
    key: str = field(repr=False)
    expires_at: datetime


def save_api_client(
    name: str,
    *,
    tenant: Tenant | None,
    permissions: Sequence[Permission],
    allows_unbound: bool = False,
    actor: audit.Actor,
) -> ApiClient:
    """Make the API client ``name`` of ``tenant`` (operator-wide for None), or change its permissions."""
    check_permissions(permissions, tenant=tenant)
    with transaction.atomic():
        client, _ = ApiClient.objects.update_or_create(
            tenant=tenant,
            name=name,
            defaults={"permissions": list(permissions), "allows_unbound": allows_unbound},
        )
        audit.record(
            "api_client.saved",
            actor=actor,
            tenant_id=tenant.id if tenant else None,
            detail={"api_client": str(client.id), "permissions": list(permissions)},
        )
    return client


def check_permissions(permissions: Sequence[Permission], *, tenant: Tenant | None) -> None:
    """Raise ``InvalidRequest`` unless a client of ``tenant`` (operator-wide for None) may have ``permissions``."""
    if tenant is not None and Permission.TENANTS in permissions:
        raise InvalidRequest("Only an operator-wide client may manage tenants.", field="permissions")


def issue_key(
    client: ApiClient,
    *,
    now: datetime,
    lifetime: timedelta = DEFAULT_KEY_LIFETIME,
    actor: audit.Actor,
    key_id: uuid.UUID | None = None,
) -> IssuedKey:
    """Give ``client`` one more key: 256 random bits behind a visible prefix.

    A caller that may be repeated gives the row's ``key_id`` beforehand: the second time raises ``IntegrityError``.
    """
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        row = ApiKey.objects.create(
            id=key_id or uuid.uuid4(),
            client=client,
            prefix=key[:10],
            key_hash=hash_key(key),
            expires_at=now + lifetime,
        )
        audit.record(
            "api_key.issued",
            actor=actor,
            tenant_id=client.tenant_id,
            detail={"api_client": str(client.id), "api_key": str(row.id)},
        )
    return IssuedKey(client, key, row.expires_at)


def hash_key(key: str) -> bytes:
    """Return the SHA-256 under which an API key is stored and looked up: by hash, so that no timing leaks."""
    return hashlib.sha256(key.encode()).digest()
