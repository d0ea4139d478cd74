"""Digest: one notice a day, with what ends within two weeks."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.lifecycle.forecast.digest import write_digest
from connections.models import Notice, Tenant
from tests.connections.api.stored import make_app
from tests.connections.lifecycle.forecast.rows import certificate, ending

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_day_on_which_nothing_ends_soon_has_none(acme: Tenant) -> None:
    ending(acme, Cause.GRANT, database_now() + timedelta(days=15))
    assert not write_digest(now=database_now())
    assert not Notice.objects.exists()


def test_there_is_one_a_day_and_it_names_each(acme: Tenant) -> None:
    now = database_now()
    rows = [ending(acme, cause, now + timedelta(days=2)) for cause in OF_CONNECTIONS]
    certificate(make_app(None), now + timedelta(days=3))
    assert [write_digest(now=now), write_digest(now=now)] == [True, False]
    body = Notice.objects.get().body
    assert all(str(row.id) in body for row in rows)
    assert "provider app sandbox (shared)" in body
    assert "at any time: sandbox of an end user at acme" in body
    assert "alice" not in body, "whom nobody could forget in a mail"
    assert write_digest(now=now + timedelta(days=1)), "the next day has its own"
    assert Notice.objects.count() == 2


def test_what_ended_long_ago_leaves_room_for_what_ends_tomorrow(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.lifecycle.forecast.digest._MOST_LINES", 3)
    now = database_now()
    for _ in range(4):
        ending(acme, Cause.OLD_KEY, now - timedelta(days=30))
        ending(acme, Cause.CROWDED, now - timedelta(days=30))
    fresh = [ending(acme, Cause.GRANT, now + timedelta(days=1)), ending(acme, Cause.OLD_KEY, now - timedelta(days=1))]
    assert write_digest(now=now)
    body = Notice.objects.get().body
    assert [str(row.id) in body for row in fresh] == [True, True]
    assert body.count("at acme") == 3
    assert "and more" in body


def test_it_stays_short_and_says_that_there_are_more(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.lifecycle.forecast.digest._MOST_LINES", 2)
    now = database_now()
    for number in range(4):
        ending(acme, Cause.GRANT, now + timedelta(days=number))
    write_digest(now=now)
    body = Notice.objects.get().body
    assert "and more" in body
    assert body.count("at acme") == 2
