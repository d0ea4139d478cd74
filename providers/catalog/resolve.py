"""Filling in the templates of a catalogue entry: from an entry and its parameters to a target that can be called."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import quote

from providers.catalog.base_method import Method
from providers.catalog.calls import Presentation
from providers.catalog.fields import Param
from providers.catalog.host_checks import origin_of
from providers.catalog.methods import OAuthMethod
from providers.catalog.own_hosts import base_url_of, names_account_host, own_addresses
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill, names, render
from providers.errors import Evidence, MisconfiguredProvider
from providers.values import ClientRegistration
from providers.vocabulary import ClientAuthentication, IssParameter, ParamScope, Pkce, RequestDelivery

_M = TypeVar("_M", bound=Method)
_LONGEST_HOST = 80
_HABITS = {
    "iss_parameter": IssParameter,
    "pkce": Pkce,
    "client_authentication": ClientAuthentication,
    "request_delivery": RequestDelivery,
    "certificate_bound_tokens": bool,
}
_URLS = {
    "authorization": "authorization_url",
    "pushed_authorization": "pushed_authorization_url",
    "token": "token_url",
    "revocation": "revocation_url",
    "introspection": "introspection_url",
    "device_authorization": "device_authorization_url",
    "jwks": "jwks_url",
}


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Absolute URLs; "" where the provider has none.

    ``probe`` and ``base`` may keep placeholders: for ``extra`` fields of the token response and for a secret that goes
    into the path, which the strategies fill in, and for a workspace that is not chosen yet. Before the callback all but
    the addresses that are used before it may keep placeholders for the parameters that it brings.
    """

    issuer: str = ""
    authorization: str = ""
    pushed_authorization: str = ""
    temporary_credentials: str = ""
    token: str = ""
    refresh: str = ""
    revocation: str = ""
    introspection: str = ""
    device_authorization: str = ""
    jwks: str = ""
    probe: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One provider app as seen from one connection: everything a strategy needs besides the connection's secrets.

    ``entry`` includes the habits that discovery found; ``params`` holds all values, of every scope. ``grantor`` names
    the party that issues credentials here (``_grantor``): a credential of another grantor must never be sent to these
    endpoints. With ``proxy_only`` no credential is handed out: each request is signed or sent by Latchkey itself.
    """

    entry: CatalogEntry
    style: str
    registration: ClientRegistration
    endpoints: Endpoints
    params: Mapping[str, str] = field(default_factory=dict)
    grantor: str = ""
    proxy_only: bool = False

    @property
    def method(self) -> Method:
        """The entry's section for the target's auth style."""
        return self.entry.methods[self.style]

    def described_as(self, shape: type[_M]) -> _M:
        """Return that section, which must be of this ``shape``. Raises ``MisconfiguredProvider``."""
        if not isinstance(self.method, shape):
            raise _misconfigured(f"{self.entry.slug} does not describe this way to connect.")
        return self.method

    @property
    def oauth_method(self) -> OAuthMethod:
        """The habits of the token endpoint. Raises ``MisconfiguredProvider`` for a style that has none."""
        method = self.method.oauth
        if method is None:
            raise _misconfigured(f"{self.entry.slug} does not describe {self.style}.")
        return method

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of requests to the token, revocation and introspection endpoints, without our authentication."""
        return {name: render(value, self.params) for name, value in self.oauth_method.request_headers.items()}

    @property
    def resource(self) -> dict[str, str]:
        """The parameter that names the API which a token is for (RFC 8707 §2), {} if the entry names none."""
        named = render(self.oauth_method.resource, self.params)
        return {"resource": named} if named else {}

    @property
    def presentation(self) -> Presentation:
        """How a credential of this style goes into a request."""
        return self.entry.presentations[self.style]

    @property
    def refresh_scope(self) -> str:
        """The scope that stands for the refresh token, "" if there is none."""
        return self.method.refresh_tokens.scope

    @property
    def has_typed_host(self) -> bool:
        """Whether the token endpoint is at a host that the end user typed, other than the entry's default."""
        urls = self.method.urls
        decide = names(origin_of(urls.get("token") or urls.get("issuer") or self.method.server))
        typed = [param for param in self.entry.typed_params(self.method.style) if param.name in decide]
        usual = {param.name: param.filled_in(param.default) for param in typed}
        return any(self.params.get(name, default) != default for name, default in usual.items())

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """What the connection says of where it leads, if it could have named any host (``own_hosts``)."""
        return own_addresses(self.entry, self.method, self.params)

    @property
    def has_account_host(self) -> bool:
        """Whether a host that is called carries the account's own name, so that its limits are that account's."""
        return names_account_host(self.entry, self.method, self.params)

    @property
    def workspace_id(self) -> str:
        """The connection's workspace, "" if the provider has no such choice or it is still to be made."""
        choice = self.entry.workspaces
        return "" if choice is None else self.params.get(choice.key, "")

    @property
    def account_within(self) -> tuple[str, ...]:
        """Values within which an account's id is unique.

        These are the server that the connection named itself (so that none can name an account of another), the
        workspace, and what the callback named (company, shop).
        """
        named = [param for param in self.entry.params_of(ParamScope.CALLBACK) if not param.choices]
        servers = [_short(address) for address in self.own_addresses]
        ids = [*servers, self.workspace_id, *(self.params.get(param.name, "") for param in named)]
        return tuple(found for found in ids if found)

    @property
    def lacks_workspace(self) -> bool:
        """Whether somebody must still choose a workspace before the credential can be used."""
        return self.entry.workspaces is not None and not self.workspace_id


def resolve(
    *,
    entry: CatalogEntry,
    style: str,
    registration: ClientRegistration,
    discovered: Mapping[str, str],
    params: Mapping[str, str],
    before_callback: bool = False,
) -> Target:
    """Return the target with every template filled in.

    ``discovered`` is what ``providers.oauth.discovery.discover`` returned when the provider app was made (its keys are
    the fields of ``Endpoints`` plus habits such as ``iss_parameter``), {} for entries that spell out their endpoints.
    Any endpoint or habit that the entry spells out wins. ``params`` holds the connection's own parameters, with the
    chosen workspace. Only the workspace may be missing, and with ``before_callback`` also the parameters that the
    authorization response will bring. A value for a parameter of scope ``app`` is ignored. Raises
    ``MisconfiguredProvider`` naming the parameter that is missing or does not match its pattern, or the endpoint that
    is missing or no http(s) URL. No I/O.
    """
    method = entry.methods.get(style)
    if method is None:
        raise _misconfigured(f"{entry.slug} does not describe {style}.")
    values: dict[str, str] = {}
    for param in entry.params:
        given = (registration.params if param.scope is ParamScope.APP else params).get(param.name)
        is_to_come = param.scope is ParamScope.WORKSPACE or (before_callback and param.scope is ParamScope.CALLBACK)
        if given or not is_to_come:
            values[param.name] = _value(param, given)
    if method.oauth is not None and method.oauth.discover and discovered:
        method = _with_habits(method.oauth, discovered)
        entry = entry.model_copy(update={method.section(): method})
    urls = _urls(entry, method, values, registration.client_id, discovered)
    _check(entry, method, urls)
    bound = {param.name for param in entry.params if param.scope is not ParamScope.WORKSPACE}
    return Target(
        entry=entry,
        style=style,
        registration=registration,
        endpoints=Endpoints(**urls),
        params=values,
        proxy_only=method.proxy_only,
        grantor=_grantor(entry, method, urls, {name: values[name] for name in values if name in bound}),
    )


def registrar(
    *, entry: CatalogEntry, style: str, registration: ClientRegistration, discovered: Mapping[str, str]
) -> str:
    """Return a name of the party that knows the client secrets of ``registration``: its grantor and client id.

    Parameters of the connection stay open. Secrets that were entered for another party must not be sent. No I/O.
    """
    method = entry.methods.get(style) or Method()  # the entry may have lost the section since
    declared = entry.params_of(ParamScope.APP)
    values = {param.name: registration.params.get(param.name) or param.default for param in declared}
    urls = _urls(entry, method, values, registration.client_id, discovered)
    return _grantor(entry, method, urls, values | {"client_id": registration.client_id}, always=("client_id",))


def _grantor(
    entry: CatalogEntry,
    method: Method,
    urls: Mapping[str, str],
    values: Mapping[str, str],
    always: Sequence[str] = (),
) -> str:
    """Return issuer, token endpoint, and the parameters that enter any endpoint, as one canonical text."""
    # The issuer's keys are public, so their address does not decide who gets a secret.
    called = [template for name, template in method.urls.items() if name != "jwks"]
    templates = [base_url_of(entry, method), entry.probe.url if entry.probe else "", *called]
    used = {name for template in templates for name in names(template)}.union(always)
    params = {name: value for name, value in values.items() if name in used}
    named = {"issuer": urls.get("issuer", ""), "token_endpoint": urls.get("token", ""), "params": params}
    return json.dumps(named, sort_keys=True, separators=(",", ":"))


def _short(address: str) -> str:
    """Return ``address`` if it is a short host, else a name that is as good as unique."""
    if len(address) <= _LONGEST_HOST and "/" not in address:
        return address
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def _value(param: Param, given: str | None) -> str:
    value = given or param.default
    owner = "the provider app" if param.scope is ParamScope.APP else "the connection"
    if not value:
        raise _misconfigured(f"The parameter {param.name} ({param.label}) of {owner} is missing.")
    if not param.accepts(value):
        raise _misconfigured(f"The parameter {param.name} ({param.label}) of {owner} does not have the expected form.")
    return param.filled_in(value)


def _with_habits(method: OAuthMethod, discovered: Mapping[str, str]) -> OAuthMethod:
    fields = type(method).model_fields.keys() - spelled_out(method)
    return method.model_copy(
        update={
            name: word(discovered[name]) for name, word in _HABITS.items() if name in fields and discovered.get(name)
        }
    )


def spelled_out(method: OAuthMethod) -> frozenset[str]:
    """Return the keys that discovery could find and ``method`` spells out: fields of ``Endpoints``, and habits."""
    urls = {name for name, key in _URLS.items() if getattr(method, key, "")}
    return frozenset(urls | (_HABITS.keys() & method.model_fields_set))


def overruled(method: OAuthMethod, discovered: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield each contradiction: the method's key, the entry's value, and the discovered value. The entry wins."""
    for name in sorted(spelled_out(method)):
        key = _URLS.get(name, name)
        said, found = str(getattr(method, key)), str(discovered.get(name, ""))
        if found and found != said:
            yield key, said, found


def _urls(
    entry: CatalogEntry,
    method: Method,
    values: Mapping[str, str],
    client_id: str,
    discovered: Mapping[str, str],
) -> dict[str, str]:
    templates = {"base": base_url_of(entry, method), "probe": entry.probe.url if entry.probe else "", **method.urls}
    # Only two URLs may use the client id, which the operator typed. Quoted, it stays a single step of a path.
    values = {**values, "client_id": quote(client_id, safe="")}
    urls = {name: fill(template, values) for name, template in templates.items()}
    if method.oauth is not None and method.oauth.discover:
        found = {name: discovered.get(name, "") for name in urls if name != "base"}
        if method.oauth.client_authentication.needs_certificate:  # RFC 8705 §5
            found |= {name: discovered[f"mtls_{name}"] for name in found if discovered.get(f"mtls_{name}")}
        if entry.probe is None or not method.redirects:
            found.pop("probe")  # userinfo is about a person: without one it would call a good credential dead
        urls = {name: url or found.get(name, "") for name, url in urls.items()}
    return urls


def _check(entry: CatalogEntry, method: Method, urls: Mapping[str, str]) -> None:
    for name in method.needed_urls:
        if not urls[name]:
            discovers = method.oauth is not None and method.oauth.discover
            hint = " Run discovery for the provider app." if discovers else ""
            raise _misconfigured(f"The {name} endpoint of {entry.slug} is not known.{hint}")
    for name, url in urls.items():
        # A browser is sent to the authorization endpoint, so no other scheme may get there. The egress client judges
        # every address that this process calls again, and allows http for loopback only.
        if url and not url.startswith(("https://", "http://", "{")):
            raise _misconfigured(f"The {name} endpoint of {entry.slug} is no https URL.")


def _misconfigured(detail: str) -> MisconfiguredProvider:
    return MisconfiguredProvider(Evidence(detail, sent=False))
