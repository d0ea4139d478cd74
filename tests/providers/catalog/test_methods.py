"""What an entry says of its auth styles, and what everybody may ask of any of them."""

import pytest

from providers.catalog.answers import Expiry
from providers.catalog.base_method import Method
from providers.catalog.callback import ResponseNames
from providers.catalog.loader import entry
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod, RefreshTokens
from providers.catalog.schema import CatalogEntry
from providers.catalog.typed_methods import BearerTokenMethod, HttpBasicMethod
from providers.strategies import strategies

STYLES = (AuthorizationCodeMethod, ClientCredentialsMethod, ApiKeyMethod, HttpBasicMethod, BearerTokenMethod)


def test_each_section_of_an_entry_has_its_strategy_and_each_strategy_its_section() -> None:
    said = entry("sandbox").methods
    assert list(said) == list(strategies())
    for style, method in said.items():
        assert (style, type(method)) == (method.style, strategies()[style].method)
        assert method.section() in CatalogEntry.model_fields


@pytest.mark.parametrize("shape", STYLES)
def test_a_style_is_one_and_fills_in_what_is_its_own(shape: type[Method]) -> None:
    method = shape(fields=()) if "fields" in shape.model_fields else shape()
    assert (method.oauth is method) is method.takes_scopes
    assert set(method.needed_urls) <= method.urls.keys()
    assert method.typed_fields == ()


def test_what_no_style_says_is_not_known() -> None:
    nothing = Method()
    assert not (nothing.oauth or nothing.registers_client or nothing.redirects or nothing.takes_scopes)
    assert not (nothing.typed_fields or nothing.secret_names or nothing.urls or nothing.extra_pointers)
    assert (nothing.refresh_tokens, nothing.response_names) == (RefreshTokens(), ResponseNames())


def test_own_clients_are_typed_and_not_registered() -> None:
    shared, own = ClientCredentialsMethod(), ClientCredentialsMethod(own_registration=True)
    assert (shared.registers_client, own.registers_client) == (True, False)
    assert [field.name for field in own.typed_fields] == ["client_id", "client_secret"]
    assert own.secret_names == {"client_id", "client_secret", "access_token"}


def test_refresh_tokens_are_told_in_one_place() -> None:
    method = AuthorizationCodeMethod(
        refresh_scope="offline",
        refresh_grace_seconds=60,
        refresh_expiry=Expiry(field="/dies"),
        refresh_idle_lifetime_seconds=100,
        refresh_absolute_lifetime_seconds=200,
    )
    assert method.refresh_tokens == RefreshTokens(60, "offline", Expiry(field="/dies"), 100, 200)
    assert ClientCredentialsMethod().refresh_tokens == RefreshTokens()


def test_a_section_that_is_not_there_is_no_way_to_connect() -> None:
    keys = entry("sandbox").model_copy(update={"authorization_code": None})
    assert "oauth2_authorization_code" in entry("sandbox").methods
    assert "oauth2_authorization_code" not in keys.methods
