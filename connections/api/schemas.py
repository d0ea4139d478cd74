"""The API's request and response bodies. Requests refuse members that they do not know."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from connections.api.branding import BrandingIn, BrandingOut
from connections.api.pages import Page
from connections.api.texts import (
    Address,
    CodeChallenge,
    CodeVerifier,
    EndUser,
    Label,
    Locale,
    Name,
    Note,
    Request,
    ScopeName,
    Slug,
    SubjectToken,
    Text,
    check_storable,
)
from connections.lifecycle.vend.order import LONGEST_WAIT_SECONDS
from connections.models import Binding, OwnerKind, Reason, Revocation, Status


class TenantIn(Request):
    """What a tenant is made or changed to; the lists replace the old ones."""

    name: Name
    branding: BrandingIn | None = Field(None, description="null keeps it")
    allowed_origins: list[Address] = []
    return_urls: list[Address] = []
    reconnect_url: Address = Field(
        "", description="your reconnect page; {connection}, {provider}, {end_user} and {scopes} are filled in"
    )


class TenantOut(BaseModel):
    """One tenant."""

    slug: str
    name: str
    branding: BrandingOut
    allowed_origins: list[str]
    return_urls: list[str]
    reconnect_url: str
    suspended: bool
    shred_at: datetime | None


class TenantPage(Page[TenantOut]):
    """One page, by slug; ``next`` is the cursor of the next one, or null."""


class DomainOut(BaseModel):
    """A host of a tenant's: verified while ``file_url`` holds the line ``file_line``, which is looked at every day."""

    host: str
    verified: bool
    verified_until: datetime | None
    looked_at: datetime | None
    failure: str
    file_url: str
    file_line: str


class DomainPage(Page[DomainOut]):
    """One page, by host; ``next`` is the cursor of the next one, or null."""


class TenantDeletionOut(BaseModel):
    """How far the deletion of a tenant is.

    ``shred_at``: its data keys are destroyed then at the latest, and sooner when every revocation has ended.
    ``connections`` are left, ``revoking`` of them are being revoked at their providers.
    """

    slug: str
    shred_at: datetime
    connections: int
    revoking: int


class ConnectSessionIn(Request):
    """An invitation to connect."""

    tenant: Slug | None = None
    end_user: EndUser
    owner: Literal["end_user", "tenant"] = "end_user"
    provider: Slug | Annotated[list[Slug], Field(min_length=1, max_length=100)]
    scopes: Annotated[list[ScopeName], Field(max_length=200)] | None = None
    add_scopes: Annotated[list[ScopeName], Field(min_length=1, max_length=200)] | None = Field(
        None, description="asked for on top of what `connection` has and keeps, in place of `scopes`"
    )
    return_url: Address
    origin: Address = Field("", description="of the page of yours over which the widget opens: an allowed origin")
    connection: uuid.UUID | None = None
    params: dict[Text, Text] = {}
    locale: Locale = Field("", description="a BCP 47 tag; a language that the pages lack does not count")
    binding: Literal["completion", "none"] = "completion"
    code_challenge: CodeChallenge | None = Field(
        None, description="S256 of a verifier that stays in the login session of yours that begins this (RFC 7636)"
    )
    allow_account_change: bool = False
    label: Label | None = Field(
        None,
        description="tells this connection from the end user's others at the provider; if one has the label already, "
        "the session renews that one",
    )


class ConnectSessionOut(BaseModel):
    """A new session. ``token`` is shown this once: it is in ``connect_url``, and what ``connect.js`` opens."""

    id: uuid.UUID
    token: str
    connect_url: str
    expires_at: datetime
    binding: Binding


class CompleteIn(Request):
    """Who is logged in at the operator's where the completion code arrived."""

    tenant: Slug | None = None
    completion_code: Annotated[Text, StringConstraints(min_length=1, max_length=200)]
    end_user: EndUser
    code_verifier: CodeVerifier | None = Field(None, description="needed where the session has a `code_challenge`")


class ScopesOut(BaseModel):
    """Scopes compared: ``missing`` are those requested or required that the connection does not have, or no longer.

    ``required`` are those without which its provider app lets nothing be vended. ``observed`` are those that the
    provider stood by when it last told of any, null if it never did.
    """

    requested: list[str]
    granted: list[str]
    required: list[str]
    observed: list[str] | None
    missing: list[str]


class HealthOut(BaseModel):
    """What the status rests on; ``undecryptable``: what is stored does not open, for want of a key or being damaged.

    ``access_expires_at`` is null where nobody said: probes watch then. The grant ends at ``refresh_expires_at``
    unless it is refreshed before, and at ``grant_expires_at`` whatever is done; null where nobody said. At
    ``answer_unread_at`` an answer was received that could not be read; it is kept, and read once the catalogue entry
    is mended.
    """

    verified_at: datetime | None
    verified_by: str
    access_expires_at: datetime | None
    refresh_due_at: datetime | None
    refresh_expires_at: datetime | None
    grant_expires_at: datetime | None
    lacks_refresh_token: bool
    failures: int
    refresh_failing_since: datetime | None
    undecryptable: bool
    answer_unread_at: datetime | None
    evidence: dict[str, Any]


class AccountOut(BaseModel):
    """The account at the provider."""

    id: str
    name: str


class ConnectionOut(BaseModel):
    """One connection, without its secrets. ``granted_by``: who connected what belongs to the whole tenant."""

    id: uuid.UUID
    tenant: str
    provider: str
    auth_style: str
    owner: OwnerKind
    end_user: str | None
    granted_by: str | None
    grants_only: bool
    binding: Binding
    status: Status
    reason: Reason
    revocation: Revocation
    paused: bool
    suspended: bool
    account: AccountOut | None
    scopes: ScopesOut
    health: HealthOut
    params: dict[str, Any]
    metadata: dict[str, Any]
    label: str
    default: bool
    version: uuid.UUID | None
    connect_url: str | None
    created_at: datetime
    updated_at: datetime


class ConnectionPage(Page[ConnectionOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class NoticeOut(BaseModel):
    """Something to know of a connection that works: a stable ``code``, what it means, and when it ends, if known."""

    code: str
    detail: str
    ends_at: datetime | None


class CompletedOut(BaseModel):
    """The connection that a session led to. ``notices``: `no_refresh_token` says that it cannot be renewed."""

    connection: ConnectionOut
    notices: list[NoticeOut]


class ContinueOut(BaseModel):
    """The end user has to choose a workspace first: send the browser that brought the completion code to ``next``."""

    next: str


class ConnectionPatch(Request):
    """What an operator may change of a connection."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"metadata": {"env": "prod"}}]})

    tenant: Slug | None = None
    metadata: dict[str, Any] | None = None
    label: Literal[""] | Label | None = Field(None, description='unique among the owner\'s connections; "" for none')
    default: bool | None = Field(None, description="what a vend by owner means where no label is named")

    @field_validator("metadata", mode="before")
    @classmethod
    def _can_be_stored(cls, metadata: Any) -> Any:
        check_storable(metadata)
        return metadata


class VendIn(Request):
    """What a credential is wanted for."""

    tenant: Slug | None = None
    end_user: EndUser | None = None
    scopes: Annotated[list[ScopeName], Field(max_length=200)] = []
    min_ttl: Annotated[float, Field(ge=0, le=86_400)] | None = None
    wait: Annotated[float, Field(ge=0, le=LONGEST_WAIT_SECONDS)] | None = Field(
        None, description="seconds to wait for a refresh if no valid credential is left; also `Prefer: wait=N`"
    )
    purpose: Note = ""
    agent: Note = ""
    groups: Annotated[list[EndUser], Field(max_length=100)] = Field([], description="the end user's, for access grants")
    subject_token: SubjectToken | None = Field(
        None,
        description="a token of whoever you serve, from your identity provider, for a connection that acts on behalf "
        "of subjects: it is exchanged (RFC 8693), and not kept",
    )
    end_user_token: SubjectToken | None = Field(None, description="of a trusted issuer: it says who `end_user` is")
    agent_token: SubjectToken | None = Field(None, description="of a trusted issuer: it says who `agent` is")


class VendByOwnerIn(VendIn):
    """The same, for a connection named by provider and end user; without ``end_user``, the tenant's own.

    With a ``subject_token`` it may also be the tenant's own, where the end user has none.
    """

    provider: Slug
    label: Label | None = None


class CredentialOut(BaseModel):
    """A credential that works now: put ``headers`` and ``query`` into each request to ``base_url``.

    ``body`` holds fields to add to each body, if the provider wants it there. If it wants it in the path, it is in
    ``base_url``. ``token_type`` is that of a token (RFC 6749 §7.1), null of any other credential. With ``proxy_only``
    the credential works and is not handed out, because each request has to be signed or sent by Latchkey itself:
    ``value`` is null, the three maps are empty, and ``notice`` says so in plain words.
    """

    auth_method: str
    value: str | None
    token_type: str | None
    proxy_only: bool
    notice: str | None
    expires_at: datetime | None
    scopes: list[str]
    missing_scopes: list[str]
    headers: dict[str, str]
    query: dict[str, str]
    body: dict[str, str]
    base_url: str
    params: dict[str, str]
    account: AccountOut | None


class VendOut(BaseModel):
    """A vend. ``grant`` is the access grant that allowed it, null where none was needed."""

    active: Literal[True] = True
    connection: uuid.UUID
    binding: str
    grant: uuid.UUID | None
    credential: CredentialOut
    version: uuid.UUID
    verified_at: datetime | None
    verified_by: str


class ReportIn(Request):
    """A provider's refusal, seen by a caller."""

    tenant: Slug | None = None
    version: uuid.UUID
    status: Annotated[int, Field(ge=100, le=599)]


class ReportOut(BaseModel):
    """``superseded``: a newer credential is there, vend again; otherwise the verdict of the probe, if there was one."""

    superseded: bool
    verdict: str | None
    status: Status
    reason: Reason


class ChangedOut(BaseModel):
    """Where a connection stands, for a client that may change connections and not read them."""

    id: uuid.UUID
    status: Status
    reason: Reason
    revocation: Revocation


class OutcomeOut(BaseModel):
    """What came of a refresh or probe on demand."""

    outcome: str
    connection: ConnectionOut | ChangedOut


class EventOut(BaseModel):
    """One event of the outbox."""

    id: uuid.UUID
    type: str
    tenant: str
    connection: uuid.UUID | None
    data: dict[str, Any]
    created_at: datetime


class EventPage(BaseModel):
    """Events after the cursor, oldest first; ``next`` is the cursor for what comes after them."""

    items: list[EventOut]
    next: str
