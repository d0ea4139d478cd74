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
            "resource": "urn:acme:{region}",
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
        (
            {"method": {"client_assertion": {"lifetime_seconds": 60}}},
            'authorization_code.client_assertion: needs client_authentication = "private_key_jwt"; say that',
        ),
        (
            {"method": {"client_authentication": "private_key_jwt", "client_assertion": {"audience": "{aud}"}}},
            "authorization_code.client_assertion.audience: uses {aud}; declare",
        ),
        (
            {
                "method": {
                    "client_authentication": "private_key_jwt",
                    "client_assertion": {"claims": {"scope": "{aud}"}},
                }
            },
            "authorization_code.client_assertion.claims.scope: uses {aud}; declare",
        ),
        (
            {"method": {"client_authentication": "private_key_jwt", "client_assertion": {"claims": {"exp": "1"}}}},
            "authorization_code.client_assertion.claims.exp: is added by itself; remove it",
        ),
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
        ({"method": {"request_delivery": "pushed"}}, "authorization_code.pushed_authorization_url: is missing; give"),
        (
            {"method": {"pushed_authorization_url": "https://acme.example/par"}},
            'authorization_code.pushed_authorization_url: is not used; say request_delivery = "pushed"',
        ),
        ({"method": {"resource": "{nope}/mcp"}}, "authorization_code.resource: uses {nope}; declare"),
        ({"method": {"resource": "acme.example/mcp"}}, "authorization_code.resource: 'acme.example/mcp' names no API"),
        ({"method": {"resource": "https://a.example/#x"}}, "authorization_code.resource: 'https://a.example/#x' names"),
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


# --- A client secret that others share --------------------------------------------------------------------------------
def typed(pattern: str | None) -> dict[str, Any]:
    """Return a parameter that the end user types."""
    return {"name": "host", "label": "Host"} | ({"pattern": pattern} if pattern is not None else {})


def at(place: str, template: str) -> dict[str, Any]:
    """Return the part of a method that has ``template`` as one of its addresses."""
    if place == "revocation.narrowed_url":
        return {"revocation_url": "https://acme.example/revoke", "revocation": {"narrowed_url": template}}
    if place == "pushed_authorization_url":
        return {place: template, "request_delivery": "pushed"}
    return {place: template} | ({"discover": True} if place == "issuer" else {})


PLACES = (
    "token_url",
    "pushed_authorization_url",
    "revocation_url",
    "introspection_url",
    "issuer",
    "revocation.narrowed_url",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("https://{host}/x", None),
        ("https://{host}/x", r"^[0-9.]{7,15}$"),
        ("{host}/x", r"^https://\S{1,100}$"),
        ("https://acme.{host}/x", None),
        ("https://acme.example{host}/x", r"^\S{1,100}$"),
        ("https://{host}.com/x", r"^[a-z]{1,20}$"),
    ],
    ids=["any name", "addresses", "a URL", "the end of a name", "what goes on", "a domain to register"],
)
def test_a_shared_client_secret_goes_nowhere_that_an_end_user_names(place: str, template: str, pattern: str) -> None:
    found = problems(params=[typed(pattern)], method=at(place, template))
    assert [each.partition(" and ")[0] for each in found] == [
        f"authorization_code.{place}: the end user types {{host}},"
    ]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("https://{host}.acme.example/x", None),
        ("https://acme.example/{host}/x", None),
        ("https://{host}/x", r"^[a-z0-9-]{1,60}\.acme\.example$"),
    ],
    ids=["below a name", "in the path", "narrowed"],
)
def test_a_name_of_the_providers_own_may_be_typed(place: str, template: str, pattern: str) -> None:
    assert problems(params=[typed(pattern)], method=at(place, template)) == []


def test_a_client_without_a_secret_has_none_to_lose() -> None:
    assert (
        problems(params=[typed(None)], method=at("token_url", "https://{host}/x") | {"client_authentication": "none"})
        == []
    )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"method": {"token_pointer": "/~2"}},
            "authorization_code.token_pointer: '/~2' leads nowhere; in a name write",
        ),
        ({"method": {"expiry": {"field": "/a/~"}}}, "authorization_code.expiry.field: '/a/~' leads nowhere"),
        (
            {"method": {"refresh_expiry": {"field": "/~x"}}},
            "authorization_code.refresh_expiry.field: '/~x' leads nowhere",
        ),
        ({"method": {"token_fields": {"refresh_token": "/~"}}}, "authorization_code.refresh_token: '/~' leads nowhere"),
        (
            {"method": {"revocation_url": "javascript:alert(1)"}},
            "authorization_code.revocation_url: 'javascript:alert(1)'",
        ),
        (
            {"method": {"introspection_url": "/introspect"}},
            "authorization_code.introspection_url: '/introspect' is no address",
        ),
        (
            {"method": {"issuer": "acme.example"}},
            "authorization_code.issuer: 'acme.example' is no address; write it whole",
        ),
        (
            {"method": {"jwks_url": "https://acme.example/keys"}},
            "authorization_code.jwks_url: is of use with the issuer",
        ),
        ({"method": {"jwks_url": "{nobody}", "issuer": "https://acme.example"}}, "jwks_url: uses {nobody}"),
        ({"website": "javascript:alert(1)"}, "website: 'javascript:alert(1)' is no link that people can follow"),
        ({"docs_url": "acme.example"}, "docs_url: 'acme.example' is no link that people can follow"),
        ({"base_url": "https://acme.example/a b"}, "base_url: 'https://acme.example/a b' is no address"),
    ],
)
def test_what_can_never_work_is_told_with_what_to_write(changes: dict[str, Any], told: str) -> None:
    assert any(told in problem for problem in problems(**changes)), problems(**changes)


@pytest.mark.parametrize(
    "key",
    [
        "default_lifetime_seconds",
        "refresh_grace_seconds",
        "refresh_idle_lifetime_seconds",
        "refresh_absolute_lifetime_seconds",
    ],
)
def test_a_lifetime_beyond_all_calendars_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=f"{key}\n.*less than or equal"):
        problems(method={key: 10**20})


def test_an_escaped_pointer_is_one() -> None:
    assert (
        problems(
            method={"token_pointer": "/a~1b/~0c", "issuer": "https://a.example", "jwks_url": "https://a.example/k"}
        )
        == []
    )
