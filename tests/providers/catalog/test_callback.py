"""What only the callback carries: where an entry may use it, and when it has to be there."""

from typing import Any

import pytest

from providers.catalog.checks import problems_of
from providers.catalog.loader import form_schema
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.errors import MisconfiguredProvider
from providers.values import ClientRegistration

REALM = {"name": "realm", "label": "Company", "scope": "callback", "callback": "realmId", "pattern": "^[0-9]{1,20}$"}
REGION = {
    "name": "region",
    "label": "Region",
    "scope": "callback",
    "callback": "location",
    "choices": {"us": "books.example", "eu": "books-eu.example"},
}


def books(*params: dict[str, Any], method: dict[str, Any] | None = None, **changes: Any) -> CatalogEntry:
    return CatalogEntry.model_validate(
        {
            "slug": "books",
            "name": "Books",
            "params": list(params),
            "authorization_code": {
                "authorization_url": "https://books.example/authorize",
                "token_url": "https://books.example/token",
                **(method or {}),
            },
            **changes,
        }
    )


def target_of(entry: CatalogEntry, *, before_callback: bool = False, **params: str) -> Target:
    return resolve(
        entry=entry,
        style=AuthorizationCodeMethod.style,
        registration=ClientRegistration(client_id="c"),
        discovered={},
        params=params,
        before_callback=before_callback,
    )


def test_is_waited_for_until_the_callback_and_demanded_afterwards() -> None:
    entry = books(REALM, base_url="https://books.example/v3/company/{realm}")
    before = target_of(entry, before_callback=True)
    assert before.endpoints.authorization == "https://books.example/authorize"
    assert before.endpoints.base == "https://books.example/v3/company/{realm}"
    with pytest.raises(MisconfiguredProvider, match=r"realm \(Company\) of the connection is missing"):
        target_of(entry)
    assert target_of(entry, realm="222").endpoints.base == "https://books.example/v3/company/222"
    with pytest.raises(MisconfiguredProvider, match="expected form"):
        target_of(entry, realm="222/../1")


def test_a_choice_is_filled_in_as_what_the_entry_says_of_it() -> None:
    method = {"token_url": "https://accounts.{region}/token"}
    entry = books(REGION, method=method, base_url="https://api.{region}")
    found = target_of(entry, region="eu").endpoints
    assert (found.token, found.base) == ("https://accounts.books-eu.example/token", "https://api.books-eu.example")
    for unknown in ("au", "books-eu.example", "EU", "eu ", "evil.example"):
        with pytest.raises(MisconfiguredProvider, match="expected form"):
            target_of(entry, region=unknown)
    assert list(problems_of(entry, "books")) == []


def test_a_choice_may_have_a_default() -> None:
    entry = books({**REGION, "default": "us"}, base_url="https://api.{region}")
    assert target_of(entry).endpoints.base == "https://api.books.example"
    assert list(problems_of(entry, "books")) == []


def test_names_what_an_account_is_unique_within_but_for_a_choice() -> None:
    entry = books(REALM, REGION)
    assert target_of(entry, realm="222", region="eu").account_within == ("222",)


def test_where_nobody_comes_back_it_is_typed() -> None:
    entry = books(
        REALM,
        REGION,
        api_key={"fields": [{"name": "key", "label": "Key"}]},
        presentation={"api_key": {"headers": {"X-Key": "{key}"}}},
    )
    assert form_schema(entry, AuthorizationCodeMethod.style)["properties"] == {}
    typed = form_schema(entry, ApiKeyMethod.style)
    assert typed["properties"]["realm"]["pattern"] == REALM["pattern"]
    assert typed["properties"]["region"]["enum"] == ["us", "eu"]
    assert typed["required"] == ["realm", "region", "key"]


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("authorization_code.authorization_url", {"method": {"authorization_url": "https://books.example/{realm}/a"}}),
        ("authorization_code.authorization_params.hint", {"method": {"authorization_params": {"hint": "{realm}"}}}),
        ("authorization_code.resource", {"method": {"resource": "https://books.example/{realm}"}}),
        ("authorization_code.issuer", {"method": {"issuer": "https://books.example/{realm}"}}),
    ],
)
def test_nothing_before_the_callback_may_use_it(key: str, changes: Any) -> None:
    assert any(found.startswith(f"{key}: uses {{realm}}") for found in problems_of(books(REALM, **changes), "books"))


@pytest.mark.parametrize(
    "template",
    ["https://{shop}/admin", "{shop}/admin", "https://{shop}", "https://api.books.example{shop}/x", "https://a.{shop}"],
)
@pytest.mark.parametrize(
    "place", ["token_url", "revocation_url", "introspection_url", "base_url", "probe", "workspaces"]
)
def test_no_address_may_be_named_by_the_callback(template: str, place: str) -> None:
    shop = {"name": "shop", "label": "Shop", "scope": "callback", "callback": "shop", "pattern": r"^\S{1,200}$"}
    changes: dict[str, Any] = {"method": {place: template}} if place.endswith("_url") and place != "base_url" else {}
    if place == "base_url":
        changes = {"base_url": template}
    if place == "probe":
        changes = {"probe": {"url": template}}
    params = [shop]
    if place == "workspaces":
        params.append({"name": "site", "label": "Site", "scope": "workspace"})
        changes = {"workspaces": {"url": template, "id": "/id", "param": "site"}}
    found = [problem for problem in problems_of(books(*params, **changes), "books") if "any host" in problem]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("https://{shop}/admin", r"^[a-z0-9-]{1,60}\.books\.example$"),
        ("{shop}/admin", r"^https://[a-z0-9-]{1,60}\.books\.example$"),
        ("https://{shop}.books.example/admin", r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$"),
        ("https://books.example/{shop}/admin", r"^[A-Za-z0-9][A-Za-z0-9.-]{0,250}$"),
    ],
)
def test_a_part_of_a_providers_own_host_may_come_from_it(template: str, pattern: str) -> None:
    shop = {"name": "shop", "label": "Shop", "scope": "callback", "callback": "shop", "pattern": pattern}
    assert list(problems_of(books(shop, base_url=template), "books")) == []


@pytest.mark.parametrize(
    ("params", "method", "says"),
    [
        ([{**REALM, "callback": None}], {}, "go together"),
        ([{**REALM, "scope": "connection"}], {}, "go together"),
        ([{**REALM, "callback": "code"}], {}, "may be a secret"),
        *(
            ([{**REALM, "callback": name}], {}, "may be a secret")
            for name in ("access_token", "refresh_token", "id_token", "client_secret", "session_state", "iss", "state")
        ),
        ([{**REALM, "callback": "ticket"}], {"callback": {"code": "ticket"}}, "may be a secret"),
        ([], {"callback": {"code": "state"}}, "stands for two things"),
        ([], {"callback": {"error": "iss"}}, "stands for two things"),
        ([{**REGION, "default": "au"}], {}, "is none of them"),
        ([{**REGION, "choices": {"": "x"}}], {}, "one is empty"),
        ([{**REALM, "pattern": "["}], {"token_url": "https://{realm}"}, "is no regular expression"),
    ],
)
def test_what_does_not_agree_is_named(params: Any, method: Any, says: str) -> None:
    assert any(says in found for found in problems_of(books(*params, method=method), "books"))
