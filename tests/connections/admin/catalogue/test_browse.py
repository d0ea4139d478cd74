"""The list of the catalogue: what it finds, who may look, and how little it costs."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.admin.catalogue.browse import PER_PAGE
from providers.catalog import loader
from providers.catalog.loader import configure_catalog, listed
from tests.connections.admin.conftest import World, logged_in, make_app, operator_with
from tests.factories import make_tenant

LIST = "/admin/providers/"


def found(browser: Client, **query: str) -> list[str]:
    """Return the slugs that a search finds, in the order of the page."""
    html = browser.get(LIST, query).content.decode()
    return re.findall(r'href="/admin/providers/entry/([a-z0-9-]+)/"', html)


def test_every_entry_is_on_one_of_the_pages(viktor: Client) -> None:
    pages = -(-len(listed()) // PER_PAGE)
    shown = [slug for number in range(1, pages + 1) for slug in found(viktor, page=str(number))]
    assert sorted(shown) == sorted(listed())


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("hubspot", "hubspot"),
        ("HubSp", "hubspot"),
        ("  google   calendar ", "google-calendar"),
        ("calendar google", "google-calendar"),
        ("salesforce-jwt", "salesforce"),  # a further name of the entry
        ("slack", "slack"),  # before others that hold the word
    ],
)
def test_a_search_finds_by_any_part_of_a_name(viktor: Client, asked: str, first: str) -> None:
    assert found(viktor, q=asked)[0] == first


@pytest.mark.parametrize("asked", ["no such provider", "<script>alert(1)</script>", "a" * 10_000, "' OR 1=1"])
def test_a_search_that_finds_nothing_says_so(viktor: Client, asked: str) -> None:
    answer = viktor.get(LIST, {"q": asked})
    assert answer.status_code == 200
    assert "No provider is called that" in answer.content.decode()
    assert "<script>alert" not in answer.content.decode()


def test_filters_go_together_and_ask_about_the_same_style(viktor: Client) -> None:
    for style, sure in (("api_key", "low"), ("oauth2_authorization_code", "medium")):
        both = found(viktor, style=style, confidence=sure)
        assert both
        assert all(listed()[slug].confidence[style] == sure for slug in both)
    assert all(listed()[slug].category == "CRM" for slug in found(viktor, category="CRM"))


@pytest.mark.parametrize(
    "query", [{"category": "nope"}, {"style": "nope"}, {"page": "99999"}, {"page": "x"}, {"x": "y"}]
)
def test_what_an_address_makes_up_counts_for_nothing(viktor: Client, query: dict[str, str]) -> None:
    assert viktor.get(LIST, query).status_code == 200
    assert found(viktor, **query)


def test_an_own_entry_is_told_as_one_and_can_be_filtered_by(viktor: Client, own: Path) -> None:
    assert found(viktor, source="own") == ["acme-erp"]
    assert found(viktor, q="acme-old") == ["acme-erp"]
    assert "acme-erp" not in found(viktor, source="built-in", q="acme")
    assert "Your own" in viktor.get(LIST, {"q": "acme"}).content.decode()


def test_a_file_that_is_not_in_order_is_told_to_who_may_mend_it(olga: Client, viktor: Client, own: Path) -> None:
    (own / "broken.toml").write_text("name = ", encoding="utf-8")
    configure_catalog(own)
    told = olga.get(LIST).content.decode()
    assert 'href="/admin/providers/own/broken/"' in told
    assert "is not TOML" in told
    assert "broken" not in viktor.get(LIST).content.decode()
    assert found(viktor, q="acme-erp") == ["acme-erp"], "the others stand"


def test_only_an_app_that_all_share_shows_and_nothing_of_a_tenant(viktor: Client, world: World) -> None:
    html = viktor.get(LIST, {"q": "sandbox"}).content.decode()
    assert "Has an app" not in html, "acme's own app is acme's affair"
    make_app(None)
    assert found(viktor, source="used") == ["sandbox"]
    assert "Has an app" in viktor.get(LIST, {"q": "sandbox"}).content.decode()
    for word in (world.tenant.name, world.tenant.slug, str(world.app.id), "alice"):
        assert word not in html


@pytest.mark.parametrize("path", [LIST, f"{LIST}entry/hubspot/"])
def test_strangers_log_in_first_and_staff_without_the_right_are_refused(path: str, db: None) -> None:
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={path}")
    assert logged_in(User.objects.create_user("eve")).get(path).status_code == 302, "no member of the staff"
    assert operator_with("nina", "view_tenant", "change_tenant").get(path).status_code == 403
    for name, right in (("vera", "view_providerapp"), ("adam", "add_providerapp")):
        assert operator_with(name, right).get(path).status_code == 200
    assert logged_in(User.objects.create_superuser("olga")).post(path).status_code == 405


def test_who_may_read_it_finds_it_in_the_menu(viktor: Client) -> None:
    assert 'href="/admin/providers/"' in viktor.get("/admin/").content.decode()
    assert 'href="/admin/providers/"' not in operator_with("nina", "view_tenant").get("/admin/").content.decode()


def test_it_validates_no_entry_and_asks_the_database_as_often_for_many_apps_as_for_few(viktor: Client) -> None:
    viktor.get(LIST)
    configure_catalog(settings.CATALOG_DIR)
    few = queries(viktor)
    for number in range(5):
        make_app(make_tenant(f"tenant-{number}"))
    make_app(None)
    configure_catalog(settings.CATALOG_DIR)
    assert queries(viktor) == few
    assert few <= 6
    entries = loader.load_catalog()
    assert entries._validated == {}  # type: ignore[attr-defined]  # what the mapping has validated so far


def queries(browser: Client) -> int:
    with CaptureQueriesContext(database) as counted:
        assert browser.get(LIST).status_code == 200
    return len(counted)
