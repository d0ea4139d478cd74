"""Reading the catalogue: every ``<slug>.toml`` beside this file, validated as a whole.

Owns the checks that need more than one field (templates, names, patterns) and the JSON Schema of what the end user
types. The shape itself is ``providers.catalog.schema``.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from providers.catalog.schema import CatalogEntry, ClientCredentialsMethod, ErrorRule, Param, SecretField
from providers.catalog.template import names
from providers.vocabulary import AuthStyle, ParamScope

_FOLDER = Path(__file__).parent
_RESERVED = frozenset({"access_token"})
_OWN_REGISTRATION = (
    SecretField(name="client_id", label="Client ID", secret=False),
    SecretField(name="client_secret", label="Client secret"),
)


class CatalogError(ValueError):
    """An entry is wrong; the text names the file, the key and what to do."""


class UnknownProvider(KeyError):
    """No entry has this slug."""

    def __str__(self) -> str:
        return f"the catalogue has no provider {self.args[0]!r}"


@cache
def load_catalog() -> Mapping[str, CatalogEntry]:
    """Return every entry by its slug, in alphabetical order. Raises ``CatalogError``. Reads files once."""
    entries = (load_entry(path) for path in sorted(_FOLDER.glob("*.toml")))
    return MappingProxyType({entry.slug: entry for entry in entries})


def entry(slug: str) -> CatalogEntry:
    """Return the entry of ``slug``. Raises ``UnknownProvider``."""
    try:
        return load_catalog()[slug]
    except KeyError:
        raise UnknownProvider(slug) from None


def load_entry(path: Path) -> CatalogEntry:
    """Return the entry that ``path`` holds; its slug is the file's name. Raises ``CatalogError``. Reads the file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        loaded = CatalogEntry.model_validate({"slug": path.stem} | document)
    except OSError as error:
        raise CatalogError(f"{path.name}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{path.name}: is not TOML: {error}") from error
    except ValidationError as error:
        raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in _shape_problems(error))) from error
    if problems := list(_problems(loaded, path.stem)):
        raise CatalogError("\n".join(f"{path.name}: {problem}" for problem in problems))
    return loaded


def fields_of(entry: CatalogEntry, style: AuthStyle) -> tuple[SecretField, ...]:
    """Return the fields of the credential itself that the end user types for ``style``: what ``accept`` is given."""
    if style is AuthStyle.API_KEY and entry.api_key is not None:
        return entry.api_key.fields
    if style is AuthStyle.CLIENT_CREDENTIALS and entry.client_credentials is not None:
        return _OWN_REGISTRATION if entry.client_credentials.own_registration else ()
    return ()


def form_schema(entry: CatalogEntry, style: AuthStyle) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of what the end user types: the connection's parameters, then the secrets.

    Secrets are marked ``writeOnly`` with the format ``password``. A parameter with a default is not required.
    """
    properties: dict[str, Any] = {}
    required: list[str] = []
    for param in entry.params_of(ParamScope.CONNECTION):
        properties[param.name] = _property(param) | ({"default": param.default} if param.default else {})
        if not param.default:
            required.append(param.name)
    for item in fields_of(entry, style):
        properties[item.name] = _property(item) | ({"format": "password", "writeOnly": True} if item.secret else {})
        required.append(item.name)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _property(item: Param | SecretField) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "string", "title": item.label, "pattern": item.pattern}
    if item.help:
        found["description"] = item.help
    if item.example:
        found["examples"] = [item.example]
    return found


def _shape_problems(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_url=False, include_input=False):
        key = ".".join(str(part) for part in problem["loc"]) or "the entry"
        hint = "remove it or mend its spelling" if problem["type"] == "extra_forbidden" else problem["msg"]
        yield f"{key}: {hint}"


def _problems(entry: CatalogEntry, stem: str) -> Iterator[str]:
    if entry.slug != stem:
        yield f"slug: is {entry.slug!r}, so call the file {entry.slug}.toml"
    yield from _name_problems(entry)
    for key, template, allowed in _templates(entry):
        try:
            unknown = names(template) - allowed
        except ValueError as error:
            yield f"{key}: {error}"
            continue
        for name in sorted(unknown):
            yield f"{key}: uses {{{name}}}; declare a [[params]] of that name, or use one of {sorted(allowed)}"
    for style in entry.auth_styles:
        yield from _method_problems(entry, style)
    for style in entry.presentation.keys() - set(entry.auth_styles):
        yield f"presentation.{style}: the entry does not describe this way to connect; remove it"
    if entry.probe is not None:
        yield from _rule_problems("probe.dead", entry.probe.dead)
        discovers = any(method.discover for method in map(entry.oauth_method, entry.auth_styles) if method)
        if not (entry.probe.url or discovers):
            yield "probe.url: is empty; give the URL, or leave the probe to discovery"
        for key, pointer in (("account_id", entry.probe.account_id), ("account_name", entry.probe.account_name)):
            if pointer and not pointer.startswith("/"):
                yield f"probe.{key}: {pointer!r} is no JSON Pointer; start it with /"


def _name_problems(entry: CatalogEntry) -> Iterator[str]:
    declared: list[str] = [param.name for param in entry.params]
    declared += [item.name for style in entry.auth_styles for item in fields_of(entry, style)]
    for name in sorted({name for name in declared if declared.count(name) > 1 or name in _RESERVED}):
        yield f"params: {name!r} is declared twice or is a name of ours; choose another"
    items: list[tuple[str, Param | SecretField]] = [(f"params.{param.name}", param) for param in entry.params]
    items += [(f"api_key.fields.{item.name}", item) for item in (entry.api_key.fields if entry.api_key else ())]
    for key, item in items:
        samples = [item.example, item.default] if isinstance(item, Param) else [item.example]
        try:
            pattern = re.compile(item.pattern)
        except re.error as error:
            yield f"{key}.pattern: is no regular expression: {error}"
            continue
        for sample in filter(None, samples):
            if not pattern.fullmatch(sample):
                yield f"{key}.pattern: does not match {sample!r}, the entry's own default or example"


def _method_problems(entry: CatalogEntry, style: AuthStyle) -> Iterator[str]:
    if (method := entry.oauth_method(style)) is None:
        if entry.api_key is not None and not entry.api_key.fields:
            yield "api_key.fields: describe at least one field"
        return
    key = _section(style)
    yield from _rule_problems(f"{key}.errors", method.errors)
    if method.discover:
        if not method.issuer:
            yield f"{key}.issuer: is needed for discovery"
        return
    if not method.token_url:
        yield f"{key}.token_url: is missing; give the URL, or set discover = true"
    if not isinstance(method, ClientCredentialsMethod) and not method.authorization_url:
        yield f"{key}.authorization_url: is missing; give the URL, or set discover = true"


def _rule_problems(key: str, rules: tuple[ErrorRule, ...]) -> Iterator[str]:
    for position, rule in enumerate(rules):
        if rule.value is None and (rule.status is None or rule.status < 300):
            yield f"{key}.{position}: would match a success too; give it a value, or a status of 300 or more"


def _section(style: AuthStyle) -> str:
    return style.removeprefix("oauth2_")


def _templates(entry: CatalogEntry) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield key, template and the names that it may use."""
    params = frozenset(param.name for param in entry.params)
    extra: frozenset[str] = frozenset()
    secrets: frozenset[str] = frozenset()
    for style in entry.auth_styles:
        secrets |= {item.name for item in fields_of(entry, style)}
        if method := entry.oauth_method(style):
            secrets |= {"access_token"}
            extra |= set(method.extra_response_fields)
            urls = {"token_url", "revocation_url", "introspection_url", "issuer", "authorization_url"}
            for name in sorted(urls & set(type(method).model_fields)):
                yield f"{_section(style)}.{name}", getattr(method, name), params
            for name in sorted({"token_params", "authorization_params"} & set(type(method).model_fields)):
                for parameter, value in getattr(method, name).items():
                    yield f"{_section(style)}.{name}.{parameter}", value, params
    yield "base_url", entry.base_url, params | extra
    for style, presentation in entry.presentation.items():
        method = entry.oauth_method(style)
        own = frozenset({"access_token", *method.extra_response_fields} if method else ())
        own |= {item.name for item in fields_of(entry, style)} | params
        for place, templates in (("headers", presentation.headers), ("query", presentation.query)):
            for name, value in templates.items():
                yield f"presentation.{style}.{place}.{name}", value, own
    if entry.probe is not None:
        yield "probe.url", entry.probe.url, params | extra
        for name, value in entry.probe.body.items():
            yield f"probe.body.{name}", value, params | extra | secrets
