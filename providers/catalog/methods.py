"""What an entry says about each auth style: one shape for each style, in its own section of the entry.

``base_method`` is the part that all styles have in common. ``providers.strategies`` acts on what is said here;
``providers.catalog.schema`` is the entry around the sections.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from providers.catalog.answers import Expiry, TokenFields
from providers.catalog.assertions import ClientAssertion
from providers.catalog.base_method import Method
from providers.catalog.callback import ApprovalMarkers, ResponseNames
from providers.catalog.calls import ErrorRule, Presentation, Revocation
from providers.catalog.fields import ParamName, SecretField
from providers.catalog.pointer import pointer_to
from providers.catalog.refresh_tokens import RefreshTokens
from providers.vocabulary import ClientAuthentication, IssParameter, Pkce, RequestDelivery

_YEAR_SECONDS = 31_536_000

_OWN_REGISTRATION = (
    SecretField(name="client_id", label="Client ID", secret=False),
    SecretField(name="client_secret", label="Client secret"),
)
_OWN_KEY = (
    SecretField(name="client_id", label="Client ID", secret=False),
    SecretField(name="key_id", label="Key ID", help="If the provider gave the key one.", secret=False, optional=True),
    SecretField(name="private_key", label="Private key (PEM)", pattern=r"^-----BEGIN [ -~\n]+$", multiline=True),
)


class OAuthMethod(Method):
    """What the OAuth grants share: endpoints and habits of the token endpoint.

    The revocation and introspection URLs may also use ``{client_id}``; ``revocation.params`` may use that and ``extra``
    fields. ``request_headers`` go to all three endpoints. ``token_type_hint``: whether those two take that parameter.
    ``scope_field`` and ``response_scope_separator`` ("" for the request's own) describe the token response, which may
    be JSON or a form. ``token_pointer`` leads to the object in it that holds the tokens, for a code, a refresh and
    client credentials alike; the answer to a refresh may also have them at the top, as some providers do.
    ``extra_response_fields`` are further members to keep: their names, or our names with a pointer to each.
    ``empty_scope`` says what an empty list of scopes in the answer to a code means: that no scope is granted, or that
    the provider does not say (then the requested ones are). In the answer to a refresh an empty list changes nothing.
    ``expiry`` is about the access token; ``default_lifetime_seconds`` counts where the answer does not say.
    With ``certificate_bound_tokens`` and a certificate as client authentication, its tokens are of use only on
    connections that present the certificate (RFC 8705 §3), so no caller is handed one.
    ``resource`` names the API that the token is for (RFC 8707): it goes into every request for a code or a token.
    ``token_parameter_names`` has the provider's names of the parameters in token requests, by the RFC's; "" leaves one
    out. ``token_params`` are added under their own names.
    """

    takes_scopes = True
    needed_urls: ClassVar[tuple[str, ...]] = ("token",)

    issuer: str = ""
    discover: bool = False  # endpoints come from the issuer's metadata (RFC 8414, OpenID Connect Discovery)
    token_url: str = ""
    revocation_url: str = ""
    introspection_url: str = ""
    client_authentication: ClientAuthentication = ClientAuthentication.BASIC
    client_assertion: ClientAssertion = Field(default_factory=ClientAssertion)
    token_request_format: Literal["form", "json"] = "form"  # noqa: S105 - no password
    request_headers: dict[str, str] = Field(default_factory=dict)
    scope_separator: str = Field(default=" ", min_length=1)
    response_scope_separator: str = ""
    scope_field: str = "scope"
    empty_scope: Literal["none", "as_requested"] = "none"
    token_params: dict[str, str] = Field(default_factory=dict)
    token_parameter_names: dict[str, str] = Field(default_factory=dict)
    resource: str = ""
    certificate_bound_tokens: bool = False
    token_pointer: str = ""
    token_fields: TokenFields = Field(default_factory=TokenFields)
    expiry: Expiry = Field(default_factory=Expiry)
    token_type_hint: bool = True
    revocation: Revocation = Field(default_factory=Revocation)
    default_lifetime_seconds: int | None = Field(default=None, ge=30, le=_YEAR_SECONDS)
    extra_response_fields: tuple[str, ...] | dict[ParamName, str] = ()
    errors: tuple[ErrorRule, ...] = ()

    @property
    def oauth(self) -> "OAuthMethod":
        return self

    @property
    def needs_app_key(self) -> bool:
        return self.registers_client and self.client_authentication.needs_key

    @property
    def signs_token_requests(self) -> bool:
        return self.client_authentication.needs_key

    @property
    def proxy_only(self) -> bool:
        return self.certificate_bound_tokens and self.client_authentication.needs_certificate

    @property
    def registers_client(self) -> bool:
        return True

    @property
    def urls(self) -> Mapping[str, str]:
        return {
            "issuer": self.issuer,
            "authorization": "",
            "token": self.token_url,
            "revocation": self.revocation_url,
            "introspection": self.introspection_url,
            "jwks": "",
        }

    @property
    def secret_names(self) -> frozenset[str]:
        return super().secret_names | {"access_token"}

    @property
    def extra_pointers(self) -> Mapping[str, str]:
        kept = self.extra_response_fields
        return kept if isinstance(kept, dict) else {name: pointer_to(name) for name in kept}


class RefreshableMethod(OAuthMethod):
    """What the grants share that may bring a refresh token (RFC 6749 §6).

    Refreshes go to the ``refresh_url``, if that is not the token endpoint, and carry ``refresh_params`` besides the
    ``token_params``, or in their place.
    ``refresh_scope`` stands for the refresh token: a response with a refresh token need not name it.
    ``refresh_tokens_rotate`` means that the use of a refresh token may end it; it is false if each answer brings a new
    one but the old one lives on. An unused refresh token ends after ``refresh_idle_lifetime_seconds``; the grant ends
    ``refresh_absolute_lifetime_seconds`` after the end user's consent, whatever happens. If an answer names these ends,
    the answer counts; ``refresh_expiry`` says where it names the refresh token's, if under none of the names in use.
    Of one account, ``most_grants_of_account`` grants of one client live: the next ends the oldest.
    ``expects_refresh_token`` says whether a grant should bring a refresh token; if it then brings none, the connection
    shows that. If unset, a refresh token is expected when the access token expires.
    """

    refresh_url: str = ""
    refresh_params: dict[str, str] = Field(default_factory=dict)
    refresh_scope: str = ""
    refresh_tokens_rotate: bool = True
    refresh_grace_seconds: int = Field(default=0, ge=0, le=_YEAR_SECONDS)
    refresh_expiry: Expiry | None = None
    refresh_idle_lifetime_seconds: int | None = Field(default=None, ge=60, le=20 * _YEAR_SECONDS)
    refresh_absolute_lifetime_seconds: int | None = Field(default=None, ge=60, le=20 * _YEAR_SECONDS)
    most_grants_of_account: int | None = Field(default=None, ge=1, le=10_000)
    expects_refresh_token: bool | None = None

    @property
    def urls(self) -> Mapping[str, str]:
        return {**super().urls, "refresh": self.refresh_url}

    @property
    def refresh_tokens(self) -> RefreshTokens:
        return RefreshTokens(
            grace_seconds=self.refresh_grace_seconds,
            scope=self.refresh_scope,
            expiry=self.refresh_expiry,
            idle_seconds=self.refresh_idle_lifetime_seconds,
            absolute_seconds=self.refresh_absolute_lifetime_seconds,
            most_grants=self.most_grants_of_account,
        )


class AuthorizationCodeMethod(RefreshableMethod):
    """OAuth 2.0 authorization code (RFC 6749 §4.1) with refresh (§6).

    If ``expects_refresh_token`` is unset, a refresh token is also expected when a scope asked for it.

    ``scope_parameter`` is the name of the scope in the authorization request. One of that name among the
    ``authorization_params`` is asked for in any case, before what a session names: so a scope may hold an address.
    ``authorization_parameter_names`` has the provider's names of other parameters, by the RFC's; "" leaves one out.
    ``approval`` says which parameters of the authorization response mean that an administrator has to approve first:
    each name in it replaces the common one (``COMMON_MARKERS``), and counts even beside a code.
    ``jwks_url`` is where the ``issuer`` publishes its keys: then an ID token names the account if no probe does.
    With ``request_delivery = "pushed"`` the request goes to the ``pushed_authorization_url`` first (RFC 9126). That is
    the default where a discovered server requires it.
    ``protected_resource`` is an MCP server, whose metadata names the authorization server (RFC 9728): no ``issuer``.
    ``refresh_repeats_redirect_uri``: refreshes name our redirect URI again, which RFC 6749 §6 does not ask for.
    ``offline_consent`` says when ``prompt=consent`` is sent. "openid": if ``offline_access`` is requested from a server
    that was discovered, or together with ``openid`` (OpenID Connect Core §11 requires it). "always": with each request
    for it or for the ``refresh_scope``. A prompt among the ``authorization_params`` takes precedence.
    ``incremental_params``: the provider adds the scopes that are asked for with these parameters to those that it
    granted before. Unset, a new grant replaces the earlier one, and its scopes.
    """

    style = "oauth2_authorization_code"
    redirects = True
    needed_urls: ClassVar[tuple[str, ...]] = ("token", "authorization")

    authorization_url: str = ""
    pushed_authorization_url: str = ""
    request_delivery: RequestDelivery = RequestDelivery.BROWSER
    jwks_url: str = ""
    protected_resource: str = ""
    iss_parameter: IssParameter = IssParameter.OPTIONAL
    pkce: Pkce = Pkce.S256
    response_mode: Literal["query", "form_post"] = "query"
    authorization_params: dict[str, str] = Field(default_factory=dict)
    authorization_parameter_names: dict[str, str] = Field(default_factory=dict)
    callback: ResponseNames = Field(default_factory=ResponseNames)
    approval: ApprovalMarkers = Field(default_factory=dict)
    refresh_repeats_redirect_uri: bool = False
    offline_consent: Literal["openid", "always", "never"] = "openid"
    scope_parameter: str = Field(default="scope", min_length=1)
    incremental_params: dict[str, str] | None = None

    @property
    def urls(self) -> Mapping[str, str]:
        return {
            **super().urls,
            "authorization": self.authorization_url,
            "pushed_authorization": self.pushed_authorization_url,
            "jwks": self.jwks_url,
        }

    def slips(self) -> Iterator[str]:
        is_pushed, url = self.request_delivery is RequestDelivery.PUSHED, self.pushed_authorization_url
        if is_pushed and not (url or self.discover):
            yield "authorization_code.pushed_authorization_url: is missing; give the URL, or set discover = true"
        if url and not (is_pushed or self.discover):
            yield 'authorization_code.pushed_authorization_url: is not used; say request_delivery = "pushed" too'

    @property
    def consent_adds(self) -> bool:
        return self.incremental_params is not None

    @property
    def response_names(self) -> ResponseNames:
        return self.callback

    @property
    def approval_markers(self) -> ApprovalMarkers:
        return self.approval


class ClientCredentialsMethod(OAuthMethod):
    """OAuth 2.0 client credentials (RFC 6749 §4.4): there is no refresh token; each refresh asks for a new token.

    With ``own_registration`` the end user types the client id and secret, and they belong to the connection; with
    ``private_key_jwt`` a key in place of the secret.
    """

    style = "oauth2_client_credentials"

    own_registration: bool = False

    @property
    def registers_client(self) -> bool:
        return not self.own_registration

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        if not self.own_registration:
            return ()
        return _OWN_KEY if self.client_authentication.needs_key else _OWN_REGISTRATION

    @property
    def secret_names(self) -> frozenset[str]:
        return super().secret_names - {"private_key"}  # it signs, and goes into no request


class ApiKeyMethod(Method):
    """A static key that the end user pastes, or several: in headers, query, path or body, as the presentation says."""

    style = "api_key"
    needs_presentation = True
    default_presentation: ClassVar[Presentation] = Presentation(headers={})

    fields: tuple[SecretField, ...]

    @property
    def typed_fields(self) -> tuple[SecretField, ...]:
        return self.fields
