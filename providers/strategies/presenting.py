"""How a credential goes into a request: the catalogue's templates of headers, query, body and path. No I/O."""

from collections.abc import Mapping
from urllib.parse import quote

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.signed_methods import SigningMethod
from providers.catalog.template import check_values, fill, render
from providers.oauth.token_response import refuse_bound
from providers.values import Credential, Presentation

_SCHEMES = {"Bearer", "Basic"}
_OF_A_STEP = "!$'()*,;:@~"  # RFC 3986 §3.3, without what means something in a query


def template_values(target: Target, credential: Credential) -> Mapping[str, str]:
    """Return the values that a template may name. Parameters take precedence, so that no response can replace one."""
    secrets = {name: value.get_secret_value() for name, value in credential.fields.items()}
    if credential.access_token is not None:
        secrets["access_token"] = credential.access_token.get_secret_value()
    return {**credential.extra, **secrets, **target.params}


def addressed(template: str, credential: Credential) -> str:
    """Return an address of the target's endpoints with what only the credential knows filled in.

    A secret becomes one step of the path, or one value of the query, whatever it holds: it cannot lead elsewhere.
    """
    secrets = {name: value.get_secret_value() for name, value in credential.fields.items()}
    if credential.access_token is not None:
        secrets["access_token"] = credential.access_token.get_secret_value()
    quoted = {name: quote(value, safe=_OF_A_STEP) for name, value in secrets.items()}
    return fill(template, {**quoted, **credential.extra})


def present(
    target: Target,
    credential: Credential,
    *,
    auth_method: str,
    value: SecretStr | None,
    params: Mapping[str, str] | None = None,
) -> Presentation:
    """Return the presentation of ``credential``; ``params`` are added to the target's own and to ``extra``.

    ``base_url`` is "" if the credential lacks a part of it. Raises ``MisconfiguredProvider`` naming a value that a
    template of the headers, the query or the body needs and the credential lacks, and for a token bound to a key.
    """
    refuse_bound(credential.token_type)
    values = template_values(target, credential)
    base_url = addressed(target.endpoints.base, credential)
    return Presentation(
        auth_method=auth_method,
        value=value,
        headers=_filled(target, target.presentation.headers, values),
        query=_filled(target, target.presentation.query, values),
        body=_filled(target, target.presentation.body, values),
        base_url="" if "{" in base_url else base_url,
        params={**credential.extra, **(params or {}), **target.params},
        token_type=credential.token_type if auth_method == "bearer" else None,
    )


def withheld(target: Target, credential: Credential, whole: Presentation) -> Presentation:
    """Return what a caller learns of a credential that is not handed out: what it is, and where it would be used.

    ``base_url`` is "" if the credential is a part of it: a server's metadata may bind a token to a certificate that the
    entry puts into a path.
    """
    base_url = fill(target.endpoints.base, credential.extra)
    return Presentation(
        auth_method=whole.auth_method,
        value=None,
        base_url="" if "{" in base_url else base_url,
        params=whole.params,
        proxy_only=True,
    )


def give_aways(target: Target, credential: Credential, shown: Presentation) -> tuple[str, ...]:
    """Return every text that gives ``credential`` away, or a part of it, as it is stored or as ``shown`` has it."""
    method = target.method
    told = method.told_names if isinstance(method, SigningMethod) else frozenset[str]()
    told |= {found.name for found in method.typed_fields if not found.secret}
    tokens = (credential.access_token, credential.refresh_token, *target.registration.client_secrets)
    stored = [token.get_secret_value() for token in tokens if token is not None]
    stored += [value.get_secret_value() for name, value in credential.fields.items() if name not in told]
    public = {value.get_secret_value() for name, value in credential.fields.items() if name in told} | _SCHEMES
    places = (shown.headers, shown.query, shown.body)
    # ``Basic dXNlcjpwYXNz`` is a scheme and a secret.
    words = [word for place in places for value in place.values() for word in value.split() if word not in public]
    return tuple(dict.fromkeys([*stored, *words]))


def _filled(target: Target, templates: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    check_values(templates.values(), values, needed=f"{target.entry.slug} needs in each request")
    return {name: render(template, values) for name, template in templates.items()}
