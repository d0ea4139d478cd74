"""The page of the forecast: by date, page by page, and no more than the account may see."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.models import StaffLimit, Tenant
from tests.connections.admin.conftest import page_url
from tests.connections.lifecycle.forecast.rows import certificate, ending

pytestmark = pytest.mark.django_db


def shown(browser: Client, **query: str) -> str:
    answer = browser.get(reverse("forecast"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_shows_each_cause_with_a_link_and_advice(olga: Client, acme: Tenant) -> None:
    rows = [ending(acme, cause, database_now() + timedelta(days=2)) for cause in OF_CONNECTIONS]
    key = certificate(rows[0].provider_app, database_now() + timedelta(days=3))
    page = shown(olga)
    assert all(page_url(row) in page for row in rows)
    assert page_url(key.provider_app) in page
    assert "at any time" in page
    assert page_url(rows[0]) not in shown(olga, cause=OF_CONNECTIONS[1])
    assert "Nothing ends within 7 days" in shown(olga, days="7", cause=Cause.CLIENT_SECRET)


def test_what_is_overdue_hides_nothing_that_ends_tomorrow(
    olga: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.admin.forecast._PAGE", 2)
    overdue = [ending(acme, Cause.OLD_KEY, database_now() - timedelta(days=number)) for number in (1, 2, 3)]
    crowded = ending(acme, Cause.CROWDED, database_now() - timedelta(days=4))
    tomorrow = ending(acme, Cause.GRANT, database_now() + timedelta(days=1))
    coming = shown(olga)
    assert page_url(tomorrow) in coming and page_url(crowded) not in coming
    assert not any(page_url(row) in coming for row in overdue)
    first = olga.get(reverse("forecast"), {"overdue": "1"})
    pages = first.content.decode() + shown(olga, overdue="1", after=first.context["after"])
    assert all(page_url(row) in pages for row in (*overdue, crowded)) and page_url(tomorrow) not in pages
    assert "Nothing is overdue" in shown(olga, overdue="1", cause=Cause.CERTIFICATE)


def test_turns_pages(olga: Client, acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.admin.forecast._PAGE", 1)
    rows = [ending(acme, Cause.GRANT, database_now() + timedelta(days=number)) for number in (1, 2)]
    first = olga.get(reverse("forecast"))
    assert page_url(rows[1]) not in first.content.decode()
    assert page_url(rows[1]) in shown(olga, after=first.context["after"])
    for odd in ("x", "0001-01-01T00:00:00+00:00|grant_ends|5d0f2f1c-7bd4-42bf-b5a0-e1d9c4f0a3b6"):
        assert page_url(rows[0]) in shown(olga, after=odd, days="9", cause="none")


def test_is_shut_to_whoever_may_not_see_connections(client: Client) -> None:
    assert client.get(reverse("forecast")).status_code == 302
    client.force_login(User.objects.create_user("vera", is_staff=True))
    assert client.get(reverse("forecast")).status_code == 403


def test_limited_staff_see_their_tenants_alone(client: Client, acme: Tenant, globex: Tenant) -> None:
    mine = ending(acme, Cause.GRANT, database_now() + timedelta(days=2))
    theirs = ending(globex, Cause.GRANT, database_now() + timedelta(days=2))
    key = certificate(theirs.provider_app, database_now() + timedelta(days=2))
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_connection"))
    StaffLimit.objects.create(user=user).tenants.add(acme)
    client.force_login(user)
    page = shown(client)
    assert page_url(mine) in page
    assert page_url(theirs) not in page
    assert page_url(key.provider_app) not in page
