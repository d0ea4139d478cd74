"""Recovery: what a dead process or a lost database left behind is picked up, and nothing is lost."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db.models import F
from pytest_django import DjangoAssertNumQueries, Settings

from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.refresh.recover import recover_unfinished, supersede
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt, Stage
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.connections.lifecycle.unfinished import answered, open_attempt

NOBODYS = 4_711


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


@pytest.fixture
def sent_refreshes() -> Callable[[], int]:
    """Count the refresh tasks at the broker, which is empty at first."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete("refresh")
    return lambda: int(broker.llen("refresh"))


@pytest.fixture
def holder() -> Any:
    """The session of a process that lives, and the key of its lock."""
    with session("") as held:
        held.execute("SELECT pg_advisory_lock(%s)", [2**62 + 5])
        yield 2**62 + 5


def claimed(connection: Connection, key: int | None, **values: Any) -> RefreshAttempt:
    """An attempt of the process with that key, whose lease has a minute to go."""
    return open_attempt(connection, claimant_key=key, deadline_at=database_now() + timedelta(seconds=60), **values)


def recover() -> int:
    return recover_unfinished(now=database_now())


def let_pass(**delta: float) -> None:
    """Let time pass since the lock was first seen to be free."""
    RefreshAttempt.objects.update(absent_since=F("absent_since") - timedelta(**delta))


def test_with_nothing_to_do_it_takes_one_query(
    connection: Connection, holder: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    claimed(connection, holder)
    now = database_now()
    with django_assert_num_queries(1):
        assert recover_unfinished(now=now) == 0


def test_an_unanswered_attempt_is_made_due_and_sent(connection: Connection, sent_refreshes: Callable[[], int]) -> None:
    open_attempt(connection)
    Connection.objects.update(refresh_enqueued_until=database_now() + timedelta(seconds=60))
    assert recover() == 1
    row = Connection.objects.get(id=connection.id)
    assert row.refresh_due_at is not None and row.refresh_due_at <= database_now()
    assert row.refresh_enqueued_until is None
    attempt = RefreshAttempt.objects.get()
    assert (attempt.state, attempt.error) == (AttemptState.IN_DOUBT, "unanswered")
    assert sent_refreshes() == 1
    assert recover() == 0
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"


def test_an_attempt_whose_process_is_gone_is_in_doubt_after_two_looks_3_s_apart(
    connection: Connection, sent_refreshes: Callable[[], int]
) -> None:
    claimed(connection, NOBODYS)
    for _ in range(2):
        assert recover() == 1
        attempt = RefreshAttempt.objects.get()
        assert (attempt.state, attempt.absent_since is None) == (AttemptState.SENT, False)
    assert sent_refreshes() == 0
    let_pass(seconds=3)
    assert recover() == 1
    attempt = RefreshAttempt.objects.get()
    assert (attempt.state, attempt.error) == (AttemptState.IN_DOUBT, "abandoned")
    assert sent_refreshes() == 1
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"
    states = dict(RefreshAttempt.objects.values_list("state", "follows_doubt"))
    assert states == {AttemptState.SUPERSEDED: False, AttemptState.PROMOTED: True}


def test_a_vend_that_must_wait_notices_the_death_without_any_beat(connection: Connection) -> None:
    claimed(connection, NOBODYS)
    Connection.objects.update(refresh_due_at=database_now())
    assert refresh(connection.id, trigger="vend").outcome == "in_flight"
    let_pass(seconds=3)
    assert refresh(connection.id, trigger="vend").outcome == "refreshed"


def test_a_process_that_has_its_lock_again_is_not_gone(connection: Connection, holder: int) -> None:
    attempt = claimed(connection, holder, absent_since=database_now() - timedelta(seconds=30))
    assert recover() == 1
    attempt.refresh_from_db()
    assert (attempt.state, attempt.absent_since) == (AttemptState.SENT, None)
    assert recover() == 0


@pytest.mark.parametrize(
    ("key", "claimed_at"), [(None, None), (NOBODYS, "2000-01-01T00:00:00Z")], ids=["no key", "server started since"]
)
def test_only_the_lease_counts_where_the_lock_says_nothing(
    connection: Connection, key: int | None, claimed_at: str | None
) -> None:
    claimed(connection, key, **({"claimed_at": claimed_at} if claimed_at else {}))
    assert recover() == 0
    assert refresh(connection.id, trigger="vend").outcome in ("in_flight", "fresh")
    attempt = RefreshAttempt.objects.get()
    assert (attempt.state, attempt.absent_since) == (AttemptState.SENT, None)
    RefreshAttempt.objects.update(deadline_at=database_now())
    assert recover() == 1
    assert RefreshAttempt.objects.get().state == AttemptState.IN_DOUBT


def test_a_connection_that_somebody_keeps_locked_holds_up_no_other(
    connection: Connection, sent_refreshes: Callable[[], int]
) -> None:
    open_attempt(connection)
    with session("") as other:
        other.autocommit = False
        other.execute("SELECT 1 FROM connections_connection FOR NO KEY UPDATE")
        assert recover() == 1
    assert RefreshAttempt.objects.get().state == AttemptState.SENT
    assert recover() == 1
    assert RefreshAttempt.objects.get().state == AttemptState.IN_DOUBT


def test_a_late_answer_whose_process_died_before_it_promoted_is_promoted(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    late = answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox)
    store_received(late)
    assert recover() == 0, "its process may be about to promote it"
    age(connection.id, seconds=6)
    assert recover() == 1
    assert Connection.objects.get(id=connection.id).current_version_id == late.id
    assert RefreshAttempt.objects.get().state == AttemptState.PROMOTED


def test_a_late_answer_revives_a_connection_that_was_given_up(connection: Connection, sandbox: SandboxProcess) -> None:
    late = answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox)
    Connection.objects.update(status="needs_reauth", reason="lost_in_flight", refresh_due_at=None)
    store_received(late)
    age(connection.id, seconds=6)
    assert recover() == 1
    row = Connection.objects.get(id=connection.id)
    assert (row.status, row.reason, row.current_version_id) == ("active", "recovered", late.id)


def test_a_late_answer_that_is_no_longer_needed_is_kept_as_an_orphan(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    late = answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox)
    age(connection.id, hours=1)
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"
    store_received(late)
    age(connection.id, seconds=6)
    assert recover() == 1
    assert CredentialVersion.objects.get(id=late.id).stage == Stage.ORPHAN
    assert Connection.objects.get(id=connection.id).current_version_id != late.id


def test_an_attempt_whose_answer_was_destroyed_is_closed(connection: Connection, sandbox: SandboxProcess) -> None:
    answer = answered(open_attempt(connection), sandbox)
    store_received(answer)
    CredentialVersion.objects.filter(id=answer.id).delete()
    age(connection.id, seconds=6)
    assert recover() == 1
    assert RefreshAttempt.objects.get().state == AttemptState.SUPERSEDED
    assert recover() == 0


def test_superseding_leaves_an_attempt_that_was_answered_in_this_moment(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    attempt = open_attempt(connection, state=AttemptState.IN_DOUBT)
    store_received(answered(attempt, sandbox))
    with short_transaction():
        assert lock_connection(connection.id) is not None
        supersede(attempt)
    attempt.refresh_from_db()
    assert attempt.state == AttemptState.RECEIVED


def test_an_ended_connection_s_attempt_is_closed_and_not_retried(
    connection: Connection, sent_refreshes: Callable[[], int]
) -> None:
    open_attempt(connection)
    Connection.objects.update(status="disconnected", reason="disconnected_by_request", refresh_due_at=None)
    assert recover() == 1
    assert recover() == 0
    assert sent_refreshes() == 0
    assert Connection.objects.get().refresh_due_at is None
