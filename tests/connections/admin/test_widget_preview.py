"""The preview of the widget for one provider app: what its end users will see, for whoever may see the app."""

from html import unescape

import pytest
from django.test import Client

from connections.models import Brand, ProviderApp, Tenant
from providers.catalog.loader import entry
from tests.connections.admin.conftest import World, make_app, operator_with, press_url
from tests.factories import make_tenant

PREVIEW = "/connect/preview"


@pytest.fixture
def globex(db: None) -> Tenant:
    return make_tenant("globex")


def framed(browser: Client, app: ProviderApp, **asked: str) -> str:
    """Return the widget's page that the preview of ``app`` frames."""
    outer = browser.get(press_url(app, "preview"), asked)
    assert outer.status_code == 200
    assert "frame-src 'self'" in outer["Content-Security-Policy"]
    inner = browser.get(outer.context["frame_url"])
    assert inner.status_code == 200
    assert "frame-ancestors 'self'" in inner["Content-Security-Policy"]
    return unescape(inner.content.decode())


def test_it_shows_the_app_under_the_tenants_brand(olga: Client, world: World) -> None:
    ProviderApp.objects.filter(id=world.app.id).update(scopes=["files.read"])
    Brand.objects.filter(tenant=world.tenant).update(accent="#0f766e")
    page = framed(olga, world.app)
    assert "<strong>Acme</strong>" in page and "--brand: #0f766e;" in page
    assert f"Connect your {entry('sandbox').name} account" in page
    words = next(scope.description for scope in entry("sandbox").scopes if scope.name == "files.read")
    assert (words or "files.read") in page
    dark = framed(olga, world.app, screen="landing", theme="dark", width="wide", language="de")
    assert "color-scheme: dark" in dark and '<html lang="de"' in dark


def test_the_form_is_the_one_that_end_users_fill_in(olga: Client, world: World) -> None:
    keys = make_app(world.tenant, style="api_key")
    page = framed(olga, keys, screen="fields", theme="light", width="phone")
    assert 'type="password"' in page


@pytest.mark.parametrize("screen", ["landing", "fields", "problem", "finished"])
def test_every_page_opens_for_a_draft_too(olga: Client, world: World, screen: str) -> None:
    ProviderApp.objects.filter(id=world.app.id).update(client_id="")
    assert "Acme" in framed(olga, world.app, screen=screen, theme="light", width="phone")


def test_a_shared_app_is_shown_for_the_tenant_that_is_named(olga: Client, world: World, globex: Tenant) -> None:
    shared = make_app(None)
    named = {"screen": "landing", "theme": "light", "width": "phone", "tenant": "globex"}
    assert "<strong>Globex</strong>" in framed(olga, shared, **named)
    assert "Globex" not in framed(olga, shared)


def test_nobody_sees_an_app_or_a_tenant_that_they_may_not_see(world: World, globex: Tenant) -> None:
    brands = operator_with("bert", "view_brand")
    asked = {"preview_app": str(world.app.id), "preview_screen": "landing"}
    assert brands.get(PREVIEW, asked).status_code == 404
    apps = operator_with("anna", "view_brand", "view_providerapp")
    assert apps.get(PREVIEW, asked).status_code == 200
    shared = {"preview_app": str(make_app(None).id), "preview_tenant": "globex", "preview_screen": "landing"}
    assert apps.get(PREVIEW, shared).status_code == 404
    for nonsense in ("x", str(world.tenant.id)):
        assert apps.get(PREVIEW, {"preview_app": nonsense}).status_code == 404


def test_what_is_typed_into_the_address_is_never_shown_as_it_is(olga: Client, world: World) -> None:
    answer = olga.get(press_url(world.app, "preview"), {"screen": "<x>", "theme": "<x>", "width": "<x>"})
    assert answer.status_code == 200
    assert "<x>" not in answer.content.decode()
