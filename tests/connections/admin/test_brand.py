"""The form of brands: a tenant's, and the operator's."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from connections.models import AuditEvent, Brand, Tenant
from connections.models.brand import OPERATORS
from tests.connections.admin.conftest import list_url, operator_with, page_url
from tests.factories import make_tenant
from tests.pictures import opened, picture

ADD = "/admin/connections/brand/add/"
TYPED = {
    "accent": "#0F766E",
    "radius": "6",
    "font": "serif",
    "locale": "de",
    "own_texts": "de continue = Weiter\n\nja back = 戻る = {tenant}",
    "support_url": "https://acme.example/help",
}


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def send(browser: Client, url: str, **typed: Any) -> Any:
    return browser.post(url, {**TYPED, **typed})


def brand_of(tenant: Tenant) -> Brand:
    return Brand.objects.get(tenant=tenant)


def test_a_brand_is_changed_through_the_lifecycle(olga: Client, acme: Tenant) -> None:
    assert send(olga, page_url(brand_of(acme))).status_code == 302
    brand = brand_of(acme)
    assert (brand.accent, brand.radius, brand.font, brand.locale) == ("#0f766e", 6, "serif", "de")
    assert brand.texts == {"de": {"continue": "Weiter"}, "ja": {"back": "戻る = {tenant}"}}
    assert AuditEvent.objects.get(action="brand.saved", operator="olga").tenant_id == acme.id
    shown = olga.get(page_url(brand)).content.decode()
    assert "de continue = Weiter\nja back = 戻る = {tenant}" in shown
    assert 'value="#0f766e"' in shown


def test_pictures_are_kept_until_they_are_removed(olga: Client, acme: Tenant) -> None:
    url = page_url(brand_of(acme))
    send(olga, url, logo_file=SimpleUploadedFile("logo.jpg", picture("JPEG"), "image/jpeg"))
    assert opened(bytes(brand_of(acme).logo)).format == "PNG"
    send(olga, url)
    assert brand_of(acme).logo_media_type == "image/png"
    send(olga, url, remove_logo="on")
    assert (bytes(brand_of(acme).logo), brand_of(acme).logo_media_type) == (b"", "")


def test_the_operator_s_brand_is_added_once(olga: Client, acme: Tenant) -> None:
    assert send(olga, ADD, name="Initech").status_code == 302
    ours = Brand.objects.get(tenant=None)
    assert (ours.id, ours.name) == (OPERATORS, "Initech")
    assert olga.get(ADD)["Location"] == page_url(ours)
    send(olga, page_url(ours), name="Initech Corp.")
    assert Brand.objects.get(tenant=None).name == "Initech Corp."
    assert "The operator" in olga.get(list_url(Brand)).content.decode()


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"accent": "red"}, "accent"),
        ({"accent": "#ffff00"}, "accent"),
        ({"dark_text": "#111111"}, "dark_text"),
        ({"radius": "99"}, "radius"),
        ({"font": "wingdings"}, "font"),
        ({"locale": "tlh"}, "locale"),
        ({"own_texts": "nonsense"}, "own_texts"),
        ({"own_texts": "de warning = x"}, "own_texts"),
        ({"own_texts": "de title = {app.secret}"}, "own_texts"),
        ({"support_url": "javascript:alert(1)"}, "support_url"),
        ({"logo_file": SimpleUploadedFile("x.png", b"no image", "image/png")}, "logo_file"),
        ({"favicon_file": SimpleUploadedFile("x.png", picture() + bytes(70_000), "image/png")}, "favicon_file"),
    ],
)
def test_what_is_wrong_is_marked_at_its_field(olga: Client, acme: Tenant, typed: dict[str, Any], field: str) -> None:
    answer = send(olga, page_url(brand_of(acme)), **typed)
    assert list(answer.context["adminform"].form.errors) == [field]
    assert brand_of(acme).font == ""


def test_changing_tenants_is_not_changing_brands(acme: Tenant) -> None:
    otto = operator_with("otto", "view_tenant", "change_tenant", "view_brand")
    assert send(otto, page_url(brand_of(acme))).status_code == 403
    assert send(otto, ADD, name="Mine").status_code == 403
    assert brand_of(acme).accent == ""
    assert not Brand.objects.filter(tenant=None).exists()
