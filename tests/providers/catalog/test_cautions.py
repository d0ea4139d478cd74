"""What operators are told before they use a style that protects less."""

from typing import Any

import pytest

from providers.catalog.cautions import cautions_of
from providers.catalog.loader import load_catalog
from providers.catalog.schema import CatalogEntry
from tests.providers.strategies.session_login import EntryWithLogin

FIELDS = [{"name": "email", "label": "E-mail", "secret": False}, {"name": "key", "label": "Key"}]


def told(**presentation: Any) -> tuple[str, ...]:
    entry = CatalogEntry.model_validate(
        {"slug": "acme", "name": "Acme", "api_key": {"fields": FIELDS}, "presentation": {"api_key": presentation}}
    )
    return cautions_of(entry, "api_key")


@pytest.mark.parametrize(
    ("presentation", "place"),
    [
        ({"query": {"k": "{key}"}}, "in the query"),
        ({"base_url": "https://acme.example/{key}"}, "in the path"),
        ({"body": {"k": "x-{key}"}}, "in the body"),
    ],
)
def test_a_secret_outside_of_headers_is_told(presentation: dict[str, Any], place: str) -> None:
    (sentence,) = told(**presentation)
    assert place in sentence
    assert "[presentation.api_key.headers]" in sentence


def test_a_header_is_no_reason_to_warn_nor_is_what_is_no_secret() -> None:
    assert told(headers={"X-Key": "{key}"}, query={"as": "{email}"}) == ()


def test_a_credential_that_is_not_handed_out_is_told() -> None:
    login = {"login_url": "https://a.example/login", "fields": [{"name": "key", "label": "Key"}]}
    entry = EntryWithLogin.model_validate(
        {"slug": "acme", "name": "Acme", "session_login": login, "signed_login": login}
    )
    assert cautions_of(entry, "session_login") == ()
    (sentence,) = cautions_of(entry, "signed_login")
    assert "No caller gets its credential" in sentence


def test_each_place_is_told() -> None:
    assert len(told(query={"k": "{key}"}, body={"k": "{key}"})) == 2


def test_a_token_in_the_query_is_told_as_well() -> None:
    entry = CatalogEntry.model_validate(
        {
            "slug": "acme",
            "name": "Acme",
            "authorization_code": {"token_url": "https://a.example/t", "authorization_url": "https://a.example/a"},
            "presentation": {"oauth2_authorization_code": {"query": {"token": "{access_token}"}}},
        }
    )
    assert len(cautions_of(entry, "oauth2_authorization_code")) == 1
    assert cautions_of(entry, "api_key") == ()


def test_what_is_to_be_told_of_the_entries_that_come_along() -> None:
    said = {
        slug: [sentence for style in entry.auth_styles for sentence in cautions_of(entry, style)]
        for slug, entry in load_catalog().items()
    }
    in_an_address = {slug for slug, told in said.items() if any("of each address" in one for one in told)}
    assert in_an_address == {
        "airbrake",
        "google-maps",
        "hunter",
        "jazzhr",
        "mapbox",
        "smartlead",
        "stack-exchange",
        "telegram-bot",
    }
    unverified = {slug for slug, told in said.items() if any(one.startswith("Unverified") for one in told)}
    assert "greenhouse-harvest" in unverified
    assert "salesforce" not in unverified
