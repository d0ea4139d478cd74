"""``GET /providers``: the catalogue by page, searched and filtered, and no entry read that is not shown."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from connections.models import Tenant
from providers.catalog import loader
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_app
from tests.factories import Caller
from tests.flows import call

pytestmark = pytest.mark.django_db(transaction=True)


def slugs(backend: Caller, query: str = "") -> list[str]:
    answer = call(backend, "GET", f"/providers?{query}")
    assert answer.status_code == 200, answer.content
    return [provider["slug"] for provider in answer.json()["items"]]


def every_page(backend: Caller, query: str) -> list[str]:
    found, cursor = [], ""
    while True:
        page: dict[str, Any] = call(backend, "GET", f"/providers?{query}{cursor}").json()
        found += [provider["slug"] for provider in page["items"]]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


def test_the_pages_hold_every_entry_once_and_in_order(backend: Caller) -> None:
    found = every_page(backend, "limit=200")
    assert found == sorted(loader.load_catalog())
    assert slugs(backend) == found[:50]


def test_a_page_validates_its_own_entries_alone(backend: Caller) -> None:
    loader.configure_catalog(None)
    entries = loader._load().entries
    assert len(slugs(backend, "limit=5&q=google")) == 5
    assert len(entries._validated) == 5


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=salesforce-jwt", ["salesforce"]),
        ("q=SALESforce%20crm", ["salesforce"]),
        ("q=no-such-provider", []),
        ("q=salesforce&style=oauth2_client_credentials&confidence=medium", ["salesforce"]),
        ("q=salesforce&style=oauth2_client_credentials&confidence=high", []),
        ("q=salesforce&category=CRM&confidence=high", ["salesforce"]),
        ("q=salesforce&category=Bank", []),
        ("q=salesforce&style=none", []),
    ],
)
def test_the_catalogue_is_searched_and_filtered(backend: Caller, query: str, found: list[str]) -> None:
    assert slugs(backend, query) == found


def test_an_entry_names_its_aliases_and_how_sure_it_is(backend: Caller, acme: Tenant) -> None:
    make_app(acme, provider="salesforce", auth_style="oauth2_authorization_code", params={})
    (shown,) = call(backend, "GET", "/providers?q=salesforce-jwt").json()["items"]
    assert shown == call(backend, "GET", "/providers/salesforce").json()
    assert shown["aliases"]["salesforce-jwt"] == "oauth2_jwt_bearer"
    assert shown["icon_url"].startswith("http") and "/connect/icon/" in shown["icon_url"]
    icon = AsgiClient().get(urlsplit(shown["icon_url"]).path)
    assert (icon.status_code, icon["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    methods = {method["auth_style"]: method for method in shown["methods"]}
    assert methods["oauth2_client_credentials"]["confidence"] == "medium"
    assert [method["configured"] for method in methods.values()] == [True, False, False]


@pytest.mark.parametrize("cursor", ["x", "%00", "aGVsbG8gd29ybGQ=", "4pyT", "A" * 900])
def test_a_cursor_of_somebody_s_own_is_refused(backend: Caller, cursor: str) -> None:
    refused = call(backend, "GET", f"/providers?cursor={cursor}")
    assert (refused.status_code, refused.json()["field"]) == (422, "cursor")


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "confidence=sure", "q=" + "a" * 201])
def test_what_is_asked_for_is_checked(backend: Caller, query: str) -> None:
    assert call(backend, "GET", f"/providers?{query}").status_code == 422
