"""Rows of other tables are found by typing: no page lists all tenants, or all apps, to choose from."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from connections.models import ProviderApp, Tenant, WatchSetting, WebhookEndpoint
from tests.connections.admin.conftest import (
    MODELS,
    PASSWORD,
    World,
    kinds_of_fields,
    logged_in,
    make_world,
    operator_with,
    press_url,
)
from tests.connections.admin.test_pages import pages_of

FILLERS = 200


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    """acme, and many tenants more, each with an app of its own that is called as acme's is."""
    made = make_world("acme")
    tenants = [Tenant(slug=f"filler-{number:03}", name=f"Filler {number}") for number in range(FILLERS)]
    Tenant.objects.bulk_create(tenants)
    ProviderApp.objects.bulk_create(
        ProviderApp(tenant=one, provider="sandbox", auth_style=made.app.auth_style, name=made.app.name, client_id="c")
        for one in tenants
    )
    return made


@pytest.fixture
def olga(db: None) -> Client:
    return logged_in(User.objects.create_superuser("olga", password=PASSWORD))


def found(browser: Client, model: str, field: str, term: str) -> Any:
    query = {"app_label": "connections", "model_name": model, "field_name": field, "term": term}
    return browser.get(reverse("admin:autocomplete"), query)


def test_no_page_lists_every_tenant_to_choose_from(olga: Client, world: World) -> None:
    canary = WatchSetting.objects.get(rule="canary_used")
    pages = [*pages_of(world), press_url(canary, "lay"), press_url(world.app, "try"), press_url(world.app, "preview")]
    pages += [reverse(f"admin:connections_{model}_add") for model in ("webhookendpoint", "tenantdomain")]
    for url in pages:
        answer = olga.get(url)
        assert answer.status_code == 200, url
        chosen_from = re.findall(r"<option[^>]*>[^<]*[Ff]iller", answer.content.decode())
        assert len(chosen_from) == 0, f"{url} lists {len(chosen_from)} tenants"


def test_the_script_that_names_these_fields_comes_after_the_one_that_makes_them(olga: Client, world: World) -> None:
    canary = WatchSetting.objects.get(rule="canary_used")
    pages = [reverse(f"admin:connections_{model}_add") for model in ("providerapp", "accessgrant", "webhookendpoint")]
    for url in (*pages, press_url(canary, "lay")):
        page = olga.get(url, {"provider": "sandbox"}).content.decode()
        scripts = re.findall(r'<script src="([^"]+)"', page)
        made, named = (next(n for n, one in enumerate(scripts) if name in one) for name in ("autocomplete", "searched"))
        assert made < named, url


@pytest.mark.parametrize(("model", "field"), [("webhookendpoint", "tenant"), ("connection", "provider_app")])
def test_what_is_found_comes_in_pages(olga: Client, world: World, model: str, field: str) -> None:
    answer = found(olga, model, field, "filler").json()
    assert answer["pagination"]["more"]
    assert len(answer["results"]) == 20


def test_apps_of_one_name_are_told_apart(olga: Client, world: World) -> None:
    results = found(olga, "connection", "provider_app", "filler-01").json()["results"]
    assert len({one["text"] for one in results}) == len(results) == 10
    assert all("filler-01" in one["text"] for one in results)
    assert "acme" in found(olga, "connection", "provider_app", str(world.app.id)).json()["results"][0]["text"]


def test_what_was_chosen_is_there_again_when_a_form_comes_back(olga: Client, world: World) -> None:
    canary, other = WatchSetting.objects.get(rule="canary_used"), ProviderApp.objects.get(tenant__slug="filler-007")
    chosen = {"tenant": str(world.tenant.id), "provider_app": str(other.id)}
    page = olga.post(press_url(canary, "lay"), chosen).content.decode()
    assert "There is no such provider app." in page
    assert re.findall(r"<option[^>]*selected[^>]*>([^<]+)<", page) == ["acme", f"{other.name} · sandbox, filler-007"]


def test_an_endpoint_without_a_tenant_is_that_of_all(olga: Client, world: World) -> None:
    url = reverse("admin:connections_webhookendpoint_add")
    assert 'data-placeholder="All tenants"' in olga.get(url).content.decode()
    assert "whsec_" in olga.post(url, {"tenant": "", "url": "https://hooks.example.com/all"}).content.decode()
    assert WebhookEndpoint.objects.get(url="https://hooks.example.com/all").tenant is None


def test_nothing_is_found_in_a_table_that_the_account_may_not_see(world: World, db: None) -> None:
    """Whatever model and field the address names: only tables with a search, and with the right to see them."""
    lays = operator_with("lays", "view_watchsetting", "change_watchsetting")
    sees = operator_with("sees", *(one.codename for one in Permission.objects.filter(codename__startswith="view_")))
    refused, told = 0, 0
    for model in MODELS:
        for field in kinds_of_fields(model):
            query = {"app_label": "connections", "model_name": model._meta.model_name, "field_name": field}
            assert lays.get(reverse("admin:autocomplete"), query | {"term": ""}).status_code in (403, 404), query
            answer = sees.get(reverse("admin:autocomplete"), query | {"term": ""})
            refused += answer.status_code in (403, 404)
            told += answer.status_code == 200
            assert answer.status_code in (200, 403, 404), query
            assert not [secret for secret in world.secrets if secret in answer.content.decode()], query
    assert refused > 100 and told > 10
    for crafted in (
        {},
        {"app_label": "auth", "model_name": "user", "field_name": "groups"},
        {"app_label": "admin", "model_name": "logentry", "field_name": "user"},
        {"app_label": "mfa", "model_name": "authenticator", "field_name": "user"},
        {"app_label": "connections", "model_name": "nothing", "field_name": "tenant"},
        {"app_label": "connections", "model_name": "apiclient", "field_name": "tenant__slug"},
    ):
        assert lays.get(reverse("admin:autocomplete"), crafted | {"term": ""}).status_code in (403, 404), crafted
