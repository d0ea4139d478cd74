"""Which values may decide the host in an entry's addresses.

An end user who types a parameter, or a response that brings one, must not be able to send what is the operator's to a
host of their own: the client secret, a request that it signs, a parameter of the provider app, the token of somebody
else. A pattern, or a fixed ending of the host's name, limits the value to the provider's hosts. What the provider app
opens by itself is ``providers.catalog.signing_checks``.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import permutations
from urllib.parse import urlsplit

from pydantic import JsonValue

from providers.catalog.base_method import Method
from providers.catalog.fields import Param
from providers.catalog.methods import OAuthMethod
from providers.catalog.oauth1_method import OAuth1Method
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill, names, texts_of, uses
from providers.vocabulary import ClientAuthentication, ParamScope

_LABEL = "evil"
_ELSEWHERE = (*(f"{_LABEL}.{ending}" for ending in ("example", "com", "net", "io", "dev", "co.uk")), "203.0.113.9")
_FORMS = (
    *(f"{start}{{}}{end}" for start in ("", "https://", "@") for end in ("", "/", "#", "?", "\\", "/x", "?x", "#x")),
    *("http://{}", "//{}", ".{}", "a@{}", "{}:443", "a.b.{}"),
)
_REGISTRABLE = re.compile(rf"[a-z0-9-]*{_LABEL}[a-z0-9-]*\.[a-z]+")
_PUBLIC = frozenset({"issuer", "authorization", "jwks"})
_ORIGIN = re.compile(r"(?:[a-z]+://)?[^/?#]*")
_MEND = (
    'narrow its pattern to a domain of the provider\'s, let the operator give it (scope = "app", or "invitation" for '
    "each connect session)"
)


def host_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield a problem for each value by which an end user or a response could name any host. No I/O.

    Each problem is a sentence: the key, and what to do.
    """
    for method in entry.methods.values():
        yield from _secret_problems(entry, method)
        yield from _app_param_problems(entry, method)
        yield from _typed_secret_problems(entry, method)
    for param in entry.params_of(ParamScope.WORKSPACE):
        for key, template in _addresses_of_calls(entry):
            if names_any_host(template, param):
                yield (
                    f"{key}: lets an answer of the provider name any host by {{{param.name}}}; narrow the pattern of "
                    r"that parameter to its domain, as in ^https://[a-z0-9-]+\.acme\.example$"
                )


def typed_by_end_user(entry: CatalogEntry, method: Method) -> tuple[Param, ...]:
    """Return what an end user decides for ``method``: parameters, and the fields that addresses and claims may use."""
    told = {field.name: field.pattern for field in method.typed_fields if not field.secret}
    told |= dict.fromkeys(method.text_names & method.secret_names - told.keys(), "^.+$")  # out of a key file
    fields = (Param(name=name, label=name, pattern=pattern) for name, pattern in told.items())
    # What a callback brings, an end user types where there is none; ``callback_checks`` looks where there is one.
    brought = () if method is entry.authorization_code else entry.params_of(ParamScope.CALLBACK)
    typed = [param for param in entry.typed_params(method.style) if param.scope is not ParamScope.CALLBACK]
    return (*typed, *brought, *fields)


def names_any_host(template: str, param: Param, *, known: Mapping[str, str] | None = None) -> bool:
    """Whether ``param`` accepts a value with which ``template`` leads to any host that its author chooses. No I/O.

    ``known`` has values of other parameters; any other may be anything.
    """
    if param.choices or not uses(template, param.name):
        return False
    others = dict.fromkeys(names(template), "x") | dict(known or {})

    def host(value: str) -> str:
        return _host(fill(template, {**others, param.name: value}))

    try:
        elsewhere = [(place, form.format(place)) for place in _ELSEWHERE for form in _FORMS]
        if any(param.accepts(value) and host(value).endswith(place) for place, value in elsewhere):
            return True
        # Anybody may register a name directly below a top-level domain.
        return param.accepts(_LABEL) and _REGISTRABLE.fullmatch(host(_LABEL)) is not None
    except re.error:  # the checks of patterns report it
        return False


def name_any_host(template: str, params: tuple[Param, ...]) -> tuple[str, ...]:
    """Return the names in ``params`` by which, alone or two together, ``template`` leads to any host. No I/O."""
    used = [param for param in params if not param.choices and uses(template, param.name)]
    known = {param.name: next(iter(param.choices.values())) for param in params if param.choices}
    alone = tuple(param.name for param in used if names_any_host(template, param, known=known))
    if alone:
        return alone
    if len(used) < 2:
        return ()
    others = dict.fromkeys(names(template), "x") | known
    for first, second in permutations(used, 2):
        for place in _ELSEWHERE:
            for cut in range(1, len(place)):
                parts = {first.name: place[:cut], second.name: place[cut:]}
                halves = (parts, {**parts, second.name: place[cut:].removeprefix(".")})
                for half in halves:
                    fits = first.accepts(half[first.name]) and second.accepts(half[second.name])
                    if fits and _host(fill(template, {**others, **half})).endswith(place):
                        return first.name, second.name
    return ()


def origin_of(template: str) -> str:
    """Return the part of an address that says where it leads: scheme and host. No I/O."""
    found = _ORIGIN.match(template)
    return "" if found is None else found[0]


def _secret_problems(entry: CatalogEntry, method: Method) -> Iterator[str]:
    """Yield a problem for each endpoint that would get what others share at a host that the end user chooses."""
    typed = typed_by_end_user(entry, method)
    for name, template, what in _entrusted(entry, method):
        for param in name_any_host(template, typed):
            yield (
                f"{name}: the end user types {{{param}}}, and {what} would go to any host they name; {_MEND}, or take"
                " a registration of the connection's own ([client_credentials] with own_registration = true)"
            )


def _entrusted(entry: CatalogEntry, method: Method) -> Iterator[tuple[str, str, str]]:
    """Yield key and template of each address at which something is said that others share, and what that is."""
    section, oauth = method.section(), method.oauth
    if isinstance(method, OAuth1Method):
        what = "a request that the provider app's secret signs, which others share,"
        asked = {name: url for name, url in method.urls.items() if name != "authorization"}
        yield from ((f"{section}.{name}_url", url, what) for name, url in asked.items())
        yield from ((key, url, what) for key, url in _places_of_use(entry, method).items())
    if oauth is None:
        return
    addresses = {f"{section}.{name}_url": url for name, url in oauth.urls.items() if name not in _PUBLIC}
    addresses[f"{section}.issuer"] = oauth.issuer
    ends = {f"{section}.revocation_url": oauth.revocation_url}
    ends[f"{section}.revocation.narrowed_url"] = oauth.revocation.narrowed_url
    secret = "the provider app's client secret, which others share,"  # noqa: S105 - no password
    if method.registers_client and oauth.client_authentication is not ClientAuthentication.NONE:
        yield from ((key, url, secret) for key, url in {**addresses, **ends}.items())
    elif method.registers_client and oauth.revocation.authentication.startswith("client_secret"):
        yield from ((key, url, secret) for key, url in ends.items())
    elif method.per_subject:
        what = "the tokens of all whom callers serve"
        yield from ((key, url, what) for key, url in addresses.items())


def _app_param_problems(entry: CatalogEntry, method: Method) -> Iterator[str]:
    """Yield a problem for each parameter of the provider app that goes, in a request, to a host of the end user's."""
    ours = [param.name for param in entry.params_of(ParamScope.APP) if not param.public]
    typed = typed_by_end_user(entry, method)
    if not ours or not typed:
        return
    for key, content, address in _requests(entry, method):
        for name in ours:
            for param in name_any_host(address, typed) if uses(content, name) else ():
                yield (
                    f"{key}: {{{name}}} is the operator's, and would go to any host that an end user names by "
                    f"{{{param}}}; {_MEND}, or say public = true in {{{name}}}'s [[params]] if everybody may know it"
                )


def _requests(entry: CatalogEntry, method: Method) -> Iterator[tuple[str, str, str]]:
    """Yield key and template of each text in a request of ``method``, and the address to which it goes."""
    section, shown, used = method.section(), entry.presentations[method.style], _places_of_use(entry, method)
    for address in used.values():
        for place, texts in (("headers", shown.headers), ("query", shown.query), ("body", shown.body)):
            yield from ((f"presentation.{method.style}.{place}.{name}", text, address) for name, text in texts.items())
    if entry.probe is not None:
        yield from _texts_to("probe", entry.probe.url, headers=entry.probe.headers, body=entry.probe.body)
    if entry.workspaces is not None:
        yield from _texts_to("workspaces", entry.workspaces.url, headers=entry.workspaces.headers)
    for key, own in method.calls.items():
        yield from _texts_to(f"{section}.{key}", own.call.url, headers=own.call.headers, body=own.call.body)
    for address in (*method.urls.values(), *used.values()):
        for key, value in method.texts.items():
            yield from ((f"{section}.{key}", text, address) for text in texts_of(value))
        if (oauth := method.oauth) is not None:
            yield from _texts_to(section, address, request_headers=oauth.request_headers, token_params=_sent(oauth))


def _sent(oauth: OAuthMethod) -> Mapping[str, str]:
    asserted = {f"client_assertion.{name}": getattr(oauth.client_assertion, name) for name in ("audience", "subject")}
    asserted |= {f"client_assertion.claims.{name}": value for name, value in oauth.client_assertion.claims.items()}
    refreshed: dict[str, str] = getattr(oauth, "refresh_params", {})
    return {**oauth.token_params, **refreshed, **oauth.revocation.params, **asserted}


def _texts_to(key: str, address: str, **places: Mapping[str, JsonValue]) -> Iterator[tuple[str, str, str]]:
    for place, values in places.items():
        for name, value in values.items():
            yield from ((f"{key}.{place}.{name}", text, address) for text in texts_of(value))


def _places_of_use(entry: CatalogEntry, method: Method) -> dict[str, str]:
    """Return the addresses at which a credential of ``method`` is used, by their keys."""
    own = entry.presentations[method.style].base_url
    found = {f"presentation.{method.style}.base_url": own} if own else {"base_url": entry.base_url}
    return found | ({"probe.url": entry.probe.url} if entry.probe is not None else {})


def _typed_secret_problems(entry: CatalogEntry, method: Method) -> Iterator[str]:
    """Yield a problem for each address whose host a secret would decide: it may stand in the path or the query."""
    addresses = {f"presentation.{method.style}.base_url": entry.presentations[method.style].base_url}
    addresses["probe.url"] = entry.probe.url if entry.probe is not None else ""
    addresses |= {f"{method.section()}.{key}.url": own.call.url for key, own in method.calls.items()}
    for key, template in addresses.items():
        host = origin_of(template)
        for name in sorted(method.secret_names):
            if uses(host, name):
                yield f"{key}: {{{name}}} would decide the host; put it behind the first slash of the path"


def _addresses_of_calls(entry: CatalogEntry) -> Iterator[tuple[str, str]]:
    yield "base_url", entry.base_url
    for style, presentation in entry.presentations.items():
        yield f"presentation.{style}.base_url", presentation.base_url
    if entry.probe is not None:
        yield "probe.url", entry.probe.url


def _host(url: str) -> str:
    try:
        return urlsplit(url.replace("\\", "/")).hostname or ""
    except ValueError:
        return ""
