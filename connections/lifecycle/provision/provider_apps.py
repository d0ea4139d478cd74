"""Provider apps: our registrations at providers, checked before they are written, with their client secrets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from connections.access.app_keys import has_signing_key
from connections.access.secrets import open_registration, seal_client_secrets
from connections.access.targets import registrar_of
from connections.database.locks import RowCheck, lock_to_compare
from connections.database.pool import release_database
from connections.journal import audit
from connections.lifecycle.provision.check_app import (
    check_client_secrets,
    check_kept_secrets,
    check_scopes,
    check_texts,
    checked_app_params,
)
from connections.lifecycle.provision.read_source import FIELD, SourceRead, next_look, read_source
from connections.lifecycle.provision.register_app import why_refused
from connections.lifecycle.registration.locate import look_at_server, typed_server
from connections.lifecycle.registration.ways import way_offered
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import ProviderApp, Tenant
from connections.models.mutators import differing
from connections.models.provider_app import NO_SOURCE
from connections.refusals import AppMisconfigured, InvalidRequest, ProviderDown
from connections.vault.sealing import Unreadable
from providers.catalog.loader import UnknownProvider, entry
from providers.catalog.resolve import spelled_out
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill
from providers.errors import ProviderError
from providers.oauth.discovery import discover

MOST_SECRETS = 10
DEFAULT_OVERLAP = timedelta(days=7)

_REGISTRATION_COLUMNS = (
    "name",
    "client_id",
    "params",
    "discovered",
    "scopes",
    "required_scopes",
    "allowed_scopes",
    "allows_legacy",
    "registers_itself",
    "updated_at",
)
_SECRET_COLUMNS = ("secrets", "other_secrets_end_at", "secrets_changed_at", "secret_expires_at", *NO_SOURCE)


@dataclass(frozen=True, slots=True)
class Registration:
    """Our registration at a provider, as an operator enters it.

    Without a client id the app registers itself, if the authorization server offers that; else it is a draft.
    ``client_secrets`` are in order, the preferred first. None keeps the stored ones, which is refused if the client id
    or an endpoint changes: then they have to be entered again. With ``secret_source``, a reference, the preferred one
    is read from there, now and whenever it changes, and those before it stay for a while. ``allows_legacy`` is the
    operator's word for a style that is legacy; other styles ignore it. ``allowed_scopes`` is None where a session may
    ask for any.
    """

    provider: str
    auth_style: str
    name: str = ""
    client_id: str = ""
    client_secrets: Sequence[str] | None = field(default_factory=tuple, repr=False)
    secret_source: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    scopes: Sequence[str] = field(default_factory=tuple)
    required_scopes: Sequence[str] = field(default_factory=tuple)
    allowed_scopes: Sequence[str] | None = None
    allows_legacy: bool = False


def save_provider_app(
    registration: Registration, *, tenant: Tenant | None, actor: audit.Actor, check: RowCheck | None = None
) -> ProviderApp:
    """Make or replace the one app of ``tenant`` (None: shared by all) at a provider. It keeps its id and redirect URI.

    Fetches the metadata (HTTP) if the entry is discovered, so no transaction may be open. ``register_itself`` is the
    next step, for an app that does so. Raises ``InvalidRequest``, and as ``store_provider_app``.
    """
    try:
        return store_provider_app(prepare_provider_app(registration, tenant=tenant), actor=actor, check=check)
    except IntegrityError:
        # Another call has just made the app. The second run finds it.
        return store_provider_app(prepare_provider_app(registration, tenant=tenant), actor=actor, check=check)


@dataclass(frozen=True, slots=True)
class PreparedApp:
    """A provider app that is checked and ready to write. A new ``app`` has no row in the database yet.

    ``source`` is from where the first of the client secrets was read, None where they were entered.
    """

    app: ProviderApp
    client_secrets: Sequence[str] | None = field(repr=False)
    source: SourceRead | None = None

    @property
    def is_new(self) -> bool:
        """Whether there was no app of this owner at this provider before."""
        return self.app._state.adding

    def changes(self) -> list[str]:
        """Return the columns that would be written with another value. Two queries at most.

        Client secrets are the same if they are stored in this order, for the party at which the app points.
        """
        if self.is_new:
            return [*_REGISTRATION_COLUMNS, "secrets", "secret_source"]
        columns = [name for name in _REGISTRATION_COLUMNS if name != "updated_at"]
        if self.client_secrets is None:
            return differing(self.app, *columns)
        changed = differing(self.app, *columns, "secret_source")
        return changed if self.holds_them() else [*changed, "secrets"]

    def holds_them(self) -> bool:
        """Whether the client secrets are stored, in this order, for the party at which the app points. A query."""
        try:
            stored = open_registration(self.app)
        except Unreadable:
            return False
        held = [secret.get_secret_value() for secret in stored.secrets]
        return held == list(self.client_secrets or ()) and (not held or stored.registrar == registrar_of(self.app))


def prepare_provider_app(registration: Registration, *, tenant: Tenant | None) -> PreparedApp:
    """Check a registration, and return the app as ``store_provider_app`` will write it.

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
    is_legacy = described.methods[registration.auth_style].is_legacy
    if is_legacy and not registration.allows_legacy:
        raise InvalidRequest(
            f"{described.name} would connect by a legacy style, which is off: allow it for this app.",
            field="allows_legacy",
        )
    params = checked_app_params(described, registration.params)
    check_texts(registration)
    check_scopes(registration, described)
    named = {"tenant": tenant, "provider": described.slug, "auth_style": registration.auth_style}
    app = ProviderApp.objects.filter(**named).first() or ProviderApp(**named)
    app.name = registration.name or described.name
    app.client_id = registration.client_id
    app.params = params
    app.discovered = _discovered(app, described)
    app.registers_itself = _registers_itself(app, described)
    app.scopes = list(registration.scopes)
    app.required_scopes = list(dict.fromkeys(registration.required_scopes))
    app.allowed_scopes = None if registration.allowed_scopes is None else list(registration.allowed_scopes)
    app.allows_legacy = is_legacy
    if registration.secret_source:
        return _prepared_by_source(app, registration)
    if registration.client_secrets is None and app.secrets is not None:
        check_kept_secrets(app)
    if registration.client_secrets is not None:
        app.leave_source()
    return PreparedApp(app, registration.client_secrets)


def _prepared_by_source(app: ProviderApp, registration: Registration) -> PreparedApp:
    """Read the preferred client secret of ``app`` (HTTP), and return the app with it. Raises ``InvalidRequest``."""
    if registration.client_secrets:
        raise InvalidRequest("Enter client secrets, or say from where they are read: not both.", field=FIELD)
    check_source_of(app)
    source = read_source(registration.secret_source)
    check_client_secrets([source.secret])
    app.secret_source = source.reference
    return PreparedApp(app, [source.secret, *kept_beside(app, source.secret, registrar=registrar_of(app))], source)


def check_source_of(app: ProviderApp) -> None:
    """Raise ``InvalidRequest`` where nobody enters client secrets of ``app``, and so none is read either. No I/O."""
    if app.registers_itself:
        raise InvalidRequest("The app registers itself, and gets its client secrets by itself.", field=FIELD)


def kept_beside(app: ProviderApp, secret: str, *, registrar: str) -> list[str]:
    """Return the stored client secrets of ``app`` that stay behind ``secret``. One query.

    None where they do not open, or were entered for another party than ``registrar``.
    """
    try:
        stored = open_registration(app)
    except Unreadable:
        return []
    if stored.registrar != registrar:
        return []
    texts = [one.get_secret_value() for one in stored.secrets]
    return [text for text in texts if text != secret][: MOST_SECRETS - 1]


def store_provider_app(prepared: PreparedApp, *, actor: audit.Actor, check: RowCheck | None = None) -> ProviderApp:
    """Seal the secrets of a prepared app and write the app, with its audit row. One transaction, no HTTP.

    Where nothing would change, nothing is written. Raises what ``check`` raises of the locked app, None for a new one.
    """
    app = prepared.app
    with transaction.atomic():
        if check is not None:
            lock_to_compare(app, check)
        if not prepared.changes():
            return app
        columns: tuple[str, ...] = _REGISTRATION_COLUMNS
        if prepared.client_secrets is not None:
            _store_secrets(prepared)
            columns = (*columns, *_SECRET_COLUMNS)
        # Update only what may have changed: ``app`` may have been read before a long HTTP call. A kill switch that was
        # thrown meanwhile stays thrown, and a client secret that was read from its source meanwhile stays.
        app.save(update_fields=None if prepared.is_new else columns)
        audit.record(
            "provider_app.saved",
            actor=actor,
            tenant_id=app.tenant_id,
            detail={"provider_app": str(app.id), "provider": app.provider, "auth_style": app.auth_style}
            | ({"allows_legacy": True} if app.allows_legacy else {}),
        )
        if prepared.source is not None:
            record_source(app, actor=actor)
    return app


def record_source(app: ProviderApp, *, actor: audit.Actor) -> None:
    """Record who has said from where the client secrets of ``app`` are read, "" for nowhere. In a transaction.

    The row is the operator's own, also of a tenant's app: a tenant does not learn where the operator keeps secrets.
    """
    detail = {"provider_app": str(app.id), "provider": app.provider, "from": app.secret_source}
    audit.record("provider_app.secret_source_set", actor=actor, detail=detail)


def _store_secrets(prepared: PreparedApp) -> None:
    """Seal the client secrets of a prepared app, and note from where the first was read. Saves nothing."""
    app, secrets, now = prepared.app, prepared.client_secrets or (), timezone.now()
    if prepared.source is not None:
        app.take_source(app.secret_source, read_at=now, look_at=next_look(app.secret_source, now=now))
    if not prepared.is_new and prepared.holds_them():
        return
    app.secrets = seal_client_secrets(app, secrets, registrar=registrar_of(app))
    app.secrets_changed_at = now
    app.other_secrets_end_at = app.secret_expires_at = None  # it was said of those that are replaced
    if prepared.source is not None and len(secrets) > 1:
        app.other_secrets_end_at = now + DEFAULT_OVERLAP


def _discovered(app: ProviderApp, described: CatalogEntry) -> dict[str, str]:
    """Return what the metadata says to which ``app`` leads, {} where it differs from connection to connection. HTTP."""
    method = described.oauth_method(app.auth_style)
    if method is None or not method.discover or typed_server(described, app.auth_style):
        return {}
    if method.server:
        try:
            return dict(look_at_server(app, {}).discovered)
        except (AppMisconfigured, ProviderDown) as refusal:
            raise InvalidRequest(f"The server's metadata cannot be used: {refusal.detail}", field="provider") from None
    release_database()
    issuer = fill(method.issuer, app.params)
    try:
        with bulkhead.place(issuer):
            return discover(issuer, spelled_out=spelled_out(method))
    except ProviderError as error:
        raise InvalidRequest(f"The issuer's metadata cannot be used: {error.evidence.detail}", field="issuer") from None


def _registers_itself(app: ProviderApp, described: CatalogEntry) -> bool:
    """Whether ``app`` gets its client ids without hands. Raises ``InvalidRequest``."""
    if typed := typed_server(described, app.auth_style):
        if app.client_id:
            raise InvalidRequest(
                f"Each end user names a server of their own ({typed}), and each authorization server registers us by "
                "itself: leave the client id out.",
                field="client_id",
            )
        return True
    has_key = has_signing_key(app)
    is_offered = not app.client_id and app.redirects and way_offered(app.discovered, has_key=has_key) is not None
    return is_offered and not why_refused(app)
