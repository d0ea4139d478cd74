"""How provider apps, their secrets, keys and registrations, and incidents travel over the API."""

import uuid
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, SecretStr, WithJsonSchema

from connections.access.targets import redirect_uri
from connections.api.pages import Page
from connections.api.texts import ClientSecret, Moment, Request, ScopeName, Text
from connections.database.locks import RowCheck
from connections.journal.audit import Actor
from connections.lifecycle.health.telling import explanation
from connections.lifecycle.provision.app_keys import DEFAULT_LEAD, DEFAULT_OVERLAP, Rotation
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.register_app import register_itself
from connections.models import (
    AppKey,
    Incident,
    IncidentCause,
    IncidentKind,
    ProviderApp,
    RegisteredClient,
    RegistrationWay,
    Tenant,
)
from connections.refusals import InvalidRequest
from providers.catalog.loader import load_catalog, meant_by
from providers.vocabulary import SigningAlgorithm

_Private = Annotated[
    SecretStr, WithJsonSchema({"type": "string", "format": "password", "writeOnly": True, "maxLength": 65_536})
]
_Seconds = Annotated[int, Field(ge=0, le=90 * 86_400)]


class ProviderAppIn(Request):
    """A registration at a provider, shared or a tenant's own. What is left out is taken back, but for client secrets.

    ``client_secrets`` are in order, the preferred first; without them the stored ones stay, unless the client id or an
    address changes. Without a client id the app registers itself, if the authorization server offers that; else it is a
    draft, which shows the redirect URI to register.
    """

    auth_style: Text | None = Field(None, description="default: what an alias stands for, else the entry's first")
    name: Annotated[Text, Field(max_length=120)] = ""
    client_id: Annotated[Text, Field(max_length=500)] = ""
    client_secrets: Annotated[list[ClientSecret], Field(max_length=10)] | None = None
    params: dict[Text, Text] = {}
    scopes: Annotated[list[ScopeName], Field(max_length=200)] = []
    required_scopes: Annotated[list[ScopeName], Field(max_length=200)] = Field(
        [], description="always asked for; a connection without one of them vends nothing"
    )
    allowed_scopes: Annotated[list[ScopeName], Field(max_length=200)] | None = Field(
        None, description="all that a connect session may name; null: any, an empty list: none"
    )
    allows_legacy: bool = False


class ProviderAppOut(BaseModel):
    """One registration at a provider; no secret is ever shown. ``tenant`` is null for one that all tenants share.

    ``redirect_uri`` is what the provider asks for, null where nobody is sent there or the app registers itself.
    """

    id: uuid.UUID
    tenant: str | None
    provider: str
    auth_style: str
    name: str
    client_id: str
    has_secrets: bool
    redirect_uri: str | None
    registers_itself: bool
    draft: bool
    params: dict[str, str]
    scopes: list[str]
    required_scopes: list[str]
    allowed_scopes: list[str] | None
    suspended: bool
    paused: bool
    notice: str


class ProviderAppPage(Page[ProviderAppOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class ClientSecretIn(Request):
    """One more client secret."""

    client_secret: ClientSecret
    preferred: bool = Field(True, description="it is used before the others; otherwise after them")
    others_end_at: Moment | None = Field(
        None, description="when all but a preferred one are destroyed; null: once they are removed"
    )
    expires_at: Moment | None = Field(
        None, description="when the provider lets a preferred one expire, for the forecast; null: not known"
    )


class EndsOfSecretsIn(Request):
    """When the client secrets beside the preferred one end, and when that one expires at the provider."""

    others_end_at: Moment | None = Field(description="null: they stay until they are removed")
    expires_at: Moment | None = Field(None, description="null: not known, or never; left out, it stays as it is")


class ClientSecretsOut(BaseModel):
    """What tells an app's client secrets apart, the preferred first. They are never shown themselves."""

    fingerprints: list[str]
    others_end_at: datetime | None = Field(description="when all but the first are destroyed; null: not by themselves")
    expires_at: datetime | None = Field(description="when the provider lets the first expire, as far as was said")


class SecretSourceIn(Request):
    """From where the client secret is read; the last one that was read stays where this is null."""

    client_secret_from: Annotated[Text, Field(max_length=500)] | None = Field(
        description="a reference, such as file:/run/secrets/hubspot or vault:secret/data/hubspot#client_secret, in a "
        "place that LATCHKEY_SECRET_SOURCES allows; null: from nowhere, people enter it"
    )


class SecretSourceOut(BaseModel):
    """From where the client secret is read, and how the last look went. Where it fails, the one before is in use."""

    client_secret_from: str | None = Field(description="the reference; null: from nowhere, people enter it")
    read_at: datetime | None = Field(description="when it was read last")
    next_look_at: datetime | None = Field(description="when it is read again; sooner where the provider refuses it")
    failing_since: datetime | None = Field(description="null where the last look has read it")
    problem: str = Field(description="why it cannot be read, and what to do")


class AppKeyIn(Request):
    """A key pair, made here or brought. It takes over from an earlier one after ``lead_seconds``."""

    algorithm: SigningAlgorithm = Field(SigningAlgorithm.RS256, description="with two halves: no shared secret")
    kid: Annotated[Text, Field(max_length=200)] = Field("", description="its id; by default its thumbprint")
    private_key: _Private | None = Field(None, description="PEM; null makes one here")
    passphrase: _Private | None = Field(None, description="of `private_key`")
    certificates: Annotated[Text, Field(max_length=65_536)] = Field("", description="PEM, its own first")
    lead_seconds: _Seconds = int(DEFAULT_LEAD.total_seconds())
    overlap_seconds: _Seconds = int(DEFAULT_OVERLAP.total_seconds())

    def rotation(self) -> Rotation:
        """Return when it takes over."""
        return Rotation(timedelta(seconds=self.lead_seconds), timedelta(seconds=self.overlap_seconds))


class CertificatesIn(Request):
    """Certificates of a key, in place of those it had."""

    certificates: Annotated[Text, Field(min_length=1, max_length=65_536)] = Field(description="PEM, its own first")


class AppKeyOut(BaseModel):
    """The public half of one key pair. The private half is never shown."""

    id: uuid.UUID
    kid: str
    algorithm: str
    public_key: str
    certificates: str
    certificate_ends_at: datetime | None
    brought: bool
    signs_from: datetime
    published_until: datetime | None
    created_at: datetime


class AppKeyPage(Page[AppKeyOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class RegisteredClientOut(BaseModel):
    """What an app has registered without hands at one authorization server; no secret is ever shown."""

    id: uuid.UUID
    issuer: str
    way: RegistrationWay
    client_id: str
    redirect_uri: str
    registered_at: datetime | None
    secret_expires_at: datetime | None
    renew_at: datetime | None
    replaced_at: datetime | None
    problem: str


class RegisteredClientPage(Page[RegisteredClientOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class RenewedOut(BaseModel):
    """The registration that is current after a renewal; ``replaced``: it has another client id than before."""

    replaced: bool
    client: RegisteredClientOut


class IncidentStepOut(BaseModel):
    """One step of an incident."""

    at: datetime
    what: str


class IncidentOut(BaseModel):
    """A fault of a provider app. While it is open, no connection of the app is downgraded for it."""

    id: uuid.UUID
    provider_app: uuid.UUID
    provider: str
    kind: IncidentKind
    cause: IncidentCause | Literal[""]
    detail: str
    means: str
    to_do: str
    at: str
    spared: int
    facts: dict[str, Any]
    evidence: dict[str, Any]
    timeline: list[IncidentStepOut]
    opened_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None


class IncidentPage(Page[IncidentOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def save_from(
    body: ProviderAppIn, provider: str, *, tenant: Tenant | None, actor: Actor, check: RowCheck | None
) -> ProviderAppOut:
    """Make or replace the app of ``tenant`` (None: the shared one) at ``provider``, and have it register itself. HTTP.

    Raises ``InvalidRequest``, and what ``check`` raises of the locked app, None where there is none.
    """
    meant, style = meant_by(provider)
    known = load_catalog().get(meant)
    if known is None:
        raise InvalidRequest(f"There is no provider {provider!r} in the catalogue.", field="provider")
    secrets = body.client_secrets
    registration = Registration(
        provider=meant,
        auth_style=body.auth_style or style or known.auth_styles[0],
        name=body.name,
        client_id=body.client_id,
        client_secrets=None if secrets is None else [secret.get_secret_value() for secret in secrets],
        params=body.params,
        scopes=body.scopes,
        required_scopes=body.required_scopes,
        allowed_scopes=body.allowed_scopes,
        allows_legacy=body.allows_legacy,
    )
    app = save_provider_app(registration, tenant=tenant, actor=actor, check=check)
    return provider_app_out(app, notice=register_itself(app, actor=actor).told)


def provider_app_out(app: ProviderApp, *, notice: str = "") -> ProviderAppOut:
    """Return what the API shows of a provider app. Its tenant is loaded."""
    return ProviderAppOut(
        id=app.id,
        tenant=app.tenant.slug if app.tenant else None,
        provider=app.provider,
        auth_style=app.auth_style,
        name=app.name,
        client_id=app.client_id,
        has_secrets=app.secrets is not None,
        redirect_uri=redirect_uri(app.id) if app.redirects and not app.registers_itself else None,
        registers_itself=app.registers_itself,
        draft=app.is_draft,
        params=app.params,
        scopes=app.scopes,
        required_scopes=app.required_scopes,
        allowed_scopes=app.allowed_scopes,
        suspended=app.suspended_at is not None,
        paused=app.paused_at is not None,
        notice=notice,
    )


def secret_source_out(app: ProviderApp) -> SecretSourceOut:
    """Return what operator-wide clients are told of an app's source. No I/O."""
    return SecretSourceOut(
        client_secret_from=app.secret_source or None,
        read_at=app.secret_read_at,
        next_look_at=app.secret_look_at,
        failing_since=app.secret_failing_since,
        problem=app.secret_problem,
    )


def app_key_out(row: AppKey) -> AppKeyOut:
    """Return what the API shows of a key pair. No I/O."""
    return AppKeyOut(
        id=row.id,
        kid=row.kid,
        algorithm=row.algorithm,
        public_key=row.public_key,
        certificates=row.certificates,
        certificate_ends_at=row.certificate_ends_at,
        brought=row.is_brought,
        signs_from=row.signs_from,
        published_until=row.published_until,
        created_at=row.created_at,
    )


def registered_client_out(row: RegisteredClient) -> RegisteredClientOut:
    """Return what the API shows of a registration. No I/O."""
    return RegisteredClientOut(
        id=row.id,
        issuer=row.issuer,
        way=RegistrationWay(row.way),
        client_id=row.client_id,
        redirect_uri=row.redirect_uri,
        registered_at=row.registered_at,
        secret_expires_at=row.secret_expires_at,
        renew_at=row.renew_at,
        replaced_at=row.replaced_at,
        problem=row.problem,
    )


def incident_out(row: Incident) -> IncidentOut:
    """Return what the API shows of an incident. Its provider app is loaded."""
    told = explanation(row)
    return IncidentOut(
        id=row.id,
        provider_app=row.provider_app_id,
        provider=row.provider_app.provider,
        kind=IncidentKind(row.kind),
        cause=IncidentCause(row.cause) if row.cause else "",
        detail=told.what,
        means=told.means,
        to_do=told.to_do,
        at=row.at,
        spared=row.spared,
        facts=row.facts,
        evidence=row.evidence,
        timeline=[IncidentStepOut(**step) for step in row.timeline],
        opened_at=row.opened_at,
        last_seen_at=row.last_seen_at,
        closed_at=row.closed_at,
    )
