"""Entries that do not hang together: each is named by its key, with what to do."""

from typing import Any

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.schema import CatalogEntry

SITE = {"name": "site", "label": "Site", "scope": "workspace"}
CHOICE = {"url": "https://acme.example/sites", "id": "/id", "param": "site"}


def problems(**changes: Any) -> list[str]:
    document = {
        "slug": "acme",
        "name": "Acme",
        "authorization_code": {
            "authorization_url": "https://acme.example/authorize",
            "token_url": "https://acme.example/token",
        }
        | changes.pop("method", {}),
    }
    return list(problems_of(CatalogEntry.model_validate(document | changes), "acme"))


def test_plain_entry_has_none() -> None:
    assert problems() == []


def test_entry_with_everything_has_none() -> None:
    revocation = {
        "params": {"client": "{client_id}", "who": "{user}", "site": "{region}"},
        "errors": [{"contains": "gone", "means": "grant_rejected"}],
    }
    assert not problems(
        params=[SITE, {"name": "region", "label": "Region", "default": "eu"}],
        scopes=[{"name": "offline", "description": "Stay", "default": True, "required": True}],
        base_url="https://{region}.acme.example/{site}",
        method={
            "revocation_url": "https://acme.example/{client_id}/{region}",
            "introspection_url": "https://acme.example/{client_id}",
            "request_headers": {"X-Region": "{region}"},
            "extra_response_fields": ["user"],
            "token_pointer": "/user",
            "refresh_scope": "offline",
            "revocation": revocation,
            "errors": [{"field": "/error/code", "value": "7", "means": "unavailable"}],
        },
        presentation={"oauth2_authorization_code": {"headers": {"X-Site": "{site} {user} {access_token}"}}},
        probe={"url": "https://acme.example/{site}/me", "account_id": "/a /b/0"},
        workspaces=CHOICE | {"items": "/data", "name": "/name", "headers": {"X-Key": "{access_token}"}},
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"base_url": "https://{client_id}.example"}, "base_url: uses {client_id}; declare"),
        ({"params": [{"name": "client_id", "label": "X"}]}, "params: 'client_id' is declared twice or is a name of"),
        ({"method": {"token_url": "https://x.example/{client_id}"}}, "authorization_code.token_url: uses {client_id}"),
        ({"method": {"request_headers": {"A": "{nope}"}}}, "authorization_code.request_headers.A: uses {nope}"),
        (
            {"method": {"revocation_url": "https://x.example", "revocation": {"params": {"a": "{access_token}"}}}},
            "authorization_code.revocation.params.a: uses {access_token}",
        ),
        ({"method": {"revocation": {"method": "DELETE"}}}, "authorization_code.revocation: describes an endpoint"),
        (
            {"method": {"revocation_url": "https://x.example", "revocation": {"errors": [{"means": "unavailable"}]}}},
            "authorization_code.revocation.errors.0: would match a success too",
        ),
        (
            {"method": {"errors": [{"field": "error/code", "value": "1", "means": "unavailable"}]}},
            "authorization_code.errors.0.field: 'error/code' is no JSON Pointer",
        ),
        ({"method": {"token_pointer": "user"}}, "authorization_code.token_pointer: 'user' is no JSON Pointer"),
        ({"method": {"refresh_scope": "offline"}}, "authorization_code.refresh_scope: 'offline' is not among"),
        ({"scopes": [{"name": "a", "description": "A", "required": True}]}, "scopes: 'a' is required, so"),
        ({"scopes": [{"name": "a", "description": "A"}] * 2}, "scopes: 'a' is declared twice"),
        ({"params": [SITE]}, "params.site: nothing fills it"),
        ({"workspaces": CHOICE}, "workspaces.params: 'site' is not declared"),
        (
            {"workspaces": CHOICE, "params": [{"name": "site", "label": "Site"}]},
            "workspaces.params: 'site' is not declared",
        ),
        ({"workspaces": CHOICE | {"id": "id"}, "params": [SITE]}, "workspaces.id: 'id' is no JSON Pointer"),
        ({"workspaces": CHOICE | {"items": "x"}, "params": [SITE]}, "workspaces.items: 'x' is no JSON Pointer"),
        (
            {"workspaces": CHOICE | {"url": "https://x.example/{site}"}, "params": [SITE]},
            "workspaces.url: uses {site}",
        ),
        (
            {"workspaces": CHOICE, "params": [SITE], "method": {"token_url": "https://{site}.example"}},
            "authorization_code.token_url: uses {site}",
        ),
        (
            {"probe": {"url": "https://x.example", "lists_workspaces": True}},
            "probe.lists_workspaces: the entry has no [workspaces]",
        ),
        ({"probe": {"url": "https://x.example", "account_id": "/a b"}}, "probe.account_id: 'b' is no JSON Pointer"),
    ],
)
def test_what_does_not_agree_is_named_with_its_key(changes: dict[str, Any], says: str) -> None:
    found = problems(**changes)
    assert any(problem.startswith(says) for problem in found), found
