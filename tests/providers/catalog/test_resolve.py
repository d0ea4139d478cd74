from typing import Any

import pytest

from providers.catalog.calls import Presentation
from providers.catalog.loader import entry
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.errors import MisconfiguredProvider
from providers.values import ClientRegistration
from providers.vocabulary import ClientAuthentication, IssParameter, Pkce

ISSUER = "https://login.acme.example"
DISCOVERED = {
    "issuer": ISSUER,
    "authorization": f"{ISSUER}/a",
    "token": f"{ISSUER}/t",
    "revocation": "",
    "introspection": f"{ISSUER}/i",
    "probe": f"{ISSUER}/me",
    "iss_parameter": "required",
    "pkce": "breaks",
    "client_authentication": "client_secret_post",
}


def target_of(
    slug_or_entry: str | CatalogEntry,
    style: str = AuthorizationCodeMethod.style,
    *,
    app: dict[str, str] | None = None,
    discovered: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
) -> Target:
    return resolve(
        entry=entry(slug_or_entry) if isinstance(slug_or_entry, str) else slug_or_entry,
        style=style,
        registration=ClientRegistration(client_id="c", params=app or {}),
        discovered=discovered or {},
        params=params or {},
    )


def acme(**changes: Any) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {
            "slug": "acme",
            "name": "Acme",
            "base_url": "https://{subdomain}.acme.example/api",
            "params": [
                {"name": "subdomain", "label": "Subdomain"},
                {"name": "region", "label": "Region", "scope": "app", "default": "eu", "pattern": "^[a-z]{2}$"},
            ],
            "authorization_code": {
                "authorization_url": "https://{region}.acme.example/authorize",
                "token_url": "https://{region}.acme.example/token",
            },
        }
        | changes
    )


def test_fills_the_sandbox_in() -> None:
    found = target_of("sandbox", app={"issuer": "http://127.0.0.1:8090"})
    assert found.endpoints.authorization == "http://127.0.0.1:8090/authorize"
    assert found.endpoints.token == "http://127.0.0.1:8090/token"
    assert found.endpoints.revocation == "http://127.0.0.1:8090/revoke"
    assert found.endpoints.introspection == "http://127.0.0.1:8090/introspect"
    assert found.endpoints.probe == "http://127.0.0.1:8090/me"
    assert (found.endpoints.issuer, found.endpoints.base) == ("http://127.0.0.1:8090",) * 2
    assert found.params == {"issuer": "http://127.0.0.1:8090"}


def test_takes_each_parameter_from_its_owner_alone() -> None:
    found = target_of(acme(), app={"region": "us", "subdomain": "ours"}, params={"subdomain": "globex", "region": "xx"})
    assert found.endpoints.token == "https://us.acme.example/token"
    assert found.endpoints.base == "https://globex.acme.example/api"
    assert found.params == {"subdomain": "globex", "region": "us"}


def test_uses_defaults() -> None:
    assert target_of(acme(), params={"subdomain": "globex"}).params["region"] == "eu"


@pytest.mark.parametrize(
    ("app", "params", "says"),
    [
        ({}, {}, r"subdomain \(Subdomain\) of the connection is missing"),
        ({}, {"subdomain": ""}, "subdomain"),
        ({}, {"subdomain": "evil.example/x?"}, r"subdomain .* expected form"),
        ({}, {"subdomain": "globex\n"}, "subdomain"),
        ({}, {"subdomain": "@evil.example"}, "subdomain"),
        ({"region": "EU"}, {"subdomain": "globex"}, r"region \(Region\) of the provider app"),
    ],
)
def test_names_the_parameter_that_is_missing_or_wrong(app: Any, params: Any, says: str) -> None:
    with pytest.raises(MisconfiguredProvider, match=says) as caught:
        target_of(acme(), app=app, params=params)
    assert not caught.value.sent
    assert "evil" not in str(caught.value)


def test_sandbox_without_issuer_is_misconfigured() -> None:
    with pytest.raises(MisconfiguredProvider, match="issuer"):
        target_of("sandbox")


@pytest.mark.parametrize(
    "issuer", ["javascript:alert(1)", "http://x/y?z", "http://u@x", "https://x/ y", "x", "https://x/"]
)
def test_sandbox_takes_only_urls_as_issuer(issuer: str) -> None:
    with pytest.raises(MisconfiguredProvider, match="issuer"):
        target_of("sandbox", app={"issuer": issuer})


def test_discovery_supplies_endpoints_and_habits() -> None:
    found = target_of("oidc", app={"issuer": ISSUER}, discovered=DISCOVERED)
    assert found.endpoints.token == f"{ISSUER}/t"
    assert found.endpoints.probe == f"{ISSUER}/me"
    assert found.endpoints.revocation == ""
    method = found.entry.authorization_code
    assert method is not None
    assert found.oauth_method is method
    assert method.iss_parameter is IssParameter.REQUIRED
    assert method.pkce is Pkce.BREAKS
    assert method.client_authentication is ClientAuthentication.POST
    assert entry("oidc").authorization_code != method


def test_userinfo_is_no_probe_for_a_machine() -> None:
    found = target_of("oidc", ClientCredentialsMethod.style, app={"issuer": ISSUER}, discovered=DISCOVERED)
    assert found.endpoints.probe == ""
    assert found.oauth_method.client_authentication is ClientAuthentication.POST


def test_endpoint_that_the_entry_spells_out_wins_over_discovery() -> None:
    method = {"issuer": ISSUER, "discover": True, "token_url": "https://own.acme.example/token"}
    found = target_of(acme(authorization_code=method), params={"subdomain": "x"}, discovered=DISCOVERED)
    assert (found.endpoints.token, found.endpoints.authorization) == ("https://own.acme.example/token", f"{ISSUER}/a")


def test_discovery_changes_nothing_for_an_entry_that_does_not_ask_for_it() -> None:
    found = target_of(acme(), params={"subdomain": "x"}, discovered=DISCOVERED)
    assert found.endpoints.token == "https://eu.acme.example/token"
    assert found.entry.authorization_code == acme().authorization_code


def test_missing_discovery_is_named() -> None:
    with pytest.raises(MisconfiguredProvider, match="Run discovery"):
        target_of("oidc", app={"issuer": ISSUER})


def test_style_that_is_not_described_is_named() -> None:
    with pytest.raises(MisconfiguredProvider, match="acme does not describe api_key"):
        target_of(acme(), ApiKeyMethod.style, params={"subdomain": "x"})


def test_browser_is_never_sent_to_another_scheme() -> None:
    with pytest.raises(MisconfiguredProvider, match="authorization endpoint"):
        target_of("oidc", app={"issuer": ISSUER}, discovered=DISCOVERED | {"authorization": "javascript:alert(1)"})


def test_keeps_placeholders_that_only_the_token_response_can_fill() -> None:
    method = acme().authorization_code
    assert method is not None
    changed = acme(
        base_url="{instance_url}/api",
        authorization_code=method.model_dump() | {"extra_response_fields": ["instance_url"]},
    )
    assert target_of(changed, params={"subdomain": "x"}).endpoints.base == "{instance_url}/api"


def test_style_without_an_oauth_method_says_so() -> None:
    found = target_of("sandbox", ApiKeyMethod.style, app={"issuer": "http://127.0.0.1:1"})
    assert found.endpoints.token == ""
    assert found.presentation.headers == {"X-Api-Key": "{api_key}"}
    with pytest.raises(MisconfiguredProvider):
        _ = found.oauth_method
    assert target_of(acme(), params={"subdomain": "x"}).presentation == Presentation()


def sites(**changes: Any) -> CatalogEntry:
    document = acme().model_dump() | {
        "params": [
            *acme().model_dump()["params"],
            {"name": "site", "label": "Site", "scope": "workspace", "pattern": "^[0-9]+$"},
        ],
        "base_url": "https://acme.example/{site}",
        "workspaces": {"url": "https://acme.example/sites", "id": "/id", "param": "site"},
    }
    return CatalogEntry.model_validate(document | changes)


def test_workspace_may_be_missing_until_it_is_chosen() -> None:
    before = target_of(sites(), params={"subdomain": "x"})
    assert (before.lacks_workspace, before.endpoints.base) == (True, "https://acme.example/{site}")
    assert "site" not in before.params
    after = target_of(sites(), params={"subdomain": "x", "site": "17"})
    assert (after.lacks_workspace, after.workspace_id) == (False, "17")
    assert after.endpoints.base == "https://acme.example/17"
    assert not target_of(acme(), params={"subdomain": "x"}).lacks_workspace


def test_chosen_workspace_must_have_the_expected_form() -> None:
    with pytest.raises(MisconfiguredProvider, match=r"site \(Site\) of the connection"):
        target_of(sites(), params={"subdomain": "x", "site": "../17"})


def test_workspace_is_the_connection_s_and_not_the_app_s() -> None:
    assert target_of(sites(), app={"site": "17"}, params={"subdomain": "x"}).lacks_workspace


def test_client_id_is_quoted_into_the_addresses_that_name_it() -> None:
    method = acme().model_dump()["authorization_code"]
    method |= {
        "revocation_url": "https://acme.example/apps/{client_id}/grant",
        "introspection_url": "https://acme.example/{client_id}",
        "request_headers": {"X-Region": "{region}"},
    }
    found = resolve(
        entry=acme(authorization_code=method),
        style=AuthorizationCodeMethod.style,
        registration=ClientRegistration(client_id="../a b?", params={}),
        discovered={},
        params={"subdomain": "x"},
    )
    assert found.endpoints.revocation == "https://acme.example/apps/..%2Fa%20b%3F/grant"
    assert found.endpoints.introspection == "https://acme.example/..%2Fa%20b%3F"
    assert found.request_headers == {"X-Region": "eu"}
    assert "client_id" not in found.params


@pytest.mark.parametrize(
    ("said", "found", "expected"),
    [({}, "pushed", "pushed"), ({}, "", "browser"), ({"request_delivery": "browser"}, "pushed", "browser")],
)
def test_a_request_is_pushed_where_the_server_requires_it_and_the_entry_says_nothing(
    said: dict[str, str], found: str, expected: str
) -> None:
    method = {"discover": True, "issuer": ISSUER} | said
    where = DISCOVERED | {"pushed_authorization": f"{ISSUER}/par", "request_delivery": found}
    target = target_of(acme(authorization_code=method), discovered=where, params={"subdomain": "globex"})
    assert target.endpoints.pushed_authorization == f"{ISSUER}/par"
    assert target.oauth_method.model_dump()["request_delivery"] == expected
