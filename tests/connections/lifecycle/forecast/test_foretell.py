"""Foretell: an early event once for each cause of one grant, and none for what a refresh keeps alive."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, Cause
from connections.lifecycle.forecast.foretell import foretell
from connections.models import Connection, OutboxEvent, Tenant
from tests.connections.lifecycle.forecast.rows import ending

pytestmark = pytest.mark.django_db(transaction=True)


def told() -> list[tuple[str, str | None]]:
    rows = OutboxEvent.objects.filter(type="connection.expiring").order_by("id")
    return [(row.payload["cause"], row.payload["ends_at"]) for row in rows]


@pytest.mark.parametrize("cause", OF_CONNECTIONS)
def test_each_cause_is_told_once(cause: Cause, acme: Tenant) -> None:
    at = database_now() + timedelta(days=10)
    row = ending(acme, cause, at)
    assert [foretell(now=database_now()) for _ in range(3)] == [1, 0, 0] or cause is Cause.CROWDED
    if cause is not Cause.CROWDED:  # this one is no longer crowded when it is looked at again
        assert told() == [(cause.value, at.isoformat())]
        assert OutboxEvent.objects.get(type="connection.expiring").connection_id == row.id


def test_two_causes_are_two_events(acme: Tenant) -> None:
    at = database_now() + timedelta(days=10)
    row = ending(acme, Cause.CREDENTIAL, at)
    Connection.objects.filter(id=row.id).update(grant_expires_at=at)
    assert foretell(now=database_now()) == 2
    assert sorted(cause for cause, _ in told()) == ["credential_expires", "grant_ends"]


@pytest.mark.parametrize("days", [15, -8])
def test_what_is_far_or_long_over_is_not_told(days: int, acme: Tenant) -> None:
    ending(acme, Cause.GRANT, database_now() + timedelta(days=days))
    assert foretell(now=database_now()) == 0


def test_more_than_a_batch_is_told_at_once(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connections.lifecycle.forecast.foretell.BATCH", 2)
    for number in range(5):
        ending(acme, Cause.GRANT, database_now() + timedelta(days=number))
    assert foretell(now=database_now()) == 5
    assert foretell(now=database_now()) == 0
