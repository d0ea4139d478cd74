"""What must agree within an entry beyond the shape of its fields: templates, names, patterns, pointers.

Owns the sentences that tell an entry's author what to mend. ``providers.catalog.schema`` is the shape of an entry;
``providers.catalog.loader`` reads the files.
"""

import re
from collections.abc import Iterator

from providers.catalog.about_checks import about_problems
from providers.catalog.assertions import ClientAssertion
from providers.catalog.base_method import Method
from providers.catalog.callback_checks import callback_problems
from providers.catalog.calls import Call, ErrorRule, Revocation
from providers.catalog.fields import Param, SecretField
from providers.catalog.host_checks import host_problems
from providers.catalog.pattern_checks import pattern_problem
from providers.catalog.pointer import is_pointer
from providers.catalog.push_checks import push_pointers, push_problems
from providers.catalog.resource_checks import resource_problems
from providers.catalog.schema import CatalogEntry
from providers.catalog.scope_checks import scope_problems
from providers.catalog.signing_checks import signing_problems
from providers.catalog.template import uses
from providers.catalog.template_checks import template_problems
from providers.vocabulary import ParamScope

_RESERVED = frozenset({"access_token"})
_OWN_CLAIMS = frozenset({"iss", "sub", "aud", "jti", "iat", "exp"})


def problems_of(entry: CatalogEntry, stem: str) -> Iterator[str]:
    """Yield what is wrong with ``entry``, which the file called ``stem`` holds: the key, and what to do. No I/O."""
    if entry.slug != stem:
        yield f"slug: is {entry.slug!r}, so call the file {entry.slug}.toml"
    yield from _name_problems(entry)
    yield from scope_problems(entry)
    yield from template_problems(entry)
    for method in entry.methods.values():
        yield from _method_problems(entry, method)
    for style in entry.presentation.keys() - set(entry.auth_styles):
        yield f"presentation.{style}: the entry does not describe this way to connect; remove it"
    yield from _presentation_problems(entry)
    yield from _probe_problems(entry)
    yield from _workspace_problems(entry)
    yield from callback_problems(entry)
    yield from resource_problems(entry)
    yield from host_problems(entry)
    yield from signing_problems(entry)
    yield from about_problems(entry)
    yield from push_problems(entry)
    for key, pointer in _pointers(entry):
        if not pointer.startswith("/"):
            yield f"{key}: {pointer!r} is no JSON Pointer; start it with /"
        elif not is_pointer(pointer):
            yield f"{key}: {pointer!r} leads nowhere; in a name write ~1 for a slash, and ~0 for a tilde (RFC 6901)"


def _name_problems(entry: CatalogEntry) -> Iterator[str]:
    declared: list[str] = [param.name for param in entry.params]
    reserved = _RESERVED | ({"client_id"} & set(declared))
    declared += _kept_names(entry)
    typed = [[item.name for item in entry.fields_of(style)] for style in entry.auth_styles]
    declared += {name for names in typed for name in names}  # two styles may each have a field of one name
    declared += [name for names in typed for name in names if names.count(name) > 1]
    for name in sorted({name for name in declared if declared.count(name) > 1 or name in reserved}):
        yield f"params: {name!r} is declared twice or is a name of ours; choose another"
    items: list[tuple[str, Param | SecretField]] = [(f"params.{param.name}", param) for param in entry.params]
    for method in entry.methods.values():
        items += [(f"{method.section()}.fields.{item.name}", item) for item in method.typed_fields]
    for param in entry.params:
        if param.typed_by and param.scope is not ParamScope.INVITATION:
            yield f'params.{param.name}.typed_by: is about scope = "invitation"; other scopes say who gives it'
        for section in sorted({*param.typed_by} - {method.section() for method in entry.methods.values()}):
            yield f"params.{param.name}.typed_by: the entry has no [{section}]; name a section that it has"
    for key, item in items:
        samples = [item.example, item.default] if isinstance(item, Param) else [item.example]
        if problem := pattern_problem(item.pattern):
            yield f"{key}.pattern: {problem}"
            continue
        for sample in filter(None, samples):
            if isinstance(item, Param) and item.choices:
                if sample not in item.choices:
                    yield f"{key}.choices: {sample!r}, the entry's own default or example, is none of them"
            elif not re.fullmatch(item.pattern, sample):
                yield f"{key}.pattern: does not match {sample!r}, the entry's own default or example"


def _kept_names(entry: CatalogEntry) -> list[str]:
    """Return our names for kept members of the token response, once each, even if two auth styles keep the same."""
    return sorted({name for method in entry.methods.values() for name in method.extra_pointers})


def _method_problems(entry: CatalogEntry, described: Method) -> Iterator[str]:
    key = described.section()
    for name, rules in described.rules.items():
        yield from _rule_problems(f"{key}.{name}", rules)
    for name, own in described.calls.items():
        yield from _call_problems(f"{key}.{name}", own.call)
        if not own.call.url:
            yield f"{key}.{name}.url: is missing; give the URL"
    yield from described.slips()
    if (method := described.oauth) is None:
        if not (described.typed_fields or described.redirects or described.registers_client):
            yield f"{key}.fields: describe at least one field"
        return
    yield from _rule_problems(f"{key}.errors", method.errors)
    yield from _rule_problems(f"{key}.revocation.errors", method.revocation.errors)
    scope = method.refresh_tokens.scope
    if scope not in ("", *_scope_names(entry)):
        yield f"{key}.refresh_scope: {scope!r} is not among the [[scopes]]; describe it there"
    may_sign = method.discover or method.client_authentication.needs_key
    if method.certificate_bound_tokens and not (method.discover or method.client_authentication.needs_certificate):
        yield (
            f"{key}.certificate_bound_tokens: tokens are bound to a certificate only where the client proves itself by "
            'one; say client_authentication = "tls_client_auth" or "self_signed_tls_client_auth"'
        )
    if method.client_assertion != ClientAssertion() and not may_sign:
        yield f'{key}.client_assertion: needs client_authentication = "private_key_jwt"; say that, or remove it'
    for name in sorted(method.client_assertion.claims.keys() & _OWN_CLAIMS):
        yield f"{key}.client_assertion.claims.{name}: is added by itself; remove it"
    if method.urls["jwks"] and not method.issuer:
        yield f"{key}.jwks_url: is of use with the issuer whose keys they are; give the issuer"
    if method.discover:
        if not method.issuer and not method.server:
            yield f"{key}.issuer: is needed for discovery"
        return
    for name in method.needed_urls:
        if not method.urls[name]:
            yield f"{key}.{name}_url: is missing; give the URL, or set discover = true"
    if method.revocation != Revocation() and not method.revocation_url:
        yield f"{key}.revocation: describes an endpoint without an address; give revocation_url"


def _scope_names(entry: CatalogEntry) -> tuple[str, ...]:
    return tuple(scope.name for scope in entry.scopes)


def _rule_problems(key: str, rules: tuple[ErrorRule, ...]) -> Iterator[str]:
    for position, rule in enumerate(rules):
        is_narrow = rule.value is not None or rule.contains
        if not is_narrow and (rule.status is None or rule.status < 300):
            yield f"{key}.{position}: would match a success too; give it a value, or a status of 300 or more"


def _presentation_problems(entry: CatalogEntry) -> Iterator[str]:
    for style, method in entry.methods.items():
        presentation = entry.presentations[style]
        places = {"headers": tuple(presentation.headers.values()), **presentation.exposed}
        if method.proxy_only and any(uses(presentation.base_url, name) for name in method.secret_names):
            yield f"presentation.{style}.base_url: callers are told it, but not the credential; put no secret into it"
        if not method.proxy_only and not any(
            uses(template, name) for each in places.values() for template in each for name in method.secret_names
        ):
            example = next(iter(sorted(method.secret_names)), "access_token")
            yield f"presentation.{style}: carries no credential; put {{{example}}} into its headers, or its query"
        is_get = entry.probe is not None and entry.probe.method == "GET"
        if presentation.body and is_get:
            yield f'presentation.{style}.body: the probe is a GET, which carries none; say method = "POST" in [probe]'


def _probe_problems(entry: CatalogEntry) -> Iterator[str]:
    if entry.probe is None:
        return
    yield from _rule_problems("probe.dead", entry.probe.dead)
    discovers = any(method.discover for method in map(entry.oauth_method, entry.auth_styles) if method)
    if not (entry.probe.url or discovers):
        yield "probe.url: is empty; give the URL, or leave the probe to discovery"
    yield from _call_problems("probe", entry.probe)
    if entry.probe.lists_workspaces and entry.workspaces is None:
        yield "probe.lists_workspaces: the entry has no [workspaces]; describe them"


def _call_problems(key: str, call: Call) -> Iterator[str]:
    if call.body and call.method == "GET":
        yield f'{key}.body: a GET carries none; say method = "POST"'
    if call.format == "form":
        for name, value in call.body.items():
            if not isinstance(value, str):
                yield f'{key}.body.{name}: a form holds texts alone; write it as one, or say format = "json"'


def _workspace_problems(entry: CatalogEntry) -> Iterator[str]:
    wanted = list(entry.workspaces.pointers) if entry.workspaces is not None else []
    if entry.workspaces is not None and not entry.workspaces.key:
        yield "workspaces.param: no parameter is filled with the id; name one, or point one of the params to it"
    declared = [param.name for param in entry.params_of(ParamScope.WORKSPACE)]
    for name in sorted(set(wanted) - set(declared)):
        yield f'workspaces.params: {name!r} is not declared; add a [[params]] of that name and scope "workspace"'
    for name in sorted(set(declared) - set(wanted)):
        yield f"params.{name}: nothing fills it; name it as the param, or among the params, of [workspaces]"


def _pointers(entry: CatalogEntry) -> Iterator[tuple[str, str]]:
    """Yield key and pointer of every pointer that is not empty."""
    found: list[tuple[str, str]] = []
    rules: list[tuple[str, tuple[ErrorRule, ...]]] = []
    for described in entry.methods.values():
        own = described.section()
        found += [(f"{own}.{key}", pointer) for key, pointer in described.pointers.items()]
        rules += [(f"{own}.{key}", several) for key, several in described.rules.items()]
        if (method := described.oauth) is not None:
            section = method.section()
            rules += [(f"{section}.errors", method.errors)]
            rules += [(f"{section}.revocation.errors", method.revocation.errors)]
            found.append((f"{section}.token_pointer", method.token_pointer))
            named = dict(method.token_fields) | {"expiry.field": method.expiry.field}
            if (expiry := method.refresh_tokens.expiry) is not None:
                named["refresh_expiry.field"] = expiry.field
            found += [(f"{section}.{name}", said) for name, said in named.items() if said.startswith("/")]
            extra = method.extra_pointers.items()
            found += [(f"{section}.extra_response_fields.{name}", pointer or "-") for name, pointer in extra]
    if (probe := entry.probe) is not None:
        rules.append(("probe.dead", probe.dead))
        found += [("probe.account_id", pointer) for pointer in probe.account_id.split()]
        found.append(("probe.account_name", probe.account_name))
    if (choice := entry.workspaces) is not None:
        found += [(f"workspaces.{key}", getattr(choice, key)) for key in ("items", "id", "name")]
        found += [(f"workspaces.params.{name}", pointer or "-") for name, pointer in choice.params.items()]
    if entry.push is not None:
        found += push_pointers(entry.push)
    for key, several in rules:
        found += [(f"{key}.{i}.field", rule.field) for i, rule in enumerate(several) if "/" in rule.field]
    yield from ((key, pointer) for key, pointer in found if pointer)
