"""The shape of a catalogue entry: what ``<slug>.toml`` may say, validated when it is loaded.

Owns the data model only. ``providers.catalog.methods`` is what an entry says about each auth style;
``providers.catalog.loader`` reads the files, ``providers.catalog.checks`` says what must agree across fields, and
``providers.catalog.resolve`` fills in templates. URLs and header values are templates: ``{name}`` is filled from the
entry's ``params`` (and, where the docstring of a shape says so, from ``extra`` fields of the token response). Pointers
are JSON Pointers (RFC 6901) into an answer. Unknown keys are refused, so that a typing error shows when the file is
loaded.

An entry's comments say why it deviates, with the vendor's page and, in brackets, the day on which somebody read it.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, StringConstraints, model_validator

from providers.catalog.aws_sigv4_method import AwsSigV4Method
from providers.catalog.base_method import Method
from providers.catalog.calls import Presentation, Probe, Workspaces
from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.exchange_method import TokenExchangeMethod
from providers.catalog.facts import AppRegistration, Colour, Confidence, Facts
from providers.catalog.fields import Param, SecretField, Shape
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod, OAuthMethod
from providers.catalog.mutual_tls_method import MutualTlsMethod
from providers.catalog.oauth1_method import OAuth1Method
from providers.catalog.password_method import PasswordMethod
from providers.catalog.proxying import ProxyLimits
from providers.catalog.pushes import PushRules
from providers.catalog.scopes import ScopeInfo, ScopeRules, ScopeSpelling
from providers.catalog.signed_methods import JwtBearerMethod, SamlBearerMethod, SignedJwtMethod
from providers.catalog.typed_methods import BearerTokenMethod, HttpBasicMethod, TwoStepLoginMethod
from providers.vocabulary import ParamScope

SLUG_PATTERN, LONGEST_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$", 64
# It is raised when a key goes or gets another meaning. A key more is no new version.
SCHEMA_VERSION: Final = 1
Slug = Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=LONGEST_SLUG)]


class CatalogEntry(Shape):
    """One provider.

    ``requests_per_minute`` limits the background requests of one provider app (refreshes and probes together), if the
    provider limits our registration rather than each grant. ``aliases`` are further names of the entry, each with the
    section that it stands for. ``notes`` are sentences for whoever calls the API: limits, and what is unusual.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    slug: Slug
    name: str
    category: str = "Other"
    aliases: dict[Slug, str] = Field(default_factory=dict)
    website: str = ""
    docs_url: str = ""
    colour: Colour = ""
    facts: Facts | None = None
    registration: AppRegistration = AppRegistration()
    notes: tuple[str, ...] = ()
    base_url: str = ""
    requests_per_minute: int = Field(default=6000, ge=1, le=1_000_000)
    params: tuple[Param, ...] = ()
    scopes: tuple[ScopeInfo, ...] = ()
    scope_spelling: ScopeSpelling = ScopeSpelling()
    authorization_code: AuthorizationCodeMethod | None = None
    device_authorization: DeviceAuthorizationMethod | None = None
    client_credentials: ClientCredentialsMethod | None = None
    token_exchange: TokenExchangeMethod | None = None
    api_key: ApiKeyMethod | None = None
    http_basic: HttpBasicMethod | None = None
    bearer_token: BearerTokenMethod | None = None
    two_step_login: TwoStepLoginMethod | None = None
    signed_jwt: SignedJwtMethod | None = None
    jwt_bearer: JwtBearerMethod | None = None
    saml_bearer: SamlBearerMethod | None = None
    password_grant: PasswordMethod | None = None
    oauth1: OAuth1Method | None = None
    aws_sigv4: AwsSigV4Method | None = None
    mutual_tls: MutualTlsMethod | None = None
    presentation: dict[str, Presentation] = Field(default_factory=dict)
    probe: Probe | None = None
    workspaces: Workspaces | None = None
    proxy: ProxyLimits = ProxyLimits()
    push: PushRules | None = None

    @property
    def methods(self) -> Mapping[str, Method]:
        """The entry's sections by auth style, in the order of preference."""
        said = (getattr(self, name) for name in type(self).model_fields)
        return {method.style: method for method in said if isinstance(method, Method)}

    @property
    def auth_styles(self) -> tuple[str, ...]:
        """The ways to connect that this entry describes, in the order of preference."""
        return tuple(self.methods)

    def confidence_of(self, style: str) -> Confidence | None:
        """How sure the facts about ``style`` are; None if the entry does not say, as one of an operator's own."""
        method = self.methods.get(style)
        if self.facts is None or method is None:
            return None
        return self.facts.styles.get(method.section(), self.facts.confidence)

    def oauth_method(self, style: str) -> OAuthMethod | None:
        """The endpoints and habits behind ``style``, or None if it is no OAuth grant or the entry lacks it."""
        method = self.methods.get(style)
        return None if method is None else method.oauth

    def fields_of(self, style: str) -> tuple[SecretField, ...]:
        """The fields of the credential itself that the end user types for ``style``: what ``accept`` is given."""
        method = self.methods.get(style)
        return () if method is None else method.typed_fields

    def params_of(self, scope: ParamScope) -> tuple[Param, ...]:
        """The parameters that the operator (``app``), the end user (``connection``) or their choice supplies."""
        return tuple(param for param in self.params if param.scope is scope)

    def typed_params(self, style: str) -> tuple[Param, ...]:
        """The parameters that the end user types for ``style``; without a callback also those that one would bring."""
        method = self.methods.get(style)
        typed = {ParamScope.CONNECTION}
        if method is None or not method.redirects:
            typed.add(ParamScope.CALLBACK)
        section = method.section() if method is not None else ""
        return tuple(param for param in self.params if param.scope in typed or section in param.typed_by)

    def invited_params(self, style: str) -> tuple[Param, ...]:
        """The parameters that only the operator's backend gives for ``style``, with each connect session."""
        typed = self.typed_params(style)
        return tuple(param for param in self.params_of(ParamScope.INVITATION) if param not in typed)

    @cached_property
    def presentations(self) -> Mapping[str, Presentation]:
        """How a credential of each style goes into a request: as the entry says, else as the style has it."""
        found: dict[str, Presentation] = {}
        for style, method in self.methods.items():
            said = self.presentation.get(style) or Presentation()
            stated = {name: getattr(said, name) for name in said.model_fields_set}
            found[style] = method.default_presentation.model_copy(update=stated)
        return found

    @cached_property
    def scope_rules(self) -> ScopeRules:
        """When one of this provider's scopes stands for another."""
        stands_for = (method.refresh_tokens.scope for method in self.methods.values())
        return ScopeRules.of(self.scopes, self.scope_spelling, refresh_scope=next(filter(None, stands_for), ""))

    @property
    def default_scopes(self) -> tuple[str, ...]:
        """The scopes that are requested where nobody names others."""
        return tuple(scope.name for scope in self.scopes if scope.default)

    def with_required_scopes(self, scopes: Sequence[str]) -> tuple[str, ...]:
        """Return ``scopes``, once each, followed by the required ones."""
        return tuple(dict.fromkeys([*scopes, *(scope.name for scope in self.scopes if scope.required)]))

    @model_validator(mode="after")
    def _describes_a_way_to_connect(self) -> Self:
        if not self.methods:
            raise ValueError(f"describe at least one of {', '.join(f'[{name}]' for name in sections())}")
        for style, method in self.methods.items():
            if method.needs_presentation and style not in self.presentation:
                raise ValueError(
                    f"[{method.section()}] needs [presentation.{style}]: the headers or query that carry the credential"
                )
        return self


def sections() -> Mapping[str, type[Method]]:
    """Return the shape of each section that describes a way to connect, by its name in the entry. No I/O."""
    return {
        name: kind
        for name, field in CatalogEntry.model_fields.items()
        for kind in get_args(field.annotation)
        if isinstance(kind, type) and issubclass(kind, Method)
    }
