"""Generated from the OpenAPI document by `make clients`: do not edit. Operations, values, problems."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict, Unpack

from latchkey_client.calls import AsyncCaller, Caller, Operation
from latchkey_client.errors import Problem
from latchkey_client.wire import Answer, AsyncAnswer, AsyncSending, Sending

AttemptState = Literal["sent", "received", "promoted", "rejected", "in_doubt", "superseded", "aborted"]
"""How far an attempt has come. `sent` and `in_doubt` are open: the database allows one of them a connection."""

Binding = Literal["completion", "none", "imported"]
"""How Latchkey made sure that the person who connected is the person for whom the session was made."""

BulkAct = Literal[
    "refresh", "probe", "pause", "unpause", "suspend", "resume", "revoke", "disconnect", "export", "release"
]
"""What is done to each connection."""

Cause = Literal[
    "grant_ends",
    "credential_expires",
    "refresh_token_unused",
    "refresh_quarantine",
    "too_many_grants",
    "key_is_old",
    "certificate_expires",
    "client_secret_expires",
    "app_secret_expires",
]
"""Of what something ends. Values are stable: callers see them."""

Confidence = Literal["high", "medium", "low"]
"""How sure the facts of an entry are."""

DeliveryState = Literal["pending", "delivered", "failed"]
"""How far a delivery has come."""

EventType = Literal[
    "connect_session.mismatch",
    "connection.connected",
    "connection.recovered",
    "connection.active",
    "connection.suspect",
    "connection.needs_reauth",
    "connection.revoked",
    "connection.disconnected",
    "connection.refreshed",
    "connection.refresh_failing",
    "connection.not_refreshable",
    "connection.scopes_lost",
    "connection.scopes_gained",
    "connection.scopes_drifted",
    "connection.expiring",
    "connection.shared",
    "connection.endpoint_moved",
    "connection.answer_unread",
    "connection.credential_undecryptable",
    "connection.credential_restored",
    "connection.revocation_confirmed",
    "connection.revocation_unconfirmed",
    "connection.revocation_ignored",
    "connection.revocation_unsupported",
    "connection.revocation_withheld",
    "access_grant.given",
    "access_grant.revoked",
    "approval.requested",
    "approval.approved",
    "approval.denied",
    "provider_app.client_secret_read",
    "provider_app.client_secrets_ended",
    "import.finished",
    "end_user.offboarded",
    "incident.opened",
    "incident.closed",
    "quarantine.begun",
    "provider.event",
    "webhook_endpoint.disabled",
    "webhook_endpoint.enabled",
    "webhook_delivery.failed",
    "use.suspected",
    "use.restricted",
    "use.settled",
]
"""Every type of event that `events` writes. A test compares the list with the code."""

Font = Literal["system", "humanist", "geometric", "grotesque", "rounded", "serif", "monospace"]
"""The closed list."""

IncidentCause = Literal[
    "wrong_secret",
    "client_ended",
    "app_gone",
    "grants_ended",
    "requests_refused",
    "outage",
    "unreachable",
    "our_egress",
    "rate_limited",
    "address_not_listed",
]
"""What it probably comes from (`lifecycle.health.causes`)."""

IncidentKind = Literal["client_rejected", "many_failures", "unavailable", "address_refused"]
"""What is wrong."""

IssuerUse = Literal["caller", "end_user", "agent"]
"""Whom the tokens of an issuer are believed to name."""

OffboardingMode = Literal["offboard", "erase"]
"""How much of somebody goes."""

OwnerKind = Literal["end_user", "tenant"]
"""Whose a connection is."""

Permission = Literal[
    "connect",
    "read",
    "vend",
    "vend_without_user",
    "proxy",
    "manage",
    "grant",
    "import",
    "webhooks",
    "tenants",
    "apps",
    "callers",
    "catalogue",
    "audit",
]
"""What an API client may do."""

PushState = Literal["waiting", "done", "refused"]
"""What came of a push."""

Reason = Literal[
    "awaiting_confirmation",
    "connected",
    "reconnected",
    "recovered",
    "refresh_refused",
    "probe_refused",
    "refresh_failing",
    "grant_rejected",
    "refresh_given_up",
    "lost_in_flight",
    "answer_unread",
    "credential_dead",
    "expired",
    "provider_notified",
    "revoked_by_operator",
    "disconnected_by_request",
]
"""Why a connection has its status."""

RegistrationWay = Literal["metadata_document", "dynamic"]
"""How a server comes to know our client, in the order of preference."""

Revocation = Literal["", "pending", "confirmed", "unconfirmed", "ignored", "unsupported", "withheld"]
"""How far the revocation at the provider has come."""

RewindCause = Literal["restored", "ordered", "other_database", "behind"]
"""Why the database is taken for one that was put back."""

SessionState = Literal["created", "started", "authorizing", "held", "exchanging", "choosing", "completed", "failed"]
"""How far a connect session has come."""

SigningAlgorithm = Literal["RS256", "PS256", "ES256", "EdDSA", "HS256"]
"""How something is signed (RFC 7518 §3.1, RFC 8037 §3.1)."""

Stage = Literal["received", "current", "previous", "orphan"]
"""What a version is to its connection."""

Status = Literal["pending", "active", "suspect", "needs_reauth", "revoked", "disconnected"]
"""What a caller can expect of a connection."""

SubjectKind = Literal["end_user", "group", "agent", "api_client"]
"""What kind of name the subject of a grant is."""

TokenVerdict = Literal["unknown", "used"]
"""What is known of a stored refresh token."""


@dataclass(frozen=True, kw_only=True)
class AccessGrant:
    """One grant. `state` is `standing`, `expired` or `revoked`."""

    id: str
    """Its id"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    subject: Subject
    """Who it is for"""

    connection: str | None
    """Id of the connection"""

    provider: str | None
    """The provider's slug, or an alias of it"""

    scopes: list[str] | None
    """Scopes at the provider"""

    methods: list[str] | None
    """Methods that proxied requests may have; null does not limit"""

    paths: list[str] | None
    """Paths that proxied requests may have; null does not limit"""

    allows_vend: bool
    """The credential is handed out even where it can do more than the grant allows"""

    needs_approval: bool
    """Somebody has to approve each thing that is done under it"""

    granted_by: str | None
    """The end user who gave it, or who answers for it; null where nobody does"""

    note: str
    """Your own note"""

    state: Literal["standing", "expired", "revoked"]
    """Where it stands"""

    expires_at: datetime | None
    """When it ends; null where nobody said"""

    created_at: datetime
    """When it was made"""

    revoked_at: datetime | None
    """When it was revoked; null if it was not"""


@dataclass(frozen=True, kw_only=True)
class AccessGrantPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[AccessGrant]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account at the provider."""

    id: str
    """Its id"""

    name: str
    """Its name, for people"""


@dataclass(frozen=True, kw_only=True)
class ApiClient:
    """One API client. `tenant` is null for an operator-wide one. Its keys are never shown."""

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    name: str
    """Its name, for people"""

    permissions: list[str]
    """What the client may do"""

    allows_unbound: bool
    """It may make connect sessions that nobody confirms (`binding: none`)"""

    proxy_rules: list[str]
    """What it may call through the proxy, each `PROVIDER METHODS PATH`"""

    networks: list[str]
    """The only networks it may call from, in CIDR notation; none: from anywhere"""

    demands_verified: bool
    """It calls only for whom a token of a trusted issuer names"""

    assertion_keys: list[dict[str, Any]] | None
    """The public keys with which it signs for itself; null where it has none here"""

    assertion_jwks_url: str
    """Where these keys are; "" for nowhere"""

    suspended: bool
    """An operator has switched it off"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class ApiClientPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ApiClient]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """One key of an API client, by the beginning that is visible. `usable`: neither revoked nor expired."""

    id: str
    """Its id"""

    prefix: str
    """Its first characters, which may be seen"""

    usable: bool
    """Neither revoked nor expired"""

    expires_at: datetime
    """When it ends; null where nobody said"""

    revoked_at: datetime | None
    """When it was revoked; null if it was not"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class ApiKeyPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ApiKey]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class AppKey:
    """The public half of one key pair. The private half is never shown."""

    id: str
    """Its id"""

    kid: str
    """Its key id, as signatures name it"""

    algorithm: str
    """How it signs"""

    public_key: str
    """The public half, as PEM"""

    certificates: str
    """Its certificates, as PEM; "" for none"""

    certificate_ends_at: datetime | None
    """When the key's own certificate ends; null where it has none"""

    brought: bool
    """It was made elsewhere"""

    signs_from: datetime
    """From when on it signs"""

    published_until: datetime | None
    """Until when providers see the public half; null without an end"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class AppKeyPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[AppKey]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """What was asked, and the answer. `state` is `pending`, `approved`, `denied`, `used` or `expired`.

    `method`, `path`, `query` and `body_sha256` (the digest of its body, in hexadecimal) are those of a proxied
    request, "" for a vend. `headers` are those of its headers that may change what it does: a few as they are,
    any other as `sha256:…`. `verified` names the issuer that vouches for the `end_user` or the `agent`; the
    caller alone named whoever is missing there.
    """

    id: str
    """Its id"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    grant: str
    """Id of the access grant"""

    connection: str
    """Id of the connection"""

    api_client: str
    """Id of the API client that asked"""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    agent: str | None
    """Which agent acts, for the audit trail"""

    purpose: str
    """What for, for the audit trail"""

    action: str
    """What was asked for: a vend, or a proxied request"""

    scopes: list[str]
    """Scopes at the provider"""

    method: str
    """The method of a proxied request, "" for a vend"""

    path: str
    """The path below the connection's base URL"""

    query: str
    """Parameters to add to each request's query"""

    body_sha256: str
    """SHA-256 of the body of a proxied request, in hexadecimal; empty without one"""

    headers: dict[str, str]
    """Those that may change what is done; most as `sha256:…`"""

    verified: dict[str, str]
    """The issuer that vouches for the `end_user` or the `agent`"""

    state: Literal["pending", "approved", "denied", "used", "expired"]
    """Where it stands"""

    once: bool
    """It serves one time"""

    created_at: datetime
    """When it was made"""

    expires_at: datetime
    """When it ends; null where nobody said"""

    decided_at: datetime | None
    """When it was answered; null while it waits"""

    decided_by: str | None
    """Who answered, at yours"""

    good_until: datetime | None
    """Until when an approval serves"""

    used_at: datetime | None
    """When it was used; null if it was not"""


@dataclass(frozen=True, kw_only=True)
class ApprovalPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[Approval]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class AuditEvent:
    """One row: what happened, who asked, what was decided. `decision` is `allowed`, an outcome, or a refusal's
    code.

    `client` is the API client that called, `operator` a login name of the admin; with neither it was Latchkey
    itself, or a browser.
    """

    id: str
    """Its id"""

    at: datetime
    """When it was used"""

    action: str
    """What was asked for: a vend, or a proxied request"""

    decision: str
    """`allowed`, an outcome, or the code of the refusal"""

    tenant: str | None
    """Id of the tenant; null for what is the operator's own"""

    connection: str | None
    """Id of the connection"""

    version: str | None
    """Id of the credential version; null where there is none"""

    client: str | None
    """The API client that used it"""

    operator: str
    """The login name of an operator; "" for none"""

    subject: str
    """The end user; "" for none"""

    agent: str
    """Which agent acts, for the audit trail"""

    purpose: str
    """What for, for the audit trail"""

    scopes: list[str]
    """Scopes at the provider"""

    address: str | None
    """The network address that the call came from, if it was kept"""

    detail: dict[str, Any]
    """What it means, for people"""


@dataclass(frozen=True, kw_only=True)
class AuditEventPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[AuditEvent]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Branding:
    """How the widget looks: what is set, without what stands in for the rest."""

    colors: dict[str, str]
    """Colours by role, as #rrggbb"""

    dark_colors: dict[str, str]
    """Colours where the browser asks for a dark page"""

    radius: int | None
    """Of corners, in pixels"""

    font: str
    """The font of the pages"""

    texts: dict[str, dict[str, str]]
    """Own words, by language and place"""

    support_url: str
    """Your help page, linked under every page"""

    privacy_url: str
    """Your privacy page, linked under every page"""

    locale: str
    """The language of the pages, as a BCP 47 tag"""

    has_logo: bool
    """There is a logo"""

    has_favicon: bool
    """There is an icon for the browser's tab"""


@dataclass(frozen=True, kw_only=True)
class BulkJob:
    """One job, and how far it is."""

    id: str
    """Its id"""

    act: BulkAct
    """What was done with it: `end`, `hand_over`, …"""

    state: Literal["under_way", "cancelling", "cancelled", "done"]
    """Where it stands"""

    operator: str
    """The login name of an operator; "" for none"""

    client: str | None
    """The API client that used it"""

    total: int
    """How many connections it is about"""

    settled: int
    """For how many of them it is known what came of it"""

    outcomes: dict[str, int]
    """How many rows have each outcome"""

    ordered_at: datetime
    """When it was asked for"""

    cancelled_at: datetime | None
    """When it was cancelled; null if it was not"""

    finished_at: datetime | None
    """When nothing was left to do; null before"""


@dataclass(frozen=True, kw_only=True)
class BulkJobPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[BulkJob]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class BulkRow:
    """What came of one connection. `outcome` is a stable word, "" before its turn."""

    connection: str
    """Id of the connection"""

    outcome: str
    """What came of it, as a stable word"""

    success: bool | None
    """Whether it was done; null before its turn"""

    detail: str
    """What it means, for people"""

    result: dict[str, Any] | None
    """How the connection stood, of an export; null of any other act"""


@dataclass(frozen=True, kw_only=True)
class BulkRowPage:
    """A page of rows, in their order."""

    items: list[BulkRow]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class CallerRule:
    """One rule of an issuer of callers."""

    id: str
    """Its id"""

    client: str
    """The API client that used it"""

    conditions: list[dict[str, Any]]
    """What the token's claims have to say, all of them"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class CallerRulePage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[CallerRule]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Where a connection stands, for a client that may change connections and not read them."""

    id: str
    """Its id"""

    status: Status
    """What can be expected of it"""

    reason: Reason
    """Why, as a stable word"""

    revocation: Revocation
    """How far the revocation at the provider is; "" where none was asked for"""


@dataclass(frozen=True, kw_only=True)
class ClientSecrets:
    """What tells an app's client secrets apart, the preferred first. They are never shown themselves."""

    fingerprints: list[str]
    """What tells one secret from the others, the one in use first"""

    others_end_at: datetime | None
    """When all but the first are destroyed; null: not by themselves"""

    expires_at: datetime | None
    """When the provider lets the first expire, as far as was said"""


@dataclass(frozen=True, kw_only=True)
class Completed:
    """The connection that a session led to. `notices`: `no_refresh_token` says that it cannot be renewed."""

    connection: Connection
    """The connection that came of it"""

    notices: list[Notice]
    """What to know of it although it works"""


@dataclass(frozen=True, kw_only=True)
class ConnectSession:
    """A new session. `token` is shown this once: it is in `connect_url`, and what `connect.js` opens."""

    id: str
    """Its id"""

    token: str = field(repr=False)
    """Shown this once: what `connect.js` opens"""

    connect_url: str = field(repr=False)
    """Where to send the end user's browser within 10 minutes; it works once"""

    expires_at: datetime
    """When it ends; null where nobody said"""

    binding: Binding
    """How it was made sure that the person who connected is the one who was invited"""


@dataclass(frozen=True, kw_only=True)
class ConnectSessionPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ConnectSessionShown]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class ConnectSessionShown:
    """How far an invitation to connect came. `failure` is a stable word for why it ended, "" if it did not."""

    id: str
    """Its id"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    owner: str
    """Whose it is: an end user's, or the whole tenant's"""

    client: str
    """The API client that used it"""

    providers: list[str]
    """Providers that it is about"""

    scopes: list[str] | None
    """Scopes at the provider"""

    adds_scopes: bool
    """Whether its scopes come on top of what the connection has"""

    label: str
    """What tells it from the owner's others at the provider; "" for none"""

    binding: str
    """How it was made sure that the person who connected is the one who was invited"""

    state: SessionState
    """Where it stands"""

    failure: str
    """What went wrong, as a stable word; empty if nothing did"""

    connection: str | None
    """Id of the connection"""

    created_at: datetime
    """When it was made"""

    expires_at: datetime
    """When it ends; null where nobody said"""


@dataclass(frozen=True, kw_only=True)
class ConnectStep:
    """One step of a connect, with its outcome: `done`, or the stable code of what stopped it."""

    at: datetime
    """When it was used"""

    step: str
    """Which step it was: `authorize`, `callback`, `complete`, …"""

    outcome: str
    """What came of it, as a stable word"""

    milliseconds: int
    """How long it took"""

    exchanges: list[dict[str, Any]]
    """Each request to the provider with its answer, as far as a list allows to keep them"""


@dataclass(frozen=True, kw_only=True)
class ConnectTrace:
    """All steps that are kept of a session, in order: 40 at the most."""

    steps: list[ConnectStep]
    """What was tried, the first first"""


@dataclass(frozen=True, kw_only=True)
class ConnectionChoice:
    """One of several connections that match."""

    id: str
    """Its id"""

    label: str
    """Its label, "" for none"""

    account: str
    """The account at the provider"""


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One connection, without its secrets. `granted_by`: who connected what belongs to the whole tenant."""

    id: str
    """Its id"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    provider: str
    """The provider's slug, or an alias of it"""

    auth_style: str
    """The way to connect, such as `authorization_code` or `api_key`"""

    owner: OwnerKind
    """Whose it is: an end user's, or the whole tenant's"""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    granted_by: str | None
    """The end user who gave it, or who answers for it; null where nobody does"""

    grants_only: bool
    """Nobody uses it but under an access grant"""

    binding: Binding
    """How it was made sure that the person who connected is the one who was invited"""

    status: Status
    """What can be expected of it"""

    reason: Reason
    """Why, as a stable word"""

    revocation: Revocation
    """How far the revocation at the provider is; "" where none was asked for"""

    paused: bool
    """An operator has paused its refreshes"""

    suspended: bool
    """An operator has switched it off"""

    account: Account | None
    """The account at the provider, as far as it is known"""

    scopes: Scopes
    """Scopes at the provider"""

    health: Health
    """What the status rests on"""

    params: dict[str, Any]
    """Parameters of the provider, such as the host of an account"""

    metadata: dict[str, Any]
    """Your own notes"""

    label: str
    """What tells it from the owner's others at the provider; "" for none"""

    default: bool
    """What is meant where nothing else is named"""

    version: str | None
    """Id of the credential version; null where there is none"""

    connect_url: str | None
    """A page on which the end user connects; null where none is needed"""

    created_at: datetime
    """When it was made"""

    updated_at: datetime
    """When it last changed"""


@dataclass(frozen=True, kw_only=True)
class ConnectionPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[Connection]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Continue:
    """The end user has to choose a workspace first: send the browser that brought the completion code to `next`."""

    next: str
    """Where to send the browser that brought the completion code"""


@dataclass(frozen=True, kw_only=True)
class Credential:
    """A credential that works now: put `headers` and `query` into each request to `base_url`.

    `body` holds fields to add to each body, if the provider wants it there. If it wants it in the path, it is
    in `base_url`. `token_type` is that of a token (RFC 6749 §7.1), null of any other credential. With
    `proxy_only` the credential works and is not handed out, because each request has to be signed or sent by
    Latchkey itself: `value` is null, the three maps are empty, and `notice` says so in plain words.
    """

    auth_method: str
    """The auth style of the connection"""

    value: str | None = field(repr=False)
    """The credential itself; null if it is used through the proxy only"""

    token_type: str | None
    """Of a token (RFC 6749 §7.1); null of any other credential"""

    proxy_only: bool
    """It is used through the proxy only, and not handed out"""

    notice: str | None
    """What people should know of it; empty or null if there is nothing"""

    expires_at: datetime | None
    """When it ends; null where nobody said"""

    scopes: list[str]
    """Scopes at the provider"""

    missing_scopes: list[str]
    """Scopes that were requested or are required, and that it does not have"""

    headers: dict[str, str] = field(repr=False)
    """Headers to put into each request"""

    query: dict[str, str] = field(repr=False)
    """Parameters to add to each request's query"""

    body: dict[str, str] = field(repr=False)
    """Fields to add to each request's body"""

    base_url: str = field(repr=False)
    """Where requests go; it may hold the credential"""

    params: dict[str, str]
    """Parameters of the provider, such as the host of an account"""

    account: Account | None
    """The account at the provider, as far as it is known"""


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A host of a tenant's: verified while `file_url` holds the line `file_line`, which is looked at every day."""

    host: str
    """The host"""

    verified: bool
    """The host holds the line"""

    verified_until: datetime | None
    """Until when it counts as verified"""

    looked_at: datetime | None
    """When it was last looked for"""

    failure: str
    """What went wrong, as a stable word; empty if nothing did"""

    file_url: str
    """The file that proves the host"""

    file_line: str
    """The line that the file has to hold"""


@dataclass(frozen=True, kw_only=True)
class DomainPage:
    """One page, by host; `next` is the cursor of the next one, or null."""

    items: list[Domain]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class EndUser:
    """What an end user has here, up to 200 of a kind.

    `connections` are their own, `answers_for` those of the whole tenant that they connected or took over.
    `grants` let them use others' connections, `given` are grants that they gave. `sessions` counts the connect
    sessions under way. `offboarding` is the id of one under way.
    """

    end_user: str
    """Your own id of the end user; null where there is none"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    connections: list[Held]
    """Their own connections"""

    answers_for: list[Held]
    """Connections of the whole tenant that they connected or took over"""

    grants: list[AccessGrant]
    """Access grants that let them use others' connections"""

    given: list[AccessGrant]
    """Access grants that they gave"""

    sessions: int
    """How many connect sessions are under way"""

    offboarding: str | None
    """Id of the offboarding under way; null if there is none"""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of one connection. `revocation` is as of a connection: `pending` has not ended yet."""

    id: str
    """Its id"""

    provider: str
    """The provider's slug, or an alias of it"""

    owner: str
    """Whose it is: an end user's, or the whole tenant's"""

    act: str
    """What was done with it: `end`, `hand_over`, …"""

    revocation: Revocation
    """How far the revocation at the provider is; "" where none was asked for"""


@dataclass(frozen=True, kw_only=True)
class Ending:
    """One ending to come. `connection` is null where something of ours ends, `ends_at` where no date is known."""

    cause: Cause
    """Of what it ends"""

    ends_at: datetime | None
    """When it ends; null where it may end at any time"""

    connection: str | None
    """Id of the connection"""

    provider_app: str
    """Id of the provider app"""

    provider: str
    """The provider's slug, or an alias of it"""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    label: str
    """What tells it from the owner's others at the provider; "" for none"""

    detail: str
    """What it means, and what to do"""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event of the outbox."""

    id: str
    """Its id"""

    type: str
    """What happened, such as `connection.connected`"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    connection: str | None
    """Id of the connection"""

    data: dict[str, Any]
    """What the event says further; nothing secret"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class EventPage:
    """Events after the cursor, oldest first; `next` is the cursor for what comes after them."""

    items: list[Event]
    """What is on this page"""

    next: str
    """The cursor for what comes after these events"""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A credential that works now (RFC 8693 §2.2.1). `connection` and `version` are those of a vend."""

    access_token: str = field(repr=False)
    """The credential; use it at once"""

    issued_token_type: str
    """What kind of token it is (RFC 8693 §3)"""

    token_type: str
    """Of a token (RFC 6749 §7.1); null of any other credential"""

    expires_in: int | None = field(default=None)
    """Seconds that are left; absent where nobody said"""

    scope: str
    """Scopes, with spaces between them"""

    connection: str
    """Id of the connection"""

    version: str
    """Id of the credential version; null where there is none"""


@dataclass(frozen=True, kw_only=True)
class ForecastPage:
    """One page, the earliest first; `next` is the cursor of the next one, or null."""

    items: list[Ending]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Health:
    """What the status rests on; `undecryptable`: what is stored does not open, for want of a key or being damaged.

    `access_expires_at` is null where nobody said: probes watch then. The grant ends at `refresh_expires_at`
    unless it is refreshed before, and at `grant_expires_at` whatever is done; null where nobody said. At
    `answer_unread_at` an answer was received that could not be read; it is kept, and read once the catalogue
    entry is mended.
    """

    verified_at: datetime | None
    """When it was last proven to work"""

    verified_by: str
    """What proved it: a probe, a refresh, …"""

    access_expires_at: datetime | None
    """When the access token ends; null where nobody said"""

    refresh_due_at: datetime | None
    """When it is refreshed next; null if it is not"""

    refresh_expires_at: datetime | None
    """When the grant ends unless it is refreshed before; null where nobody said"""

    grant_expires_at: datetime | None
    """When the grant ends whatever is done; null where nobody said"""

    lacks_refresh_token: bool
    """The provider gave no refresh token, so the connection ends at `access_expires_at`"""

    failures: int
    """Failures in a row"""

    refresh_failing_since: datetime | None
    """Since when refreshes fail with no valid token left; null if they do not"""

    undecryptable: bool
    """What is stored does not open, for want of a key or being damaged"""

    answer_unread_at: datetime | None
    """When an answer came that could not be read yet; null if there is none"""

    evidence: dict[str, Any]
    """What was last seen of the provider, for people to look at"""


@dataclass(frozen=True, kw_only=True)
class HeldConnection:
    """A connection whose refresh token waits: it is released, or its end user connects again."""

    connection: str
    """Id of the connection"""

    provider: str
    """The provider's slug, or an alias of it"""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    label: str
    """What tells it from the owner's others at the provider; "" for none"""

    verdict: TokenVerdict
    """What is known of its refresh token: perhaps used since, or used"""

    held_at: datetime
    """Since when it waits"""

    access_expires_at: datetime | None
    """When the access token ends; null where nobody said"""


@dataclass(frozen=True, kw_only=True)
class HeldConnectionPage:
    """One page, by id; `next` is the cursor of the next one, or null."""

    items: list[HeldConnection]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Held:
    """One connection in short."""

    id: str
    """Its id"""

    provider: str
    """The provider's slug, or an alias of it"""

    status: Status
    """What can be expected of it"""

    label: str
    """What tells it from the owner's others at the provider; "" for none"""

    account: str
    """The account at the provider, as far as it is known"""


@dataclass(frozen=True, kw_only=True)
class Import:
    """How far an import is, and how many rows have each outcome."""

    id: str
    """Its id"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    state: str
    """`reading`, `storing`, `proving` or `done`"""

    dry_run: bool
    """No connection is stored"""

    parts: int
    """How many calls with rows were taken"""

    rows: int
    """How many rows were taken"""

    rotating: int
    """How many rows have a copy at the source that the import's refresh ends"""

    outcomes: dict[str, int]
    """How many rows have each code"""

    ignored_columns: list[str]
    """Columns without a meaning here"""

    problem: str
    """Why not all was read; "" if it was"""

    created_at: datetime
    """When it was made"""

    finished_at: datetime | None
    """When nothing was left to do; null before"""


@dataclass(frozen=True, kw_only=True)
class ImportRow:
    """What came of one row. It holds no value of the row but ids."""

    line: int
    """The number of the row, over all calls"""

    source_id: str
    """How the other system calls the connection"""

    provider: str
    """The provider's slug, or an alias of it"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    state: str
    """`refused`, `accepted`, `stored` or `settled`"""

    code: str
    """The outcome"""

    means: str
    """The outcome in words"""

    field: str
    """The column at fault"""

    detail: str
    """What it means, for people"""

    rotates: bool
    """Its refresh ends the copy at the source"""

    connection: str | None
    """Id of the connection"""


@dataclass(frozen=True, kw_only=True)
class ImportRowPage:
    """A page of rows, in their order."""

    items: list[ImportRow]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """A fault of a provider app. While it is open, no connection of the app is downgraded for it."""

    id: str
    """Its id"""

    provider_app: str
    """Id of the provider app"""

    provider: str
    """The provider's slug, or an alias of it"""

    kind: IncidentKind
    """Of which kind it is"""

    cause: IncidentCause | Literal[""]
    """What it probably comes from"""

    detail: str
    """What is so, in a sentence for operators"""

    means: str
    """What that means for connections"""

    to_do: str
    """What to do about it"""

    at: str
    """The host that it concerns; "" for the provider itself"""

    spared: int
    """How many connections were not downgraded because of it"""

    facts: dict[str, Any]
    """What was counted of it last: connections, answers, when the client secret was changed"""

    evidence: dict[str, Any]
    """What was last seen of the provider, for people to look at"""

    timeline: list[IncidentStep]
    """Its steps, the oldest first"""

    opened_at: datetime
    """When it was opened"""

    last_seen_at: datetime
    """When the fault was last noticed"""

    closed_at: datetime | None
    """When it was closed; null while it is open"""


@dataclass(frozen=True, kw_only=True)
class IncidentPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[Incident]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class IncidentStep:
    """One step of an incident."""

    at: datetime
    """When it was"""

    what: str
    """What happened"""


@dataclass(frozen=True, kw_only=True)
class IssuedApiKey:
    """A new key. `key` is in this answer and never shown again: only its hash is stored.

    It is null where a call is repeated with its `Idempotency-Key`: revoke the key if the first answer is lost.
    """

    id: str
    """Its id"""

    key: str | None = field(repr=False)
    """The key itself, in this answer alone"""

    prefix: str
    """Its first characters, which may be seen"""

    expires_at: datetime
    """When it ends; null where nobody said"""


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """One trusted issuer. `tenant` is null where the operator trusts it."""

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    use: str
    """Whom the issuer's tokens name: callers, end users, or agents"""

    issuer: str
    """The issuer, exactly as its tokens write it"""

    audience: str
    """The audience that its tokens must have"""

    keys: list[dict[str, Any]] | None
    """Its public keys; null where they are elsewhere"""

    jwks_url: str
    """Where its keys are; "" where its metadata says so"""

    algorithms: list[str]
    """How its tokens may be signed"""

    claim: str
    """A claim's name, or a JSON Pointer"""

    groups_claim: str
    """What holds the groups of an end user; "" for none"""

    tenant_claim: str
    """What holds the slug of the tenant; "" for none"""

    max_lifetime_seconds: int
    """How long its tokens may live"""

    leeway_seconds: int
    """By how much clocks may differ"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class IssuerPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[Issuer]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class ManagementSession:
    """A new session. `token` is shown this once: it is in `manage_url`, and what `connect.js` opens."""

    id: str
    """Its id"""

    token: str = field(repr=False)
    """Shown this once: what `connect.js` opens"""

    manage_url: str = field(repr=False)
    """Where to send the end user's browser; it works once"""

    expires_at: datetime
    """When it ends; null where nobody said"""


@dataclass(frozen=True, kw_only=True)
class ManagementSessionPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ManagementSessionShown]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class ManagementSessionShown:
    """A visit to the page of one's own connections, or the invitation to one."""

    id: str
    """Its id"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    client: str
    """The API client that used it"""

    providers: list[str]
    """Providers that it is about"""

    state: Literal["invited", "expired", "open", "over", "ended"]
    """Where it stands"""

    created_at: datetime
    """When it was made"""

    expires_at: datetime
    """When it ends; null where nobody said"""

    seen_at: datetime | None
    """When it was last used; null if it was not"""

    ends_at: datetime | None
    """When it ends, if that is known"""

    ended_at: datetime | None
    """When it was ended; null if it was not"""


@dataclass(frozen=True, kw_only=True)
class MemberFault:
    """What is wrong with one member of a request."""

    field: str
    """Its dotted name"""

    message: str
    """The rule that it breaks; never what was sent"""


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to connect; `fields` is the JSON Schema of what the end user types.

    With `proxy_only` no caller is handed the credential. `confidence` says how sure the facts are: "high",
    "medium", or "low" for unverified; null for an entry of your own.
    """

    auth_style: str
    """The way to connect, such as `authorization_code` or `api_key`"""

    confidence: str | None
    """How sure the facts are; null for an entry of your own"""

    configured: bool
    """There is a provider app, so that it can be connected"""

    proxy_only: bool
    """It is used through the proxy only, and not handed out"""

    fields: dict[str, Any]
    """JSON Schema of what the end user types"""


@dataclass(frozen=True, kw_only=True)
class NewWebhookEndpoint:
    """A new endpoint. `secret` is in this answer and never shown again.

    It is null where a call is repeated with its `Idempotency-Key`: rotate the secret if the first answer is
    lost.
    """

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    url: str
    """Where events are sent"""

    description: str
    """Your own note"""

    event_types: list[str] | None
    """The types of events that it is told; null is every type"""

    enabled: bool
    """It gets events"""

    disabled_reason: Literal["operator", "gone", "failing"] | None
    """Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not"""

    disabled_at: datetime | None
    """When it was disabled; null if it is enabled"""

    failing_since: datetime | None
    """Since when every attempt fails; null if the last one did not"""

    next_attempt_at: datetime | None
    """When it is tried again; null if nothing holds it back"""

    last_success_at: datetime | None
    """When it last took an event; null if it never did"""

    missed_events: int
    """Events that the outbox keeps no longer and that it never took"""

    created_at: datetime
    """When it was made"""

    secret: str | None = field(repr=False)
    """The signing secret, in this answer alone: `whsec_…`"""


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something to know of a connection that works: a stable `code`, what it means, and when it ends, if known."""

    code: str
    """What it is, for programs; it never changes"""

    detail: str
    """What it means, for people"""

    ends_at: datetime | None
    """When it ends, if that is known"""


@dataclass(frozen=True, kw_only=True)
class Offboarding:
    """The receipt of an offboarding: what was done, and what is pending while `state` is `under_way`.

    `end_user` is a pseudonym once they are erased: nothing keeps whose. `grants` are the ids of the access
    grants that were revoked; `counts` says how many rows of each other kind ended, were deleted or renamed.
    """

    id: str
    """Its id"""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    mode: OffboardingMode
    """How much of them goes: `offboard` disconnects and revokes, `erase` also forgets"""

    state: Literal["under_way", "done"]
    """Where it stands"""

    shared: str | None
    """What becomes of the whole tenant's connections that they answer for; null where that was not said"""

    handed_over_to: str | None
    """The end user who answers from then on; null for the tenant itself"""

    connections: list[Ended]
    """Their own connections"""

    grants: list[str]
    """Ids of the access grants that were revoked"""

    counts: dict[str, int]
    """How many rows of each other kind ended, were deleted or renamed"""

    ordered_at: datetime
    """When it was asked for"""

    done_at: datetime | None
    """When the last of it was done; null while it is under way"""


@dataclass(frozen=True, kw_only=True)
class OperatorBranding:
    """How pages look that belong to no tenant."""

    colors: dict[str, str]
    """Colours by role, as #rrggbb"""

    dark_colors: dict[str, str]
    """Colours where the browser asks for a dark page"""

    radius: int | None
    """Of corners, in pixels"""

    font: str
    """The font of the pages"""

    texts: dict[str, dict[str, str]]
    """Own words, by language and place"""

    support_url: str
    """Your help page, linked under every page"""

    privacy_url: str
    """Your privacy page, linked under every page"""

    locale: str
    """The language of the pages, as a BCP 47 tag"""

    has_logo: bool
    """There is a logo"""

    has_favicon: bool
    """There is an icon for the browser's tab"""

    name: str
    """Its name, for people"""


@dataclass(frozen=True, kw_only=True)
class OutboundAddresses:
    """From which addresses our calls come, as far as is known."""

    to_list: list[str]
    """What to write on a provider's list; empty where nothing is known"""

    stated: list[str]
    """What the installation states"""

    seen: str
    """What the service that was asked saw of one call; "" where none told"""

    asked: str
    """The host of that service; "" where none was asked"""

    proxy: str
    """The proxy through which calls go; "" for none"""

    notes: list[str]
    """What to know of it, in words"""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a refresh or probe on demand."""

    outcome: str
    """What came of it, as a stable word"""

    connection: Connection | Changed
    """Where the connection stands now"""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What happens next to a connection, the most important first."""

    steps: list[Step]
    """What happens, or is in the way"""


@dataclass(frozen=True, kw_only=True)
class OwnProvider:
    """An entry of your own. `used_by` counts what stands on it: provider apps, connections, keys, …."""

    slug: str
    """Its short name in addresses"""

    toml: str
    """The entry, as it is written"""

    used_by: dict[str, int]
    """What stands on it, counted"""


@dataclass(frozen=True, kw_only=True)
class OwnProviderPage:
    """One page, by slug; `next` is the cursor of the next one, or null."""

    items: list[OwnProvider]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class OwnProviderVerdict:
    """What would come of an entry. `provider` is how it would be shown, null while `problems` has sentences."""

    problems: list[str]
    """What is wrong with it, as `manage.py providers check` says it"""

    moves: list[str]
    """The keys by which stored secrets would go to another address"""

    forgets: int
    """How many provider apps would need their client secrets again"""

    hides_built_in: bool
    """It would take the place of an entry that comes with Latchkey"""

    provider: Provider | None
    """The provider's slug, or an alias of it"""


@dataclass(frozen=True, kw_only=True)
class ProviderApp:
    """One registration at a provider; no secret is ever shown. `tenant` is null for one that all tenants share.

    `redirect_uri` is what the provider asks for, null where nobody is sent there or the app registers itself.
    """

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    provider: str
    """The provider's slug, or an alias of it"""

    auth_style: str
    """The way to connect, such as `authorization_code` or `api_key`"""

    name: str
    """Its name, for people"""

    client_id: str
    """The client id at the provider"""

    has_secrets: bool
    """A client secret is stored"""

    redirect_uri: str | None
    """What the provider asks for; null where nobody is sent there"""

    registers_itself: bool
    """The app registers itself at the authorization server"""

    draft: bool
    """It waits for its client id, and cannot be used yet"""

    params: dict[str, str]
    """Parameters of the provider, such as the host of an account"""

    scopes: list[str]
    """Scopes at the provider"""

    required_scopes: list[str]
    """Scopes that are always asked for, and without which nothing is vended"""

    allowed_scopes: list[str] | None
    """All scopes that a connect session may name; null: any"""

    suspended: bool
    """An operator has switched it off"""

    paused: bool
    """An operator has paused its refreshes"""

    notice: str
    """What people should know of it; empty or null if there is nothing"""


@dataclass(frozen=True, kw_only=True)
class ProviderAppPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ProviderApp]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Provider:
    """One catalogue entry. `aliases` are further names by which it may be named, each for one of its styles.

    `icon_url` is an SVG of two letters on the provider's colour, as the widget shows it.
    """

    slug: str
    """Its short name in addresses"""

    aliases: dict[str, str]
    """Further names of the entry, each with the auth style that it stands for"""

    name: str
    """Its name, for people"""

    category: str
    """What kind of product it is"""

    icon_url: str
    """The picture that the widget shows"""

    website: str
    """The provider's website"""

    docs_url: str
    """The provider's documentation"""

    methods: list[Method]
    """Methods that proxied requests may have; null does not limit"""

    scopes: list[Scope]
    """Scopes at the provider"""


@dataclass(frozen=True, kw_only=True)
class ProviderPage:
    """One page, by slug; `next` is the cursor of the next one, or null."""

    items: list[Provider]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Push:
    """How the provider of an app tells us what happens there.

    `address` is what to register at the provider, as `steps` say. `known_by` is what proves a push. `ends` are
    the types of events that end connections; whatever else comes is passed on as the event `provider.event`.
    """

    address: str
    """What to register at the provider"""

    known_by: Literal["push_secret", "client_secret", "issuer_keys"]
    """What proves a push"""

    secret_label: str
    """The provider's word for the push secret; empty where there is none"""

    secrets: int
    """How many push secrets are in use"""

    steps: list[str]
    """What to do at the provider, a sentence each"""

    ends: list[str]
    """The types of events that end connections"""

    last_received_at: datetime | None
    """When a push was last believed"""

    last_refused_at: datetime | None
    """When a push was last refused"""

    last_refusal: str
    """Why, as a code: `signature` most of all; empty where none was"""


@dataclass(frozen=True, kw_only=True)
class PushSecrets:
    """What tells an app's push secrets apart, the newest first. They are never shown themselves."""

    fingerprints: list[str]
    """What tells one secret from the others, the one in use first"""


@dataclass(frozen=True, kw_only=True)
class Quarantine:
    """How the last quarantine stands, of the tenants that the client may see."""

    active: bool
    """Refreshes wait"""

    sorted: bool
    """It is known which connections wait; until then nothing is refreshed"""

    begun_at: datetime | None
    """When it was begun; null if there was none"""

    cause: RewindCause | None
    """Why the database is taken for one that was put back"""

    data_from: datetime | None
    """The moment to which it was put back; null where nobody knows"""

    tenants: list[Waiting]
    """Those of which connections wait, by slug"""


@dataclass(frozen=True, kw_only=True)
class ReceiptClient:
    """The API client that used it; `name` is null when the client is gone."""

    id: str
    """Its id"""

    name: str | None
    """Its name, for people"""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """One use of a connection: by `kind` a credential that was handed out, or a request that the proxy sent.

    `end_user` is whom the caller named, or null. `agent` and `purpose` are what it said of itself, "" for
    nothing. Where a trusted issuer's token named the end user or the agent, `verified` has the issuer.
    """

    id: str
    """Its id"""

    at: datetime
    """When it was used"""

    kind: Literal["credential", "request"]
    """Of which kind it is"""

    client: ReceiptClient | None
    """The API client that used it"""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    agent: str
    """Which agent acts, for the audit trail"""

    verified: Verified
    """The host holds the line"""

    purpose: str
    """What for, for the audit trail"""

    scopes: list[str]
    """Scopes at the provider"""

    version: str | None
    """Id of the credential version; null where there is none"""

    address: str | None
    """The network address that the call came from, if it was kept"""


@dataclass(frozen=True, kw_only=True)
class ReceiptPage:
    """One page, the newest use first. It may be short or empty although `next`, the cursor of the next one, is
    there.

    That is so where a filter leaves out much: go on while there is a `next`.
    """

    items: list[Receipt]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class ReceivedPush:
    """One push that came. Of what it said only its types are kept.

    `why` is the code of a refusal, and `count` how many refused ones the row stands for. `connections` counts
    those that it was about.
    """

    id: str
    """Its id"""

    state: PushState
    """What came of it"""

    why: str
    """Why it was refused, as a code; empty where it was not"""

    event_types: list[str]
    """The provider's types of its events"""

    connections: int
    """How many connections it was about"""

    ended: int
    """How many of them it has ended"""

    forwarded: int
    """How many events `provider.event` came of it"""

    count: int
    """How many refused pushes the row stands for"""

    repeats: int
    """How often the same delivery came again"""

    received_at: datetime
    """When it came"""


@dataclass(frozen=True, kw_only=True)
class ReceivedPushPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[ReceivedPush]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class RefreshAttempt:
    """One try to refresh one credential version. `evidence` says what the provider answered, without a secret."""

    id: str
    """Its id"""

    state: AttemptState
    """Where it stands"""

    trigger: str
    """What made it begin: a sweep, a vend, a report, …"""

    version: str
    """Id of the version whose refresh token it spends"""

    claimed_at: datetime
    """When it began"""

    deadline_at: datetime
    """When its time is up"""

    ended_at: datetime | None
    """When it was ended; null if it was not"""

    follows_doubt: bool
    """An earlier one of the version was never answered"""

    error: str
    """A stable word for what went wrong; "" if nothing did"""

    evidence: dict[str, Any]
    """What was last seen of the provider, for people to look at"""


@dataclass(frozen=True, kw_only=True)
class RefreshAttemptPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[RefreshAttempt]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class RegisteredClient:
    """What an app has registered without hands at one authorization server; no secret is ever shown."""

    id: str
    """Its id"""

    issuer: str
    """The issuer, exactly as its tokens write it"""

    way: RegistrationWay
    """How it was registered"""

    client_id: str
    """The client id at the provider"""

    redirect_uri: str
    """What the provider asks for; null where nobody is sent there"""

    registered_at: datetime | None
    """When it was registered; null if it is not yet"""

    secret_expires_at: datetime | None
    """When its client secret ends; null if it does not"""

    renew_at: datetime | None
    """When it is renewed; null if it is not"""

    replaced_at: datetime | None
    """When another took its place; null if none did"""

    problem: str
    """Why it could not be done, in words; "" if it could"""


@dataclass(frozen=True, kw_only=True)
class RegisteredClientPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[RegisteredClient]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """The registration that is current after a renewal; `replaced`: it has another client id than before."""

    replaced: bool
    """Another registration, with another client id, has taken its place"""

    client: RegisteredClient
    """The registration that is current now"""


@dataclass(frozen=True, kw_only=True)
class Report:
    """`superseded`: a newer credential is there, vend again; otherwise the verdict of the probe, if there was one."""

    superseded: bool
    """A newer credential is there: vend again"""

    verdict: str | None
    """What the probe found; null if none was made"""

    status: Status
    """What can be expected of it"""

    reason: Reason
    """Why, as a stable word"""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A scope in plain words."""

    name: str
    """Its name, for people"""

    description: str
    """What it allows, in plain words"""

    default: bool
    """What is meant where nothing else is named"""


@dataclass(frozen=True, kw_only=True)
class Scopes:
    """Scopes compared: `missing` are those requested or required that the connection does not have, or no longer.

    `required` are those without which its provider app lets nothing be vended. `observed` are those that the
    provider stood by when it last told of any, null if it never did.
    """

    requested: list[str]
    """Scopes that were asked for"""

    granted: list[str]
    """Scopes that were granted"""

    required: list[str]
    """Scopes without which its provider app lets nothing be vended"""

    observed: list[str] | None
    """Scopes that the provider stood by when it last told of any; null if it never did"""

    missing: list[str]
    """Scopes that were requested or are required, and that it does not have"""


@dataclass(frozen=True, kw_only=True)
class SecretSource:
    """From where the client secret is read, and how the last look went. Where it fails, the one before is in use."""

    client_secret_from: str | None
    """The reference; null: from nowhere, people enter it"""

    read_at: datetime | None
    """When it was read last"""

    next_look_at: datetime | None
    """When it is read again; sooner where the provider refuses it"""

    failing_since: datetime | None
    """Null where the last look has read it"""

    problem: str
    """Why it cannot be read, and what to do"""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One event to come, or what holds it back."""

    text: str
    """What happens, in words for operators"""

    at: datetime | None
    """When; null where that has no time"""

    held: bool
    """It is an obstacle, not an event"""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who a grant is for."""

    kind: SubjectKind
    """Of which kind it is"""

    id: str
    """Its id"""


@dataclass(frozen=True, kw_only=True)
class TenantDeletion:
    """How far the deletion of a tenant is.

    `shred_at`: its data keys are destroyed then at the latest, and sooner when every revocation has ended.
    `connections` are left, `revoking` of them are being revoked at their providers.
    """

    slug: str
    """Its short name in addresses"""

    shred_at: datetime
    """When its data keys are destroyed at the latest; null unless it is being deleted"""

    connections: int
    """How many connections are left"""

    revoking: int
    """How many of them are being revoked at their providers"""


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """One tenant."""

    slug: str
    """Its short name in addresses"""

    name: str
    """Its name, for people"""

    branding: Branding
    """How the tenant's pages look"""

    allowed_origins: list[str]
    """Origins of pages of yours over which the widget may open"""

    return_urls: list[str]
    """Where browsers may come back to"""

    reconnect_url: str
    """Your page on which an end user connects again"""

    suspended: bool
    """An operator has switched it off"""

    shred_at: datetime | None
    """When its data keys are destroyed at the latest; null unless it is being deleted"""


@dataclass(frozen=True, kw_only=True)
class TenantPage:
    """One page, by slug; `next` is the cursor of the next one, or null."""

    items: list[Tenant]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Vend:
    """A vend. `grant` is the access grant that allowed it, null where none was needed."""

    active: Literal[True] | None = field(default=None)
    """Always true: what is vended works now"""

    connection: str
    """Id of the connection"""

    binding: str
    """How it was made sure that the person who connected is the one who was invited"""

    grant: str | None
    """Id of the access grant"""

    credential: Credential
    """What to call the provider with"""

    version: str
    """Id of the credential version; null where there is none"""

    verified_at: datetime | None
    """When it was last proven to work"""

    verified_by: str
    """What proved it: a probe, a refresh, …"""


@dataclass(frozen=True, kw_only=True)
class Verified:
    """The issuers whose tokens named the end user and the agent; null where the caller alone said so."""

    end_user: str | None
    """Your own id of the end user; null where there is none"""

    agent: str | None
    """Which agent acts, for the audit trail"""


@dataclass(frozen=True, kw_only=True)
class Version:
    """One credential version: everything about it but the secrets."""

    id: str
    """Its id"""

    stage: Stage
    """How far it is; at most one is `current`"""

    grant: str
    """Id of the authorization that it comes from"""

    parent: str | None
    """Id of the version that was refreshed for it; null for a first one"""

    attempt: str | None
    """Id of the refresh that received it; null for a first one"""

    scopes: list[str]
    """Scopes at the provider"""

    refreshable: bool
    """It can be refreshed"""

    received_at: datetime
    """When it came"""

    expires_at: datetime | None
    """When it ends; null where nobody said"""

    refresh_expires_at: datetime | None
    """When its refresh token ends, where that is known"""


@dataclass(frozen=True, kw_only=True)
class VersionPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[Version]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """How many connections of one tenant wait."""

    tenant: str
    """The tenant's slug; operator-wide clients have to name it"""

    waits: int
    """How many of its connections wait"""

    used: int
    """Of how many of these the refresh token is known to be used"""

    vends: int
    """How many of these have an access token that is valid still, or of unknown end"""


@dataclass(frozen=True, kw_only=True)
class WebhookDelivery:
    """One event on its way to one endpoint. Of answers nothing is kept but their status."""

    id: str
    """Its id"""

    event: str
    """Id of the event, as `webhook-id` has it"""

    type: str
    """What happened, such as `connection.connected`"""

    connection: str | None
    """Id of the connection"""

    state: Literal["pending", "delivered", "failed"]
    """Where it stands"""

    attempts: int
    """How often it was tried"""

    status: int | None
    """The HTTP status of the last answer; null where none came"""

    error: str
    """What was wrong, in words; empty if nothing was"""

    attempted_at: datetime | None
    """When it was last tried; null if it was not"""

    next_attempt_at: datetime | None
    """When it is tried again; null if nothing holds it back"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class WebhookDeliveryPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[WebhookDelivery]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class WebhookEndpoint:
    """One endpoint. `tenant` is null for the operator's own, which is told the events of all tenants."""

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    url: str
    """Where events are sent"""

    description: str
    """Your own note"""

    event_types: list[str] | None
    """The types of events that it is told; null is every type"""

    enabled: bool
    """It gets events"""

    disabled_reason: Literal["operator", "gone", "failing"] | None
    """Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not"""

    disabled_at: datetime | None
    """When it was disabled; null if it is enabled"""

    failing_since: datetime | None
    """Since when every attempt fails; null if the last one did not"""

    next_attempt_at: datetime | None
    """When it is tried again; null if nothing holds it back"""

    last_success_at: datetime | None
    """When it last took an event; null if it never did"""

    missed_events: int
    """Events that the outbox keeps no longer and that it never took"""

    created_at: datetime
    """When it was made"""


@dataclass(frozen=True, kw_only=True)
class WebhookEndpointPage:
    """One page, the newest first; `next` is the cursor of the next one, or null."""

    items: list[WebhookEndpoint]
    """What is on this page"""

    next: str | None
    """The cursor of the next page; null on the last"""


@dataclass(frozen=True, kw_only=True)
class WebhookReplay:
    """How many events are delivered once more."""

    events: int
    """How many events they are"""


@dataclass(frozen=True, kw_only=True)
class WebhookSecret:
    """A new signing secret, in this answer alone; null where a call is repeated with its `Idempotency-Key`."""

    secret: str | None = field(repr=False)
    """The signing secret, in this answer alone: `whsec_…`"""


@dataclass(frozen=True, kw_only=True)
class WebhookSwitch:
    """The endpoint, and what it will never get."""

    id: str
    """Its id"""

    tenant: str | None
    """The tenant's slug; operator-wide clients have to name it"""

    url: str
    """Where events are sent"""

    description: str
    """Your own note"""

    event_types: list[str] | None
    """The types of events that it is told; null is every type"""

    enabled: bool
    """It gets events"""

    disabled_reason: Literal["operator", "gone", "failing"] | None
    """Why it is disabled: by somebody, gone (410), or failing for three days; null if it is not"""

    disabled_at: datetime | None
    """When it was disabled; null if it is enabled"""

    failing_since: datetime | None
    """Since when every attempt fails; null if the last one did not"""

    next_attempt_at: datetime | None
    """When it is tried again; null if nothing holds it back"""

    last_success_at: datetime | None
    """When it last took an event; null if it never did"""

    missed_events: int
    """Events that the outbox keeps no longer and that it never took"""

    created_at: datetime
    """When it was made"""

    fell_out: int
    """How many events the outbox no longer kept when it was enabled"""


@dataclass(frozen=True, kw_only=True)
class WebhookTest:
    """What came of a test event. `status` is null where no answer came."""

    delivered: bool
    """The receiver took it"""

    status: int | None
    """The HTTP status of the answer; null where none came"""

    error: str
    """What was wrong, in words; empty if nothing was"""

    seconds: float
    """How long it took"""


class AccessGrantIn(TypedDict):
    """A grant, on a connection or on a provider. In each list of limits, null does not limit and [] allows
    nothing.
    """

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    subject: SubjectIn
    """Who it is for"""

    connection: NotRequired[str | None]
    """Id of the connection"""

    provider: NotRequired[str | None]
    """Every connection of the tenant at this provider"""

    scopes: NotRequired[Sequence[str] | None]
    """Which the subject may ask for"""

    methods: NotRequired[Sequence[str] | None]
    """Of proxied requests"""

    paths: NotRequired[Sequence[str] | None]
    """Of proxied requests; `*` is one segment, `/**` at the end whatever is below"""

    readonly: NotRequired[bool]
    """Short for the methods GET and HEAD"""

    allows_vend: NotRequired[bool]
    """Hand the credential out even where it can do more than the grant allows, or lives longer"""

    needs_approval: NotRequired[bool]
    """Somebody has to approve each thing that is done under it"""

    expires_at: NotRequired[datetime | str | None]
    """When it ends; null where nobody said"""

    granted_by: NotRequired[str | None]
    """The end user who gives it, if one does"""

    note: NotRequired[str]
    """Your own note"""


class ApiClientIn(TypedDict):
    """A new API client."""

    permissions: NotRequired[Sequence[Permission]]
    """What the client may do"""

    allows_unbound: NotRequired[bool]
    """May make connect sessions that nobody confirms (`binding: none`)"""

    proxy_rules: NotRequired[Sequence[str]]
    """Each `PROVIDER METHODS PATH`, as `hubspot readonly /crm/v3/**`"""

    networks: NotRequired[Sequence[str]]
    """The only ones it may call from, in CIDR notation; none: anywhere"""

    demands_verified: NotRequired[bool]
    """It calls only for whom a token of a trusted issuer names"""

    name: str
    """Its name, for people"""


class ApiClientTerms(TypedDict):
    """What an API client may do, and how it has to prove itself. What is left out is taken back."""

    permissions: NotRequired[Sequence[Permission]]
    """What the client may do"""

    allows_unbound: NotRequired[bool]
    """May make connect sessions that nobody confirms (`binding: none`)"""

    proxy_rules: NotRequired[Sequence[str]]
    """Each `PROVIDER METHODS PATH`, as `hubspot readonly /crm/v3/**`"""

    networks: NotRequired[Sequence[str]]
    """The only ones it may call from, in CIDR notation; none: anywhere"""

    demands_verified: NotRequired[bool]
    """It calls only for whom a token of a trusted issuer names"""


class ApiKeyEndIn(TypedDict):
    """When a key ends."""

    expires_at: datetime | str
    """Before it would end anyway"""


class ApiKeyIn(TypedDict):
    """A new key."""

    lifetime_days: NotRequired[int]
    """How long the key lives"""

    earlier_keys_end_after_seconds: NotRequired[int | None]
    """A rotation: every earlier key ends then at the latest; null leaves them alone"""


class AppKeyIn(TypedDict):
    """A key pair, made here or brought. It takes over from an earlier one after `lead_seconds`."""

    algorithm: NotRequired[SigningAlgorithm]
    """With two halves: no shared secret"""

    kid: NotRequired[str]
    """Its id; by default its thumbprint"""

    private_key: NotRequired[str | None]
    """PEM; null makes one here"""

    passphrase: NotRequired[str | None]
    """Of `private_key`"""

    certificates: NotRequired[str]
    """PEM, its own first"""

    lead_seconds: NotRequired[int]
    """After how long a key signs that takes over from another"""

    overlap_seconds: NotRequired[int]
    """For how much longer the earlier key stays published"""


class ApprovalIn(TypedDict):
    """Who approves, at yours; without `until` for one time, within 15 minutes."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    decided_by: str
    """Who answered, at yours"""

    until: NotRequired[datetime | str | None]
    """As often as wanted until then, 30 days at the most"""


class AssertionKeysIn(TypedDict):
    """The public keys with which a client signs for itself (`private_key_jwt`); with neither member it has none."""

    keys: NotRequired[Sequence[Mapping[str, Any]] | None]
    """Public JWKs (RFC 7517)"""

    jwks_url: NotRequired[str]
    """Where its JWK Set is: https and public"""


class BrandingIn(TypedDict):
    """How the widget looks. What is not given is the operator's, or ours; only pictures stay if they are not
    given.
    """

    colors: NotRequired[Colors]
    """Colours by role, as #rrggbb"""

    dark_colors: NotRequired[Colors]
    """Where the browser asks for a dark page"""

    radius: NotRequired[int | None]
    """Of corners, in pixels"""

    font: NotRequired[Font | Literal[""]]
    """One of a closed list of what systems have"""

    texts: NotRequired[Mapping[str, Mapping[str, str]]]
    """Own words, by language and place: `title` (the heading of the first page; at most 80 characters; may hold
    {provider} and {tenant}), `reason` (the sentence of the first page: who asks for what; at most 300
    characters; may hold {provider} and {tenant}), `continue` (the button of the first page; at most 40
    characters; may hold {provider}), `choose` (the heading of the choice; at most 80 characters; may hold
    {tenant}), `connect` (the button under the fields; at most 40 characters; may hold {provider}), `back` (the
    way back; at most 40 characters; may hold {tenant})
    """

    support_url: NotRequired[str]
    """Https; shown under every page"""

    privacy_url: NotRequired[str]
    """Https; shown under every page"""

    locale: NotRequired[str]
    """The language of the pages, unless the session names one"""

    logo: NotRequired[str | None]
    """Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it"""

    favicon: NotRequired[str | None]
    """Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it;
    without one it is the logo
    """


class BulkJobIn(TypedDict):
    """One act on many connections: on those that are named, or on all of the tenant's that the filters leave.

    `release` is about those of them that refresh quarantine holds.
    """

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    act: BulkAct
    """What was done with it: `end`, `hand_over`, …"""

    connections: NotRequired[Sequence[str] | None]
    """Ids; those of no connection of the tenant's are left out"""

    provider: NotRequired[str | None]
    """Only those at this provider"""

    end_user: NotRequired[str | None]
    """Only those of this end user"""

    status: NotRequired[Status | None]
    """Only those in this status"""

    everything: NotRequired[bool]
    """All connections of the tenant, where nothing else says which"""


class CallerRuleIn(TypedDict):
    """Which tokens of an issuer are an API client: those for which all conditions hold."""

    client: str
    """The API client that used it"""

    conditions: Sequence[ClaimCondition]
    """What the token's claims have to say, all of them"""


class CanaryIn(TypedDict):
    """What a canary is to look like."""

    tenant: str
    """Among whose connections it is laid"""

    provider_app: str
    """Where it seems to lead: an app of the tenant's, or a shared one"""

    end_user: NotRequired[str | None]
    """Whose it seems to be; none: the whole tenant's"""

    label: NotRequired[str | None]
    """As connections have one"""

    account: NotRequired[str]
    """The name of the account at the provider, as it is shown"""


class CertificatesIn(TypedDict):
    """Certificates of a key, in place of those it had."""

    certificates: str
    """PEM, its own first"""


class ClaimCondition(TypedDict):
    """What one claim has to say: give either `equals` or `matches`, where `*` and `**` are wildcards."""

    claim: str
    """A claim's name, or a JSON Pointer"""

    equals: NotRequired[bool | int | str | None]
    """The very value that the claim has"""

    matches: NotRequired[str | None]
    """The form of the claim's text: `*` within a part, `**` for anything"""


class ClientSecretIn(TypedDict):
    """One more client secret."""

    client_secret: str
    """A client secret, as the provider gave it out"""

    preferred: NotRequired[bool]
    """It is used before the others; otherwise after them"""

    others_end_at: NotRequired[datetime | str | None]
    """When all but a preferred one are destroyed; null: once they are removed"""

    expires_at: NotRequired[datetime | str | None]
    """When the provider lets a preferred one expire, for the forecast; null: not known"""


class Colors(TypedDict):
    """Colours as #rrggbb; an empty one is the operator's, or ours."""

    accent: NotRequired[str]
    """Buttons and outlines; at least 3 : 1 to `surface` (WCAG 2.2 AA)"""

    background: NotRequired[str]
    """Behind the card"""

    surface: NotRequired[str]
    """The card"""

    text: NotRequired[str]
    """At least 4.5 : 1 to `surface` and to `background` (WCAG 2.2 AA)"""


class CompleteIn(TypedDict):
    """Who is logged in at the operator's where the completion code arrived."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    completion_code: str
    """The code that came back to the return URL"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    code_verifier: NotRequired[str | None]
    """Needed where the session has a `code_challenge`"""


class ConnectSessionIn(TypedDict):
    """An invitation to connect."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    end_user: str
    """Your own id of the end user; null where there is none"""

    owner: NotRequired[Literal["end_user", "tenant"]]
    """Whose it is: an end user's, or the whole tenant's"""

    provider: str | Sequence[str]
    """The provider's slug, or several to choose from"""

    scopes: NotRequired[Sequence[str] | None]
    """Scopes at the provider"""

    add_scopes: NotRequired[Sequence[str] | None]
    """Asked for on top of what `connection` has and keeps, in place of `scopes`"""

    return_url: str
    """Where the browser comes back to: one of the tenant's `return_urls`"""

    origin: NotRequired[str]
    """Of the page of yours over which the widget opens: an allowed origin"""

    connection: NotRequired[str | None]
    """Id of the connection that is to be renewed"""

    params: NotRequired[Mapping[str, str]]
    """Parameters of the provider, such as the host of an account"""

    locale: NotRequired[str]
    """A BCP 47 tag; a language that the pages lack does not count"""

    binding: NotRequired[Literal["completion", "none"]]
    """How it was made sure that the person who connected is the one who was invited"""

    code_challenge: NotRequired[str | None]
    """S256 of a verifier that stays in the login session of yours that begins this (RFC 7636)"""

    allow_account_change: NotRequired[bool]
    """A reconnect may come back with another account at the provider"""

    label: NotRequired[str | None]
    """Tells this connection from the end user's others at the provider; if one has the label already, the session
    renews that one
    """


class ConnectionPatch(TypedDict):
    """What an operator may change of a connection."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    metadata: NotRequired[Mapping[str, Any] | None]
    """Your own notes"""

    label: NotRequired[Literal[""] | str | None]
    """Unique among the owner's connections; "" for none"""

    default: NotRequired[bool | None]
    """What a vend by owner means where no label is named"""


class DecisionIn(TypedDict):
    """Who answers, at yours."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    decided_by: str
    """Who answered, at yours"""


class EndsOfSecretsIn(TypedDict):
    """When the client secrets beside the preferred one end, and when that one expires at the provider."""

    others_end_at: datetime | str | None
    """Null: they stay until they are removed"""

    expires_at: NotRequired[datetime | str | None]
    """Null: not known, or never; left out, it stays as it is"""


class ExchangeIn(TypedDict):
    """A token exchange, as a form. What is not known is ignored (RFC 6749 §3.2)."""

    grant_type: str
    """Urn:ietf:params:oauth:grant-type:token-exchange"""

    subject_token: str
    """A JWT of an issuer that is trusted for end users"""

    subject_token_type: str
    """Urn:ietf:params:oauth:token-type:jwt, urn:ietf:params:oauth:token-type:id_token,
    urn:ietf:params:oauth:token-type:access_token
    """

    actor_token: NotRequired[str]
    """A JWT of an issuer that is trusted for agents"""

    actor_token_type: NotRequired[str]
    """Undescribed."""

    audience: NotRequired[str]
    """The slug of a provider, or the id of a connection"""

    resource: NotRequired[str]
    """The same as an address of this API: …/providers/{slug}, …/connections/{id}"""

    scope: NotRequired[str]
    """Undescribed."""

    requested_token_type: NotRequired[str]
    """Undescribed."""

    client_id: NotRequired[str]
    """The id of the API client"""

    client_secret: NotRequired[str]
    """A key of that client's, in the place of a bearer (RFC 6749 §2.3.1)"""

    client_assertion: NotRequired[str]
    """Private_key_jwt (RFC 7523), in the place of a bearer"""

    client_assertion_type: NotRequired[str]
    """Undescribed."""

    tenant: NotRequired[str]
    """Needed of an operator-wide client"""

    label: NotRequired[str]
    """Undescribed."""

    purpose: NotRequired[str]
    """Undescribed."""


class ImportIn(TypedDict):
    """An import, with its first rows. Columns are named as for `manage.py connections import`, or by Nango."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    rows: NotRequired[Sequence[Mapping[str, Any]] | None]
    """The rows, as objects"""

    csv: NotRequired[str | None]
    """The rows, as CSV with a header"""

    complete: NotRequired[bool]
    """No more rows come: the import begins"""

    format: NotRequired[Literal["rows", "nango"]]
    """Whose names the members of rows are"""

    columns: NotRequired[Mapping[str, str]]
    """Our name for each column of yours"""

    provider: NotRequired[str | None]
    """The provider of rows that name none"""

    end_user: NotRequired[str | None]
    """The end user of rows that name none"""

    providers: NotRequired[Mapping[str, str]]
    """The slug of each provider, by your name for it"""

    on_conflict: NotRequired[Literal["skip", "replace"]]
    """What if the owner has the connection already"""

    all_or_nothing: NotRequired[bool]
    """Store nothing unless every row can be used"""

    refresh_all: NotRequired[bool]
    """Also refresh once what does not rotate; what rotates always is"""

    verify: NotRequired[bool]
    """Probe each connection"""

    dry_run: NotRequired[bool]
    """Judge the rows, and store no connection"""


class ImportRowsIn(TypedDict):
    """The next rows of an import."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    rows: NotRequired[Sequence[Mapping[str, Any]] | None]
    """The rows, as objects"""

    csv: NotRequired[str | None]
    """The rows, as CSV with a header"""

    complete: NotRequired[bool]
    """No more rows come: the import begins"""

    part: int
    """The number of this call, from 2; repeating one does nothing"""


class IssuerIn(TypedDict):
    """An issuer to trust, for one use and one audience."""

    keys: NotRequired[Sequence[Mapping[str, Any]] | None]
    """Its public JWKs; without these and `jwks_url` its metadata says"""

    jwks_url: NotRequired[str]
    """Where its keys are; "" where its metadata says so"""

    algorithms: NotRequired[Sequence[str]]
    """How its tokens may be signed"""

    claim: NotRequired[str]
    """What holds the id of an end user or agent: a name, or a JSON Pointer"""

    groups_claim: NotRequired[str]
    """What holds the groups of an end user; "" for none"""

    tenant_claim: NotRequired[str]
    """What holds the tenant's slug; needed for end users of all tenants"""

    max_lifetime_seconds: NotRequired[int]
    """How long its tokens may live"""

    leeway_seconds: NotRequired[int]
    """By how much clocks may differ"""

    use: IssuerUse
    """Whom the issuer's tokens name: callers, end users, or agents"""

    issuer: str
    """Exactly as its tokens write it"""

    audience: str
    """Yours, and nobody else's"""


class IssuerTerms(TypedDict):
    """How the tokens of an issuer are checked, and what they say. What is left out is the default again."""

    keys: NotRequired[Sequence[Mapping[str, Any]] | None]
    """Its public JWKs; without these and `jwks_url` its metadata says"""

    jwks_url: NotRequired[str]
    """Where its keys are; "" where its metadata says so"""

    algorithms: NotRequired[Sequence[str]]
    """How its tokens may be signed"""

    claim: NotRequired[str]
    """What holds the id of an end user or agent: a name, or a JSON Pointer"""

    groups_claim: NotRequired[str]
    """What holds the groups of an end user; "" for none"""

    tenant_claim: NotRequired[str]
    """What holds the tenant's slug; needed for end users of all tenants"""

    max_lifetime_seconds: NotRequired[int]
    """How long its tokens may live"""

    leeway_seconds: NotRequired[int]
    """By how much clocks may differ"""


class KillSwitchIn(TypedDict):
    """What is switched off; a switch that stands as asked is not changed."""

    suspended: bool
    """The kill switch, in force from the next request on; only an operator-wide client takes it back"""


class ManagementSessionIn(TypedDict):
    """An invitation to the page of one's own connections."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    end_user: str
    """Who is logged in at your product: never take it from a link"""

    return_url: str
    """Where the browser comes back to: one of the tenant's `return_urls`"""

    origin: NotRequired[str]
    """Of the page of yours over which the page opens: an allowed origin"""

    providers: NotRequired[Sequence[str]]
    """To which they may connect another account from the page; none by default"""

    locale: NotRequired[str]
    """A BCP 47 tag; a language that the pages lack does not count"""

    code_challenge: NotRequired[str | None]
    """As at /connect-sessions, for whatever is connected from the page"""


class OperatorBrandingIn(TypedDict):
    """How pages look that belong to no tenant, and what stands in where a tenant says nothing."""

    colors: NotRequired[Colors]
    """Colours by role, as #rrggbb"""

    dark_colors: NotRequired[Colors]
    """Where the browser asks for a dark page"""

    radius: NotRequired[int | None]
    """Of corners, in pixels"""

    font: NotRequired[Font | Literal[""]]
    """One of a closed list of what systems have"""

    texts: NotRequired[Mapping[str, Mapping[str, str]]]
    """Own words, by language and place: `title` (the heading of the first page; at most 80 characters; may hold
    {provider} and {tenant}), `reason` (the sentence of the first page: who asks for what; at most 300
    characters; may hold {provider} and {tenant}), `continue` (the button of the first page; at most 40
    characters; may hold {provider}), `choose` (the heading of the choice; at most 80 characters; may hold
    {tenant}), `connect` (the button under the fields; at most 40 characters; may hold {provider}), `back` (the
    way back; at most 40 characters; may hold {tenant})
    """

    support_url: NotRequired[str]
    """Https; shown under every page"""

    privacy_url: NotRequired[str]
    """Https; shown under every page"""

    locale: NotRequired[str]
    """The language of the pages, unless the session names one"""

    logo: NotRequired[str | None]
    """Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it"""

    favicon: NotRequired[str | None]
    """Data URI of a PNG, JPEG, GIF, WebP or SVG, at most 64 KiB, drawn anew; null keeps it, empty removes it;
    without one it is the logo
    """

    name: NotRequired[str]
    """Its name, for people"""


class OwnProviderDraft(TypedDict):
    """An entry that is tried, and not stored."""

    toml: str
    """The entry, as it is written"""


class OwnProviderIn(TypedDict):
    """An entry of your own, as `manage.py providers` reads it (TOML)."""

    toml: str
    """The entry, as it is written"""

    confirm: NotRequired[bool]
    """Needed where client secrets would go to another address, so that they have to be entered again, and where
    the entry takes the place of one that comes with Latchkey
    """


class ProviderAppIn(TypedDict):
    """A registration at a provider, shared or a tenant's own. What is left out is taken back, but for client
    secrets.

    `client_secrets` are in order, the preferred first; without them the stored ones stay, unless the client id
    or an address changes. Without a client id the app registers itself, if the authorization server offers
    that; else it is a draft, which shows the redirect URI to register.
    """

    auth_style: NotRequired[str | None]
    """Default: what an alias stands for, else the entry's first"""

    name: NotRequired[str]
    """Its name, for people"""

    client_id: NotRequired[str]
    """The client id at the provider"""

    client_secrets: NotRequired[Sequence[str] | None]
    """The client secrets, the preferred first; without them the stored ones stay"""

    params: NotRequired[Mapping[str, str]]
    """Parameters of the provider, such as the host of an account"""

    scopes: NotRequired[Sequence[str]]
    """Scopes at the provider"""

    required_scopes: NotRequired[Sequence[str]]
    """Always asked for; a connection without one of them vends nothing"""

    allowed_scopes: NotRequired[Sequence[str] | None]
    """All that a connect session may name; null: any, an empty list: none"""

    allows_legacy: NotRequired[bool]
    """Allow the password grant, which is off otherwise"""


class PushSecretIn(TypedDict):
    """A secret by which the provider signs what it sends from now on."""

    secret: str
    """As the provider shows it; the one before it stays known"""


class ReleaseIn(TypedDict):
    """Which refresh tokens may be sent again."""

    with_used: NotRequired[bool]
    """Also one that is known to be used; where the provider detects reuse, that ends the grant"""


class ReportIn(TypedDict):
    """A provider's refusal, seen by a caller."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    version: str
    """Id of the credential version; null where there is none"""

    status: int
    """The HTTP status that the provider answered with"""


class SecretSourceIn(TypedDict):
    """From where the client secret is read; the last one that was read stays where this is null."""

    client_secret_from: str | None
    """A reference, such as file:/run/secrets/hubspot or vault:secret/data/hubspot#client_secret, in a place that
    LATCHKEY_SECRET_SOURCES allows; null: from nowhere, people enter it
    """


class SharingIn(TypedDict):
    """Who may use a connection; what is null stays as it is."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    granted_by: NotRequired[Literal[""] | str | None]
    """The end user who answers for what belongs to the whole tenant; "" for the tenant itself"""

    grants_only: NotRequired[bool | None]
    """Nobody uses it but under an access grant"""


class SubjectIn(TypedDict):
    """Who a grant is for: an end user's id, a group's name, what an agent calls itself, or an API client's id."""

    kind: SubjectKind
    """Of which kind it is"""

    id: str
    """Its id"""


class SwitchesIn(TypedDict):
    """What is switched off; what is not given stays, and a switch that stands as asked is not changed."""

    suspended: NotRequired[bool | None]
    """The kill switch, in force from the next request on; only an operator-wide client takes it back"""

    paused: NotRequired[bool | None]
    """No refreshes and probes; valid credentials still vend"""


class TenantIn(TypedDict):
    """What a tenant is made or changed to; the lists replace the old ones."""

    name: str
    """Its name, for people"""

    branding: NotRequired[BrandingIn | None]
    """Null keeps it"""

    allowed_origins: NotRequired[Sequence[str]]
    """Origins of pages of yours over which the widget may open"""

    return_urls: NotRequired[Sequence[str]]
    """Where browsers may come back to"""

    reconnect_url: NotRequired[str]
    """Your reconnect page; {connection}, {provider}, {end_user} and {scopes} are filled in"""


class VendByOwnerIn(TypedDict):
    """The same, for a connection named by provider and end user; without `end_user`, the tenant's own.

    With a `subject_token` it may also be the tenant's own, where the end user has none.
    """

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    end_user: NotRequired[str | None]
    """Your own id of the end user; null where there is none"""

    scopes: NotRequired[Sequence[str]]
    """Scopes that the credential must have"""

    min_ttl: NotRequired[float | None]
    """Seconds that the credential has to live at least"""

    wait: NotRequired[float | None]
    """Seconds to wait for a refresh if no valid credential is left; also `Prefer: wait=N`"""

    purpose: NotRequired[str]
    """What for, for the audit trail"""

    agent: NotRequired[str]
    """Which agent acts, for the audit trail"""

    groups: NotRequired[Sequence[str]]
    """The end user's, for access grants"""

    subject_token: NotRequired[str | None]
    """A token of whoever you serve, from your identity provider, for a connection that acts on behalf of subjects:
    it is exchanged (RFC 8693), and not kept
    """

    end_user_token: NotRequired[str | None]
    """Of a trusted issuer: it says who `end_user` is"""

    agent_token: NotRequired[str | None]
    """Of a trusted issuer: it says who `agent` is"""

    provider: str
    """The provider's slug, or an alias of it"""

    label: NotRequired[str | None]
    """What tells it from the owner's others at the provider; "" for none"""


class VendIn(TypedDict):
    """What a credential is wanted for."""

    tenant: NotRequired[str | None]
    """The tenant's slug; operator-wide clients have to name it"""

    end_user: NotRequired[str | None]
    """Your own id of the end user; null where there is none"""

    scopes: NotRequired[Sequence[str]]
    """Scopes that the credential must have"""

    min_ttl: NotRequired[float | None]
    """Seconds that the credential has to live at least"""

    wait: NotRequired[float | None]
    """Seconds to wait for a refresh if no valid credential is left; also `Prefer: wait=N`"""

    purpose: NotRequired[str]
    """What for, for the audit trail"""

    agent: NotRequired[str]
    """Which agent acts, for the audit trail"""

    groups: NotRequired[Sequence[str]]
    """The end user's, for access grants"""

    subject_token: NotRequired[str | None]
    """A token of whoever you serve, from your identity provider, for a connection that acts on behalf of subjects:
    it is exchanged (RFC 8693), and not kept
    """

    end_user_token: NotRequired[str | None]
    """Of a trusted issuer: it says who `end_user` is"""

    agent_token: NotRequired[str | None]
    """Of a trusted issuer: it says who `agent` is"""


class WebhookEndpointIn(TypedDict):
    """Where events go, and which. What is left out is the default again."""

    url: str
    """Where events are sent: https and public"""

    description: NotRequired[str]
    """Your own note"""

    event_types: NotRequired[Sequence[EventType] | None]
    """The types that it is told; null is every type, also those of later versions"""


class WebhookReplayIn(TypedDict):
    """From when on events are delivered once more."""

    since: datetime | str
    """From when on"""


class WebhookSecretIn(TypedDict):
    """A rotation."""

    overlap_seconds: NotRequired[int]
    """For how much longer the earlier secrets sign as well"""


class WebhookSwitchIn(TypedDict):
    """Whether an endpoint gets events."""

    enabled: bool
    """False: events wait; true: what waits is delivered from where it stood"""


class InvalidRequest(Problem):
    """The request cannot be carried out as it is."""

    code = "invalid_request"
    field: str | None
    """The dotted name of the member or parameter at fault"""
    errors: list[Any] | None
    """Each member that is not valid"""


class Unauthorized(Problem):
    """No valid API key or token came with the call."""

    code = "unauthorized"


class PermissionDenied(Problem):
    """The API client lacks the permission that the call needs."""

    code = "permission_denied"


class IdentityTokenRefused(Problem):
    """The token in `field` is not one that is trusted for this tenant."""

    code = "identity_token_refused"
    field: str | None
    """The dotted name of the member or parameter at fault"""


class NotFound(Problem):
    """There is no such thing, or it is another tenant's."""

    code = "not_found"
    connect_url: str | None
    """A page on which the end user mends it: open it for them"""


class MethodNotAllowed(Problem):
    """The address does not know the request's method."""

    code = "method_not_allowed"


class ReauthorizationRequired(Problem):
    """The grant no longer works: send the end user to `connect_url`."""

    code = "reauthorization_required"
    connect_url: str | None
    """A page on which the end user mends it: open it for them"""
    reason: str | None
    """A stable word that says why"""


class Pending(Problem):
    """The connection waits for its confirmation."""

    code = "pending"


class AmbiguousConnection(Problem):
    """More than one connection matches: name one of `connections`."""

    code = "ambiguous_connection"
    connections: list[Any] | None
    """Those that match: name the `label`, or vend by the `id`, of one"""


class AccountMismatch(Problem):
    """The end user chose another account at the provider than before."""

    code = "account_mismatch"
    connection: str | None
    """Id of the connection that is in the way"""


class ExchangeFailed(Problem):
    """The provider refused what the end user brought; nothing was connected."""

    code = "exchange_failed"
    reason: str | None
    """A stable word that says why"""


class NoWorkspace(Problem):
    """The end user's account has nothing to connect to yet."""

    code = "no_workspace"
    website: str | None
    """The provider's website, where the end user can change that"""


class AccountNotPermitted(Problem):
    """The end user's account lacks a right that connecting needs."""

    code = "account_not_permitted"
    website: str | None
    """The provider's website, where the end user can change that"""


class CompletionMismatch(Problem):
    """The completion code is of another session, or the end user is another one. What was held is destroyed."""

    code = "completion_mismatch"


class ApprovalRequired(Problem):
    """Somebody has to approve this first, at `approve_url`: then repeat the request."""

    code = "approval_required"
    approval: str | None
    """Id of the question that waits for an answer"""
    approve_url: str | None
    """Where a person answers it"""
    grant: str | None
    """Id of the access grant that asks for it, or that came nearest to allowing it"""
    expires_at: str | None
    """Until when the question waits for an answer"""


class PolicyDenied(Problem):
    """This caller may not do this with this connection."""

    code = "policy_denied"
    rule: str | None
    """The stable name of the rule that denies it"""
    grant: str | None
    """Id of the access grant that asks for it, or that came nearest to allowing it"""


class InsufficientScope(Problem):
    """The connection lacks `missing_scopes`: let the end user connect again."""

    code = "insufficient_scope"
    missing_scopes: list[str] | None
    """Scopes that were not granted"""
    connect_url: str | None
    """A page on which the end user mends it: open it for them"""


class MinTtlUnavailable(Problem):
    """No credential lives for as long as `min_ttl` asks."""

    code = "min_ttl_unavailable"
    field: str | None
    """The dotted name of the member or parameter at fault"""
    longest_seconds: int | None
    """The longest lifetime that can be had"""


class SubjectTokenRequired(Problem):
    """The connection acts for whoever you serve: send their `subject_token`."""

    code = "subject_token_required"
    field: str | None
    """The dotted name of the member or parameter at fault"""


class SubjectTokenRefused(Problem):
    """The provider refuses the subject's token: take a fresh one."""

    code = "subject_token_refused"
    reason: str | None
    """A stable word that says why"""
    field: str | None
    """The dotted name of the member or parameter at fault"""


class InteractionRequired(Problem):
    """The end user has to sign in again, asking for the `claims`: then vend with the new token."""

    code = "interaction_required"
    claims: str | None
    """What the end user's new sign-in has to ask for; "" for nothing in particular"""
    reason: str | None
    """A stable word that says why"""
    field: str | None
    """The dotted name of the member or parameter at fault"""


class PreconditionFailed(Problem):
    """It has changed since you read it (`If-Match`): read it again, and decide anew."""

    code = "precondition_failed"


class IdempotencyKeyReused(Problem):
    """The idempotency key stands for another request: take a new one."""

    code = "idempotency_key_reused"
    field: str | None
    """The dotted name of the member or parameter at fault"""


class IdempotencyKeyInUse(Problem):
    """The first call with this idempotency key is under way: ask again."""

    code = "idempotency_key_in_use"


class IdempotentAnswerGone(Problem):
    """The call was carried out, and its answer was forgotten since."""

    code = "idempotent_answer_gone"


class SessionUnusable(Problem):
    """The session is expired, used, failed or not yours; `failure` says which."""

    code = "session_unusable"
    failure: str | None
    """A stable word for what became of the session"""


class CursorExpired(Problem):
    """Events after your cursor are gone: read the connections, then go on here."""

    code = "cursor_expired"
    cursor: str | None
    """The cursor at which the kept events begin"""


class NotAcceptable(Problem):
    """The endpoint answers in another media type than the request accepts."""

    code = "not_acceptable"


class UnsupportedMediaType(Problem):
    """The request's body is of another media type than the endpoint reads."""

    code = "unsupported_media_type"


class RequestTimeout(Problem):
    """The request's body stood still for too long."""

    code = "request_timeout"


class RequestTooLarge(Problem):
    """The request's body is larger than may be sent."""

    code = "request_too_large"


class RateLimited(Problem):
    """The provider's rate limit leaves no turn for you yet: try again after `Retry-After`."""

    code = "rate_limited"


class Throttled(Problem):
    """Your API client is slowed down for suspicious use: try again after `Retry-After`."""

    code = "throttled"


class ClientHeld(Problem):
    """Your API client is held for suspicious use: have its key rotated, or vouched for."""

    code = "client_held"


class Suspended(Problem):
    """An operator has switched this off."""

    code = "suspended"


class Paused(Problem):
    """An operator has paused this, and no valid credential is left."""

    code = "paused"


class Quarantined(Problem):
    """The database was put back, and its refresh token waits for an operator: try again after `Retry-After`."""

    code = "quarantined"
    connect_url: str | None
    """A page on which the end user mends it: open it for them"""


class CredentialUnreadable(Problem):
    """A key of the vault is missing. Nothing is wrong with the grant."""

    code = "credential_unreadable"


class AppMisconfigured(Problem):
    """The provider refuses your client registration."""

    code = "app_misconfigured"
    reason: str | None
    """A stable word that says why"""
    held_until: str | None
    """Until when the same confirmation may be repeated"""


class AnswerUnreadable(Problem):
    """The provider's answer could not be read. It is kept: mend the catalogue entry."""

    code = "answer_unreadable"
    reason: str | None
    """A stable word that says why"""
    held_until: str | None
    """Until when the same confirmation may be repeated"""


class AnswerRefused(Problem):
    """The provider's answer is not passed on; `reason` says why."""

    code = "answer_refused"
    reason: str | None
    """A stable word that says why"""
    redirects_to: str | None
    """Where the provider's answer leads: fetch it without a credential"""


class ProviderUnavailable(Problem):
    """The provider cannot answer now: try again after `Retry-After`."""

    code = "provider_unavailable"
    held_until: str | None
    """Until when the same confirmation may be repeated"""


class RefreshInProgress(Problem):
    """The credential is being refreshed: try again after `Retry-After`."""

    code = "refresh_in_progress"


class IssuerUnavailable(Problem):
    """The keys of a token's issuer cannot be had: try again after `Retry-After`."""

    code = "issuer_unavailable"


class Busy(Problem):
    """It cannot be done at the moment: try again after `Retry-After`."""

    code = "busy"


class DatabaseUnavailable(Problem):
    """The database cannot be asked now: try again after `Retry-After`, a change with its `Idempotency-Key`."""

    code = "database_unavailable"


class ProviderTimeout(Problem):
    """The provider took longer than its entry lets it."""

    code = "provider_timeout"


class InternalError(Problem):
    """Something went wrong here; it is in the operator's log."""

    code = "internal_error"


_ADD_APP_CLIENT_SECRET = Operation(
    "POST", "/api/v1/provider-apps/{app_id}/client-secrets", may_repeat=False, takes_key=True
)
_ADD_APP_PUSH_SECRET = Operation(
    "POST", "/api/v1/provider-apps/{app_id}/push-secrets", may_repeat=False, takes_key=True
)
_ADD_IMPORT_ROWS = Operation("POST", "/api/v1/imports/{import_id}/rows", may_repeat=False, takes_key=True)
_APPROVE = Operation("POST", "/api/v1/approvals/{approval_id}/approve", may_repeat=False, takes_key=True)
_CANCEL_BULK_JOB = Operation("POST", "/api/v1/bulk-jobs/{job_id}/cancel", may_repeat=False, takes_key=True)
_CHECK_OWN_PROVIDER = Operation("POST", "/api/v1/own-providers/{own_slug}/check", may_repeat=False, takes_key=True)
_CLOSE_INCIDENT = Operation("POST", "/api/v1/incidents/{incident_id}/close", may_repeat=False, takes_key=True)
_COMPLETE_CONNECT_SESSION = Operation(
    "POST", "/api/v1/connect-sessions/{session_id}/complete", may_repeat=False, takes_key=True
)
_CREATE_ACCESS_GRANT = Operation("POST", "/api/v1/access-grants", may_repeat=False, takes_key=True)
_CREATE_API_CLIENT = Operation("POST", "/api/v1/api-clients", may_repeat=False, takes_key=True)
_CREATE_APP_KEY = Operation("POST", "/api/v1/provider-apps/{app_id}/keys", may_repeat=False, takes_key=True)
_CREATE_BULK_JOB = Operation("POST", "/api/v1/bulk-jobs", may_repeat=False, takes_key=True)
_CREATE_CALLER_RULE = Operation("POST", "/api/v1/trusted-issuers/{issuer_id}/rules", may_repeat=False, takes_key=True)
_CREATE_CANARY = Operation("POST", "/api/v1/canaries", may_repeat=False, takes_key=True)
_CREATE_CONNECT_SESSION = Operation("POST", "/api/v1/connect-sessions", may_repeat=False, takes_key=True)
_CREATE_MANAGEMENT_SESSION = Operation("POST", "/api/v1/management-sessions", may_repeat=False, takes_key=True)
_CREATE_TRUSTED_ISSUER = Operation("POST", "/api/v1/trusted-issuers", may_repeat=False, takes_key=True)
_CREATE_WEBHOOK_ENDPOINT = Operation("POST", "/api/v1/webhook-endpoints", may_repeat=False, takes_key=True)
_DELETE_ACCESS_GRANT = Operation("DELETE", "/api/v1/access-grants/{grant_id}", may_repeat=True)
_DELETE_CALLER_RULE = Operation("DELETE", "/api/v1/trusted-issuers/{issuer_id}/rules/{rule_id}", may_repeat=True)
_DELETE_CONNECTION = Operation("DELETE", "/api/v1/connections/{connection_id}", may_repeat=True)
_DELETE_DOMAIN = Operation("DELETE", "/api/v1/tenants/{slug}/domains/{host}", may_repeat=True)
_DELETE_END_USER = Operation("DELETE", "/api/v1/end-users/{end_user}", may_repeat=True)
_DELETE_OWN_PROVIDER = Operation("DELETE", "/api/v1/own-providers/{own_slug}", may_repeat=True)
_DELETE_TENANT = Operation("DELETE", "/api/v1/tenants/{slug}", may_repeat=True)
_DELETE_TRUSTED_ISSUER = Operation("DELETE", "/api/v1/trusted-issuers/{issuer_id}", may_repeat=True)
_DELETE_WEBHOOK_ENDPOINT = Operation("DELETE", "/api/v1/webhook-endpoints/{endpoint_id}", may_repeat=True)
_DENY = Operation("POST", "/api/v1/approvals/{approval_id}/deny", may_repeat=False, takes_key=True)
_DISCARD_ANSWER = Operation(
    "POST", "/api/v1/connections/{connection_id}/discard-answer", may_repeat=False, takes_key=True
)
_END_MANAGEMENT_SESSION = Operation("DELETE", "/api/v1/management-sessions/{session_id}", may_repeat=True)
_EXCHANGE_TOKEN = Operation("POST", "/api/v1/oauth/token", may_repeat=True, is_form=True)
_GET_ACCESS_GRANT = Operation("GET", "/api/v1/access-grants/{grant_id}", may_repeat=True)
_GET_API_CLIENT = Operation("GET", "/api/v1/api-clients/{client_id}", may_repeat=True)
_GET_API_KEY = Operation("GET", "/api/v1/api-clients/{client_id}/keys/{key_id}", may_repeat=True)
_GET_APP_KEY = Operation("GET", "/api/v1/provider-apps/{app_id}/keys/{key_id}", may_repeat=True)
_GET_APPROVAL = Operation("GET", "/api/v1/approvals/{approval_id}", may_repeat=True)
_GET_BRANDING = Operation("GET", "/api/v1/branding", may_repeat=True)
_GET_BULK_JOB = Operation("GET", "/api/v1/bulk-jobs/{job_id}", may_repeat=True)
_GET_CALLER_RULE = Operation("GET", "/api/v1/trusted-issuers/{issuer_id}/rules/{rule_id}", may_repeat=True)
_GET_CLIENT_SECRET_SOURCE = Operation("GET", "/api/v1/provider-apps/{app_id}/client-secrets/source", may_repeat=True)
_GET_CLIENT_SECRETS = Operation("GET", "/api/v1/provider-apps/{app_id}/client-secrets", may_repeat=True)
_GET_CONNECT_SESSION = Operation("GET", "/api/v1/connect-sessions/{session_id}", may_repeat=True)
_GET_CONNECTION = Operation("GET", "/api/v1/connections/{connection_id}", may_repeat=True)
_GET_DOMAIN = Operation("GET", "/api/v1/tenants/{slug}/domains/{host}", may_repeat=True)
_GET_END_USER = Operation("GET", "/api/v1/end-users/{end_user}", may_repeat=True)
_GET_IMPORT = Operation("GET", "/api/v1/imports/{import_id}", may_repeat=True)
_GET_INCIDENT = Operation("GET", "/api/v1/incidents/{incident_id}", may_repeat=True)
_GET_MANAGEMENT_SESSION = Operation("GET", "/api/v1/management-sessions/{session_id}", may_repeat=True)
_GET_OFFBOARDING = Operation("GET", "/api/v1/offboardings/{offboarding_id}", may_repeat=True)
_GET_OUTBOUND_ADDRESSES = Operation("GET", "/api/v1/outbound-addresses", may_repeat=True)
_GET_OUTLOOK = Operation("GET", "/api/v1/connections/{connection_id}/outlook", may_repeat=True)
_GET_OWN_PROVIDER = Operation("GET", "/api/v1/own-providers/{own_slug}", may_repeat=True)
_GET_PROVIDER = Operation("GET", "/api/v1/providers/{slug}", may_repeat=True)
_GET_PROVIDER_APP = Operation("GET", "/api/v1/provider-apps/{app_id}", may_repeat=True)
_GET_PUSH = Operation("GET", "/api/v1/provider-apps/{app_id}/push", may_repeat=True)
_GET_PUSH_SECRETS = Operation("GET", "/api/v1/provider-apps/{app_id}/push-secrets", may_repeat=True)
_GET_QUARANTINE = Operation("GET", "/api/v1/quarantine", may_repeat=True)
_GET_TENANT = Operation("GET", "/api/v1/tenants/{slug}", may_repeat=True)
_GET_TRUSTED_ISSUER = Operation("GET", "/api/v1/trusted-issuers/{issuer_id}", may_repeat=True)
_GET_WEBHOOK_ENDPOINT = Operation("GET", "/api/v1/webhook-endpoints/{endpoint_id}", may_repeat=True)
_IMPORT_CONNECTIONS = Operation("POST", "/api/v1/connections/import", may_repeat=False, takes_key=True)
_ISSUE_API_KEY = Operation("POST", "/api/v1/api-clients/{client_id}/keys", may_repeat=False, takes_key=True)
_LIST_ACCESS_GRANTS = Operation("GET", "/api/v1/access-grants", may_repeat=True)
_LIST_API_CLIENTS = Operation("GET", "/api/v1/api-clients", may_repeat=True)
_LIST_API_KEYS = Operation("GET", "/api/v1/api-clients/{client_id}/keys", may_repeat=True)
_LIST_APP_KEYS = Operation("GET", "/api/v1/provider-apps/{app_id}/keys", may_repeat=True)
_LIST_APPROVALS = Operation("GET", "/api/v1/approvals", may_repeat=True)
_LIST_AUDIT_EVENTS = Operation("GET", "/api/v1/audit-events", may_repeat=True)
_LIST_BULK_JOBS = Operation("GET", "/api/v1/bulk-jobs", may_repeat=True)
_LIST_BULK_ROWS = Operation("GET", "/api/v1/bulk-jobs/{job_id}/rows", may_repeat=True)
_LIST_CALLER_RULES = Operation("GET", "/api/v1/trusted-issuers/{issuer_id}/rules", may_repeat=True)
_LIST_CONNECT_SESSIONS = Operation("GET", "/api/v1/connect-sessions", may_repeat=True)
_LIST_CONNECT_STEPS = Operation("GET", "/api/v1/connect-sessions/{session_id}/steps", may_repeat=True)
_LIST_CONNECTIONS = Operation("GET", "/api/v1/connections", may_repeat=True)
_LIST_DOMAINS = Operation("GET", "/api/v1/tenants/{slug}/domains", may_repeat=True)
_LIST_EVENTS = Operation("GET", "/api/v1/events", may_repeat=True)
_LIST_FORECAST = Operation("GET", "/api/v1/forecast", may_repeat=True)
_LIST_HELD_CONNECTIONS = Operation("GET", "/api/v1/quarantine/connections", may_repeat=True)
_LIST_IMPORT_ROWS = Operation("GET", "/api/v1/imports/{import_id}/rows", may_repeat=True)
_LIST_INCIDENTS = Operation("GET", "/api/v1/incidents", may_repeat=True)
_LIST_MANAGEMENT_SESSIONS = Operation("GET", "/api/v1/management-sessions", may_repeat=True)
_LIST_OWN_PROVIDERS = Operation("GET", "/api/v1/own-providers", may_repeat=True)
_LIST_PROVIDER_APPS = Operation("GET", "/api/v1/tenants/{slug}/provider-apps", may_repeat=True)
_LIST_PROVIDERS = Operation("GET", "/api/v1/providers", may_repeat=True)
_LIST_PUSHES = Operation("GET", "/api/v1/provider-apps/{app_id}/pushes", may_repeat=True)
_LIST_RECEIPTS = Operation("GET", "/api/v1/connections/{connection_id}/receipts", may_repeat=True)
_LIST_REFRESH_ATTEMPTS = Operation("GET", "/api/v1/connections/{connection_id}/refresh-attempts", may_repeat=True)
_LIST_REGISTERED_CLIENTS = Operation("GET", "/api/v1/provider-apps/{app_id}/registered-clients", may_repeat=True)
_LIST_SHARED_PROVIDER_APPS = Operation("GET", "/api/v1/shared-provider-apps", may_repeat=True)
_LIST_TENANTS = Operation("GET", "/api/v1/tenants", may_repeat=True)
_LIST_TRUSTED_ISSUERS = Operation("GET", "/api/v1/trusted-issuers", may_repeat=True)
_LIST_VERSIONS = Operation("GET", "/api/v1/connections/{connection_id}/versions", may_repeat=True)
_LIST_WEBHOOK_DELIVERIES = Operation("GET", "/api/v1/webhook-endpoints/{endpoint_id}/deliveries", may_repeat=True)
_LIST_WEBHOOK_ENDPOINTS = Operation("GET", "/api/v1/webhook-endpoints", may_repeat=True)
_PATCH_CONNECTION = Operation("PATCH", "/api/v1/connections/{connection_id}", may_repeat=False)
_PROBE_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/probe", may_repeat=False, takes_key=True)
_PUT_API_CLIENT = Operation("PUT", "/api/v1/api-clients/{client_id}", may_repeat=True)
_PUT_API_CLIENT_SWITCHES = Operation("PUT", "/api/v1/api-clients/{client_id}/switches", may_repeat=True)
_PUT_APP_KEY_CERTIFICATES = Operation(
    "PUT", "/api/v1/provider-apps/{app_id}/keys/{key_id}/certificates", may_repeat=True
)
_PUT_ASSERTION_KEYS = Operation("PUT", "/api/v1/api-clients/{client_id}/assertion-keys", may_repeat=True)
_PUT_BRANDING = Operation("PUT", "/api/v1/branding", may_repeat=True)
_PUT_CLIENT_SECRET_SOURCE = Operation("PUT", "/api/v1/provider-apps/{app_id}/client-secrets/source", may_repeat=True)
_PUT_CLIENT_SECRETS_END = Operation("PUT", "/api/v1/provider-apps/{app_id}/client-secrets/end", may_repeat=True)
_PUT_CONNECTION_SWITCHES = Operation("PUT", "/api/v1/connections/{connection_id}/switches", may_repeat=True)
_PUT_DOMAIN = Operation("PUT", "/api/v1/tenants/{slug}/domains/{host}", may_repeat=True)
_PUT_OWN_PROVIDER = Operation("PUT", "/api/v1/own-providers/{own_slug}", may_repeat=True)
_PUT_PROVIDER_APP = Operation("PUT", "/api/v1/tenants/{slug}/provider-apps/{provider}", may_repeat=True)
_PUT_PROVIDER_APP_SWITCHES = Operation("PUT", "/api/v1/provider-apps/{app_id}/switches", may_repeat=True)
_PUT_SHARED_PROVIDER_APP = Operation("PUT", "/api/v1/shared-provider-apps/{provider}", may_repeat=True)
_PUT_SHARING = Operation("PUT", "/api/v1/connections/{connection_id}/sharing", may_repeat=True)
_PUT_TENANT = Operation("PUT", "/api/v1/tenants/{slug}", may_repeat=True)
_PUT_TENANT_SWITCHES = Operation("PUT", "/api/v1/tenants/{slug}/switches", may_repeat=True)
_PUT_TRUSTED_ISSUER = Operation("PUT", "/api/v1/trusted-issuers/{issuer_id}", may_repeat=True)
_PUT_WEBHOOK_ENDPOINT = Operation("PUT", "/api/v1/webhook-endpoints/{endpoint_id}", may_repeat=True)
_PUT_WEBHOOK_SWITCHES = Operation("PUT", "/api/v1/webhook-endpoints/{endpoint_id}/switches", may_repeat=True)
_REFRESH_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/refresh", may_repeat=False, takes_key=True)
_RELEASE_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/release", may_repeat=False, takes_key=True)
_RENEW_REGISTERED_CLIENT = Operation(
    "POST", "/api/v1/provider-apps/{app_id}/registered-clients/{registered_id}/renew", may_repeat=False, takes_key=True
)
_REPLAY_WEBHOOK_EVENTS = Operation(
    "POST", "/api/v1/webhook-endpoints/{endpoint_id}/replay", may_repeat=False, takes_key=True
)
_REPORT_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/report", may_repeat=False, takes_key=True)
_REREAD_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/reread", may_repeat=False, takes_key=True)
_RESEND_WEBHOOK_DELIVERY = Operation(
    "POST", "/api/v1/webhook-endpoints/{endpoint_id}/deliveries/{delivery_id}/resend", may_repeat=False, takes_key=True
)
_RETIRE_APP_PUSH_SECRET = Operation(
    "DELETE", "/api/v1/provider-apps/{app_id}/push-secrets/{fingerprint}", may_repeat=True
)
_RETIRE_CLIENT_SECRET = Operation(
    "DELETE", "/api/v1/provider-apps/{app_id}/client-secrets/{fingerprint}", may_repeat=True
)
_REVOKE_API_KEY = Operation("DELETE", "/api/v1/api-clients/{client_id}/keys/{key_id}", may_repeat=True)
_REVOKE_CONNECTION = Operation("POST", "/api/v1/connections/{connection_id}/revoke", may_repeat=False, takes_key=True)
_ROTATE_WEBHOOK_SECRET = Operation(
    "POST", "/api/v1/webhook-endpoints/{endpoint_id}/secrets", may_repeat=False, takes_key=True
)
_SEND_TEST_EVENT = Operation("POST", "/api/v1/webhook-endpoints/{endpoint_id}/test", may_repeat=False, takes_key=True)
_SHORTEN_API_KEY = Operation("PUT", "/api/v1/api-clients/{client_id}/keys/{key_id}", may_repeat=True)
_VEND_BY_ID = Operation("POST", "/api/v1/connections/{connection_id}/credential", may_repeat=True)
_VEND_BY_OWNER = Operation("POST", "/api/v1/credentials", may_repeat=True)
_WITHDRAW_APP_KEY = Operation("DELETE", "/api/v1/provider-apps/{app_id}/keys/{key_id}", may_repeat=True)


class Operations(Caller):
    """Every operation of the API."""

    def add_app_client_secret(
        self,
        app_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ClientSecretIn],
    ) -> ClientSecrets:
        """Add a client secret.

        Add the new secret before you retire the old one at the provider: both are tried, so a rotation is no
        outage.
        """
        answer: ClientSecrets = self._call(
            _ADD_APP_CLIENT_SECRET,
            ClientSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def add_app_push_secret(
        self,
        app_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[PushSecretIn],
    ) -> PushSecrets:
        """Add a push secret.

        Have pushes be known by this secret from now on. The one before it stays known, so a rotation loses
        none.
        """
        answer: PushSecrets = self._call(
            _ADD_APP_PUSH_SECRET,
            PushSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def add_import_rows(
        self, import_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ImportRowsIn]
    ) -> Import:
        """Add rows to an import.

        Add the next rows of an import that is not `complete`. A part that was taken already changes nothing.
        """
        answer: Import = self._call(
            _ADD_IMPORT_ROWS,
            Import,
            path={"import_id": import_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def approve(
        self, approval_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ApprovalIn]
    ) -> Approval:
        """Approve what was asked.

        Allow exactly what was asked: one time within 15 minutes, or until a moment. The caller then repeats its
        request.

        Whoever you let answer, you know who that is: `decided_by` goes into the audit trail. An API client
        approves nothing that it has asked for.
        """
        answer: Approval = self._call(
            _APPROVE,
            Approval,
            path={"approval_id": approval_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def cancel_bulk_job(
        self, job_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> BulkJob:
        """Cancel a bulk job.

        Do nothing more of a job: what is done stays done. Repeating the call changes nothing.
        """
        answer: BulkJob = self._call(
            _CANCEL_BULK_JOB,
            BulkJob,
            path={"job_id": job_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def check_own_provider(
        self, own_slug: str, /, *, idempotency_key: str | None = None, **body: Unpack[OwnProviderDraft]
    ) -> OwnProviderVerdict:
        """Try an entry without storing it.

        Say what is wrong with an entry, what storing it would do, and what it would ask end users for.

        Operator-wide clients only.
        """
        answer: OwnProviderVerdict = self._call(
            _CHECK_OWN_PROVIDER,
            OwnProviderVerdict,
            path={"own_slug": own_slug},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def close_incident(
        self, incident_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Incident:
        """Close an incident.

        Say that the fault is mended: what is refused from then on is held against a connection again.

        It opens anew if the fault is still there. Repeating the call changes nothing.
        """
        answer: Incident = self._call(
            _CLOSE_INCIDENT,
            Incident,
            path={"incident_id": incident_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def complete_connect_session(
        self, session_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[CompleteIn]
    ) -> Completed | Continue:
        """Confirm who connected.

        Confirm with the id of the user who is logged in where the completion code arrived.

        Take that id from your own session, never from the link that brought the code, and confirm only a
        session that your user's login session has begun: a `code_challenge` makes sure of that. With `next`,
        the end user has to choose a workspace first: redirect the same browser there. It comes back to the
        return URL with the same completion code, and the same call then answers with the connection. After a
        503 the same call may be made again, until `held_until`.
        """
        answer: Completed | Continue = self._call(
            _COMPLETE_CONNECT_SESSION,
            Completed | Continue,
            path={"session_id": session_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_access_grant(self, *, idempotency_key: str | None = None, **body: Unpack[AccessGrantIn]) -> AccessGrant:
        """Give an access grant.

        Let somebody use a connection who is not its owner, within the limits that you name.

        A grant of the same terms that stands already is returned as it is (200). The terms of a grant never
        change: give another one, and revoke this. No API client gives a grant to itself.
        """
        answer: AccessGrant = self._call(
            _CREATE_ACCESS_GRANT,
            AccessGrant,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_api_client(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[ApiClientIn]
    ) -> ApiClient:
        """Make an API client.

        Make an API client of a tenant, or an operator-wide one. It has no key yet: issue one.

        No client gives another more than it has itself: permissions, proxy rules, networks. One of this name
        and these very terms is returned as it is (200).
        """
        answer: ApiClient = self._call(
            _CREATE_API_CLIENT,
            ApiClient,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_app_key(
        self, app_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[AppKeyIn]
    ) -> AppKey:
        """Make or bring a key pair.

        Make a key pair, or take over one; it is published at once, and signs once providers may know it.
        """
        answer: AppKey = self._call(
            _CREATE_APP_KEY,
            AppKey,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_bulk_job(self, *, idempotency_key: str | None = None, **body: Unpack[BulkJobIn]) -> BulkJob:
        """Act on many connections.

        Order one act on many connections of a tenant, as they are now. The workers do it; look how far they
        are.

        The job ends (`not_allowed`) when the client that ordered it is stopped, gone, or may not do it any
        more.

        `export` notes how each stands, without any secret: read it from the rows. Only an operator-wide client
        orders `resume`, since only such a one takes a kill switch back.
        """
        answer: BulkJob = self._call(
            _CREATE_BULK_JOB, BulkJob, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    def create_caller_rule(
        self,
        issuer_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[CallerRuleIn],
    ) -> CallerRule:
        """Add a caller rule.

        Have the tokens for which all conditions hold be one API client. A rule that is there is not made twice.

        Operator-wide clients only, and for no client that may do more than yourself.
        """
        answer: CallerRule = self._call(
            _CREATE_CALLER_RULE,
            CallerRule,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_canary(self, *, idempotency_key: str | None = None, **body: Unpack[CanaryIn]) -> Connection:
        """Lay a canary.

        Make a connection that leads nowhere. Who vends, proxies, reads or changes it causes the event
        `use.suspected`.

        It is listed and vended as any other, and no operation says which ones are canaries: note its id. Its
        credential opens nothing. Lay it for an end user whom your product never serves, or your product is who
        touches it. Only an operator-wide client may do this.
        """
        answer: Connection = self._call(
            _CREATE_CANARY, Connection, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    def create_connect_session(
        self, *, idempotency_key: str | None = None, **body: Unpack[ConnectSessionIn]
    ) -> ConnectSession:
        """Invite an end user to connect.

        Make a session for one end user; send their browser to `connect_url` within 10 minutes.
        """
        answer: ConnectSession = self._call(
            _CREATE_CONNECT_SESSION,
            ConnectSession,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_management_session(
        self, *, idempotency_key: str | None = None, **body: Unpack[ManagementSessionIn]
    ) -> ManagementSession:
        """Invite an end user to their connections.

        Make a session on the click of the user who is logged in, and send that browser to `manage_url` at once.

        The link works for 5 minutes and one click; whoever has it can see and end this user's connections for
        an hour, so it belongs in no mail. The client also needs the permission to read, and with `providers`
        the one to connect. Without the latter the page offers no reconnecting either. With the permission to
        grant, the page also asks the user to approve what other clients want to do with an account of theirs
        under a grant that needs an approval.
        """
        answer: ManagementSession = self._call(
            _CREATE_MANAGEMENT_SESSION,
            ManagementSession,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_trusted_issuer(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[IssuerIn]
    ) -> Issuer:
        """Trust an issuer.

        Believe the tokens of an issuer, for one use and one audience. One trusted on these very terms is
        returned (200).

        `caller` tokens are API clients, by the issuer's rules: operator-wide clients only. `end_user` and
        `agent` tokens say for whom and as what a client calls.
        """
        answer: Issuer = self._call(
            _CREATE_TRUSTED_ISSUER,
            Issuer,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def create_webhook_endpoint(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[WebhookEndpointIn]
    ) -> NewWebhookEndpoint:
        """Add a webhook endpoint.

        Have events delivered to an address from now on, signed as Standard Webhooks asks with the `secret`
        shown here.

        Each event comes at least once: know a repeated one by its `id`. What is about one connection comes in
        its order.
        """
        answer: NewWebhookEndpoint = self._call(
            _CREATE_WEBHOOK_ENDPOINT,
            NewWebhookEndpoint,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def delete_access_grant(
        self, grant_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> AccessGrant:
        """Revoke an access grant.

        Revoke a grant: it allows nothing from the next request on, and stays to be read. Repeating it changes
        nothing.

        A credential that was vended under it lives until its own end.
        """
        answer: AccessGrant = self._call(
            _DELETE_ACCESS_GRANT,
            AccessGrant,
            path={"grant_id": grant_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def delete_caller_rule(
        self, issuer_id: str, rule_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """Remove a caller rule.

        Remove a rule: its tokens are that client no more, from the next call on.
        """
        self._call(
            _DELETE_CALLER_RULE,
            None,
            path={"issuer_id": issuer_id, "rule_id": rule_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    def delete_connection(
        self, connection_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> Connection | Changed:
        """Disconnect.

        Stop vending at once, and have the grant revoked at the provider; `revocation` tells how far that is.

        While another connection lives on the same grant, and the provider would end that too, the secrets are
        destroyed and nothing is revoked (`withheld`). The last connection of a grant revokes it.
        """
        answer: Connection | Changed = self._call(
            _DELETE_CONNECTION,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def delete_domain(self, slug: str, host: str, /, *, if_match: str | None = None) -> None:
        """Forget a tenant's domain.

        Forget the domain: pages vouch for it no longer. Operator-wide clients only.
        """
        self._call(_DELETE_DOMAIN, None, path={"slug": slug, "host": host}, query={}, headers={"If-Match": if_match})

    def delete_end_user(
        self,
        end_user: str,
        /,
        *,
        tenant: str | None = None,
        mode: Literal["offboard", "erase"] | None = None,
        shared: Literal["hand_over", "end"] | None = None,
        hand_over_to: str | None = None,
    ) -> Offboarding:
        """Offboard or erase an end user.

        End all that an end user has, and answer with a receipt: 202 while something is pending, 200 when it is
        done.

        Their sessions end, their connections are disconnected and revoked at the providers, access grants to
        them are revoked. Where they answer for connections of the whole tenant, `shared` has to say whether
        these are handed over (to `hand_over_to`, or to the tenant itself) or end too. With `mode=erase` they
        are then forgotten: their connections and sessions are deleted, and a pseudonym takes the place of their
        id in the audit trail, in events and in the receipt. Repeating the call tells how far it is; `GET
        /offboardings/{id}` does so by the receipt's id, which after an erasure is the only way.
        """
        answer: Offboarding = self._call(
            _DELETE_END_USER,
            Offboarding,
            path={"end_user": end_user},
            query={"tenant": tenant, "mode": mode, "shared": shared, "hand_over_to": hand_over_to},
            headers={},
        )
        return answer

    def delete_own_provider(self, own_slug: str, /, *, if_match: str | None = None) -> None:
        """Remove an entry of your own.

        Remove an entry that nothing uses. One that comes with Latchkey, if it hid one, is in force again.
        """
        self._call(_DELETE_OWN_PROVIDER, None, path={"own_slug": own_slug}, query={}, headers={"If-Match": if_match})

    def delete_tenant(
        self, slug: str, /, *, shred: Literal["now", "revoked"] | None = None, if_match: str | None = None
    ) -> TenantDeletion:
        """Delete a tenant, shredding its secrets.

        Suspend the tenant for good, disconnect all that it has, and then destroy its data keys and its rows.

        The keys are destroyed when the providers have confirmed the revocations, after 24 hours at the latest;
        with `shred=now` at once, and no provider is asked. Repeating the call tells how far it is, until it
        answers 404. Operator-wide clients only. The audit trail stays.
        """
        answer: TenantDeletion = self._call(
            _DELETE_TENANT, TenantDeletion, path={"slug": slug}, query={"shred": shred}, headers={"If-Match": if_match}
        )
        return answer

    def delete_trusted_issuer(
        self, issuer_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """End the trust in an issuer.

        Believe its tokens no more, from the next call on. Its rules are deleted.
        """
        self._call(
            _DELETE_TRUSTED_ISSUER,
            None,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    def delete_webhook_endpoint(
        self, endpoint_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """Remove a webhook endpoint.

        Remove an endpoint, its secrets and its deliveries. What was to be delivered is not.
        """
        self._call(
            _DELETE_WEBHOOK_ENDPOINT,
            None,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    def deny(self, approval_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[DecisionIn]) -> Approval:
        """Deny what was asked.

        Say no: until the question expires, the same request is refused (`policy_denied`, rule
        `approval_denied`).
        """
        answer: Approval = self._call(
            _DENY,
            Approval,
            path={"approval_id": approval_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def discard_answer(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Discard a kept answer.

        Destroy the answer that could not be read, tokens included: the next refresh sends the token of before.
        """
        answer: Outcome = self._call(
            _DISCARD_ANSWER,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def end_management_session(
        self, session_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ManagementSessionShown:
        """End a visit.

        End a visit for good: the browser that has it can do nothing there any more. Repeating it changes
        nothing.
        """
        answer: ManagementSessionShown = self._call(
            _END_MANAGEMENT_SESSION,
            ManagementSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def exchange_token(self, **body: Unpack[ExchangeIn]) -> Exchange:
        """Exchange a token of your end user's for a credential (RFC 8693).

        Return a credential that works now for the end user whom `subject_token` names; each call is audited.

        The client proves itself by its bearer, by `client_assertion`, or by its id and a key of its own as HTTP
        Basic or as `client_id` and `client_secret`. An error says what it is in the words of RFC 6749, and in a
        stable `code`; where the end user can mend it, `connect_url` leads there.
        """
        answer: Exchange = self._call(_EXCHANGE_TOKEN, Exchange, path={}, query={}, headers={}, body=body)
        return answer

    def get_access_grant(self, grant_id: str, /, *, tenant: str | None = None) -> AccessGrant:
        """Show one access grant.

        Show one grant, revoked or not.
        """
        answer: AccessGrant = self._call(
            _GET_ACCESS_GRANT, AccessGrant, path={"grant_id": grant_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_api_client(self, client_id: str, /, *, tenant: str | None = None) -> ApiClient:
        """Show one API client.

        Show one API client, without its keys.
        """
        answer: ApiClient = self._call(
            _GET_API_CLIENT, ApiClient, path={"client_id": client_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_api_key(self, client_id: str, key_id: str, /, *, tenant: str | None = None) -> ApiKey:
        """Show one key.

        Show one key by its visible beginning: until when it works, and when it was used.
        """
        answer: ApiKey = self._call(
            _GET_API_KEY, ApiKey, path={"client_id": client_id, "key_id": key_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_app_key(self, app_id: str, key_id: str, /, *, tenant: str | None = None) -> AppKey:
        """Show one key pair.

        Show the public half of one key pair.
        """
        answer: AppKey = self._call(
            _GET_APP_KEY, AppKey, path={"app_id": app_id, "key_id": key_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_approval(self, approval_id: str, /, *, tenant: str | None = None) -> Approval:
        """Show one approval.

        Show what was asked, by whom, and the answer.
        """
        answer: Approval = self._call(
            _GET_APPROVAL, Approval, path={"approval_id": approval_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_branding(self) -> OperatorBranding:
        """Show the operator's brand.

        Show what is set of the operator's brand. Every client may see it, as end users do.
        """
        answer: OperatorBranding = self._call(_GET_BRANDING, OperatorBranding, path={}, query={}, headers={})
        return answer

    def get_bulk_job(self, job_id: str, /, *, tenant: str | None = None) -> BulkJob:
        """Show one bulk job.

        Show how far a job is, and how many rows have each outcome.
        """
        answer: BulkJob = self._call(
            _GET_BULK_JOB, BulkJob, path={"job_id": job_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_caller_rule(self, issuer_id: str, rule_id: str, /, *, tenant: str | None = None) -> CallerRule:
        """Show one caller rule.

        Show one rule: which tokens are which API client.
        """
        answer: CallerRule = self._call(
            _GET_CALLER_RULE,
            CallerRule,
            path={"issuer_id": issuer_id, "rule_id": rule_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    def get_client_secret_source(self, app_id: str, /, *, tenant: str | None = None) -> SecretSource:
        """Show from where an app's secret is read.

        Show from where the client secret is read, and since when it cannot be. Operator-wide clients only.
        """
        answer: SecretSource = self._call(
            _GET_CLIENT_SECRET_SOURCE, SecretSource, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_client_secrets(self, app_id: str, /, *, tenant: str | None = None) -> ClientSecrets:
        """Tell an app's client secrets apart.

        Show a fingerprint of each client secret, the preferred first; no secret is ever shown.
        """
        answer: ClientSecrets = self._call(
            _GET_CLIENT_SECRETS, ClientSecrets, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_connect_session(self, session_id: str, /, *, tenant: str | None = None) -> ConnectSessionShown:
        """Show one connect session.

        Show how far an invitation to connect came. No token or code is shown.
        """
        answer: ConnectSessionShown = self._call(
            _GET_CONNECT_SESSION,
            ConnectSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    def get_connection(self, connection_id: str, /, *, tenant: str | None = None) -> Connection:
        """Show one connection.

        Show one connection: its status and why, its scopes and its health.
        """
        answer: Connection = self._call(
            _GET_CONNECTION, Connection, path={"connection_id": connection_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_domain(self, slug: str, host: str, /) -> Domain:
        """Show one of a tenant's domains.

        Show a domain as it was last seen, and the file that verifies it. Operator-wide clients only.
        """
        answer: Domain = self._call(_GET_DOMAIN, Domain, path={"slug": slug, "host": host}, query={}, headers={})
        return answer

    def get_end_user(self, end_user: str, /, *, tenant: str | None = None) -> EndUser:
        """Show what an end user has.

        List what an end user has here: before they leave, or to answer them. One that is unknown has nothing.
        """
        answer: EndUser = self._call(
            _GET_END_USER, EndUser, path={"end_user": end_user}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_import(self, import_id: str, /, *, tenant: str | None = None) -> Import:
        """Show an import.

        Show how far an import is, and how many rows have each outcome.
        """
        answer: Import = self._call(
            _GET_IMPORT, Import, path={"import_id": import_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_incident(self, incident_id: str, /, *, tenant: str | None = None) -> Incident:
        """Show one incident.

        Show one incident, open or closed.
        """
        answer: Incident = self._call(
            _GET_INCIDENT, Incident, path={"incident_id": incident_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_management_session(self, session_id: str, /, *, tenant: str | None = None) -> ManagementSessionShown:
        """Show one visit.

        Show one visit, or the invitation to one. No token is shown.
        """
        answer: ManagementSessionShown = self._call(
            _GET_MANAGEMENT_SESSION,
            ManagementSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    def get_offboarding(self, offboarding_id: str, /, *, tenant: str | None = None) -> Offboarding:
        """Show the receipt of an offboarding.

        Show what an offboarding has done so far, and what is pending.
        """
        answer: Offboarding = self._call(
            _GET_OFFBOARDING, Offboarding, path={"offboarding_id": offboarding_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_outbound_addresses(self, *, ask: bool | None = None) -> OutboundAddresses:
        """Say from which addresses providers are called.

        Say which addresses to allow at providers that keep a list. Operator-wide clients only.

        The service at EGRESS_ECHO_URL, if there is one, is asked what it sees, for up to 10 seconds.
        """
        answer: OutboundAddresses = self._call(
            _GET_OUTBOUND_ADDRESSES, OutboundAddresses, path={}, query={"ask": ask}, headers={}
        )
        return answer

    def get_outlook(self, connection_id: str, /, *, tenant: str | None = None) -> Outlook:
        """Say what happens next to a connection.

        Say what happens next: refreshes, probes, ends, and what holds them back. It decides nothing.
        """
        answer: Outlook = self._call(
            _GET_OUTLOOK, Outlook, path={"connection_id": connection_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_own_provider(self, own_slug: str, /) -> OwnProvider:
        """Show an entry of your own.

        Show how an entry of your own is written, and what uses it. Operator-wide clients only.
        """
        answer: OwnProvider = self._call(
            _GET_OWN_PROVIDER, OwnProvider, path={"own_slug": own_slug}, query={}, headers={}
        )
        return answer

    def get_provider(self, slug: str, /, *, tenant: str | None = None) -> Provider:
        """Show one provider.

        Show one provider: its methods, the fields that each asks for, and its scopes.
        """
        answer: Provider = self._call(
            _GET_PROVIDER, Provider, path={"slug": slug}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_provider_app(self, app_id: str, /, *, tenant: str | None = None) -> ProviderApp:
        """Show one provider app.

        Show one registration, without its secrets.
        """
        answer: ProviderApp = self._call(
            _GET_PROVIDER_APP, ProviderApp, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_push(self, app_id: str, /, *, tenant: str | None = None) -> Push:
        """Show how the provider pushes to an app.

        Show the address to register at the provider, what proves a push, and when the last one came.
        """
        answer: Push = self._call(_GET_PUSH, Push, path={"app_id": app_id}, query={"tenant": tenant}, headers={})
        return answer

    def get_push_secrets(self, app_id: str, /, *, tenant: str | None = None) -> PushSecrets:
        """Tell an app's push secrets apart.

        Show a fingerprint of each push secret, the newest first; no secret is ever shown.
        """
        answer: PushSecrets = self._call(
            _GET_PUSH_SECRETS, PushSecrets, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_quarantine(self) -> Quarantine:
        """Say how refresh quarantine stands.

        Say whether refreshes wait because the database was put back, and how many of each tenant.

        A tenant's client sees its own, an operator-wide one those of all tenants.
        """
        answer: Quarantine = self._call(_GET_QUARANTINE, Quarantine, path={}, query={}, headers={})
        return answer

    def get_tenant(self, slug: str, /) -> Tenant:
        """Show one tenant.

        Show one tenant. A tenant's own client sees its own tenant only.
        """
        answer: Tenant = self._call(_GET_TENANT, Tenant, path={"slug": slug}, query={}, headers={})
        return answer

    def get_trusted_issuer(self, issuer_id: str, /, *, tenant: str | None = None) -> Issuer:
        """Show one trusted issuer.

        Show on which terms an issuer is trusted.
        """
        answer: Issuer = self._call(
            _GET_TRUSTED_ISSUER, Issuer, path={"issuer_id": issuer_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def get_webhook_endpoint(self, endpoint_id: str, /, *, tenant: str | None = None) -> WebhookEndpoint:
        """Show one webhook endpoint.

        Show one endpoint: whether it is enabled, since when it fails, and what it has missed.
        """
        answer: WebhookEndpoint = self._call(
            _GET_WEBHOOK_ENDPOINT,
            WebhookEndpoint,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    def import_connections(self, *, idempotency_key: str | None = None, **body: Unpack[ImportIn]) -> Import:
        """Import connections.

        Import connections that another system has kept: up to 1,000 rows a call, in as many calls as there are
        parts.

        Each row is judged at once and kept sealed; the workers store, refresh and verify them once the rows are
        `complete`. Where refresh tokens rotate, that refresh ends the copy at the source: stop its refreshes
        first, and try with `dry_run`. It needs the permission `import`, because whoever imports decides whose
        account an end user gets.
        """
        answer: Import = self._call(
            _IMPORT_CONNECTIONS, Import, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    def issue_api_key(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ApiKeyIn],
    ) -> IssuedApiKey:
        """Issue or rotate a key.

        Give the client one more key, which only this answer shows; `earlier_keys_end_after_seconds` ends the
        others.

        A client that may do more than yourself gets no key from you.
        """
        answer: IssuedApiKey = self._call(
            _ISSUE_API_KEY,
            IssuedApiKey,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def list_access_grants(
        self,
        *,
        tenant: str | None = None,
        subject_kind: SubjectKind | None = None,
        subject: str | None = None,
        connection: str | None = None,
        provider: str | None = None,
        granted_by: str | None = None,
        revoked: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AccessGrantPage:
        """List access grants.

        List a tenant's grants, the newest first. `connection` means those that name it, not those on its
        provider.
        """
        answer: AccessGrantPage = self._call(
            _LIST_ACCESS_GRANTS,
            AccessGrantPage,
            path={},
            query={
                "tenant": tenant,
                "subject_kind": subject_kind,
                "subject": subject,
                "connection": connection,
                "provider": provider,
                "granted_by": granted_by,
                "revoked": revoked,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_access_grants(
        self,
        *,
        tenant: str | None = None,
        subject_kind: SubjectKind | None = None,
        subject: str | None = None,
        connection: str | None = None,
        provider: str | None = None,
        granted_by: str | None = None,
        revoked: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[AccessGrant]:
        """List access grants, page by page."""
        return self._each(
            lambda cursor: self.list_access_grants(
                tenant=tenant,
                subject_kind=subject_kind,
                subject=subject,
                connection=connection,
                provider=provider,
                granted_by=granted_by,
                revoked=revoked,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    def list_api_clients(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ApiClientPage:
        """List API clients.

        List the API clients of a tenant, or the operator-wide ones, the newest first.
        """
        answer: ApiClientPage = self._call(
            _LIST_API_CLIENTS,
            ApiClientPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_api_clients(self, *, tenant: str | None = None, limit: int | None = None) -> Iterator[ApiClient]:
        """List API clients, page by page."""
        return self._each(lambda cursor: self.list_api_clients(tenant=tenant, limit=limit, cursor=cursor))

    def list_api_keys(
        self, client_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ApiKeyPage:
        """List a client's keys.

        List the keys by their visible beginning, revoked and expired ones too.
        """
        answer: ApiKeyPage = self._call(
            _LIST_API_KEYS,
            ApiKeyPage,
            path={"client_id": client_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_api_keys(
        self, client_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[ApiKey]:
        """List a client's keys, page by page."""
        return self._each(lambda cursor: self.list_api_keys(client_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_app_keys(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> AppKeyPage:
        """List an app's key pairs.

        List the public halves, those that were taken back too, the newest first.
        """
        answer: AppKeyPage = self._call(
            _LIST_APP_KEYS,
            AppKeyPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_app_keys(self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None) -> Iterator[AppKey]:
        """List an app's key pairs, page by page."""
        return self._each(lambda cursor: self.list_app_keys(app_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_approvals(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        grant: str | None = None,
        decided: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ApprovalPage:
        """List approvals.

        List what was asked, the newest first. One that expired without an answer counts as not decided at
        first.
        """
        answer: ApprovalPage = self._call(
            _LIST_APPROVALS,
            ApprovalPage,
            path={},
            query={
                "tenant": tenant,
                "connection": connection,
                "grant": grant,
                "decided": decided,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_approvals(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        grant: str | None = None,
        decided: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[Approval]:
        """List approvals, page by page."""
        return self._each(
            lambda cursor: self.list_approvals(
                tenant=tenant,
                connection=connection,
                grant=grant,
                decided=decided,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    def list_audit_events(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        client: str | None = None,
        operator: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        decision: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AuditEventPage:
        """Read the audit trail.

        List who asked for what, and what was decided, the newest first.

        `action` is one action, or a family of them with its point (`tenant.`). A tenant's client sees its
        tenant's rows. An operator-wide one sees those of the tenant that it names, or all.
        """
        answer: AuditEventPage = self._call(
            _LIST_AUDIT_EVENTS,
            AuditEventPage,
            path={},
            query={
                "tenant": tenant,
                "connection": connection,
                "client": client,
                "operator": operator,
                "subject": subject,
                "action": action,
                "decision": decision,
                "since": since,
                "until": until,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_audit_events(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        client: str | None = None,
        operator: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        decision: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[AuditEvent]:
        """Read the audit trail, page by page."""
        return self._each(
            lambda cursor: self.list_audit_events(
                tenant=tenant,
                connection=connection,
                client=client,
                operator=operator,
                subject=subject,
                action=action,
                decision=decision,
                since=since,
                until=until,
                limit=limit,
                cursor=cursor,
            )
        )

    def list_bulk_jobs(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> BulkJobPage:
        """List bulk jobs.

        List the jobs of 90 days, the newest first, whoever ordered them.
        """
        answer: BulkJobPage = self._call(
            _LIST_BULK_JOBS,
            BulkJobPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_bulk_jobs(self, *, tenant: str | None = None, limit: int | None = None) -> Iterator[BulkJob]:
        """List bulk jobs, page by page."""
        return self._each(lambda cursor: self.list_bulk_jobs(tenant=tenant, limit=limit, cursor=cursor))

    def list_bulk_rows(
        self, job_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> BulkRowPage:
        """List the rows of a bulk job.

        List what came of each connection, in their order; of an export also how each stood.
        """
        answer: BulkRowPage = self._call(
            _LIST_BULK_ROWS,
            BulkRowPage,
            path={"job_id": job_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_bulk_rows(
        self, job_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[BulkRow]:
        """List the rows of a bulk job, page by page."""
        return self._each(lambda cursor: self.list_bulk_rows(job_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_caller_rules(
        self, issuer_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> CallerRulePage:
        """List an issuer's caller rules.

        List which tokens of the issuer are which API client, the newest rule first.
        """
        answer: CallerRulePage = self._call(
            _LIST_CALLER_RULES,
            CallerRulePage,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_caller_rules(
        self, issuer_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[CallerRule]:
        """List an issuer's caller rules, page by page."""
        return self._each(lambda cursor: self.list_caller_rules(issuer_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_connect_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        state: SessionState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ConnectSessionPage:
        """List connect sessions.

        List a tenant's invitations to connect, the newest first: how far each came, and why it ended.
        """
        answer: ConnectSessionPage = self._call(
            _LIST_CONNECT_SESSIONS,
            ConnectSessionPage,
            path={},
            query={"tenant": tenant, "end_user": end_user, "state": state, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_connect_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        state: SessionState | None = None,
        limit: int | None = None,
    ) -> Iterator[ConnectSessionShown]:
        """List connect sessions, page by page."""
        return self._each(
            lambda cursor: self.list_connect_sessions(
                tenant=tenant, end_user=end_user, state=state, limit=limit, cursor=cursor
            )
        )

    def list_connect_steps(self, session_id: str, /, *, tenant: str | None = None) -> ConnectTrace:
        """Trace one connect session.

        List each step that was tried, in order, where it stopped, and what was sent to the provider and came
        back.

        What is kept of a request or an answer is what a list allows: no code, token, key or state.
        """
        answer: ConnectTrace = self._call(
            _LIST_CONNECT_STEPS, ConnectTrace, path={"session_id": session_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    def list_connections(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        provider: str | None = None,
        status: Sequence[Literal["pending", "active", "suspect", "needs_reauth", "revoked", "disconnected"]]
        | None = None,
        label: str | None = None,
        tag: Sequence[str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ConnectionPage:
        """List connections.

        List a tenant's connections, newest first. An alias of a provider means those by the style it stands
        for.
        """
        answer: ConnectionPage = self._call(
            _LIST_CONNECTIONS,
            ConnectionPage,
            path={},
            query={
                "tenant": tenant,
                "end_user": end_user,
                "provider": provider,
                "status": status,
                "label": label,
                "tag": tag,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_connections(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        provider: str | None = None,
        status: Sequence[Literal["pending", "active", "suspect", "needs_reauth", "revoked", "disconnected"]]
        | None = None,
        label: str | None = None,
        tag: Sequence[str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> Iterator[Connection]:
        """List connections, page by page."""
        return self._each(
            lambda cursor: self.list_connections(
                tenant=tenant,
                end_user=end_user,
                provider=provider,
                status=status,
                label=label,
                tag=tag,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    def list_domains(self, slug: str, /, *, cursor: str | None = None, limit: int | None = None) -> DomainPage:
        """List a tenant's domains.

        List the tenant's domains by host, as they were last seen. Operator-wide clients only.
        """
        answer: DomainPage = self._call(
            _LIST_DOMAINS, DomainPage, path={"slug": slug}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_domains(self, slug: str, /, *, limit: int | None = None) -> Iterator[Domain]:
        """List a tenant's domains, page by page."""
        return self._each(lambda cursor: self.list_domains(slug, limit=limit, cursor=cursor))

    def list_events(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> EventPage:
        """Read events.

        Read a tenant's events after `cursor`, oldest first; without one, from the oldest that is kept.
        """
        answer: EventPage = self._call(
            _LIST_EVENTS, EventPage, path={}, query={"tenant": tenant, "cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_events(self, *, tenant: str | None = None, limit: int | None = None) -> Iterator[Event]:
        """Read events, page by page."""
        return self._each(lambda cursor: self.list_events(tenant=tenant, limit=limit, cursor=cursor))

    def list_forecast(
        self,
        *,
        tenant: str | None = None,
        days: int | None = None,
        cause: Cause | None = None,
        provider: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ForecastPage:
        """List what will end.

        List a tenant's connections that end within `days`, by date: when, of what, and what to do.

        What a refresh keeps alive is not listed. Something of ours that ends, such as a certificate of the
        tenant's own provider app, is listed with `provider_app` and without `connection`. What has no date may
        end at any time.
        """
        answer: ForecastPage = self._call(
            _LIST_FORECAST,
            ForecastPage,
            path={},
            query={
                "tenant": tenant,
                "days": days,
                "cause": cause,
                "provider": provider,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_forecast(
        self,
        *,
        tenant: str | None = None,
        days: int | None = None,
        cause: Cause | None = None,
        provider: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Ending]:
        """List what will end, page by page."""
        return self._each(
            lambda cursor: self.list_forecast(
                tenant=tenant, days=days, cause=cause, provider=provider, limit=limit, cursor=cursor
            )
        )

    def list_held_connections(
        self,
        *,
        tenant: str | None = None,
        verdict: TokenVerdict | None = None,
        provider: str | None = None,
        end_user: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> HeldConnectionPage:
        """List what refresh quarantine holds.

        List a tenant's connections whose refreshes wait until they are released, or their end users connect
        again.
        """
        answer: HeldConnectionPage = self._call(
            _LIST_HELD_CONNECTIONS,
            HeldConnectionPage,
            path={},
            query={
                "tenant": tenant,
                "verdict": verdict,
                "provider": provider,
                "end_user": end_user,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_held_connections(
        self,
        *,
        tenant: str | None = None,
        verdict: TokenVerdict | None = None,
        provider: str | None = None,
        end_user: str | None = None,
        limit: int | None = None,
    ) -> Iterator[HeldConnection]:
        """List what refresh quarantine holds, page by page."""
        return self._each(
            lambda cursor: self.list_held_connections(
                tenant=tenant, verdict=verdict, provider=provider, end_user=end_user, limit=limit, cursor=cursor
            )
        )

    def list_import_rows(
        self,
        import_id: str,
        /,
        *,
        tenant: str | None = None,
        needs_care: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ImportRowPage:
        """List the rows of an import.

        List what came of each row, in their order.
        """
        answer: ImportRowPage = self._call(
            _LIST_IMPORT_ROWS,
            ImportRowPage,
            path={"import_id": import_id},
            query={"tenant": tenant, "needs_care": needs_care, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_import_rows(
        self, import_id: str, /, *, tenant: str | None = None, needs_care: bool | None = None, limit: int | None = None
    ) -> Iterator[ImportRow]:
        """List the rows of an import, page by page."""
        return self._each(
            lambda cursor: self.list_import_rows(
                import_id, tenant=tenant, needs_care=needs_care, limit=limit, cursor=cursor
            )
        )

    def list_incidents(
        self,
        *,
        tenant: str | None = None,
        provider_app: str | None = None,
        open: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> IncidentPage:
        """List incidents.

        List the incidents of provider apps, the newest first: open ones, closed ones, or both.
        """
        answer: IncidentPage = self._call(
            _LIST_INCIDENTS,
            IncidentPage,
            path={},
            query={"tenant": tenant, "provider_app": provider_app, "open": open, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_incidents(
        self,
        *,
        tenant: str | None = None,
        provider_app: str | None = None,
        open: bool | None = None,
        limit: int | None = None,
    ) -> Iterator[Incident]:
        """List incidents, page by page."""
        return self._each(
            lambda cursor: self.list_incidents(
                tenant=tenant, provider_app=provider_app, open=open, limit=limit, cursor=cursor
            )
        )

    def list_management_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ManagementSessionPage:
        """List visits to own connections.

        List the visits of a tenant's end users to their own connections, the newest first.
        """
        answer: ManagementSessionPage = self._call(
            _LIST_MANAGEMENT_SESSIONS,
            ManagementSessionPage,
            path={},
            query={"tenant": tenant, "end_user": end_user, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_management_sessions(
        self, *, tenant: str | None = None, end_user: str | None = None, limit: int | None = None
    ) -> Iterator[ManagementSessionShown]:
        """List visits to own connections, page by page."""
        return self._each(
            lambda cursor: self.list_management_sessions(tenant=tenant, end_user=end_user, limit=limit, cursor=cursor)
        )

    def list_own_providers(self, *, cursor: str | None = None, limit: int | None = None) -> OwnProviderPage:
        """List the entries of your own.

        List the entries of your own by slug, those that are not in order too. Operator-wide clients only.
        """
        answer: OwnProviderPage = self._call(
            _LIST_OWN_PROVIDERS, OwnProviderPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_own_providers(self, *, limit: int | None = None) -> Iterator[OwnProvider]:
        """List the entries of your own, page by page."""
        return self._each(lambda cursor: self.list_own_providers(limit=limit, cursor=cursor))

    def list_provider_apps(
        self, slug: str, /, *, cursor: str | None = None, limit: int | None = None
    ) -> ProviderAppPage:
        """List a tenant's own provider apps.

        List the registrations that are the tenant's own, newest first.
        """
        answer: ProviderAppPage = self._call(
            _LIST_PROVIDER_APPS,
            ProviderAppPage,
            path={"slug": slug},
            query={"cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_provider_apps(self, slug: str, /, *, limit: int | None = None) -> Iterator[ProviderApp]:
        """List a tenant's own provider apps, page by page."""
        return self._each(lambda cursor: self.list_provider_apps(slug, limit=limit, cursor=cursor))

    def list_providers(
        self,
        *,
        tenant: str | None = None,
        q: str | None = None,
        category: str | None = None,
        style: str | None = None,
        confidence: Confidence | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ProviderPage:
        """List the catalogue.

        List the catalogue by slug; `configured` tells whether the tenant has an app for it.

        `q` searches names, slugs, aliases and categories. With `style`, `confidence` is that of the style.
        """
        answer: ProviderPage = self._call(
            _LIST_PROVIDERS,
            ProviderPage,
            path={},
            query={
                "tenant": tenant,
                "q": q,
                "category": category,
                "style": style,
                "confidence": confidence,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_providers(
        self,
        *,
        tenant: str | None = None,
        q: str | None = None,
        category: str | None = None,
        style: str | None = None,
        confidence: Confidence | None = None,
        limit: int | None = None,
    ) -> Iterator[Provider]:
        """List the catalogue, page by page."""
        return self._each(
            lambda cursor: self.list_providers(
                tenant=tenant, q=q, category=category, style=style, confidence=confidence, limit=limit, cursor=cursor
            )
        )

    def list_pushes(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ReceivedPushPage:
        """List what the provider has pushed.

        List the pushes that came, refused ones among them, the newest first. Of what they said only types are
        kept.
        """
        answer: ReceivedPushPage = self._call(
            _LIST_PUSHES,
            ReceivedPushPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_pushes(
        self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[ReceivedPush]:
        """List what the provider has pushed, page by page."""
        return self._each(lambda cursor: self.list_pushes(app_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_receipts(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        client: str | None = None,
        end_user: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ReceiptPage:
        """List who used a connection.

        List each credential that was handed out: to which client, for whom, for what, as which agent; newest
        first.
        """
        answer: ReceiptPage = self._call(
            _LIST_RECEIPTS,
            ReceiptPage,
            path={"connection_id": connection_id},
            query={
                "tenant": tenant,
                "client": client,
                "end_user": end_user,
                "agent": agent,
                "purpose": purpose,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_receipts(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        client: str | None = None,
        end_user: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Receipt]:
        """List who used a connection, page by page."""
        return self._each(
            lambda cursor: self.list_receipts(
                connection_id,
                tenant=tenant,
                client=client,
                end_user=end_user,
                agent=agent,
                purpose=purpose,
                limit=limit,
                cursor=cursor,
            )
        )

    def list_refresh_attempts(
        self, connection_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> RefreshAttemptPage:
        """List a connection's refresh attempts.

        List each try to refresh it and how it ended, the newest first, as long as they are kept.
        """
        answer: RefreshAttemptPage = self._call(
            _LIST_REFRESH_ATTEMPTS,
            RefreshAttemptPage,
            path={"connection_id": connection_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_refresh_attempts(
        self, connection_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[RefreshAttempt]:
        """List a connection's refresh attempts, page by page."""
        return self._each(
            lambda cursor: self.list_refresh_attempts(connection_id, tenant=tenant, limit=limit, cursor=cursor)
        )

    def list_registered_clients(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> RegisteredClientPage:
        """List what an app has registered itself.

        List the clients that the app has registered without hands, one an authorization server, the newest
        first.
        """
        answer: RegisteredClientPage = self._call(
            _LIST_REGISTERED_CLIENTS,
            RegisteredClientPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_registered_clients(
        self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[RegisteredClient]:
        """List what an app has registered itself, page by page."""
        return self._each(
            lambda cursor: self.list_registered_clients(app_id, tenant=tenant, limit=limit, cursor=cursor)
        )

    def list_shared_provider_apps(self, *, cursor: str | None = None, limit: int | None = None) -> ProviderAppPage:
        """List the shared provider apps.

        List the registrations that all tenants share, the newest first. Operator-wide clients only.
        """
        answer: ProviderAppPage = self._call(
            _LIST_SHARED_PROVIDER_APPS, ProviderAppPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_shared_provider_apps(self, *, limit: int | None = None) -> Iterator[ProviderApp]:
        """List the shared provider apps, page by page."""
        return self._each(lambda cursor: self.list_shared_provider_apps(limit=limit, cursor=cursor))

    def list_tenants(self, *, cursor: str | None = None, limit: int | None = None) -> TenantPage:
        """List tenants.

        List the tenants that the client may see by slug: its own, or all.
        """
        answer: TenantPage = self._call(
            _LIST_TENANTS, TenantPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_tenants(self, *, limit: int | None = None) -> Iterator[Tenant]:
        """List tenants, page by page."""
        return self._each(lambda cursor: self.list_tenants(limit=limit, cursor=cursor))

    def list_trusted_issuers(
        self,
        *,
        tenant: str | None = None,
        use: IssuerUse | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> IssuerPage:
        """List trusted issuers.

        List whom a tenant or the operator trusts, the newest first.
        """
        answer: IssuerPage = self._call(
            _LIST_TRUSTED_ISSUERS,
            IssuerPage,
            path={},
            query={"tenant": tenant, "use": use, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_trusted_issuers(
        self, *, tenant: str | None = None, use: IssuerUse | None = None, limit: int | None = None
    ) -> Iterator[Issuer]:
        """List trusted issuers, page by page."""
        return self._each(lambda cursor: self.list_trusted_issuers(tenant=tenant, use=use, limit=limit, cursor=cursor))

    def list_versions(
        self, connection_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> VersionPage:
        """List a connection's credential versions.

        List the versions of its credential that are kept, the newest first: everything about them but the
        secrets.
        """
        answer: VersionPage = self._call(
            _LIST_VERSIONS,
            VersionPage,
            path={"connection_id": connection_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_versions(
        self, connection_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[Version]:
        """List a connection's credential versions, page by page."""
        return self._each(lambda cursor: self.list_versions(connection_id, tenant=tenant, limit=limit, cursor=cursor))

    def list_webhook_deliveries(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> WebhookDeliveryPage:
        """List an endpoint's deliveries.

        List what was delivered to an endpoint, or is to be, the newest first.
        """
        answer: WebhookDeliveryPage = self._call(
            _LIST_WEBHOOK_DELIVERIES,
            WebhookDeliveryPage,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant, "state": state, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_webhook_deliveries(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        state: DeliveryState | None = None,
        limit: int | None = None,
    ) -> Iterator[WebhookDelivery]:
        """List an endpoint's deliveries, page by page."""
        return self._each(
            lambda cursor: self.list_webhook_deliveries(
                endpoint_id, tenant=tenant, state=state, limit=limit, cursor=cursor
            )
        )

    def list_webhook_endpoints(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> WebhookEndpointPage:
        """List webhook endpoints.

        List the endpoints of a tenant, or the operator's own, the newest first.
        """
        answer: WebhookEndpointPage = self._call(
            _LIST_WEBHOOK_ENDPOINTS,
            WebhookEndpointPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_webhook_endpoints(
        self, *, tenant: str | None = None, limit: int | None = None
    ) -> Iterator[WebhookEndpoint]:
        """List webhook endpoints, page by page."""
        return self._each(lambda cursor: self.list_webhook_endpoints(tenant=tenant, limit=limit, cursor=cursor))

    def patch_connection(
        self, connection_id: str, /, *, if_match: str | None = None, **body: Unpack[ConnectionPatch]
    ) -> Connection | Changed:
        """Change metadata, label or default.

        Change what you give: `metadata` (your own notes, at most 16 KiB of JSON, replaced whole), `label`,
        `default`.
        """
        answer: Connection | Changed = self._call(
            _PATCH_CONNECTION,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def probe_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Probe now.

        Prove that the credential works, by a cheap call to the provider.
        """
        answer: Outcome = self._call(
            _PROBE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def put_api_client(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[ApiClientTerms],
    ) -> ApiClient:
        """Change an API client.

        Replace what the client may do; what is left out is taken back. In force from its next call on.

        A client that may do more than yourself is not yours to change.
        """
        answer: ApiClient = self._call(
            _PUT_API_CLIENT,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_api_client_switches(
        self, client_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[KillSwitchIn]
    ) -> ApiClient:
        """Suspend or resume an API client.

        Throw the client's kill switch: each of its calls is refused. Only an operator-wide client takes it
        back.
        """
        answer: ApiClient = self._call(
            _PUT_API_CLIENT_SWITCHES,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_app_key_certificates(
        self,
        app_id: str,
        key_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[CertificatesIn],
    ) -> AppKey:
        """Put certificates beside a key.

        Replace the key's certificates; they have to be of its public half, and not ended.
        """
        answer: AppKey = self._call(
            _PUT_APP_KEY_CERTIFICATES,
            AppKey,
            path={"app_id": app_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_assertion_keys(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[AssertionKeysIn],
    ) -> ApiClient:
        """Register a client's public keys.

        Register the public keys with which the client signs for itself at `POST /oauth/token` (RFC 7523 §2.2).
        """
        answer: ApiClient = self._call(
            _PUT_ASSERTION_KEYS,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_branding(self, *, if_match: str | None = None, **body: Unpack[OperatorBrandingIn]) -> OperatorBranding:
        """Change the operator's brand.

        Replace the operator's brand; only pictures stay if they are not given. Operator-wide clients only.
        """
        answer: OperatorBranding = self._call(
            _PUT_BRANDING, OperatorBranding, path={}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    def put_client_secret_source(
        self, app_id: str, /, *, tenant: str | None = None, **body: Unpack[SecretSourceIn]
    ) -> SecretSource:
        """Say from where an app's secret is read.

        Have the client secret read from where the operator keeps it, now and whenever it changes.

        The secrets before it stay for a week. The same source once more reads it at once. Operator-wide clients
        only.
        """
        answer: SecretSource = self._call(
            _PUT_CLIENT_SECRET_SOURCE,
            SecretSource,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={},
            body=body,
        )
        return answer

    def put_client_secrets_end(
        self, app_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[EndsOfSecretsIn]
    ) -> ClientSecrets:
        """Say when an app's old secrets end.

        Have all client secrets but the preferred one destroyed then; they are tried until then where it is
        refused.

        With `expires_at`, note when the provider lets the preferred one expire: the forecast tells of it.
        """
        answer: ClientSecrets = self._call(
            _PUT_CLIENT_SECRETS_END,
            ClientSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_connection_switches(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[SwitchesIn],
    ) -> Connection | Changed:
        """Suspend, resume, pause or unpause a connection.

        Switch the connection off, or on again: suspended, it does not vend; paused, it is not refreshed or
        probed.

        Only an operator-wide client takes the kill switch back.
        """
        answer: Connection | Changed = self._call(
            _PUT_CONNECTION_SWITCHES,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_domain(self, slug: str, host: str, /) -> Domain:
        """Verify a tenant's domain.

        Look for the file by which the host says that it is the tenant's; without it the answer says what it
        must hold.

        Pages vouch for a verified host that they lead back to. It is looked at every day, and ceases to be
        verified when the file is gone, or the host has not answered for a week. Operator-wide clients only.
        """
        answer: Domain = self._call(_PUT_DOMAIN, Domain, path={"slug": slug, "host": host}, query={}, headers={})
        return answer

    def put_own_provider(
        self, own_slug: str, /, *, if_match: str | None = None, **body: Unpack[OwnProviderIn]
    ) -> OwnProvider:
        """Describe a provider of your own.

        Add or replace an entry. It is checked as `manage.py providers check` does, and `problems` has its
        sentences.

        A change that moves an address is refused while connections, keys or connects in flight would follow it.
        Operator-wide clients only.
        """
        answer: OwnProvider = self._call(
            _PUT_OWN_PROVIDER,
            OwnProvider,
            path={"own_slug": own_slug},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_provider_app(
        self, slug: str, provider: str, /, *, if_match: str | None = None, **body: Unpack[ProviderAppIn]
    ) -> ProviderApp:
        """Make or change a tenant's own provider app.

        Have the tenant use a registration of its own at a provider, in place of the shared one.

        Its end users then connect by that registration alone, and no other tenant sees or uses it. Repeating
        the call with other terms changes it. A tenant's own client makes its own tenant's only.
        """
        answer: ProviderApp = self._call(
            _PUT_PROVIDER_APP,
            ProviderApp,
            path={"slug": slug, "provider": provider},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_provider_app_switches(
        self, app_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[SwitchesIn]
    ) -> ProviderApp:
        """Suspend, resume, pause or unpause an app.

        Switch the app off, or on again: suspended, none of its connections vends; paused, none is refreshed or
        probed.

        Only an operator-wide client takes the kill switch back.
        """
        answer: ProviderApp = self._call(
            _PUT_PROVIDER_APP_SWITCHES,
            ProviderApp,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_shared_provider_app(
        self, provider: str, /, *, if_match: str | None = None, **body: Unpack[ProviderAppIn]
    ) -> ProviderApp:
        """Make or change the shared provider app.

        Have all tenants without one of their own use this registration at a provider. Operator-wide clients
        only.
        """
        answer: ProviderApp = self._call(
            _PUT_SHARED_PROVIDER_APP,
            ProviderApp,
            path={"provider": provider},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_sharing(
        self, connection_id: str, /, *, if_match: str | None = None, **body: Unpack[SharingIn]
    ) -> Connection | Changed:
        """Say who may use a connection.

        Say whether a connection is used under access grants only, and who answers for one of the whole
        tenant's.

        With `grants_only` even its owner needs a grant. Handing over changes nothing at the provider: the
        credential stays that of the account which was connected, until somebody connects another.
        """
        answer: Connection | Changed = self._call(
            _PUT_SHARING,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_tenant(self, slug: str, /, *, if_match: str | None = None, **body: Unpack[TenantIn]) -> Tenant:
        """Make or change a tenant.

        Make the tenant, or replace what it is known by. Operator-wide clients only.
        """
        answer: Tenant = self._call(
            _PUT_TENANT, Tenant, path={"slug": slug}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    def put_tenant_switches(self, slug: str, /, *, if_match: str | None = None, **body: Unpack[KillSwitchIn]) -> Tenant:
        """Suspend or resume a tenant.

        Throw the tenant's kill switch, or take it back: suspended, nothing of it vends, refreshes or connects.

        Operator-wide clients only.
        """
        answer: Tenant = self._call(
            _PUT_TENANT_SWITCHES, Tenant, path={"slug": slug}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    def put_trusted_issuer(
        self, issuer_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[IssuerTerms]
    ) -> Issuer:
        """Change the terms of trust.

        Replace how the issuer's tokens are checked. What was proven by them has to be proven again.
        """
        answer: Issuer = self._call(
            _PUT_TRUSTED_ISSUER,
            Issuer,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_webhook_endpoint(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[WebhookEndpointIn],
    ) -> WebhookEndpoint:
        """Change a webhook endpoint.

        Replace the address, the description and the types. What waits goes to the new address; the secrets
        stay.
        """
        answer: WebhookEndpoint = self._call(
            _PUT_WEBHOOK_ENDPOINT,
            WebhookEndpoint,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def put_webhook_switches(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[WebhookSwitchIn],
    ) -> WebhookSwitch:
        """Disable or enable a webhook endpoint.

        Disable an endpoint, so that events wait, or enable it, so that it goes on where it stood, at once.

        Events wait as long as the outbox keeps them: `fell_out` says how many did not.
        """
        answer: WebhookSwitch = self._call(
            _PUT_WEBHOOK_SWITCHES,
            WebhookSwitch,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def refresh_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Refresh now.

        Replace the current credential by a fresh one; several calls at once lead to one request.

        Not so within 10 s of the last refresh (`too_soon`). `Retry-After` says when asking again can lead to
        more.
        """
        answer: Outcome = self._call(
            _REFRESH_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def release_connection(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ReleaseIn],
    ) -> Outcome:
        """Release from refresh quarantine.

        Let a connection refresh again that waits because the database was put back to an earlier moment.

        One whose refresh token is known to be used is left alone (`token_used`), unless the call says
        `with_used`. All of a tenant's are released by the bulk job `release`.
        """
        answer: Outcome = self._call(
            _RELEASE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def renew_registered_client(
        self, app_id: str, registered_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Renewed:
        """Renew a registration now.

        Renew a registration at its server, or make another in its place; by itself that is done before its end.
        """
        answer: Renewed = self._call(
            _RENEW_REGISTERED_CLIENT,
            Renewed,
            path={"app_id": app_id, "registered_id": registered_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def replay_webhook_events(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[WebhookReplayIn],
    ) -> WebhookReplay:
        """Deliver events once more.

        Deliver every event once more that was written at `since` or later, also from before the endpoint was
        made.
        """
        answer: WebhookReplay = self._call(
            _REPLAY_WEBHOOK_EVENTS,
            WebhookReplay,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def report_connection(
        self, connection_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ReportIn]
    ) -> Report:
        """Report a refused credential.

        Tell that the provider answered 401 to a vended version; the current one is then probed at once.
        """
        answer: Report = self._call(
            _REPORT_CONNECTION,
            Report,
            path={"connection_id": connection_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def reread_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Read a kept answer again.

        Read the provider's answer again that could not be read, once its catalogue entry is mended. Nothing is
        sent.
        """
        answer: Outcome = self._call(
            _REREAD_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def resend_webhook_delivery(
        self, endpoint_id: str, delivery_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> WebhookDelivery:
        """Deliver one event once more.

        Deliver one event once more, under the same id, ahead of later ones of its connection.
        """
        answer: WebhookDelivery = self._call(
            _RESEND_WEBHOOK_DELIVERY,
            WebhookDelivery,
            path={"endpoint_id": endpoint_id, "delivery_id": delivery_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def retire_app_push_secret(
        self, app_id: str, fingerprint: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> PushSecrets:
        """Retire a push secret.

        Destroy the secret with this fingerprint: what is signed with it is refused from now on.
        """
        answer: PushSecrets = self._call(
            _RETIRE_APP_PUSH_SECRET,
            PushSecrets,
            path={"app_id": app_id, "fingerprint": fingerprint},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def retire_client_secret(
        self, app_id: str, fingerprint: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ClientSecrets:
        """Retire a client secret.

        Destroy the secret with this fingerprint.
        """
        answer: ClientSecrets = self._call(
            _RETIRE_CLIENT_SECRET,
            ClientSecrets,
            path={"app_id": app_id, "fingerprint": fingerprint},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def revoke_api_key(
        self, client_id: str, key_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ApiKey:
        """Revoke a key.

        Revoke a key: it is refused from the next call on, for good. Repeating it changes nothing.
        """
        answer: ApiKey = self._call(
            _REVOKE_API_KEY,
            ApiKey,
            path={"client_id": client_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def revoke_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Revoke.

        Stop vending at once, and have the grant revoked at the provider; the end user can connect it anew.

        One that waits for its confirmation has nothing to revoke (`pending`). `DELETE` ends a connection for
        good.
        """
        answer: Outcome = self._call(
            _REVOKE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def rotate_webhook_secret(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[WebhookSecretIn],
    ) -> WebhookSecret:
        """Rotate a webhook's secret.

        Give an endpoint a fresh signing secret, which only this answer shows. Until the overlap ends, both
        sign.
        """
        answer: WebhookSecret = self._call(
            _ROTATE_WEBHOOK_SECRET,
            WebhookSecret,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    def send_test_event(
        self, endpoint_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> WebhookTest:
        """Send a test event.

        Send an event of the type `webhook.test` now, and say what came of it. It waits for up to 10 seconds.
        """
        answer: WebhookTest = self._call(
            _SEND_TEST_EVENT,
            WebhookTest,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    def shorten_api_key(
        self,
        client_id: str,
        key_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[ApiKeyEndIn],
    ) -> ApiKey:
        """Let a key end sooner.

        Have a key end at a moment. No key is prolonged: a later moment than its own changes nothing.
        """
        answer: ApiKey = self._call(
            _SHORTEN_API_KEY,
            ApiKey,
            path={"client_id": client_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    def vend_by_id(self, connection_id: str, /, **body: Unpack[VendIn]) -> Vend:
        """Vend a credential.

        Return a credential that works now, or the reason why none does; each call is audited.
        """
        answer: Vend = self._call(
            _VEND_BY_ID, Vend, path={"connection_id": connection_id}, query={}, headers={}, body=body
        )
        return answer

    def vend_by_owner(self, **body: Unpack[VendByOwnerIn]) -> Vend:
        """Vend a credential by provider and end user.

        The same for the one connection of an end user (or of the whole tenant) at a provider.
        """
        answer: Vend = self._call(_VEND_BY_OWNER, Vend, path={}, query={}, headers={}, body=body)
        return answer

    def withdraw_app_key(
        self, app_id: str, key_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> AppKey:
        """Take a key back.

        Take a key back at once, and destroy its private half. If it signed, the next one takes over now.
        """
        answer: AppKey = self._call(
            _WITHDRAW_APP_KEY,
            AppKey,
            path={"app_id": app_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    def proxy(
        self,
        method: str,
        connection_id: str,
        path: str,
        /,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        groups: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        subject_token: str | None = None,
        scopes: str | None = None,
        prefer: str | None = None,
        **sending: Unpack[Sending],
    ) -> Answer:
        """Call the provider, with any method.

        Send the request to the connection's provider with its credential, and get the provider's answer, as
        streams.

        Body, query and most headers pass as they are; what would name a caller or a credential does not.
        Allowed are the methods and paths of the API client's proxy rules, or of an access grant.
        `Latchkey-Outcome` of the answer is `upstream` for the provider's own, whatever its status, and
        `refused` for a problem document.

        - `tenant`: for operator-wide clients
        - `end_user`: on whose behalf the call is made
        - `groups`: the end user's, with commas between them
        - `agent`: who acts, for the audit trail
        - `purpose`: what for, for the audit trail
        - `subject_token`: of whoever you serve, where a connection acts for subjects
        - `scopes`: that the credential must have, with spaces
        - `prefer`: `wait=N`: seconds to wait for a refresh or a turn
        """
        return self._proxy(
            method,
            "/api/v1/connections/{connection_id}/proxy/{path}",
            connection_id,
            path,
            {
                "Latchkey-Tenant": tenant,
                "Latchkey-End-User": end_user,
                "Latchkey-Groups": groups,
                "Latchkey-Agent": agent,
                "Latchkey-Purpose": purpose,
                "Latchkey-Subject-Token": subject_token,
                "Latchkey-Scopes": scopes,
                "Prefer": prefer,
            },
            sending,
        )


class AsyncOperations(AsyncCaller):
    """Every operation of the API, asynchronously. Operations says more of each."""

    async def add_app_client_secret(
        self,
        app_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ClientSecretIn],
    ) -> ClientSecrets:
        """Add a client secret."""
        answer: ClientSecrets = await self._call(
            _ADD_APP_CLIENT_SECRET,
            ClientSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def add_app_push_secret(
        self,
        app_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[PushSecretIn],
    ) -> PushSecrets:
        """Add a push secret."""
        answer: PushSecrets = await self._call(
            _ADD_APP_PUSH_SECRET,
            PushSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def add_import_rows(
        self, import_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ImportRowsIn]
    ) -> Import:
        """Add rows to an import."""
        answer: Import = await self._call(
            _ADD_IMPORT_ROWS,
            Import,
            path={"import_id": import_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def approve(
        self, approval_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ApprovalIn]
    ) -> Approval:
        """Approve what was asked."""
        answer: Approval = await self._call(
            _APPROVE,
            Approval,
            path={"approval_id": approval_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def cancel_bulk_job(
        self, job_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> BulkJob:
        """Cancel a bulk job."""
        answer: BulkJob = await self._call(
            _CANCEL_BULK_JOB,
            BulkJob,
            path={"job_id": job_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def check_own_provider(
        self, own_slug: str, /, *, idempotency_key: str | None = None, **body: Unpack[OwnProviderDraft]
    ) -> OwnProviderVerdict:
        """Try an entry without storing it."""
        answer: OwnProviderVerdict = await self._call(
            _CHECK_OWN_PROVIDER,
            OwnProviderVerdict,
            path={"own_slug": own_slug},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def close_incident(
        self, incident_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Incident:
        """Close an incident."""
        answer: Incident = await self._call(
            _CLOSE_INCIDENT,
            Incident,
            path={"incident_id": incident_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def complete_connect_session(
        self, session_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[CompleteIn]
    ) -> Completed | Continue:
        """Confirm who connected."""
        answer: Completed | Continue = await self._call(
            _COMPLETE_CONNECT_SESSION,
            Completed | Continue,
            path={"session_id": session_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_access_grant(
        self, *, idempotency_key: str | None = None, **body: Unpack[AccessGrantIn]
    ) -> AccessGrant:
        """Give an access grant."""
        answer: AccessGrant = await self._call(
            _CREATE_ACCESS_GRANT,
            AccessGrant,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_api_client(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[ApiClientIn]
    ) -> ApiClient:
        """Make an API client."""
        answer: ApiClient = await self._call(
            _CREATE_API_CLIENT,
            ApiClient,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_app_key(
        self, app_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[AppKeyIn]
    ) -> AppKey:
        """Make or bring a key pair."""
        answer: AppKey = await self._call(
            _CREATE_APP_KEY,
            AppKey,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_bulk_job(self, *, idempotency_key: str | None = None, **body: Unpack[BulkJobIn]) -> BulkJob:
        """Act on many connections."""
        answer: BulkJob = await self._call(
            _CREATE_BULK_JOB, BulkJob, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    async def create_caller_rule(
        self,
        issuer_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[CallerRuleIn],
    ) -> CallerRule:
        """Add a caller rule."""
        answer: CallerRule = await self._call(
            _CREATE_CALLER_RULE,
            CallerRule,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_canary(self, *, idempotency_key: str | None = None, **body: Unpack[CanaryIn]) -> Connection:
        """Lay a canary."""
        answer: Connection = await self._call(
            _CREATE_CANARY, Connection, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    async def create_connect_session(
        self, *, idempotency_key: str | None = None, **body: Unpack[ConnectSessionIn]
    ) -> ConnectSession:
        """Invite an end user to connect."""
        answer: ConnectSession = await self._call(
            _CREATE_CONNECT_SESSION,
            ConnectSession,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_management_session(
        self, *, idempotency_key: str | None = None, **body: Unpack[ManagementSessionIn]
    ) -> ManagementSession:
        """Invite an end user to their connections."""
        answer: ManagementSession = await self._call(
            _CREATE_MANAGEMENT_SESSION,
            ManagementSession,
            path={},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_trusted_issuer(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[IssuerIn]
    ) -> Issuer:
        """Trust an issuer."""
        answer: Issuer = await self._call(
            _CREATE_TRUSTED_ISSUER,
            Issuer,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def create_webhook_endpoint(
        self, *, tenant: str | None = None, idempotency_key: str | None = None, **body: Unpack[WebhookEndpointIn]
    ) -> NewWebhookEndpoint:
        """Add a webhook endpoint."""
        answer: NewWebhookEndpoint = await self._call(
            _CREATE_WEBHOOK_ENDPOINT,
            NewWebhookEndpoint,
            path={},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def delete_access_grant(
        self, grant_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> AccessGrant:
        """Revoke an access grant."""
        answer: AccessGrant = await self._call(
            _DELETE_ACCESS_GRANT,
            AccessGrant,
            path={"grant_id": grant_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def delete_caller_rule(
        self, issuer_id: str, rule_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """Remove a caller rule."""
        await self._call(
            _DELETE_CALLER_RULE,
            None,
            path={"issuer_id": issuer_id, "rule_id": rule_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    async def delete_connection(
        self, connection_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> Connection | Changed:
        """Disconnect."""
        answer: Connection | Changed = await self._call(
            _DELETE_CONNECTION,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def delete_domain(self, slug: str, host: str, /, *, if_match: str | None = None) -> None:
        """Forget a tenant's domain."""
        await self._call(
            _DELETE_DOMAIN, None, path={"slug": slug, "host": host}, query={}, headers={"If-Match": if_match}
        )

    async def delete_end_user(
        self,
        end_user: str,
        /,
        *,
        tenant: str | None = None,
        mode: Literal["offboard", "erase"] | None = None,
        shared: Literal["hand_over", "end"] | None = None,
        hand_over_to: str | None = None,
    ) -> Offboarding:
        """Offboard or erase an end user."""
        answer: Offboarding = await self._call(
            _DELETE_END_USER,
            Offboarding,
            path={"end_user": end_user},
            query={"tenant": tenant, "mode": mode, "shared": shared, "hand_over_to": hand_over_to},
            headers={},
        )
        return answer

    async def delete_own_provider(self, own_slug: str, /, *, if_match: str | None = None) -> None:
        """Remove an entry of your own."""
        await self._call(
            _DELETE_OWN_PROVIDER, None, path={"own_slug": own_slug}, query={}, headers={"If-Match": if_match}
        )

    async def delete_tenant(
        self, slug: str, /, *, shred: Literal["now", "revoked"] | None = None, if_match: str | None = None
    ) -> TenantDeletion:
        """Delete a tenant, shredding its secrets."""
        answer: TenantDeletion = await self._call(
            _DELETE_TENANT, TenantDeletion, path={"slug": slug}, query={"shred": shred}, headers={"If-Match": if_match}
        )
        return answer

    async def delete_trusted_issuer(
        self, issuer_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """End the trust in an issuer."""
        await self._call(
            _DELETE_TRUSTED_ISSUER,
            None,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    async def delete_webhook_endpoint(
        self, endpoint_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> None:
        """Remove a webhook endpoint."""
        await self._call(
            _DELETE_WEBHOOK_ENDPOINT,
            None,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )

    async def deny(
        self, approval_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[DecisionIn]
    ) -> Approval:
        """Deny what was asked."""
        answer: Approval = await self._call(
            _DENY,
            Approval,
            path={"approval_id": approval_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def discard_answer(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Discard a kept answer."""
        answer: Outcome = await self._call(
            _DISCARD_ANSWER,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def end_management_session(
        self, session_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ManagementSessionShown:
        """End a visit."""
        answer: ManagementSessionShown = await self._call(
            _END_MANAGEMENT_SESSION,
            ManagementSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def exchange_token(self, **body: Unpack[ExchangeIn]) -> Exchange:
        """Exchange a token of your end user's for a credential (RFC 8693)."""
        answer: Exchange = await self._call(_EXCHANGE_TOKEN, Exchange, path={}, query={}, headers={}, body=body)
        return answer

    async def get_access_grant(self, grant_id: str, /, *, tenant: str | None = None) -> AccessGrant:
        """Show one access grant."""
        answer: AccessGrant = await self._call(
            _GET_ACCESS_GRANT, AccessGrant, path={"grant_id": grant_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_api_client(self, client_id: str, /, *, tenant: str | None = None) -> ApiClient:
        """Show one API client."""
        answer: ApiClient = await self._call(
            _GET_API_CLIENT, ApiClient, path={"client_id": client_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_api_key(self, client_id: str, key_id: str, /, *, tenant: str | None = None) -> ApiKey:
        """Show one key."""
        answer: ApiKey = await self._call(
            _GET_API_KEY, ApiKey, path={"client_id": client_id, "key_id": key_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_app_key(self, app_id: str, key_id: str, /, *, tenant: str | None = None) -> AppKey:
        """Show one key pair."""
        answer: AppKey = await self._call(
            _GET_APP_KEY, AppKey, path={"app_id": app_id, "key_id": key_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_approval(self, approval_id: str, /, *, tenant: str | None = None) -> Approval:
        """Show one approval."""
        answer: Approval = await self._call(
            _GET_APPROVAL, Approval, path={"approval_id": approval_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_branding(self) -> OperatorBranding:
        """Show the operator's brand."""
        answer: OperatorBranding = await self._call(_GET_BRANDING, OperatorBranding, path={}, query={}, headers={})
        return answer

    async def get_bulk_job(self, job_id: str, /, *, tenant: str | None = None) -> BulkJob:
        """Show one bulk job."""
        answer: BulkJob = await self._call(
            _GET_BULK_JOB, BulkJob, path={"job_id": job_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_caller_rule(self, issuer_id: str, rule_id: str, /, *, tenant: str | None = None) -> CallerRule:
        """Show one caller rule."""
        answer: CallerRule = await self._call(
            _GET_CALLER_RULE,
            CallerRule,
            path={"issuer_id": issuer_id, "rule_id": rule_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    async def get_client_secret_source(self, app_id: str, /, *, tenant: str | None = None) -> SecretSource:
        """Show from where an app's secret is read."""
        answer: SecretSource = await self._call(
            _GET_CLIENT_SECRET_SOURCE, SecretSource, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_client_secrets(self, app_id: str, /, *, tenant: str | None = None) -> ClientSecrets:
        """Tell an app's client secrets apart."""
        answer: ClientSecrets = await self._call(
            _GET_CLIENT_SECRETS, ClientSecrets, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_connect_session(self, session_id: str, /, *, tenant: str | None = None) -> ConnectSessionShown:
        """Show one connect session."""
        answer: ConnectSessionShown = await self._call(
            _GET_CONNECT_SESSION,
            ConnectSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    async def get_connection(self, connection_id: str, /, *, tenant: str | None = None) -> Connection:
        """Show one connection."""
        answer: Connection = await self._call(
            _GET_CONNECTION, Connection, path={"connection_id": connection_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_domain(self, slug: str, host: str, /) -> Domain:
        """Show one of a tenant's domains."""
        answer: Domain = await self._call(_GET_DOMAIN, Domain, path={"slug": slug, "host": host}, query={}, headers={})
        return answer

    async def get_end_user(self, end_user: str, /, *, tenant: str | None = None) -> EndUser:
        """Show what an end user has."""
        answer: EndUser = await self._call(
            _GET_END_USER, EndUser, path={"end_user": end_user}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_import(self, import_id: str, /, *, tenant: str | None = None) -> Import:
        """Show an import."""
        answer: Import = await self._call(
            _GET_IMPORT, Import, path={"import_id": import_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_incident(self, incident_id: str, /, *, tenant: str | None = None) -> Incident:
        """Show one incident."""
        answer: Incident = await self._call(
            _GET_INCIDENT, Incident, path={"incident_id": incident_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_management_session(self, session_id: str, /, *, tenant: str | None = None) -> ManagementSessionShown:
        """Show one visit."""
        answer: ManagementSessionShown = await self._call(
            _GET_MANAGEMENT_SESSION,
            ManagementSessionShown,
            path={"session_id": session_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    async def get_offboarding(self, offboarding_id: str, /, *, tenant: str | None = None) -> Offboarding:
        """Show the receipt of an offboarding."""
        answer: Offboarding = await self._call(
            _GET_OFFBOARDING, Offboarding, path={"offboarding_id": offboarding_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_outbound_addresses(self, *, ask: bool | None = None) -> OutboundAddresses:
        """Say from which addresses providers are called."""
        answer: OutboundAddresses = await self._call(
            _GET_OUTBOUND_ADDRESSES, OutboundAddresses, path={}, query={"ask": ask}, headers={}
        )
        return answer

    async def get_outlook(self, connection_id: str, /, *, tenant: str | None = None) -> Outlook:
        """Say what happens next to a connection."""
        answer: Outlook = await self._call(
            _GET_OUTLOOK, Outlook, path={"connection_id": connection_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_own_provider(self, own_slug: str, /) -> OwnProvider:
        """Show an entry of your own."""
        answer: OwnProvider = await self._call(
            _GET_OWN_PROVIDER, OwnProvider, path={"own_slug": own_slug}, query={}, headers={}
        )
        return answer

    async def get_provider(self, slug: str, /, *, tenant: str | None = None) -> Provider:
        """Show one provider."""
        answer: Provider = await self._call(
            _GET_PROVIDER, Provider, path={"slug": slug}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_provider_app(self, app_id: str, /, *, tenant: str | None = None) -> ProviderApp:
        """Show one provider app."""
        answer: ProviderApp = await self._call(
            _GET_PROVIDER_APP, ProviderApp, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_push(self, app_id: str, /, *, tenant: str | None = None) -> Push:
        """Show how the provider pushes to an app."""
        answer: Push = await self._call(_GET_PUSH, Push, path={"app_id": app_id}, query={"tenant": tenant}, headers={})
        return answer

    async def get_push_secrets(self, app_id: str, /, *, tenant: str | None = None) -> PushSecrets:
        """Tell an app's push secrets apart."""
        answer: PushSecrets = await self._call(
            _GET_PUSH_SECRETS, PushSecrets, path={"app_id": app_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_quarantine(self) -> Quarantine:
        """Say how refresh quarantine stands."""
        answer: Quarantine = await self._call(_GET_QUARANTINE, Quarantine, path={}, query={}, headers={})
        return answer

    async def get_tenant(self, slug: str, /) -> Tenant:
        """Show one tenant."""
        answer: Tenant = await self._call(_GET_TENANT, Tenant, path={"slug": slug}, query={}, headers={})
        return answer

    async def get_trusted_issuer(self, issuer_id: str, /, *, tenant: str | None = None) -> Issuer:
        """Show one trusted issuer."""
        answer: Issuer = await self._call(
            _GET_TRUSTED_ISSUER, Issuer, path={"issuer_id": issuer_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def get_webhook_endpoint(self, endpoint_id: str, /, *, tenant: str | None = None) -> WebhookEndpoint:
        """Show one webhook endpoint."""
        answer: WebhookEndpoint = await self._call(
            _GET_WEBHOOK_ENDPOINT,
            WebhookEndpoint,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={},
        )
        return answer

    async def import_connections(self, *, idempotency_key: str | None = None, **body: Unpack[ImportIn]) -> Import:
        """Import connections."""
        answer: Import = await self._call(
            _IMPORT_CONNECTIONS, Import, path={}, query={}, headers={"Idempotency-Key": idempotency_key}, body=body
        )
        return answer

    async def issue_api_key(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ApiKeyIn],
    ) -> IssuedApiKey:
        """Issue or rotate a key."""
        answer: IssuedApiKey = await self._call(
            _ISSUE_API_KEY,
            IssuedApiKey,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def list_access_grants(
        self,
        *,
        tenant: str | None = None,
        subject_kind: SubjectKind | None = None,
        subject: str | None = None,
        connection: str | None = None,
        provider: str | None = None,
        granted_by: str | None = None,
        revoked: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AccessGrantPage:
        """List access grants."""
        answer: AccessGrantPage = await self._call(
            _LIST_ACCESS_GRANTS,
            AccessGrantPage,
            path={},
            query={
                "tenant": tenant,
                "subject_kind": subject_kind,
                "subject": subject,
                "connection": connection,
                "provider": provider,
                "granted_by": granted_by,
                "revoked": revoked,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_access_grants(
        self,
        *,
        tenant: str | None = None,
        subject_kind: SubjectKind | None = None,
        subject: str | None = None,
        connection: str | None = None,
        provider: str | None = None,
        granted_by: str | None = None,
        revoked: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AccessGrant]:
        """List access grants, page by page."""
        return self._each(
            lambda cursor: self.list_access_grants(
                tenant=tenant,
                subject_kind=subject_kind,
                subject=subject,
                connection=connection,
                provider=provider,
                granted_by=granted_by,
                revoked=revoked,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    async def list_api_clients(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ApiClientPage:
        """List API clients."""
        answer: ApiClientPage = await self._call(
            _LIST_API_CLIENTS,
            ApiClientPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_api_clients(self, *, tenant: str | None = None, limit: int | None = None) -> AsyncIterator[ApiClient]:
        """List API clients, page by page."""
        return self._each(lambda cursor: self.list_api_clients(tenant=tenant, limit=limit, cursor=cursor))

    async def list_api_keys(
        self, client_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ApiKeyPage:
        """List a client's keys."""
        answer: ApiKeyPage = await self._call(
            _LIST_API_KEYS,
            ApiKeyPage,
            path={"client_id": client_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_api_keys(
        self, client_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ApiKey]:
        """List a client's keys, page by page."""
        return self._each(lambda cursor: self.list_api_keys(client_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_app_keys(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> AppKeyPage:
        """List an app's key pairs."""
        answer: AppKeyPage = await self._call(
            _LIST_APP_KEYS,
            AppKeyPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_app_keys(
        self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[AppKey]:
        """List an app's key pairs, page by page."""
        return self._each(lambda cursor: self.list_app_keys(app_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_approvals(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        grant: str | None = None,
        decided: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ApprovalPage:
        """List approvals."""
        answer: ApprovalPage = await self._call(
            _LIST_APPROVALS,
            ApprovalPage,
            path={},
            query={
                "tenant": tenant,
                "connection": connection,
                "grant": grant,
                "decided": decided,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_approvals(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        grant: str | None = None,
        decided: bool | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Approval]:
        """List approvals, page by page."""
        return self._each(
            lambda cursor: self.list_approvals(
                tenant=tenant,
                connection=connection,
                grant=grant,
                decided=decided,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    async def list_audit_events(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        client: str | None = None,
        operator: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        decision: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> AuditEventPage:
        """Read the audit trail."""
        answer: AuditEventPage = await self._call(
            _LIST_AUDIT_EVENTS,
            AuditEventPage,
            path={},
            query={
                "tenant": tenant,
                "connection": connection,
                "client": client,
                "operator": operator,
                "subject": subject,
                "action": action,
                "decision": decision,
                "since": since,
                "until": until,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_audit_events(
        self,
        *,
        tenant: str | None = None,
        connection: str | None = None,
        client: str | None = None,
        operator: str | None = None,
        subject: str | None = None,
        action: str | None = None,
        decision: str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[AuditEvent]:
        """Read the audit trail, page by page."""
        return self._each(
            lambda cursor: self.list_audit_events(
                tenant=tenant,
                connection=connection,
                client=client,
                operator=operator,
                subject=subject,
                action=action,
                decision=decision,
                since=since,
                until=until,
                limit=limit,
                cursor=cursor,
            )
        )

    async def list_bulk_jobs(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> BulkJobPage:
        """List bulk jobs."""
        answer: BulkJobPage = await self._call(
            _LIST_BULK_JOBS,
            BulkJobPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_bulk_jobs(self, *, tenant: str | None = None, limit: int | None = None) -> AsyncIterator[BulkJob]:
        """List bulk jobs, page by page."""
        return self._each(lambda cursor: self.list_bulk_jobs(tenant=tenant, limit=limit, cursor=cursor))

    async def list_bulk_rows(
        self, job_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> BulkRowPage:
        """List the rows of a bulk job."""
        answer: BulkRowPage = await self._call(
            _LIST_BULK_ROWS,
            BulkRowPage,
            path={"job_id": job_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_bulk_rows(
        self, job_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[BulkRow]:
        """List the rows of a bulk job, page by page."""
        return self._each(lambda cursor: self.list_bulk_rows(job_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_caller_rules(
        self, issuer_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> CallerRulePage:
        """List an issuer's caller rules."""
        answer: CallerRulePage = await self._call(
            _LIST_CALLER_RULES,
            CallerRulePage,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_caller_rules(
        self, issuer_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[CallerRule]:
        """List an issuer's caller rules, page by page."""
        return self._each(lambda cursor: self.list_caller_rules(issuer_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_connect_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        state: SessionState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ConnectSessionPage:
        """List connect sessions."""
        answer: ConnectSessionPage = await self._call(
            _LIST_CONNECT_SESSIONS,
            ConnectSessionPage,
            path={},
            query={"tenant": tenant, "end_user": end_user, "state": state, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_connect_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        state: SessionState | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[ConnectSessionShown]:
        """List connect sessions, page by page."""
        return self._each(
            lambda cursor: self.list_connect_sessions(
                tenant=tenant, end_user=end_user, state=state, limit=limit, cursor=cursor
            )
        )

    async def list_connect_steps(self, session_id: str, /, *, tenant: str | None = None) -> ConnectTrace:
        """Trace one connect session."""
        answer: ConnectTrace = await self._call(
            _LIST_CONNECT_STEPS, ConnectTrace, path={"session_id": session_id}, query={"tenant": tenant}, headers={}
        )
        return answer

    async def list_connections(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        provider: str | None = None,
        status: Sequence[Literal["pending", "active", "suspect", "needs_reauth", "revoked", "disconnected"]]
        | None = None,
        label: str | None = None,
        tag: Sequence[str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ConnectionPage:
        """List connections."""
        answer: ConnectionPage = await self._call(
            _LIST_CONNECTIONS,
            ConnectionPage,
            path={},
            query={
                "tenant": tenant,
                "end_user": end_user,
                "provider": provider,
                "status": status,
                "label": label,
                "tag": tag,
                "created_after": created_after,
                "created_before": created_before,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_connections(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        provider: str | None = None,
        status: Sequence[Literal["pending", "active", "suspect", "needs_reauth", "revoked", "disconnected"]]
        | None = None,
        label: str | None = None,
        tag: Sequence[str] | None = None,
        created_after: datetime | str | None = None,
        created_before: datetime | str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Connection]:
        """List connections, page by page."""
        return self._each(
            lambda cursor: self.list_connections(
                tenant=tenant,
                end_user=end_user,
                provider=provider,
                status=status,
                label=label,
                tag=tag,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
        )

    async def list_domains(self, slug: str, /, *, cursor: str | None = None, limit: int | None = None) -> DomainPage:
        """List a tenant's domains."""
        answer: DomainPage = await self._call(
            _LIST_DOMAINS, DomainPage, path={"slug": slug}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_domains(self, slug: str, /, *, limit: int | None = None) -> AsyncIterator[Domain]:
        """List a tenant's domains, page by page."""
        return self._each(lambda cursor: self.list_domains(slug, limit=limit, cursor=cursor))

    async def list_events(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> EventPage:
        """Read events."""
        answer: EventPage = await self._call(
            _LIST_EVENTS, EventPage, path={}, query={"tenant": tenant, "cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_events(self, *, tenant: str | None = None, limit: int | None = None) -> AsyncIterator[Event]:
        """Read events, page by page."""
        return self._each(lambda cursor: self.list_events(tenant=tenant, limit=limit, cursor=cursor))

    async def list_forecast(
        self,
        *,
        tenant: str | None = None,
        days: int | None = None,
        cause: Cause | None = None,
        provider: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ForecastPage:
        """List what will end."""
        answer: ForecastPage = await self._call(
            _LIST_FORECAST,
            ForecastPage,
            path={},
            query={
                "tenant": tenant,
                "days": days,
                "cause": cause,
                "provider": provider,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_forecast(
        self,
        *,
        tenant: str | None = None,
        days: int | None = None,
        cause: Cause | None = None,
        provider: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Ending]:
        """List what will end, page by page."""
        return self._each(
            lambda cursor: self.list_forecast(
                tenant=tenant, days=days, cause=cause, provider=provider, limit=limit, cursor=cursor
            )
        )

    async def list_held_connections(
        self,
        *,
        tenant: str | None = None,
        verdict: TokenVerdict | None = None,
        provider: str | None = None,
        end_user: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> HeldConnectionPage:
        """List what refresh quarantine holds."""
        answer: HeldConnectionPage = await self._call(
            _LIST_HELD_CONNECTIONS,
            HeldConnectionPage,
            path={},
            query={
                "tenant": tenant,
                "verdict": verdict,
                "provider": provider,
                "end_user": end_user,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_held_connections(
        self,
        *,
        tenant: str | None = None,
        verdict: TokenVerdict | None = None,
        provider: str | None = None,
        end_user: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[HeldConnection]:
        """List what refresh quarantine holds, page by page."""
        return self._each(
            lambda cursor: self.list_held_connections(
                tenant=tenant, verdict=verdict, provider=provider, end_user=end_user, limit=limit, cursor=cursor
            )
        )

    async def list_import_rows(
        self,
        import_id: str,
        /,
        *,
        tenant: str | None = None,
        needs_care: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ImportRowPage:
        """List the rows of an import."""
        answer: ImportRowPage = await self._call(
            _LIST_IMPORT_ROWS,
            ImportRowPage,
            path={"import_id": import_id},
            query={"tenant": tenant, "needs_care": needs_care, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_import_rows(
        self, import_id: str, /, *, tenant: str | None = None, needs_care: bool | None = None, limit: int | None = None
    ) -> AsyncIterator[ImportRow]:
        """List the rows of an import, page by page."""
        return self._each(
            lambda cursor: self.list_import_rows(
                import_id, tenant=tenant, needs_care=needs_care, limit=limit, cursor=cursor
            )
        )

    async def list_incidents(
        self,
        *,
        tenant: str | None = None,
        provider_app: str | None = None,
        open: bool | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> IncidentPage:
        """List incidents."""
        answer: IncidentPage = await self._call(
            _LIST_INCIDENTS,
            IncidentPage,
            path={},
            query={"tenant": tenant, "provider_app": provider_app, "open": open, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_incidents(
        self,
        *,
        tenant: str | None = None,
        provider_app: str | None = None,
        open: bool | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Incident]:
        """List incidents, page by page."""
        return self._each(
            lambda cursor: self.list_incidents(
                tenant=tenant, provider_app=provider_app, open=open, limit=limit, cursor=cursor
            )
        )

    async def list_management_sessions(
        self,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ManagementSessionPage:
        """List visits to own connections."""
        answer: ManagementSessionPage = await self._call(
            _LIST_MANAGEMENT_SESSIONS,
            ManagementSessionPage,
            path={},
            query={"tenant": tenant, "end_user": end_user, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_management_sessions(
        self, *, tenant: str | None = None, end_user: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ManagementSessionShown]:
        """List visits to own connections, page by page."""
        return self._each(
            lambda cursor: self.list_management_sessions(tenant=tenant, end_user=end_user, limit=limit, cursor=cursor)
        )

    async def list_own_providers(self, *, cursor: str | None = None, limit: int | None = None) -> OwnProviderPage:
        """List the entries of your own."""
        answer: OwnProviderPage = await self._call(
            _LIST_OWN_PROVIDERS, OwnProviderPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_own_providers(self, *, limit: int | None = None) -> AsyncIterator[OwnProvider]:
        """List the entries of your own, page by page."""
        return self._each(lambda cursor: self.list_own_providers(limit=limit, cursor=cursor))

    async def list_provider_apps(
        self, slug: str, /, *, cursor: str | None = None, limit: int | None = None
    ) -> ProviderAppPage:
        """List a tenant's own provider apps."""
        answer: ProviderAppPage = await self._call(
            _LIST_PROVIDER_APPS,
            ProviderAppPage,
            path={"slug": slug},
            query={"cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_provider_apps(self, slug: str, /, *, limit: int | None = None) -> AsyncIterator[ProviderApp]:
        """List a tenant's own provider apps, page by page."""
        return self._each(lambda cursor: self.list_provider_apps(slug, limit=limit, cursor=cursor))

    async def list_providers(
        self,
        *,
        tenant: str | None = None,
        q: str | None = None,
        category: str | None = None,
        style: str | None = None,
        confidence: Confidence | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ProviderPage:
        """List the catalogue."""
        answer: ProviderPage = await self._call(
            _LIST_PROVIDERS,
            ProviderPage,
            path={},
            query={
                "tenant": tenant,
                "q": q,
                "category": category,
                "style": style,
                "confidence": confidence,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_providers(
        self,
        *,
        tenant: str | None = None,
        q: str | None = None,
        category: str | None = None,
        style: str | None = None,
        confidence: Confidence | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Provider]:
        """List the catalogue, page by page."""
        return self._each(
            lambda cursor: self.list_providers(
                tenant=tenant, q=q, category=category, style=style, confidence=confidence, limit=limit, cursor=cursor
            )
        )

    async def list_pushes(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> ReceivedPushPage:
        """List what the provider has pushed."""
        answer: ReceivedPushPage = await self._call(
            _LIST_PUSHES,
            ReceivedPushPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_pushes(
        self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[ReceivedPush]:
        """List what the provider has pushed, page by page."""
        return self._each(lambda cursor: self.list_pushes(app_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_receipts(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        client: str | None = None,
        end_user: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> ReceiptPage:
        """List who used a connection."""
        answer: ReceiptPage = await self._call(
            _LIST_RECEIPTS,
            ReceiptPage,
            path={"connection_id": connection_id},
            query={
                "tenant": tenant,
                "client": client,
                "end_user": end_user,
                "agent": agent,
                "purpose": purpose,
                "cursor": cursor,
                "limit": limit,
            },
            headers={},
        )
        return answer

    def iter_receipts(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        client: str | None = None,
        end_user: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[Receipt]:
        """List who used a connection, page by page."""
        return self._each(
            lambda cursor: self.list_receipts(
                connection_id,
                tenant=tenant,
                client=client,
                end_user=end_user,
                agent=agent,
                purpose=purpose,
                limit=limit,
                cursor=cursor,
            )
        )

    async def list_refresh_attempts(
        self, connection_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> RefreshAttemptPage:
        """List a connection's refresh attempts."""
        answer: RefreshAttemptPage = await self._call(
            _LIST_REFRESH_ATTEMPTS,
            RefreshAttemptPage,
            path={"connection_id": connection_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_refresh_attempts(
        self, connection_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[RefreshAttempt]:
        """List a connection's refresh attempts, page by page."""
        return self._each(
            lambda cursor: self.list_refresh_attempts(connection_id, tenant=tenant, limit=limit, cursor=cursor)
        )

    async def list_registered_clients(
        self, app_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> RegisteredClientPage:
        """List what an app has registered itself."""
        answer: RegisteredClientPage = await self._call(
            _LIST_REGISTERED_CLIENTS,
            RegisteredClientPage,
            path={"app_id": app_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_registered_clients(
        self, app_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[RegisteredClient]:
        """List what an app has registered itself, page by page."""
        return self._each(
            lambda cursor: self.list_registered_clients(app_id, tenant=tenant, limit=limit, cursor=cursor)
        )

    async def list_shared_provider_apps(
        self, *, cursor: str | None = None, limit: int | None = None
    ) -> ProviderAppPage:
        """List the shared provider apps."""
        answer: ProviderAppPage = await self._call(
            _LIST_SHARED_PROVIDER_APPS, ProviderAppPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_shared_provider_apps(self, *, limit: int | None = None) -> AsyncIterator[ProviderApp]:
        """List the shared provider apps, page by page."""
        return self._each(lambda cursor: self.list_shared_provider_apps(limit=limit, cursor=cursor))

    async def list_tenants(self, *, cursor: str | None = None, limit: int | None = None) -> TenantPage:
        """List tenants."""
        answer: TenantPage = await self._call(
            _LIST_TENANTS, TenantPage, path={}, query={"cursor": cursor, "limit": limit}, headers={}
        )
        return answer

    def iter_tenants(self, *, limit: int | None = None) -> AsyncIterator[Tenant]:
        """List tenants, page by page."""
        return self._each(lambda cursor: self.list_tenants(limit=limit, cursor=cursor))

    async def list_trusted_issuers(
        self,
        *,
        tenant: str | None = None,
        use: IssuerUse | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> IssuerPage:
        """List trusted issuers."""
        answer: IssuerPage = await self._call(
            _LIST_TRUSTED_ISSUERS,
            IssuerPage,
            path={},
            query={"tenant": tenant, "use": use, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_trusted_issuers(
        self, *, tenant: str | None = None, use: IssuerUse | None = None, limit: int | None = None
    ) -> AsyncIterator[Issuer]:
        """List trusted issuers, page by page."""
        return self._each(lambda cursor: self.list_trusted_issuers(tenant=tenant, use=use, limit=limit, cursor=cursor))

    async def list_versions(
        self, connection_id: str, /, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> VersionPage:
        """List a connection's credential versions."""
        answer: VersionPage = await self._call(
            _LIST_VERSIONS,
            VersionPage,
            path={"connection_id": connection_id},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_versions(
        self, connection_id: str, /, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[Version]:
        """List a connection's credential versions, page by page."""
        return self._each(lambda cursor: self.list_versions(connection_id, tenant=tenant, limit=limit, cursor=cursor))

    async def list_webhook_deliveries(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        state: DeliveryState | None = None,
        cursor: str | None = None,
        limit: int | None = None,
    ) -> WebhookDeliveryPage:
        """List an endpoint's deliveries."""
        answer: WebhookDeliveryPage = await self._call(
            _LIST_WEBHOOK_DELIVERIES,
            WebhookDeliveryPage,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant, "state": state, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_webhook_deliveries(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        state: DeliveryState | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[WebhookDelivery]:
        """List an endpoint's deliveries, page by page."""
        return self._each(
            lambda cursor: self.list_webhook_deliveries(
                endpoint_id, tenant=tenant, state=state, limit=limit, cursor=cursor
            )
        )

    async def list_webhook_endpoints(
        self, *, tenant: str | None = None, cursor: str | None = None, limit: int | None = None
    ) -> WebhookEndpointPage:
        """List webhook endpoints."""
        answer: WebhookEndpointPage = await self._call(
            _LIST_WEBHOOK_ENDPOINTS,
            WebhookEndpointPage,
            path={},
            query={"tenant": tenant, "cursor": cursor, "limit": limit},
            headers={},
        )
        return answer

    def iter_webhook_endpoints(
        self, *, tenant: str | None = None, limit: int | None = None
    ) -> AsyncIterator[WebhookEndpoint]:
        """List webhook endpoints, page by page."""
        return self._each(lambda cursor: self.list_webhook_endpoints(tenant=tenant, limit=limit, cursor=cursor))

    async def patch_connection(
        self, connection_id: str, /, *, if_match: str | None = None, **body: Unpack[ConnectionPatch]
    ) -> Connection | Changed:
        """Change metadata, label or default."""
        answer: Connection | Changed = await self._call(
            _PATCH_CONNECTION,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def probe_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Probe now."""
        answer: Outcome = await self._call(
            _PROBE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def put_api_client(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[ApiClientTerms],
    ) -> ApiClient:
        """Change an API client."""
        answer: ApiClient = await self._call(
            _PUT_API_CLIENT,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_api_client_switches(
        self, client_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[KillSwitchIn]
    ) -> ApiClient:
        """Suspend or resume an API client."""
        answer: ApiClient = await self._call(
            _PUT_API_CLIENT_SWITCHES,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_app_key_certificates(
        self,
        app_id: str,
        key_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[CertificatesIn],
    ) -> AppKey:
        """Put certificates beside a key."""
        answer: AppKey = await self._call(
            _PUT_APP_KEY_CERTIFICATES,
            AppKey,
            path={"app_id": app_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_assertion_keys(
        self,
        client_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[AssertionKeysIn],
    ) -> ApiClient:
        """Register a client's public keys."""
        answer: ApiClient = await self._call(
            _PUT_ASSERTION_KEYS,
            ApiClient,
            path={"client_id": client_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_branding(
        self, *, if_match: str | None = None, **body: Unpack[OperatorBrandingIn]
    ) -> OperatorBranding:
        """Change the operator's brand."""
        answer: OperatorBranding = await self._call(
            _PUT_BRANDING, OperatorBranding, path={}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    async def put_client_secret_source(
        self, app_id: str, /, *, tenant: str | None = None, **body: Unpack[SecretSourceIn]
    ) -> SecretSource:
        """Say from where an app's secret is read."""
        answer: SecretSource = await self._call(
            _PUT_CLIENT_SECRET_SOURCE,
            SecretSource,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={},
            body=body,
        )
        return answer

    async def put_client_secrets_end(
        self, app_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[EndsOfSecretsIn]
    ) -> ClientSecrets:
        """Say when an app's old secrets end."""
        answer: ClientSecrets = await self._call(
            _PUT_CLIENT_SECRETS_END,
            ClientSecrets,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_connection_switches(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[SwitchesIn],
    ) -> Connection | Changed:
        """Suspend, resume, pause or unpause a connection."""
        answer: Connection | Changed = await self._call(
            _PUT_CONNECTION_SWITCHES,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_domain(self, slug: str, host: str, /) -> Domain:
        """Verify a tenant's domain."""
        answer: Domain = await self._call(_PUT_DOMAIN, Domain, path={"slug": slug, "host": host}, query={}, headers={})
        return answer

    async def put_own_provider(
        self, own_slug: str, /, *, if_match: str | None = None, **body: Unpack[OwnProviderIn]
    ) -> OwnProvider:
        """Describe a provider of your own."""
        answer: OwnProvider = await self._call(
            _PUT_OWN_PROVIDER,
            OwnProvider,
            path={"own_slug": own_slug},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_provider_app(
        self, slug: str, provider: str, /, *, if_match: str | None = None, **body: Unpack[ProviderAppIn]
    ) -> ProviderApp:
        """Make or change a tenant's own provider app."""
        answer: ProviderApp = await self._call(
            _PUT_PROVIDER_APP,
            ProviderApp,
            path={"slug": slug, "provider": provider},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_provider_app_switches(
        self, app_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[SwitchesIn]
    ) -> ProviderApp:
        """Suspend, resume, pause or unpause an app."""
        answer: ProviderApp = await self._call(
            _PUT_PROVIDER_APP_SWITCHES,
            ProviderApp,
            path={"app_id": app_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_shared_provider_app(
        self, provider: str, /, *, if_match: str | None = None, **body: Unpack[ProviderAppIn]
    ) -> ProviderApp:
        """Make or change the shared provider app."""
        answer: ProviderApp = await self._call(
            _PUT_SHARED_PROVIDER_APP,
            ProviderApp,
            path={"provider": provider},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_sharing(
        self, connection_id: str, /, *, if_match: str | None = None, **body: Unpack[SharingIn]
    ) -> Connection | Changed:
        """Say who may use a connection."""
        answer: Connection | Changed = await self._call(
            _PUT_SHARING,
            Connection | Changed,
            path={"connection_id": connection_id},
            query={},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_tenant(self, slug: str, /, *, if_match: str | None = None, **body: Unpack[TenantIn]) -> Tenant:
        """Make or change a tenant."""
        answer: Tenant = await self._call(
            _PUT_TENANT, Tenant, path={"slug": slug}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    async def put_tenant_switches(
        self, slug: str, /, *, if_match: str | None = None, **body: Unpack[KillSwitchIn]
    ) -> Tenant:
        """Suspend or resume a tenant."""
        answer: Tenant = await self._call(
            _PUT_TENANT_SWITCHES, Tenant, path={"slug": slug}, query={}, headers={"If-Match": if_match}, body=body
        )
        return answer

    async def put_trusted_issuer(
        self, issuer_id: str, /, *, tenant: str | None = None, if_match: str | None = None, **body: Unpack[IssuerTerms]
    ) -> Issuer:
        """Change the terms of trust."""
        answer: Issuer = await self._call(
            _PUT_TRUSTED_ISSUER,
            Issuer,
            path={"issuer_id": issuer_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_webhook_endpoint(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[WebhookEndpointIn],
    ) -> WebhookEndpoint:
        """Change a webhook endpoint."""
        answer: WebhookEndpoint = await self._call(
            _PUT_WEBHOOK_ENDPOINT,
            WebhookEndpoint,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def put_webhook_switches(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[WebhookSwitchIn],
    ) -> WebhookSwitch:
        """Disable or enable a webhook endpoint."""
        answer: WebhookSwitch = await self._call(
            _PUT_WEBHOOK_SWITCHES,
            WebhookSwitch,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def refresh_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Refresh now."""
        answer: Outcome = await self._call(
            _REFRESH_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def release_connection(
        self,
        connection_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ReleaseIn],
    ) -> Outcome:
        """Release from refresh quarantine."""
        answer: Outcome = await self._call(
            _RELEASE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def renew_registered_client(
        self, app_id: str, registered_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Renewed:
        """Renew a registration now."""
        answer: Renewed = await self._call(
            _RENEW_REGISTERED_CLIENT,
            Renewed,
            path={"app_id": app_id, "registered_id": registered_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def replay_webhook_events(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[WebhookReplayIn],
    ) -> WebhookReplay:
        """Deliver events once more."""
        answer: WebhookReplay = await self._call(
            _REPLAY_WEBHOOK_EVENTS,
            WebhookReplay,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def report_connection(
        self, connection_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ReportIn]
    ) -> Report:
        """Report a refused credential."""
        answer: Report = await self._call(
            _REPORT_CONNECTION,
            Report,
            path={"connection_id": connection_id},
            query={},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def reread_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Read a kept answer again."""
        answer: Outcome = await self._call(
            _REREAD_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def resend_webhook_delivery(
        self, endpoint_id: str, delivery_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> WebhookDelivery:
        """Deliver one event once more."""
        answer: WebhookDelivery = await self._call(
            _RESEND_WEBHOOK_DELIVERY,
            WebhookDelivery,
            path={"endpoint_id": endpoint_id, "delivery_id": delivery_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def retire_app_push_secret(
        self, app_id: str, fingerprint: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> PushSecrets:
        """Retire a push secret."""
        answer: PushSecrets = await self._call(
            _RETIRE_APP_PUSH_SECRET,
            PushSecrets,
            path={"app_id": app_id, "fingerprint": fingerprint},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def retire_client_secret(
        self, app_id: str, fingerprint: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ClientSecrets:
        """Retire a client secret."""
        answer: ClientSecrets = await self._call(
            _RETIRE_CLIENT_SECRET,
            ClientSecrets,
            path={"app_id": app_id, "fingerprint": fingerprint},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def revoke_api_key(
        self, client_id: str, key_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> ApiKey:
        """Revoke a key."""
        answer: ApiKey = await self._call(
            _REVOKE_API_KEY,
            ApiKey,
            path={"client_id": client_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def revoke_connection(
        self, connection_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> Outcome:
        """Revoke."""
        answer: Outcome = await self._call(
            _REVOKE_CONNECTION,
            Outcome,
            path={"connection_id": connection_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def rotate_webhook_secret(
        self,
        endpoint_id: str,
        /,
        *,
        tenant: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[WebhookSecretIn],
    ) -> WebhookSecret:
        """Rotate a webhook's secret."""
        answer: WebhookSecret = await self._call(
            _ROTATE_WEBHOOK_SECRET,
            WebhookSecret,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
            body=body,
        )
        return answer

    async def send_test_event(
        self, endpoint_id: str, /, *, tenant: str | None = None, idempotency_key: str | None = None
    ) -> WebhookTest:
        """Send a test event."""
        answer: WebhookTest = await self._call(
            _SEND_TEST_EVENT,
            WebhookTest,
            path={"endpoint_id": endpoint_id},
            query={"tenant": tenant},
            headers={"Idempotency-Key": idempotency_key},
        )
        return answer

    async def shorten_api_key(
        self,
        client_id: str,
        key_id: str,
        /,
        *,
        tenant: str | None = None,
        if_match: str | None = None,
        **body: Unpack[ApiKeyEndIn],
    ) -> ApiKey:
        """Let a key end sooner."""
        answer: ApiKey = await self._call(
            _SHORTEN_API_KEY,
            ApiKey,
            path={"client_id": client_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
            body=body,
        )
        return answer

    async def vend_by_id(self, connection_id: str, /, **body: Unpack[VendIn]) -> Vend:
        """Vend a credential."""
        answer: Vend = await self._call(
            _VEND_BY_ID, Vend, path={"connection_id": connection_id}, query={}, headers={}, body=body
        )
        return answer

    async def vend_by_owner(self, **body: Unpack[VendByOwnerIn]) -> Vend:
        """Vend a credential by provider and end user."""
        answer: Vend = await self._call(_VEND_BY_OWNER, Vend, path={}, query={}, headers={}, body=body)
        return answer

    async def withdraw_app_key(
        self, app_id: str, key_id: str, /, *, tenant: str | None = None, if_match: str | None = None
    ) -> AppKey:
        """Take a key back."""
        answer: AppKey = await self._call(
            _WITHDRAW_APP_KEY,
            AppKey,
            path={"app_id": app_id, "key_id": key_id},
            query={"tenant": tenant},
            headers={"If-Match": if_match},
        )
        return answer

    async def proxy(
        self,
        method: str,
        connection_id: str,
        path: str,
        /,
        *,
        tenant: str | None = None,
        end_user: str | None = None,
        groups: str | None = None,
        agent: str | None = None,
        purpose: str | None = None,
        subject_token: str | None = None,
        scopes: str | None = None,
        prefer: str | None = None,
        **sending: Unpack[AsyncSending],
    ) -> AsyncAnswer:
        """Call the provider, with any method.

        Send the request to the connection's provider with its credential, and get the provider's answer, as
        streams.

        Body, query and most headers pass as they are; what would name a caller or a credential does not.
        Allowed are the methods and paths of the API client's proxy rules, or of an access grant.
        `Latchkey-Outcome` of the answer is `upstream` for the provider's own, whatever its status, and
        `refused` for a problem document.

        - `tenant`: for operator-wide clients
        - `end_user`: on whose behalf the call is made
        - `groups`: the end user's, with commas between them
        - `agent`: who acts, for the audit trail
        - `purpose`: what for, for the audit trail
        - `subject_token`: of whoever you serve, where a connection acts for subjects
        - `scopes`: that the credential must have, with spaces
        - `prefer`: `wait=N`: seconds to wait for a refresh or a turn
        """
        return await self._proxy(
            method,
            "/api/v1/connections/{connection_id}/proxy/{path}",
            connection_id,
            path,
            {
                "Latchkey-Tenant": tenant,
                "Latchkey-End-User": end_user,
                "Latchkey-Groups": groups,
                "Latchkey-Agent": agent,
                "Latchkey-Purpose": purpose,
                "Latchkey-Subject-Token": subject_token,
                "Latchkey-Scopes": scopes,
                "Prefer": prefer,
            },
            sending,
        )
