"""What a template of an entry may hold: only names that are known there, and nothing that no server accepts."""

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal

from pydantic import JsonValue

from providers.addresses import names_loopback
from providers.catalog.base_method import Method
from providers.catalog.methods import OAuthMethod
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import is_plain, names, uses
from providers.vocabulary import ParamScope

_CLIENT = frozenset({"client_id"})
_Kind = Literal["address", "header", "text", "loose", "resource"]
_Template = tuple[str, str, frozenset[str], _Kind]  # key, template, the names that it may use
_ADDRESSES = frozenset(
    {
        "token_url",
        "refresh_url",
        "issuer",
        "authorization_url",
        "pushed_authorization_url",
        "device_authorization_url",
        "jwks_url",
    }
) | {"protected_resource"}
_PARAMETERS = frozenset(
    {
        "token_params",
        "refresh_params",
        "authorization_params",
        "incremental_params",
        "device_authorization_params",
        "request_headers",
    }
)
_TEXTS = frozenset({"audience"})
_ADDRESS = re.compile(r"(?:https?://|\{)[\x21-\x7e]+")
_RESOURCE = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:|\{)[\x21\x22\x24-\x7e]+")  # RFC 8707 §2
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 §5.6.2
_HEADER_VALUE = re.compile(r"[\x20-\x7e]*")
# A pair that is sent as it is, although RFC 7617 §2 requires its Base64.
_PAIR_AS_IT_IS = re.compile(r"(?i)basic +(?!\{base64:).*:")


def template_problems(entry: CatalogEntry) -> Iterator[str]:
    """Yield what is wrong with the templates of ``entry``: the key, and what to do. No I/O."""
    for key, template, allowed, kind in _templates(entry):
        try:
            unknown = names(template, loosely=kind == "loose") - allowed
        except ValueError as error:
            yield f"{key}: {error}"
            continue
        for name in sorted(unknown):
            if near := get_close_matches(name, sorted(allowed), 1):
                yield f"{key}: uses {{{name}}}; did you mean {{{near[0]}}}?"
                continue
            hint = "; for a brace as it is, write {{ and }} throughout the text" if kind == "loose" else ""
            yield f"{key}: uses {{{name}}}; declare a [[params]] of that name, or use one of {_told(allowed)}{hint}"
        if kind == "address" and template and not _ADDRESS.fullmatch(template):
            yield f"{key}: {template[:80]!r} is no address; write it whole, from https:// on, without white space"
        elif kind == "address" and template:
            yield from _address_problems(key, template)
        if kind == "address" and not is_plain(template):
            yield f"{key}: an address has placeholders alone; write {{name}}, without braces or base64"
        if kind == "resource" and template and not _RESOURCE.fullmatch(template):
            yield f"{key}: {template[:80]!r} names no API (RFC 8707); write an absolute URI, without a fragment"
        if kind == "header":
            yield from _header_problems(key, template)


def _told(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names)) or "those that the style has: none here"


def _address_problems(key: str, template: str) -> Iterator[str]:
    """Yield what keeps a whole address from being called: no host, a name and a password in it, or no https."""
    scheme, _, rest = template.partition("://")
    if scheme.startswith("{"):
        return
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = re.sub(r":[0-9]*\Z", "", authority.rpartition("@")[2])
    if "@" in authority and "{" not in authority:
        yield f"{key}: holds a user name or a password; remove it, and say how to authenticate"
    if not host:
        yield f"{key}: {template[:80]!r} names no host; write it between // and the next /"
    elif scheme == "http" and "{" not in host and not names_loopback(host):
        yield f"{key}: only this machine is called by http; write https://{rest[:60]}"


def _header_problems(key: str, template: str) -> Iterator[str]:
    if not _HEADER_NAME.fullmatch(key.rpartition("headers.")[2]):
        yield f"{key}: is no name of a header; write letters, digits and -"
    if not _HEADER_VALUE.fullmatch(template) or template != template.strip():
        yield f"{key}: a header holds visible ASCII and single spaces within; remove the rest"
    if _PAIR_AS_IT_IS.match(template):
        example = "Basic {base64:{email}:{token}}"
        yield f"{key}: Basic wants the Base64 of the pair (RFC 7617), which no server finds here; write {example}"


def _texts(key: str, value: JsonValue) -> Iterator[tuple[str, str]]:
    """Yield key and text of every text in a value."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(f"{key}.{position}", item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _texts(f"{key}.{name}", item)


def _templates(entry: CatalogEntry) -> Iterator[_Template]:
    chosen = frozenset(param.name for param in entry.params_of(ParamScope.WORKSPACE))
    params = frozenset(param.name for param in entry.params) - chosen
    extra: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    for described in entry.methods.values():
        secrets |= described.secret_names
        extra |= described.extra_pointers.keys()
        for place, value in described.texts.items():
            for key, text in _texts(f"{described.section()}.{place}", value):
                yield key, text, params | described.text_names, "text"
        if described.oauth is not None:
            yield from _method_templates(described.section(), described.oauth, params)
        else:
            yield from _own_templates(described, params)
    anything = params | extra | chosen
    yield "base_url", entry.base_url, anything, "address"
    for style, presentation in entry.presentations.items():
        method = entry.methods[style]
        own = method.secret_names | method.extra_pointers.keys() | params | chosen
        key = f"presentation.{style}"
        for name, value in presentation.headers.items():
            yield f"{key}.headers.{name}", value, own, "header"
        for place, templates in (("query", presentation.query), ("body", presentation.body)):
            for name, value in templates.items():
                yield f"{key}.{place}.{name}", value, own, "text"
        yield f"{key}.base_url", presentation.base_url, own, "address"
    if entry.probe is not None:
        yield "probe.url", entry.probe.url, anything | _secrets_in_paths(entry), "address"
        for name, value in entry.probe.headers.items():
            yield f"probe.headers.{name}", value, anything | secrets, "header"
        for key, text in _texts("probe.body", entry.probe.body):
            yield key, text, anything | secrets, "loose"
    if entry.workspaces is not None:
        yield "workspaces.url", entry.workspaces.url, params | extra, "address"
        for name, value in entry.workspaces.headers.items():
            yield f"workspaces.headers.{name}", value, params | extra | secrets, "header"


def _own_templates(described: Method, params: frozenset[str]) -> Iterator[_Template]:
    """Yield the templates of a style that is no OAuth grant: of its calls, or of the addresses that it names."""
    for key, own in described.calls.items():
        place, content = f"{described.section()}.{key}", params | own.in_content
        yield f"{place}.url", own.call.url, params | own.in_address, "address"
        for name, value in own.call.headers.items():
            yield f"{place}.headers.{name}", value, content, "header"
        for text_key, text in _texts(f"{place}.body", own.call.body):
            yield text_key, text, content, "loose"
    if not described.calls:
        for name, template in described.urls.items():
            yield f"{described.section()}.{name}_url", template, params, "address"


def _secrets_in_paths(entry: CatalogEntry) -> frozenset[str]:
    """Return the secrets that every way to connect puts into its base_url: only these may be in the probe's address."""
    found = []
    for style, method in entry.methods.items():
        base_url = entry.presentations[style].base_url
        found.append(frozenset(name for name in method.secret_names if uses(base_url, name)))
    return frozenset.intersection(*found)


def _method_templates(key: str, method: OAuthMethod, params: frozenset[str]) -> Iterator[_Template]:
    fields = set(type(method).model_fields)
    for name in sorted(_ADDRESSES & fields):
        yield f"{key}.{name}", getattr(method, name), params, "address"
    yield f"{key}.revocation.narrowed_url", method.revocation.narrowed_url, params | _CLIENT, "address"
    for name in ("revocation_url", "introspection_url"):
        yield f"{key}.{name}", getattr(method, name), params | _CLIENT, "address"
    for name in sorted(_PARAMETERS & fields):
        for parameter, value in (getattr(method, name) or {}).items():
            yield f"{key}.{name}.{parameter}", value, params, "header" if name == "request_headers" else "text"
    for name in sorted(_TEXTS & fields):
        yield f"{key}.{name}", getattr(method, name), params, "text"
    yield f"{key}.resource", method.resource, params, "resource"
    for name in ("audience", "issuer", "subject"):
        yield f"{key}.client_assertion.{name}", getattr(method.client_assertion, name), params | _CLIENT, "text"
    for claim, value in method.client_assertion.claims.items():
        yield f"{key}.client_assertion.claims.{claim}", value, params | _CLIENT | {"scopes"}, "text"
    allowed = params | set(method.extra_pointers) | _CLIENT
    for parameter, value in method.revocation.params.items():
        yield f"{key}.revocation.params.{parameter}", value, allowed, "text"
