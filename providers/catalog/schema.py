"""The shape of a catalogue entry: what ``<slug>.toml`` may say, validated when it is loaded.

Owns the data model only: reading files is ``providers.catalog.loader``, what must agree across fields
``providers.catalog.checks``, filling in templates ``providers.catalog.resolve``. URLs and header values are templates:
``{name}`` is filled from the entry's ``params`` (and, where said, from ``extra`` fields of the token response).
Pointers are JSON Pointers (RFC 6901) into an answer. Unknown keys are refused, so that a typing error in a file is
found at load.

An entry's comments say why it deviates, with the vendor's page and, in brackets, the day on which that was looked up.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from providers.catalog.answers import Expiry, TokenFields
from providers.catalog.callback import ApprovalMarkers, ResponseNames
from providers.catalog.calls import ErrorRule, Presentation, Probe, Workspaces
from providers.catalog.fields import Param, ParamName, SecretField, Shape
from providers.catalog.pointer import pointer_to
from providers.catalog.scopes import ScopeInfo, ScopeRules, ScopeSpelling
from providers.vocabulary import AuthStyle, ClientAuthentication, IssParameter, ParamScope, Pkce

_YEAR_SECONDS = 31_536_000
SLUG_PATTERN, LONGEST_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$", 64
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=LONGEST_SLUG)]

_OWN_REGISTRATION = (
    SecretField(name="client_id", label="Client ID", secret=False),
    SecretField(name="client_secret", label="Client secret"),
)


class Revocation(Shape):
    """How the revocation endpoint wants to be called, where that is not RFC 7009.

    ``tokens`` are sent one by one, in this order, as ``token_parameter`` beside ``params``; with "" the token itself
    stays out of the body. ``authentication`` says who vouches for the request: the client as at the token endpoint or
    by another method, the client secret as a bearer token (where it is an API key), the token that is to be revoked, or
    nobody. ``errors`` come before the method's own: ``grant_rejected`` says that the token is gone already.

    ``ends`` says how far a revocation reaches: to everything that the account has granted to the client, or only to the
    tokens of the one authorization. Where it is the former, ``narrowed_url`` may be an address at which the same
    request ends the one token alone; it is used while other connections live on the grant.
    """

    ends: Literal["grant", "token"] = "grant"
    narrowed_url: str = ""

    method: Literal["POST", "DELETE"] = "POST"
    format: Literal["form", "json", "as_token_request"] = "as_token_request"
    authentication: Literal[
        "as_token_request",
        "client_secret_basic",
        "client_secret_basic_raw",
        "client_secret_bearer",
        "token_bearer",
        "none",
    ] = "as_token_request"
    tokens: tuple[Literal["refresh_token", "access_token"], ...] = ("refresh_token", "access_token")
    token_parameter: str = "token"  # noqa: S105 - no password
    params: dict[str, str] = Field(default_factory=dict)
    errors: tuple[ErrorRule, ...] = ()


class OAuthMethod(Shape):
    """What the two OAuth grants share: endpoints and habits of the token endpoint.

    The revocation and introspection URLs may also use ``{client_id}``; ``revocation.params`` that and ``extra`` fields.
    ``request_headers`` go to all three endpoints. ``token_type_hint`` says whether the latter two take that parameter.
    ``scope_field`` and ``response_scope_separator`` ("" for the request's own) describe the token response, which may
    be JSON or a form. ``token_pointer`` leads to the object in it that holds the tokens, for a code, a refresh and
    client credentials alike; the answer to a refresh may also have them at the top, as some providers do.
    ``extra_response_fields`` are further members to keep: their names, or names of ours and pointers to each.
    ``empty_scope`` says what it means when the answer to a code names an empty list of scopes: that none is granted, or
    that the provider does not say (then those that were asked for are). In the answer to a refresh it changes nothing.
    ``expiry`` is about the access token; ``default_lifetime_seconds`` counts where the answer does not say.
    """

    token_url: str = ""
    revocation_url: str = ""
    introspection_url: str = ""
    client_authentication: ClientAuthentication = ClientAuthentication.BASIC
    token_request_format: Literal["form", "json"] = "form"  # noqa: S105 - no password
    request_headers: dict[str, str] = Field(default_factory=dict)
    scope_separator: str = Field(default=" ", min_length=1)
    response_scope_separator: str = ""
    scope_field: str = "scope"
    empty_scope: Literal["none", "as_requested"] = "none"
    token_params: dict[str, str] = Field(default_factory=dict)
    token_pointer: str = ""
    token_fields: TokenFields = Field(default_factory=TokenFields)
    expiry: Expiry = Field(default_factory=Expiry)
    token_type_hint: bool = True
    revocation: Revocation = Field(default_factory=Revocation)
    default_lifetime_seconds: int | None = Field(default=None, ge=30, le=_YEAR_SECONDS)
    extra_response_fields: tuple[str, ...] | dict[ParamName, str] = ()
    errors: tuple[ErrorRule, ...] = ()

    @property
    def extra_pointers(self) -> dict[str, str]:
        """The further members of the token response, by the names that templates use, as pointers."""
        kept = self.extra_response_fields
        return kept if isinstance(kept, dict) else {name: pointer_to(name) for name in kept}


class AuthorizationCodeMethod(OAuthMethod):
    """OAuth 2.0 authorization code (RFC 6749 §4.1) with refresh (§6).

    ``expects_refresh_token`` says whether a grant is to bring a refresh token; it is told where it does not. Unset, one
    is expected where it was asked for by a scope, and where the access token has an end.

    ``scope_parameter`` is what the authorization request calls the scope. ``refresh_scope`` stands for the refresh
    token: responses that bring one need not name it. ``refresh_tokens_rotate`` says that using a refresh token may end
    it; where each answer brings a new one but the old one lives on, it is false. A refresh token that nobody uses ends
    after ``refresh_idle_lifetime_seconds``; the grant ends ``refresh_absolute_lifetime_seconds`` after the end user's
    consent, whatever is done. What an answer says of these ends comes before; ``refresh_expiry`` says where it says so
    of the refresh token, if under none of the names in use. ``approval`` says which parameters of the authorization
    response mean that an administrator has to approve first: each name in it takes the place of the common one
    (``COMMON_MARKERS``), and counts beside a code, too.
    ``jwks_url`` is where the ``issuer`` publishes its keys: an ID token then tells the account where no probe does.
    ``offline_consent`` says when ``prompt=consent`` is sent: "openid" where ``offline_access`` is asked of a server
    that was discovered, or together with ``openid`` (OpenID Connect Core §11 wants it so), "always" with each request
    for it or for the ``refresh_scope``. A prompt among the ``authorization_params`` comes first.
    """

    authorization_url: str = ""
    issuer: str = ""
    jwks_url: str = ""
    discover: bool = False  # endpoints come from the issuer's metadata (RFC 8414, OpenID Connect Discovery)
    iss_parameter: IssParameter = IssParameter.OPTIONAL
    pkce: Pkce = Pkce.S256
    response_mode: Literal["query", "form_post"] = "query"
    authorization_params: dict[str, str] = Field(default_factory=dict)
    callback: ResponseNames = Field(default_factory=ResponseNames)
    approval: ApprovalMarkers = Field(default_factory=dict)
    offline_consent: Literal["openid", "always", "never"] = "openid"
    scope_parameter: str = Field(default="scope", min_length=1)
    refresh_scope: str = ""
    expects_refresh_token: bool | None = None
    refresh_tokens_rotate: bool = True
    refresh_grace_seconds: int = Field(default=0, ge=0, le=_YEAR_SECONDS)
    refresh_expiry: Expiry | None = None
    refresh_idle_lifetime_seconds: int | None = Field(default=None, ge=60, le=20 * _YEAR_SECONDS)
    refresh_absolute_lifetime_seconds: int | None = Field(default=None, ge=60, le=20 * _YEAR_SECONDS)


class ClientCredentialsMethod(OAuthMethod):
    """OAuth 2.0 client credentials (RFC 6749 §4.4): there is no refresh token, a new token is simply asked for.

    With ``own_registration`` the client id and secret are typed by the end user and belong to the connection.
    """

    own_registration: bool = False
    issuer: str = ""
    discover: bool = False


class ApiKeyMethod(Shape):
    """A static key that the end user pastes."""

    fields: tuple[SecretField, ...]


class CatalogEntry(Shape):
    """One provider.

    ``requests_per_minute`` is what one provider app may ask of it in the background (refreshes and probes together),
    where the provider limits our registration rather than each grant.
    """

    slug: Slug
    name: str
    category: str = "Other"
    website: str = ""
    docs_url: str = ""
    base_url: str = ""
    requests_per_minute: int = Field(default=6000, ge=1, le=1_000_000)
    params: tuple[Param, ...] = ()
    scopes: tuple[ScopeInfo, ...] = ()
    scope_spelling: ScopeSpelling = ScopeSpelling()
    authorization_code: AuthorizationCodeMethod | None = None
    client_credentials: ClientCredentialsMethod | None = None
    api_key: ApiKeyMethod | None = None
    presentation: dict[AuthStyle, Presentation] = Field(default_factory=dict)
    probe: Probe | None = None
    workspaces: Workspaces | None = None

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

    def fields_of(self, style: AuthStyle) -> tuple[SecretField, ...]:
        """The fields of the credential itself that the end user types for ``style``: what ``accept`` is given."""
        if style is AuthStyle.API_KEY and self.api_key is not None:
            return self.api_key.fields
        if style is AuthStyle.CLIENT_CREDENTIALS and self.client_credentials is not None:
            return _OWN_REGISTRATION if self.client_credentials.own_registration else ()
        return ()

    def params_of(self, scope: ParamScope) -> tuple[Param, ...]:
        """The parameters that the operator (``app``), the end user (``connection``) or their choice supplies."""
        return tuple(param for param in self.params if param.scope is scope)

    def typed_params(self, style: AuthStyle) -> tuple[Param, ...]:
        """The parameters that the end user types for ``style``: without a callback, what one would carry as well."""
        typed = {ParamScope.CONNECTION}
        if style is not AuthStyle.AUTHORIZATION_CODE:
            typed.add(ParamScope.CALLBACK)
        return tuple(param for param in self.params if param.scope in typed)

    @cached_property
    def scope_rules(self) -> ScopeRules:
        """When one of this provider's scopes stands for another."""
        method = self.authorization_code
        return ScopeRules.of(
            self.scopes, self.scope_spelling, refresh_scope=method.refresh_scope if method is not None else ""
        )

    def with_required_scopes(self, scopes: Sequence[str]) -> tuple[str, ...]:
        """Return ``scopes``, once each, and after them those that are asked for in any case."""
        return tuple(dict.fromkeys([*scopes, *(scope.name for scope in self.scopes if scope.required)]))

    @model_validator(mode="after")
    def _describes_a_way_to_connect(self) -> "CatalogEntry":
        if not self.auth_styles:
            raise ValueError("describe at least one of [authorization_code], [client_credentials], [api_key]")
        if self.api_key is not None and AuthStyle.API_KEY not in self.presentation:
            raise ValueError("[api_key] needs [presentation.api_key]: the headers or query that carry the key")
        return self
