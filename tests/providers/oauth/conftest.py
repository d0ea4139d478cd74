"""Targets that lead to the scripted provider."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.values import ClientRegistration


@pytest.fixture
def make_target(egress_policy: Any, provider: Any) -> Callable[..., Target]:
    """Return a function that makes a target at ``provider`` whose method has the given settings."""

    def make(
        style: str = AuthorizationCodeMethod.style,
        *,
        registration: ClientRegistration | None = None,
        params: dict[str, str] | None = None,
        **settings: Any,
    ) -> Target:
        method = {
            "token_url": f"{provider.url}/token",
            "revocation_url": f"{provider.url}/revoke",
            "introspection_url": f"{provider.url}/introspect",
        } | settings
        if style is AuthorizationCodeMethod.style:
            method.setdefault("authorization_url", f"{provider.url}/authorize")
        entry = CatalogEntry.model_validate(
            {
                "slug": "acme",
                "name": "Acme",
                "params": [{"name": "region", "label": "Region", "default": "eu"}],
                style.removeprefix("oauth2_"): method,
            }
        )
        own = ClientRegistration(
            client_id="client:1",
            client_secrets=(SecretStr("s e/c+ret"), SecretStr("older")),
            redirect_uri="https://latchkey.example/connect/callback/1",
        )
        return resolve(entry=entry, style=style, registration=registration or own, discovered={}, params=params or {})

    return make
