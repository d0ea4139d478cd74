"""The preview beside the form of brands: the widget's own pages, as strict as ever, and nothing is saved."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connections.consent.preview_views import SCREENS
from connections.models import Brand, Tenant
from tests.connections.admin.conftest import operator_with, page_url
from tests.factories import make_tenant
from tests.pictures import picture

PREVIEW = "/connect/preview"


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def posted(browser: Client, tenant: Tenant | None, **typed: Any) -> Any:
    brand = str(Brand.objects.get(tenant=tenant).pk) if tenant is not None else ""
    return browser.post(PREVIEW, {"preview_brand": brand, "preview_screen": "landing", **typed})


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_is_shown_as_typed_and_nothing_is_saved(screen: str, olga: Client, acme: Tenant) -> None:
    typed = {"accent": "#0f766e", "radius": "2", "font": "serif", "preview_screen": screen}
    page = posted(olga, acme, **typed)
    html = page.content.decode()
    assert page.status_code == 200
    assert "--brand: #0f766e;" in html and "--radius: 2px; --font: Georgia" in html
    assert "<strong>Acme</strong>" in html
    assert Brand.objects.get(tenant=acme).accent == ""


def test_it_is_as_strict_as_the_widget_and_framed_by_us_alone(olga: Client, acme: Tenant) -> None:
    page = posted(olga, acme)
    policy = page["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
    assert "img-src 'self';" in policy + ";"
    assert (page["Cache-Control"], page["Referrer-Policy"]) == ("no-store", "no-referrer")
    form = olga.get(page_url(Brand.objects.get(tenant=acme)))
    assert "frame-src 'self'" in form["Content-Security-Policy"]
    assert re.search(r'<iframe name="brand-preview"[^>]*sandbox="allow-same-origin"', form.content.decode())


def test_mode_and_language_are_chosen(olga: Client, acme: Tenant) -> None:
    dark = posted(olga, acme, preview_theme="dark", preview_language="de", own_texts="de title = Los mit {provider}")
    html = dark.content.decode()
    assert "color-scheme: dark" in html and '<html lang="de" dir="ltr">' in html and "Los mit Example" in html
    assert "prefers-color-scheme" not in html


def test_a_picture_that_is_not_stored_is_shown(olga: Client, acme: Tenant) -> None:
    page = posted(olga, acme, logo_file=SimpleUploadedFile("x.png", picture(), "image/png"))
    assert 'src="data:image/png;base64,' in page.content.decode()
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    assert bytes(Brand.objects.get(tenant=acme).logo) == b""


@pytest.mark.parametrize(
    "typed", [{"accent": "#ffff00"}, {"accent": "red;}*{x"}, {"own_texts": "nonsense"}, {"radius": "99"}]
)
def test_what_cannot_be_saved_is_said_instead(typed: dict[str, str], olga: Client, acme: Tenant) -> None:
    html = posted(olga, acme, **typed).content.decode()
    assert "This cannot be saved yet" in html
    assert "}*{" not in html.partition("</style>")[0]


def test_the_operator_s_own_brand_is_previewed_too(olga: Client, acme: Tenant) -> None:
    html = posted(olga, None, name="Initech <b>", accent="#7c2d12").content.decode()
    assert "Initech &lt;b&gt;" in html and "--brand: #7c2d12" in html
    assert not Brand.objects.filter(tenant=None).exists()


def test_nobody_else_sees_a_preview(acme: Tenant) -> None:
    brand = str(Brand.objects.get(tenant=acme).pk)
    for browser in (Client(), operator_with("otto", "view_tenant", "change_tenant")):
        for answer in (browser.get(PREVIEW, {"preview_brand": brand}), posted(browser, acme, accent="#0f766e")):
            assert answer.status_code == 404
            assert b"Acme" not in answer.content


@pytest.mark.parametrize("named", ["x", "00000000-0000-4000-8000-000000000000", "\x00", "1" * 5000])
def test_a_brand_that_is_not_there_is_not_found(named: str, olga: Client, acme: Tenant) -> None:
    assert olga.post(PREVIEW, {"preview_brand": named}).status_code in (400, 404)
