"""The shape of a catalogue entry: what ``<slug>.toml`` may say, validated when it is loaded.

Owns the data model only: reading files is ``providers.catalog.loader``, filling in templates
``providers.catalog.resolve``. URLs and header values are templates: ``{name}`` is filled from the entry's ``params``
(and, where said, from ``extra`` fields of the token response). Unknown keys are refused, so that a typing error in a
file is found at load.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from providers.vocabulary import AuthStyle, ClientAuthentication, IssParameter, Meaning, ParamScope, Pkce

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]
ParamName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Param(_Model):
    """A value that templates need and that differs by provider app or by connection (a subdomain, an issuer)."""

    name: ParamName
    label: str
    scope: ParamScope = ParamScope.CONNECTION
    help: str = ""
    default: str = ""
    pattern: str = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$"
    example: str = ""


class SecretField(_Model):
    """One field of a pasted credential, as the widget asks for it."""

    name: ParamName
    label: str
    help: str = ""
    secret: bool = True
    pattern: str = r"^\S{1,4096}$"
    example: str = ""


class ScopeInfo(_Model):
    """A scope in plain words, for the consent page."""

    name: str
    description: str
    default: bool = False


class ErrorRule(_Model):
    """One row of the classification: an answer that matches means ``means``. Unset matchers match everything.

    ``field`` is a top-level field of the JSON body, compared with ``value`` as text.
    """

    status: int | None = None
    field: str = "error"
    value: str | None = None
    means: Meaning


class OAuthMethod(_Model):
    """What the two OAuth grants share: endpoints and habits of the token endpoint."""

    token_url: str = ""
    revocation_url: str = ""
    introspection_url: str = ""
    client_authentication: ClientAuthentication = ClientAuthentication.BASIC
    token_request_format: Literal["form", "json"] = "form"  # noqa: S105 - no password
    scope_separator: str = Field(default=" ", min_length=1)
    token_params: dict[str, str] = Field(default_factory=dict)
    default_lifetime_seconds: int | None = Field(default=None, ge=30)
    extra_response_fields: tuple[str, ...] = ()
    errors: tuple[ErrorRule, ...] = ()


class AuthorizationCodeMethod(OAuthMethod):
    """OAuth 2.0 authorization code (RFC 6749 §4.1) with refresh (§6)."""

    authorization_url: str = ""
    issuer: str = ""
    discover: bool = False  # endpoints come from the issuer's metadata (RFC 8414, OpenID Connect Discovery)
    iss_parameter: IssParameter = IssParameter.OPTIONAL
    pkce: Pkce = Pkce.S256
    response_mode: Literal["query", "form_post"] = "query"
    authorization_params: dict[str, str] = Field(default_factory=dict)
    refresh_tokens_rotate: bool = True
    refresh_grace_seconds: int = Field(default=0, ge=0)
    refresh_idle_lifetime_seconds: int | None = None
    refresh_absolute_lifetime_seconds: int | None = None


class ClientCredentialsMethod(OAuthMethod):
    """OAuth 2.0 client credentials (RFC 6749 §4.4): there is no refresh token, a new token is simply asked for.

    With ``own_registration`` the client id and secret are typed by the end user and belong to the connection.
    """

    own_registration: bool = False
    issuer: str = ""
    discover: bool = False


class ApiKeyMethod(_Model):
    """A static key that the end user pastes."""

    fields: tuple[SecretField, ...]


class Presentation(_Model):
    """How a credential goes into a request. Templates know ``access_token``, the secret fields, params and extra."""

    headers: dict[str, str] = Field(default_factory=lambda: {"Authorization": "Bearer {access_token}"})
    query: dict[str, str] = Field(default_factory=dict)


class Probe(_Model):
    """A cheap authenticated call. Pointers are JSON Pointers (RFC 6901) into the answer, or "" for none."""

    method: Literal["GET", "POST"] = "GET"
    url: str = ""
    body: dict[str, str] = Field(default_factory=dict)
    dead: tuple[ErrorRule, ...] = (ErrorRule(status=401, means=Meaning.GRANT_REJECTED),)
    account_id: str = ""
    account_name: str = ""
    scopes_header: str = ""


class CatalogEntry(_Model):
    """One provider."""

    slug: Slug
    name: str
    category: str = "Other"
    website: str = ""
    docs_url: str = ""
    base_url: str = ""
    params: tuple[Param, ...] = ()
    scopes: tuple[ScopeInfo, ...] = ()
    authorization_code: AuthorizationCodeMethod | None = None
    client_credentials: ClientCredentialsMethod | None = None
    api_key: ApiKeyMethod | None = None
    presentation: dict[AuthStyle, Presentation] = Field(default_factory=dict)
    probe: Probe | None = None

    @property
    def auth_styles(self) -> tuple[AuthStyle, ...]:
        """The ways to connect that this entry describes, in the order of preference."""
        described = {
            AuthStyle.AUTHORIZATION_CODE: self.authorization_code,
            AuthStyle.CLIENT_CREDENTIALS: self.client_credentials,
            AuthStyle.API_KEY: self.api_key,
        }
        return tuple(style for style, method in described.items() if method is not None)

    def oauth_method(self, style: AuthStyle) -> AuthorizationCodeMethod | ClientCredentialsMethod | None:
        """The endpoints and habits behind ``style``, or None where it is no OAuth grant or not described."""
        if style is AuthStyle.AUTHORIZATION_CODE:
            return self.authorization_code
        return self.client_credentials if style is AuthStyle.CLIENT_CREDENTIALS else None

    def params_of(self, scope: ParamScope) -> tuple[Param, ...]:
        """The parameters that the operator (``app``) or the end user (``connection``) supplies."""
        return tuple(param for param in self.params if param.scope is scope)

    @model_validator(mode="after")
    def _describes_a_way_to_connect(self) -> "CatalogEntry":
        if not self.auth_styles:
            raise ValueError("describe at least one of [authorization_code], [client_credentials], [api_key]")
        if self.api_key is not None and AuthStyle.API_KEY not in self.presentation:
            raise ValueError("[api_key] needs [presentation.api_key]: the headers or query that carry the key")
        return self
