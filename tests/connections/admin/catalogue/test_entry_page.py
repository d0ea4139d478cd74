"""An entry's page: the proof, the operator's checklist, and what end users will be asked."""

import re

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.access.targets import redirect_uri
from connections.models import ProviderApp
from providers.catalog.loader import listed
from tests.connections.admin.conftest import SECRET, World, make_app, operator_with


def page(browser: Client, slug: str) -> str:
    answer = browser.get(f"/admin/providers/entry/{slug}/")
    assert answer.status_code == 200, slug
    return re.sub(r"\s+", " ", answer.content.decode())


@pytest.mark.parametrize("slug", sorted(listed())[::9])
def test_entries_of_every_kind_can_be_looked_at(viktor: Client, slug: str) -> None:
    html = page(viktor, slug)
    assert listed()[slug].name.partition(" ")[0] in html
    assert html.count('class="panel sheet"') == len(listed()[slug].styles)


def test_it_tells_how_an_entry_is_proven_and_what_to_do(olga: Client) -> None:
    html = page(olga, "salesforce")
    assert "2026-11-29" in html
    assert "High confidence" in html
    assert "Medium confidence" in html
    assert "help.salesforce.com" in html
    assert "Register an app with Salesforce" in html
    assert "security review" in html
    assert "Read and change your Salesforce data" in html
    assert "Login host" in html
    assert "30 days" in html
    assert "/admin/connections/providerapp/add/?provider=salesforce&amp;auth_style=oauth2_authorization_code" in html


def test_what_nobody_has_confirmed_is_told_plainly(viktor: Client) -> None:
    slug = next(slug for slug, entry in listed().items() if set(entry.confidence.values()) == {"low"})
    html = page(viktor, slug)
    assert "Unverified: what the entry says" in html
    assert "try it before others use it" in html


def test_a_shared_app_shows_its_redirect_uri_to_copy_and_replaces_the_button(olga: Client, world: World) -> None:
    before = page(olga, "sandbox")
    assert str(world.app.id) not in before, "the app of a tenant is its own affair"
    app = make_app(None)
    html = page(olga, "sandbox")
    assert f'<code class="copy-text">{redirect_uri(app.id)}</code>' in html
    assert "auth_style=oauth2_authorization_code" in before
    assert "auth_style=oauth2_authorization_code" not in html
    assert "auth_style=api_key" in html, "the other styles have no app yet"
    assert SECRET not in html


def test_a_button_shows_only_to_those_who_may_press_it(db: None) -> None:
    make_app(None)
    viewer, adder = operator_with("vera", "view_providerapp"), operator_with("adam", "add_providerapp")
    assert "Add a provider app" not in page(viewer, "sandbox")
    assert "There is a provider app" in page(viewer, "sandbox")
    assert "Add a provider app" in page(adder, "sandbox")
    assert "There is a provider app" not in page(adder, "sandbox"), "this one may not see apps"


def test_a_further_name_leads_to_the_entry_and_an_unknown_one_nowhere(viktor: Client) -> None:
    answer = viktor.get("/admin/providers/entry/salesforce-jwt/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/providers/entry/salesforce/")
    assert viktor.get("/admin/providers/entry/nope/").status_code == 404


def test_it_costs_as_many_queries_for_an_entry_of_many_styles(olga: Client) -> None:
    counts = []
    for slug in ("hubspot", "sandbox"):
        page(olga, slug)
        with CaptureQueriesContext(database) as counted:
            page(olga, slug)
        counts.append(len(counted))
    assert counts[0] == counts[1] <= 4
    assert not ProviderApp.objects.exists()
