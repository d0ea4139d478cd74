"""Targets of catalogue entries that lead to the scripted provider."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.loader import entry
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.values import ClientRegistration


@pytest.fixture
def sandbox_target(egress_policy: Any, provider: Any) -> Callable[..., Target]:
    """Return a function that makes a target of the sandbox's entry at ``provider``, changed as told."""

    def make(
        style: str,
        *,
        changes: dict[str, Any] | None = None,
        params: dict[str, str] | None = None,
        entry_class: type[CatalogEntry] = CatalogEntry,
    ) -> Target:
        document = merged(entry("sandbox").model_dump(), changes or {})
        return resolve(
            entry=entry_class.model_validate(document),
            style=style,
            registration=ClientRegistration(
                client_id="client",
                client_secrets=(SecretStr("client-secret"),),
                redirect_uri="https://latchkey.example/connect/callback/1",
                params={"issuer": provider.url},
            ),
            discovered={},
            params=params or {},
        )

    return make


def merged(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return ``document`` with ``changes``; None in the place of a text takes it out."""
    for key, value in changes.items():
        nested = isinstance(value, dict) and isinstance(document.get(key), dict)
        if value is None and isinstance(document.get(key), str):
            del document[key]
        else:
            document[key] = merged(document[key], value) if nested else value
    return document
