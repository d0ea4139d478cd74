"""Answers that come at the same time: stored with one commit, and none of them hurt by another."""

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.db import IntegrityError, OperationalError
from django.db import connection as database

from connections.database.pool import release_database
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.versions import SealedVersion
from connections.lifecycle.refresh import arrivals
from connections.lifecycle.refresh.arrivals import store_and_promote
from connections.models import Connection, CredentialVersion, RefreshAttempt, Tenant
from providers.sandbox.waiting import until
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.sessions import session
from tests.connections.lifecycle.unfinished import made_up

COUNT = 5


@pytest.fixture
def answers(acme: Tenant) -> list[SealedVersion]:
    """Answers to the refreshes of several connections, none of them stored."""
    made = [make_connection(acme, end_user=f"user-{number}") for number in range(COUNT)]
    return [made_up(Connection.objects.get(id=connection.id)) for connection in made]


class Storing:
    """Threads that have an answer each."""

    def __init__(self) -> None:
        self.ended: dict[uuid.UUID, bool | Exception] = {}
        self._threads: list[threading.Thread] = []

    def begin(self, sealed: SealedVersion, lifetimes: GrantLifetimes | None = GrantLifetimes()) -> None:
        def run() -> None:
            try:
                self.ended[sealed.id] = store_and_promote(sealed, lifetimes=lifetimes)
            except Exception as failure:  # noqa: BLE001 (the test judges it)
                self.ended[sealed.id] = failure
            finally:
                release_database()

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


@contextmanager
def held_back(first: SealedVersion, *others: SealedVersion, promoted: bool = True) -> Iterator[tuple[Storing, int]]:
    """Have the others wait while the first is being stored. Yields the threads and the server process that stores."""
    storing = Storing()
    lifetimes = GrantLifetimes() if promoted else None
    with session("") as holder:
        with holder.transaction():
            holder.execute("LOCK TABLE connections_credentialversion IN SHARE MODE")
            storing.begin(first, lifetimes)
            (pid,) = until(_waits_for_the_table, "the first store")
            for sealed in others:
                storing.begin(sealed, lifetimes)
            until(lambda: len(arrivals._desk._waiting) == len(others), "the others")
            yield storing, pid
        storing.wait()


def _waits_for_the_table() -> tuple[int] | None:
    with session("") as looking:
        return looking.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'relation'"
        ).fetchone()


def commits(answers: list[SealedVersion]) -> list[int]:
    """Return the transactions that have written these versions, each with its number of versions."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM connections_credentialversion WHERE id = ANY (%s) GROUP BY xmin::text ORDER BY 1",
            [[sealed.id for sealed in answers]],
        )
        return [count for (count,) in cursor]


def test_one_commit_stores_what_came_while_another_was_stored(answers: list[SealedVersion]) -> None:
    with held_back(*answers, promoted=False) as (storing, _):
        pass
    assert storing.ended == dict.fromkeys((sealed.id for sealed in answers), False)
    assert commits(answers) == [1, COUNT - 1]
    assert {*RefreshAttempt.objects.values_list("state", flat=True)} == {"received"}


def test_what_was_stored_together_is_promoted_together(answers: list[SealedVersion]) -> None:
    with held_back(*answers) as (storing, _):
        pass
    assert storing.ended == dict.fromkeys((sealed.id for sealed in answers), True)
    assert commits(answers) == [1, COUNT - 1]
    current = set(Connection.objects.values_list("current_version_id", flat=True))
    assert current == {sealed.id for sealed in answers}


def _of_no_key(sealed: SealedVersion) -> SealedVersion:
    return replace(sealed, data_key_id=uuid.uuid4())


def _with_a_scope_that_no_column_holds(sealed: SealedVersion) -> SealedVersion:
    return replace(sealed, scopes=("long" * 100,))


@pytest.mark.parametrize("poison", [_of_no_key, _with_a_scope_that_no_column_holds])
def test_an_answer_that_the_database_refuses_hurts_no_other(
    answers: list[SealedVersion], poison: Callable[[SealedVersion], SealedVersion]
) -> None:
    answers[2] = poison(answers[2])
    with held_back(*answers) as (storing, _):
        pass
    assert isinstance(storing.ended.pop(answers[2].id), Exception)
    assert len(storing.ended) == COUNT - 1
    stored = set(CredentialVersion.objects.filter(attempt_id__isnull=False).values_list("id", flat=True))
    assert stored == storing.ended.keys(), "all others are stored, by themselves; the rules promote them"


def test_a_lone_answer_that_the_database_refuses_says_so(answers: list[SealedVersion]) -> None:
    with pytest.raises(IntegrityError):
        store_and_promote(_of_no_key(answers[0]), lifetimes=GrantLifetimes())
    assert store_and_promote(answers[1], lifetimes=GrantLifetimes()), "the next goes on as ever"


def test_an_answer_whose_attempt_is_locked_keeps_no_other_waiting(answers: list[SealedVersion]) -> None:
    storing = Storing()
    with session("") as holder, holder.transaction():
        holder.execute(
            "SELECT FROM connections_refreshattempt WHERE id = %s FOR NO KEY UPDATE", [answers[0].attempt_id]
        )
        storing.begin(answers[0])
        assert store_and_promote(answers[1], lifetimes=GrantLifetimes())
        assert not storing.ended
    storing.wait()
    assert storing.ended == {answers[0].id: False}, "stored when the lock was gone; the rules promote it"
    assert CredentialVersion.objects.get(id=answers[0].id).stage == "received"


def test_all_that_wait_are_told_at_once_that_the_database_is_away(answers: list[SealedVersion]) -> None:
    with held_back(*answers) as (storing, pid), session("") as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        storing.wait()  # the table is still locked: nobody has tried another store
        assert {type(failure) for failure in storing.ended.values()} == {OperationalError}
        assert len(storing.ended) == COUNT
    assert all(store_and_promote(sealed, lifetimes=GrantLifetimes()) for sealed in answers)


def test_two_answers_for_one_connection_promote_one(answers: list[SealedVersion], acme: Tenant) -> None:
    connection = Connection.objects.get(id=answers[1].connection_id)
    RefreshAttempt.objects.filter(connection=connection).update(state="superseded")
    late = made_up(connection)
    with held_back(answers[0], answers[1], late) as (storing, _):
        pass
    assert sorted([storing.ended[answers[1].id], storing.ended[late.id]]) == [False, True]
    stages = CredentialVersion.objects.filter(connection=connection).values_list("stage", flat=True)
    assert sorted(stages) == ["current", "previous", "received"]


def test_a_promotion_that_fails_leaves_the_answer_stored(answers: list[SealedVersion]) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE connections_outboxevent ADD CONSTRAINT refuses CHECK (type <> 'connection.refreshed')"
        )
        try:
            assert not store_and_promote(answers[0], lifetimes=GrantLifetimes())
        finally:
            cursor.execute("ALTER TABLE connections_outboxevent DROP CONSTRAINT refuses")
    assert CredentialVersion.objects.get(id=answers[0].id).stage == "received"
