"""The form of tenants and their kill switch."""

from typing import Any

import pytest
from django.test import Client

from connections.admin import base
from connections.models import AuditEvent, Brand, ProviderApp, Tenant
from tests.connections.admin.conftest import (
    list_url,
    make_app,
    make_connection,
    messages_of,
    operator_with,
    page_url,
    press_url,
)
from tests.factories import make_tenant

ADD = "/admin/connections/tenant/add/"
TYPED = {
    "name": "Acme Inc.",
    "allowed_origins": "https://app.acme.example\n",
    "return_urls": "https://app.acme.example/back\n\nhttps://app.acme.example/other",
    "reconnect_url": "https://app.acme.example/reconnect/{connection}",
}


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def send(browser: Client, url: str, **typed: Any) -> Any:
    return browser.post(url, {**TYPED, **typed})


def test_a_tenant_is_made_through_the_lifecycle(olga: Client) -> None:
    assert send(olga, ADD, slug="acme").status_code == 302
    tenant = Tenant.objects.get()
    assert (tenant.slug, tenant.name, tenant.brand.accent) == ("acme", "Acme Inc.", "")
    assert tenant.return_urls == ["https://app.acme.example/back", "https://app.acme.example/other"]
    assert AuditEvent.objects.get(action="tenant.saved").operator == "olga"


def test_changing_keeps_the_slug_and_the_brand(olga: Client, acme: Tenant) -> None:
    Brand.objects.filter(tenant=acme).update(accent="#0f766e")
    send(olga, page_url(acme), slug="globex", name="Changed")
    acme.refresh_from_db()
    assert (acme.slug, acme.name, acme.brand.accent) == ("acme", "Changed", "#0f766e")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"return_urls": "ftp://acme.example"}, "return_urls"),
        ({"allowed_origins": "https://acme.example/path"}, "allowed_origins"),
        ({"reconnect_url": "nonsense"}, "reconnect_url"),
        ({"name": ""}, "name"),
        ({"name": "Acme \u202egro.live"}, "name"),
    ],
)
def test_what_is_wrong_is_marked_at_its_field(olga: Client, acme: Tenant, typed: dict[str, Any], field: str) -> None:
    answer = send(olga, page_url(acme), **typed)
    assert list(answer.context["adminform"].form.errors) == [field]
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_a_slug_is_given_once(olga: Client, acme: Tenant) -> None:
    answer = send(olga, ADD, slug="acme")
    assert "slug" in answer.context["adminform"].form.errors
    acme.refresh_from_db()
    assert acme.name == "Acme"


def test_the_kill_switch_asks_first(olga: Client, acme: Tenant) -> None:
    assert "stops vending" in olga.get(press_url(acme, "suspend")).content.decode()
    acme.refresh_from_db()
    assert acme.suspended_at is None
    olga.post(press_url(acme, "suspend"))
    acme.refresh_from_db()
    assert acme.suspended_at is not None
    assert "Suspended" in olga.get(list_url(Tenant)).content.decode()
    olga.post(press_url(acme, "resume"))
    acme.refresh_from_db()
    assert acme.suspended_at is None
    done = AuditEvent.objects.filter(operator="olga", tenant_id=acme.id).order_by("id")
    assert list(done.values_list("action", flat=True)) == [
        "tenant.suspended",
        "tenant.resumed",
    ]


def test_deleting_asks_for_the_slug(olga: Client, acme: Tenant) -> None:
    url = press_url(acme, "delete")
    page = olga.get(url)
    assert "Type the tenant&#x27;s slug" in page.content.decode() or "Type the tenant's slug" in page.content.decode()
    for typed in ({}, {"slug": ""}, {"slug": "Acme"}, {"slug": "globex"}, {"confirmed": "1"}):
        assert olga.post(url, typed).status_code == 200
        acme.refresh_from_db()
        assert (acme.suspended_at, acme.shred_at) == (None, None)
    olga.post(url, {"slug": "acme"})
    acme.refresh_from_db()
    assert acme.suspended_at is not None
    assert acme.shred_at is not None
    assert "Being deleted" in olga.get(list_url(Tenant)).content.decode()
    told = olga.post(press_url(acme, "resume"), follow=True)
    assert "being deleted: it stays suspended" in messages_of(told)[0]
    assert AuditEvent.objects.get(action="tenant.delete_ordered").operator == "olga"


def test_changing_tenants_is_not_deleting_them(acme: Tenant) -> None:
    otto = operator_with("otto", "view_tenant", "change_tenant")
    assert otto.get(press_url(acme, "delete")).status_code == 403
    assert otto.post(press_url(acme, "delete"), {"slug": "acme"}).status_code == 403
    acme.refresh_from_db()
    assert acme.shred_at is None


def test_a_tenant_with_very_many_connections_is_counted_no_further_than_it_is_told(
    olga: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "MOST_COUNTED", 2)
    app = make_app(acme)
    for number in range(2):
        make_connection(app, acme, f"user-{number}")
    assert ">2</a>" in olga.get(list_url(Tenant)).content.decode()
    for number in range(2, 5):
        make_connection(app, acme, f"user-{number}")
    assert ">over 2</a>" in olga.get(list_url(Tenant)).content.decode()
    assert ">over 2</a>" in olga.get(list_url(ProviderApp)).content.decode()
