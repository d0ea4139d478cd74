"""What ends although it is refreshed, and what refreshes keep alive, at providers that say so in their own ways."""

from datetime import timedelta
from typing import Any

from connections.database.clock import database_now
from connections.lifecycle.forecast.foretell import foretell
from connections.models import Connection, OutboxEvent
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.forecast.rows import foreseen
from tests.connections.lifecycle.forecast.test_foretell import told
from tests.connections.lifecycle.observed import reload
from tests.field.stage import Stage
from tests.field.test_scope_drift import FIRST

DAY = 86_400


def connected(stage: Stage, method: str, **token: Any) -> Connection:
    stage.describe(method=method)
    stage.tokens({**FIRST, **token})
    return stage.connect()


def test_an_absolute_lifetime_is_told_once_and_anew_of_a_new_grant(stage: Stage) -> None:
    connection = connected(stage, f"refresh_absolute_lifetime_seconds = {20 * DAY}")
    assert foretell(now=database_now()) == 0
    age(connection.id, days=10)
    Connection.objects.update(refresh_due_at=database_now() + timedelta(minutes=5))
    assert [foretell(now=database_now()) for _ in range(2)] == [1, 0]
    stage.refresh(connection)
    assert foretell(now=database_now()) == 0, "a refresh moves no absolute end"
    stage.reconnect(connection)
    assert reload(connection).foretold == {}
    age(connection.id, days=10)
    Connection.objects.update(refresh_due_at=database_now() + timedelta(minutes=5))
    assert foretell(now=database_now()) == 1
    assert [cause for cause, _ in told()] == ["grant_ends", "grant_ends"]


def test_an_idle_limit_is_kept_alive_by_a_refresh_and_not_told(stage: Stage) -> None:
    connection = connected(stage, f"refresh_idle_lifetime_seconds = {10 * DAY}", expires_in=30 * DAY)
    due = reload(connection).refresh_due_at
    assert due is not None
    assert timedelta(days=4.9) < due - database_now() < timedelta(days=6.6), "long before the ten days are over"
    age(connection.id, days=7)
    assert foretell(now=database_now()) == 1, "nothing has refreshed it although it was due"
    Connection.objects.update(foretold={})
    OutboxEvent.objects.all().delete()
    stage.refresh(connection)
    assert foreseen(days=400) == []
    assert foretell(now=database_now()) == 0
    assert told() == []


def test_an_announced_end_that_counts_down_is_the_end_of_the_grant(stage: Stage) -> None:
    connection = connected(stage, "", refresh_token_expires_in=20 * DAY)
    assert reload(connection).grant_expires_at is None, "the first answer may be of an idle time"
    for number, days in enumerate((14, 10), start=2):
        age(connection.id, days=20 - days - (6 if number == 3 else 0))
        stage.forget_answers("/token")
        token = {"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 3600}
        passed = 3600 * (number - 1)  # each refresh lets an hour pass
        stage.tokens({**token, "refresh_token_expires_in": days * DAY - passed})
        stage.refresh(connection)
    row = reload(connection)
    assert row.grant_expires_at is not None
    assert abs(row.grant_expires_at - database_now() - timedelta(days=10)) < timedelta(hours=3)
    assert foretell(now=database_now()) == 1
    assert [cause for cause, _ in told()] == ["grant_ends"]


def test_an_announced_end_that_each_answer_moves_is_no_end(stage: Stage) -> None:
    connection = connected(stage, "", refresh_token_expires_in=20 * DAY)
    for number in (2, 3):
        age(connection.id, days=5)
        stage.forget_answers("/token")
        token = {"access_token": f"at-{number}", "refresh_token": f"rt-{number}", "expires_in": 3600}
        stage.tokens({**token, "refresh_token_expires_in": 20 * DAY})
        stage.refresh(connection)
    assert reload(connection).grant_expires_at is None
    assert foreseen() == []
