"""Which values may decide the host in an entry's addresses.

An end user who types a parameter, or a response that brings one, must not be able to send our client secret or a token
to a host of their own. A pattern, or a fixed ending of the host's name, limits the value to the provider's hosts.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from providers.catalog.fields import Param
from providers.catalog.methods import Method
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import fill, names, uses
from providers.vocabulary import ClientAuthentication, ParamScope

_ELSEWHERE = ("evil.example", "203.0.113.9")
_FORMS = (
    *(f"{start}{{}}{end}" for start in ("", "https://", "@") for end in ("", "/", "#", "?", "\\", "/x", "?x", "#x")),
    *("http://{}", "//{}", ".{}", "a@{}", "{}:443", "a.b.{}"),
)
_LABEL = "evil"
_ORIGIN = re.compile(r"(?:[a-z]+://)?[^/?#]*")


def host_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield a problem for each value by which an end user or a response could name any host. No I/O.

    Each problem is a sentence: the key, and what to do.
    """
    for method in entry.methods.values():
        yield from _secret_problems(entry, method)
        yield from _typed_secret_problems(entry, method)
    for param in entry.params_of(ParamScope.WORKSPACE):
        for key, template in _addresses_of_calls(entry):
            if names_any_host(template, param):
                yield (
                    f"{key}: lets an answer of the provider name any host by {{{param.name}}}; narrow the pattern of "
                    r"that parameter to its domain, as in ^https://[a-z0-9-]+\.acme\.example$"
                )


def names_any_host(template: str, param: Param) -> bool:
    """Whether ``param`` accepts a value with which ``template`` leads to any host that its author chooses. No I/O."""
    if param.choices or not uses(template, param.name):
        return False
    others = dict.fromkeys(names(template), "x")

    def host(value: str) -> str:
        return _host(fill(template, {**others, param.name: value}))

    try:
        elsewhere = [(place, form.format(place)) for place in _ELSEWHERE for form in _FORMS]
        if any(param.accepts(value) and host(value).endswith(place) for place, value in elsewhere):
            return True
        # Anybody may register a name directly below a top-level domain.
        return param.accepts(_LABEL) and re.fullmatch(rf"{_LABEL}\.[a-z]+", host(_LABEL)) is not None
    except re.error:  # the checks of patterns report it
        return False


def _secret_problems(entry: CatalogEntry, method: Method) -> Iterator[str]:
    """Yield a problem for each endpoint that would get a shared client secret at a host that the end user chooses."""
    oauth = method.oauth
    if oauth is None or not method.registers_client or oauth.client_authentication is ClientAuthentication.NONE:
        return
    addresses = {name: getattr(oauth, name) for name in ("token_url", "revocation_url", "introspection_url", "issuer")}
    for name in ("device_authorization_url", "pushed_authorization_url", "refresh_url"):
        addresses[name] = getattr(oauth, name, "")
    addresses["revocation.narrowed_url"] = oauth.revocation.narrowed_url
    for name, template in addresses.items():
        for param in entry.params_of(ParamScope.CONNECTION):
            if names_any_host(template, param):
                yield (
                    f"{method.section()}.{name}: the end user types {{{param.name}}}, and the provider app's client "
                    "secret, which others share, would go to any host they name; narrow its pattern to a domain of the "
                    'provider\'s, let the operator give it (scope = "app"), or take a registration of the '
                    "connection's own ([client_credentials] with own_registration = true)"
                )


def _typed_secret_problems(entry: CatalogEntry, method: Method) -> Iterator[str]:
    """Yield a problem for each address whose host a secret would decide: it may stand in the path or the query."""
    addresses = {f"presentation.{method.style}.base_url": entry.presentations[method.style].base_url}
    addresses["probe.url"] = entry.probe.url if entry.probe is not None else ""
    addresses |= {f"{method.section()}.{key}.url": own.call.url for key, own in method.calls.items()}
    for key, template in addresses.items():
        host = _ORIGIN.match(template)
        for name in sorted(method.secret_names):
            if host is not None and uses(host[0], name):
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
