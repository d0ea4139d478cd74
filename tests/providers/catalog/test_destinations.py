"""Where secrets go: what moves them is named, and what does not is let through."""

from collections.abc import Callable
from typing import Any

import pytest

from providers.catalog.destinations import destinations_of, moved
from providers.catalog.loader import load_catalog
from providers.catalog.schema import CatalogEntry

Document = dict[str, Any]


def acme() -> Document:
    return {
        "slug": "acme",
        "name": "Acme",
        "base_url": "https://{shop}.acme.example",
        "params": [{"name": "shop", "label": "Shop", "pattern": "^[a-z]+$"}, {"name": "unused", "label": "Unused"}],
        "scopes": [{"name": "https://acme.example/auth/read", "description": "Read"}],
        "authorization_code": {
            "authorization_url": "https://acme.example/authorize",
            "token_url": "https://acme.example/token",
            "revocation": {"narrowed_url": "https://acme.example/revoke-one"},
            "revocation_url": "https://acme.example/revoke",
        },
        "api_key": {"fields": [{"name": "key", "label": "Key"}]},
        "presentation": {"api_key": {"headers": {"X-Key": "{key}"}}},
        "probe": {"url": "https://{shop}.acme.example/me"},
    }


def changed(change: Callable[[Document], object]) -> tuple[str, ...]:
    after = acme()
    change(after)
    return moved(CatalogEntry.model_validate(acme()), CatalogEntry.model_validate(after))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda e: e.update(base_url="https://{shop}.evil.example"), "base_url"),
        (lambda e: e["probe"].update(url="https://evil.example/me"), "probe.url"),
        (lambda e: e["authorization_code"].update(token_url="https://evil.example"), "authorization_code.token_url"),
        (
            lambda e: e["authorization_code"].update(revocation_url="https://evil.example"),
            "authorization_code.revocation_url",
        ),
        (
            lambda e: e["authorization_code"]["revocation"].update(narrowed_url="https://evil.example"),
            "authorization_code.revocation.narrowed_url",
        ),
        (
            lambda e: e["authorization_code"].update(introspection_url="https://evil.example"),
            "authorization_code.introspection_url",
        ),
        (lambda e: e["params"][0].update(pattern="^.+$"), "params.shop"),
        (lambda e: e["params"][0].update(choices={"a": "a.evil.example/"}), "params.shop"),
        (lambda e: e["params"][0].update(default="evil"), "params.shop"),
        (lambda e: e["params"][0].update(scope="app"), "params.shop"),
        (
            lambda e: e["presentation"]["api_key"].update(base_url="https://evil.example/{key}"),
            "presentation.api_key.base_url",
        ),
        (
            lambda e: e["authorization_code"].update(extra_response_fields={"shop_url": "/shop"}),
            "authorization_code.extra_response_fields",
        ),
        (lambda e: e["authorization_code"].update(discover=True), "authorization_code.discover"),
        (lambda e: e.pop("authorization_code"), "authorization_code"),
    ],
)
def test_a_change_of_where_secrets_go_is_named(change: Callable[[Document], object], key: str) -> None:
    assert key in changed(change)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: e.update(name="Other", notes=["See https://acme.example."], docs_url="https://docs.acme.example"),
        lambda e: e["scopes"].append({"name": "https://evil.example/scope", "description": "Other"}),
        lambda e: e["params"][0].update(label="Your shop", help="See https://acme.example", example="north"),
        lambda e: e["params"][1].update(pattern="^.*$"),
        lambda e: e["authorization_code"].update(default_lifetime_seconds=60, refresh_tokens_rotate=False),
        lambda e: e["api_key"]["fields"][0].update(label="Secret key", help="At https://acme.example/keys"),
        lambda e: e["presentation"]["api_key"]["headers"].update({"X-Other": "{key}"}),
        lambda e: e.update(bearer_token={}),
        lambda e: e.update(client_credentials={"token_url": "https://new.example/token"}),
    ],
)
def test_any_other_change_moves_nothing(change: Callable[[Document], object]) -> None:
    assert changed(change) == ()


def test_for_whom_an_assertion_is_signed_counts_too() -> None:
    def signing(audience: str) -> CatalogEntry:
        fields = [{"name": "key", "label": "Key"}]
        assertion = {"algorithm": "RS256", "claims": {"iss": "us", "aud": audience}}
        section = {"token_url": "https://acme.example/token", "assertion": assertion, "fields": fields}
        return CatalogEntry.model_validate({"slug": "acme", "name": "Acme", "jwt_bearer": section})

    assert moved(signing("acme"), signing("other")) == ("jwt_bearer.assertion.claims.aud",)


def test_an_entry_that_comes_or_goes_moves_everything() -> None:
    entry = CatalogEntry.model_validate(acme())
    assert moved(None, entry) == moved(entry, None) == ("the entry",)
    assert moved(None, None) == moved(entry, entry) == ()


def test_every_address_of_every_entry_is_among_them() -> None:
    for slug, entry in load_catalog().items():
        known = set(map(str, destinations_of(entry).values()))
        for method in entry.methods.values():
            called = [url for name, url in method.urls.items() if url]
            called += [own.call.url for own in method.calls.values()]
            assert set(called) <= known, slug
        assert {entry.probe.url if entry.probe else "", entry.base_url} - {""} <= known, slug
