"""How API clients, their keys and the issuers whose tokens are believed travel over the API."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints, field_validator

from connections.api.pages import Page
from connections.api.texts import Moment, Name, Request, Text, check_storable
from connections.lifecycle.provision.api_clients import IssuedKey
from connections.lifecycle.provision.trusted_issuers import DEFAULT_ALGORITHMS, Trust
from connections.models import ApiClient, ApiKey, CallerRule, IssuerUse, Permission, TrustedIssuer

Jwk = dict[Text, Any]


class ApiClientTerms(Request):
    """What an API client may do, and how it has to prove itself. What is left out is taken back."""

    permissions: Annotated[list[Permission], Field(max_length=len(Permission))] = []
    allows_unbound: bool = Field(False, description="may make connect sessions that nobody confirms (`binding: none`)")
    proxy_rules: list[Text] = Field([], description="each `PROVIDER METHODS PATH`, as `hubspot readonly /crm/v3/**`")
    networks: list[Text] = Field([], description="the only ones it may call from, in CIDR notation; none: anywhere")
    demands_verified: bool = Field(False, description="it calls only for whom a token of a trusted issuer names")

    def terms(self) -> dict[str, Any]:
        """Return them as parameters of the use cases."""
        return {**self.model_dump(include=set(ApiClientTerms.model_fields)), "permissions": self.permissions}


class ApiClientIn(ApiClientTerms):
    """A new API client."""

    name: Name


class ApiClientOut(BaseModel):
    """One API client. ``tenant`` is null for an operator-wide one. Its keys are never shown."""

    id: uuid.UUID
    tenant: str | None
    name: str
    permissions: list[str]
    allows_unbound: bool
    proxy_rules: list[str]
    networks: list[str]
    demands_verified: bool
    assertion_keys: list[dict[str, Any]] | None
    assertion_jwks_url: str
    suspended: bool
    created_at: datetime


class ApiClientPage(Page[ApiClientOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class ApiKeyIn(Request):
    """A new key."""

    lifetime_days: Annotated[int, Field(ge=1, le=3650)] = 365
    earlier_keys_end_after_seconds: Annotated[int, Field(ge=0, le=90 * 86_400)] | None = Field(
        None, description="a rotation: every earlier key ends then at the latest; null leaves them alone"
    )


class ApiKeyEndIn(Request):
    """When a key ends."""

    expires_at: Moment = Field(description="before it would end anyway")


class ApiKeyOut(BaseModel):
    """One key of an API client, by the beginning that is visible. ``usable``: neither revoked nor expired."""

    id: uuid.UUID
    prefix: str
    usable: bool
    expires_at: datetime
    revoked_at: datetime | None
    created_at: datetime


class ApiKeyPage(Page[ApiKeyOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class IssuedApiKeyOut(BaseModel):
    """A new key. ``key`` is in this answer and never shown again: only its hash is stored.

    It is null where a call is repeated with its ``Idempotency-Key``: revoke the key if the first answer is lost.
    """

    id: uuid.UUID
    key: str | None
    prefix: str
    expires_at: datetime


class AssertionKeysIn(Request):
    """The public keys with which a client signs for itself (`private_key_jwt`); with neither member it has none."""

    keys: list[Jwk] | None = Field(None, description="public JWKs (RFC 7517)")
    jwks_url: Text = Field("", description="where its JWK Set is: https and public")

    @field_validator("keys", mode="before")
    @classmethod
    def _can_be_stored(cls, keys: Any) -> Any:
        check_storable(keys)
        return keys


class IssuerTerms(Request):
    """How the tokens of an issuer are checked, and what they say. What is left out is the default again."""

    keys: list[Jwk] | None = Field(None, description="its public JWKs; without these and `jwks_url` its metadata says")
    jwks_url: Text = ""
    algorithms: list[Text] = list(DEFAULT_ALGORITHMS)
    claim: Text = Field("sub", description="what holds the id of an end user or agent: a name, or a JSON Pointer")
    groups_claim: Text = ""
    tenant_claim: Text = Field("", description="what holds the tenant's slug; needed for end users of all tenants")
    max_lifetime_seconds: int = 3600
    leeway_seconds: int = 30

    @field_validator("keys", mode="before")
    @classmethod
    def _can_be_stored(cls, keys: Any) -> Any:
        check_storable(keys)
        return keys

    def trust(self, *, use: str, issuer: str, audience: str) -> Trust:
        """Return the trust of these terms in one issuer."""
        terms = self.model_dump(include=set(IssuerTerms.model_fields))
        return Trust(use=IssuerUse(use), issuer=issuer, audience=audience, **terms)


class IssuerIn(IssuerTerms):
    """An issuer to trust, for one use and one audience."""

    use: IssuerUse
    issuer: Annotated[Text, StringConstraints(max_length=500)] = Field(description="exactly as its tokens write it")
    audience: Annotated[Text, StringConstraints(max_length=500)] = Field(description="yours, and nobody else's")


class IssuerOut(BaseModel):
    """One trusted issuer. ``tenant`` is null where the operator trusts it."""

    id: uuid.UUID
    tenant: str | None
    use: str
    issuer: str
    audience: str
    keys: list[dict[str, Any]] | None
    jwks_url: str
    algorithms: list[str]
    claim: str
    groups_claim: str
    tenant_claim: str
    max_lifetime_seconds: int
    leeway_seconds: int
    created_at: datetime


class IssuerPage(Page[IssuerOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


class ClaimCondition(Request):
    """What one claim has to say: give either ``equals`` or ``matches``, where ``*`` and ``**`` are wildcards."""

    claim: Text
    equals: bool | int | Text | None = None
    matches: Text | None = None


class CallerRuleIn(Request):
    """Which tokens of an issuer are an API client: those for which all conditions hold."""

    client: uuid.UUID
    conditions: Annotated[list[ClaimCondition], Field(min_length=1, max_length=20)]

    def stored_conditions(self) -> list[dict[str, Any]]:
        """Return them as they are stored."""
        return [condition.model_dump(exclude_none=True) for condition in self.conditions]


class CallerRuleOut(BaseModel):
    """One rule of an issuer of callers."""

    id: uuid.UUID
    client: uuid.UUID
    conditions: list[dict[str, Any]]
    created_at: datetime


class CallerRulePage(Page[CallerRuleOut]):
    """One page, the newest first; ``next`` is the cursor of the next one, or null."""


def api_client_out(client: ApiClient) -> ApiClientOut:
    """Return what the API shows of a client. Its tenant is loaded."""
    return ApiClientOut(
        id=client.id,
        tenant=client.tenant.slug if client.tenant else None,
        name=client.name,
        permissions=client.permissions,
        allows_unbound=client.allows_unbound,
        proxy_rules=client.proxy_rules,
        networks=client.networks,
        demands_verified=client.demands_verified,
        assertion_keys=client.assertion_keys,
        assertion_jwks_url=client.assertion_jwks_url,
        suspended=client.suspended_at is not None,
        created_at=client.created_at,
    )


def key_out(key: ApiKey, *, now: datetime) -> ApiKeyOut:
    """Return what the API shows of a key. No I/O."""
    return ApiKeyOut(
        id=key.id,
        prefix=key.prefix,
        usable=key.revoked_at is None and key.expires_at > now,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
        created_at=key.created_at,
    )


def issued_key_out(issued: IssuedKey) -> IssuedApiKeyOut:
    """Return the one answer that holds a key. No I/O."""
    return IssuedApiKeyOut(
        id=issued.id, key=issued.key, prefix=ApiKey.prefix_of(issued.key), expires_at=issued.expires_at
    )


def issuer_out(row: TrustedIssuer) -> IssuerOut:
    """Return what the API shows of a trusted issuer. Its tenant is loaded."""
    return IssuerOut(
        id=row.id,
        tenant=row.tenant.slug if row.tenant else None,
        use=row.use,
        issuer=row.issuer,
        audience=row.audience,
        keys=row.keys,
        jwks_url=row.jwks_url,
        algorithms=row.algorithms,
        claim=row.claim,
        groups_claim=row.groups_claim,
        tenant_claim=row.tenant_claim,
        max_lifetime_seconds=row.max_lifetime_seconds,
        leeway_seconds=row.leeway_seconds,
        created_at=row.created_at,
    )


def caller_rule_out(rule: CallerRule) -> CallerRuleOut:
    """Return what the API shows of a rule. No I/O."""
    return CallerRuleOut(id=rule.id, client=rule.client_id, conditions=rule.conditions, created_at=rule.created_at)
