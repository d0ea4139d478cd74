"""The form and the document: each is made of the other, and what the form does not know stays."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from providers.catalog import loader
from providers.catalog.additions import check_entry
from providers.catalog.toml_text import toml_text
from providers.catalog.usual_form import document_with, values_of

FILES = sorted(Path(loader.__file__).parent.glob("*.toml"))
NOTHING = values_of({})


def made(document: dict[str, Any] | None = None, **typed: Any) -> dict[str, Any]:
    """Return what becomes of ``document`` when these fields of its form are changed."""
    return document_with(values_of(document or {}) | typed, document or {})


def test_a_form_in_which_nobody_changed_anything_changes_nothing_in_any_entry() -> None:
    for file in FILES:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        assert document_with(values_of(document), document) == document, file.name


@pytest.mark.parametrize(
    ("typed", "style"),
    [
        ({"style": "bearer_token"}, "bearer_token"),
        ({"style": "bearer_token", "key_label": "Personal token", "key_help": "In Acme."}, "bearer_token"),
        ({"style": "http_basic", "user_label": "Account", "key_label": "API key"}, "http_basic"),
        ({"style": "api_key", "key_label": "Key", "headers": "X-Api-Key: {api_key}"}, "api_key"),
        (
            {
                "style": "authorization_code",
                "authorization_url": "https://acme.example/authorize",
                "token_url": "https://acme.example/token",
                "client_authentication": "client_secret_post",
                "keeps_refresh_token": True,
                "scopes": "* read = See your orders\nwrite = Change them",
            },
            "oauth2_authorization_code",
        ),
        (
            {
                "style": "client_credentials",
                "token_url": "https://acme.example/token",
                "own_registration": True,
                "params": "region = Region",
            },
            "oauth2_client_credentials",
        ),
        (
            {"style": "authorization_code", "issuer": "https://login.acme.example", "discover": True},
            "oauth2_authorization_code",
        ),
    ],
)
def test_a_form_alone_makes_an_entry_that_is_in_order(typed: dict[str, Any], style: str) -> None:
    filled = {"name": "Acme", "category": "ERP", "base_url": "https://api.acme.example", **typed}
    document = made(**filled)
    entry = check_entry("acme", toml_text(document))
    assert entry.auth_styles == (style,)
    shown = values_of(document)
    assert {name: shown[name] for name in filled} == filled, "and the form shows it again"


def test_a_scope_keeps_what_the_form_does_not_show_of_it() -> None:
    document = {"scopes": [{"name": "read", "description": "Read", "default": True, "aliases": ["r"]}, {"name": "x"}]}
    after = made(document, scopes="read = Read it all\nwrite = Write")["scopes"]
    assert after == [
        {"name": "read", "description": "Read it all", "aliases": ["r"]},
        {"name": "write", "description": "Write"},
    ]


def test_a_changed_label_leaves_the_other_fields_of_a_key_alone() -> None:
    fields = [{"name": "id", "label": "ID", "secret": False}, {"name": "key", "label": "Key", "pattern": "^.{9}$"}]
    after = made({"api_key": {"fields": fields}}, key_label="Secret key")
    assert after["api_key"]["fields"] == [fields[0], {"name": "key", "label": "Secret key", "pattern": "^.{9}$"}]


def test_an_emptied_field_goes_with_the_table_that_is_empty_without_it() -> None:
    document = {"name": "A", "bearer_token": {}, "probe": {"url": "https://a.example"}, "colour": "#112233"}
    assert made(document, probe_url="", colour="") == {"name": "A", "bearer_token": {}}


def test_another_style_takes_the_place_of_the_first_and_no_other() -> None:
    document = {
        "name": "A",
        "authorization_code": {"token_url": "t"},
        "presentation": {"oauth2_authorization_code": {"headers": {"X": "{access_token}"}}},
        "signed_jwt": {"fields": []},
    }
    after = made(document, style="bearer_token")
    assert after == {"name": "A", "signed_jwt": {"fields": []}, "bearer_token": {}}


def test_the_document_that_was_given_is_left_alone() -> None:
    document = {"name": "A", "bearer_token": {"fields": [{"name": "token", "label": "Token"}]}}
    made(document, name="B", key_label="Other", style="bearer_token")
    assert document == {"name": "A", "bearer_token": {"fields": [{"name": "token", "label": "Token"}]}}


@pytest.mark.parametrize(
    "document",
    [
        {"name": 5, "scopes": "x", "params": [1, "2"], "probe": "p", "presentation": []},
        {"": {"a": 1}, "authorization_code": "no table", "api_key": {"fields": {"a": 1}}},
        {"http_basic": {"fields": [{}, {"secret": False}]}, "presentation": {"http_basic": {"headers": ["x"]}}},
        {"scopes": [{"default": "yes"}], "bearer_token": {"fields": []}},
    ],
)
def test_a_document_of_the_wrong_shape_is_shown_as_far_as_it_goes(document: dict[str, Any]) -> None:
    assert document_with(values_of(document), document) == document
    for name, value in NOTHING.items():
        typed = "bearer_token" if name == "style" else not value if isinstance(value, bool) else "x"
        document_with(values_of(document) | {name: typed}, document)
