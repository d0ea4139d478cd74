"""Tasks: each connection that one message names has its turn."""

import uuid

import pytest
from django.db import OperationalError
from django.db import connection as database

from connections import tasks
from connections.database.clock import database_now
from connections.models import Connection, RefreshAttempt
from connections.tasks import refresh_connections
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session


@pytest.fixture
def due(connection: Connection) -> Connection:
    age(connection.id, hours=1)
    return connection


def test_what_fails_in_a_task_keeps_no_other_connection_from_its_turn(due: Connection) -> None:
    with pytest.raises(ExceptionGroup) as raised:
        refresh_connections("no id", str(due.id))
    assert [type(failure) for failure in raised.value.exceptions] == [ValueError]
    assert RefreshAttempt.objects.get(connection=due).state == "promoted"


def test_a_database_connection_that_was_lost_before_a_task_fails_no_refresh(due: Connection) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with session("") as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    refresh_connections(str(uuid.uuid4()), str(due.id))
    assert RefreshAttempt.objects.get(connection=due).state == "promoted"


def test_a_database_connection_that_is_lost_meanwhile_fails_one_and_not_those_that_follow(due: Connection) -> None:
    begun: list[str] = []

    def act(connection_id: uuid.UUID) -> None:
        begun.append(str(connection_id))
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
            if len(begun) == 1:
                with session("") as other:
                    other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            cursor.execute("SELECT 1")

    ids = (str(uuid.uuid4()), str(due.id))
    with pytest.raises(ExceptionGroup) as raised:
        tasks._each(ids, act)
    assert [type(failure) for failure in raised.value.exceptions] == [OperationalError]
    assert begun == [*ids]


def test_what_a_task_does_not_begin_in_time_stays_due(due: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BEGIN_WITHIN_SECONDS", -1.0)
    refresh_connections(str(due.id))
    due.refresh_from_db()
    assert not RefreshAttempt.objects.filter(connection=due).exists()
    assert due.refresh_due_at is not None and due.refresh_due_at < database_now()
