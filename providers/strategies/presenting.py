"""How a credential goes into a request: the catalogue's header and query templates, filled in. No I/O."""

from collections.abc import Mapping

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.template import check_values, fill, render
from providers.values import Credential, Presentation


def template_values(target: Target, credential: Credential) -> Mapping[str, str]:
    """Return the values that a template may name. Parameters take precedence, so that no response can replace one."""
    secrets = {name: value.get_secret_value() for name, value in credential.fields.items()}
    if credential.access_token is not None:
        secrets["access_token"] = credential.access_token.get_secret_value()
    return {**credential.extra, **secrets, **target.params}


def present(
    target: Target,
    credential: Credential,
    *,
    auth_method: str,
    value: SecretStr,
    params: Mapping[str, str] | None = None,
) -> Presentation:
    """Return the presentation of ``credential``; ``params`` are added to the target's own and to ``extra``.

    ``base_url`` is "" if the credential lacks a part of it. Raises ``MisconfiguredProvider`` naming a value that a
    header or query template needs and the credential lacks.
    """
    values = template_values(target, credential)
    base_url = fill(target.endpoints.base, credential.extra)
    return Presentation(
        auth_method=auth_method,
        value=value,
        headers=_filled(target, target.presentation.headers, values),
        query=_filled(target, target.presentation.query, values),
        base_url="" if "{" in base_url else base_url,
        params={**credential.extra, **(params or {}), **target.params},
    )


def _filled(target: Target, templates: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    check_values(templates.values(), values, needed=f"{target.entry.slug} needs in each request")
    return {name: render(template, values) for name, template in templates.items()}
