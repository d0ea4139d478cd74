"""Bulk: each row is settled once, a killed worker loses nothing, and a cancelled job does nothing more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.steer import bulk
from connections.lifecycle.steer.bulk import cancel_bulk, continue_bulk, order_bulk, outcomes_of
from connections.models import (
    REASONS_OF,
    AuditEvent,
    BulkAct,
    BulkJob,
    BulkRow,
    Connection,
    HeldConnection,
    Status,
    Tenant,
    TokenVerdict,
)
from tests.connections.admin.test_connection_actions import sent_tasks
from tests.connections.api.stored import make_connection, overwrite

OLGA = Actor(operator="olga")


@pytest.fixture(autouse=True)
def olga(transactional_db: None) -> User:
    return User.objects.create_superuser("olga")


@pytest.fixture
def many(acme: Tenant) -> list[Connection]:
    return [make_connection(acme, end_user=f"user-{number}") for number in range(5)]


def order(act: BulkAct = BulkAct.PAUSE) -> BulkJob:
    return order_bulk(act, Connection.objects.all(), tenant_id=None, now=database_now(), actor=OLGA)


def test_every_row_is_done_and_told(many: list[Connection]) -> None:
    Connection.objects.filter(id=many[0].id).update(paused_at=database_now())
    job = order()
    continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is not None
    assert Connection.objects.filter(paused_at=None).count() == 0
    assert outcomes_of(job) == [("Done.", True, 4), ("It was so already.", False, 1)]
    assert AuditEvent.objects.filter(action="connection.paused", operator="olga").count() == 4
    ordered = AuditEvent.objects.get(action="bulk.ordered")
    assert (ordered.operator, ordered.detail["connections"]) == ("olga", 5)


def test_a_job_goes_on_after_its_worker_was_killed(many: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    job = order(BulkAct.DISCONNECT)
    acts: Callable[..., object] = bulk._ACTS[BulkAct.DISCONNECT]
    done = []

    def die_at_third(row: Connection, actor: Actor) -> object:
        done.append(acts(row, actor))
        if len(done) == 3:
            raise SystemExit  # after the act, and before it is noted
        return done[-1]

    monkeypatch.setattr(bulk, "_ACTS", {BulkAct.DISCONNECT: die_at_third})
    with pytest.raises(SystemExit):
        continue_bulk(now=database_now())
    monkeypatch.undo()
    BulkJob.objects.update(claimed_until=database_now() + timedelta(seconds=30))  # a killed one does not let go
    continue_bulk(now=database_now())
    assert BulkRow.objects.filter(code="").count() == 3
    continue_bulk(now=database_now() + timedelta(seconds=31))
    job.refresh_from_db()
    assert job.finished_at is not None
    assert set(Connection.objects.values_list("status", flat=True)) == {"disconnected"}
    assert AuditEvent.objects.filter(action="connection.disconnect").count() == 5
    assert set(BulkRow.objects.values_list("is_success", flat=True)) == {True}, "it was the job that did it"
    assert BulkRow.objects.filter(code="done_before").count() == 1


def test_a_cancelled_job_does_nothing_more(many: list[Connection]) -> None:
    job = order()
    assert cancel_bulk(job, now=database_now(), actor=OLGA).is_success
    continue_bulk(now=database_now())
    assert Connection.objects.filter(paused_at=None).count() == 5
    assert set(BulkRow.objects.values_list("code", flat=True)) == {"cancelled"}
    job.refresh_from_db()
    assert job.finished_at is not None
    assert not cancel_bulk(job, now=database_now(), actor=OLGA).is_success


def test_a_job_waits_while_the_queue_is_long(many: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    job = order(BulkAct.REFRESH)
    monkeypatch.setattr(bulk, "_MOST_WAITING", -1)
    continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is None
    assert BulkRow.objects.filter(code="").count() == 5


def test_jobs_take_turns(many: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "_TURN", 2)
    first, second = order(BulkAct.PAUSE), order(BulkAct.SUSPEND)
    continue_bulk(now=database_now())
    told = AuditEvent.objects.filter(action__in=("connection.paused", "connection.suspended")).order_by("id")
    assert [row.action.rpartition(".")[2] for row in told][:4] == ["paused", "paused", "suspended", "suspended"]
    for job in (first, second):
        job.refresh_from_db()
        assert job.finished_at is not None


# --- Whatever a row or a job is like, the others go on ----------------------------------------------------------------


@pytest.mark.parametrize("act", BulkAct)
def test_every_act_tells_of_a_connection_in_every_status(
    act: BulkAct, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for status in Status:
        row = make_connection(acme, end_user=status)
        overwrite(row, status=status, reason=REASONS_OF[status][0])
        HeldConnection.objects.create(connection=row, verdict=TokenVerdict.UNKNOWN, held_at=database_now())
    job = order(act)
    with sent_tasks(monkeypatch):
        continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is not None
    codes = list(BulkRow.objects.values_list("code", flat=True))
    assert codes and not {*codes} & {"", "failed"}


def test_what_is_not_confirmed_is_not_revoked(acme: Tenant) -> None:
    row = make_connection(acme)
    overwrite(row, status=Status.PENDING, reason=REASONS_OF[Status.PENDING][0])
    order(BulkAct.REVOKE)
    continue_bulk(now=database_now())
    assert BulkRow.objects.get().code == "pending"
    row.refresh_from_db()
    assert row.status == "pending"


def test_a_row_that_cannot_be_read_settles_itself_alone(
    many: list[Connection], capfd: pytest.CaptureFixture[str]
) -> None:
    overwrite(many[0], revocation="odd")
    job = order(BulkAct.DISCONNECT)
    continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is not None
    assert BulkRow.objects.get(connection=many[0]).code == "failed"
    assert Connection.objects.filter(status="disconnected").count() == 4


def test_a_job_that_cannot_be_read_keeps_no_other_from_its_turn(many: list[Connection]) -> None:
    odd, job = order(), order(BulkAct.SUSPEND)
    BulkJob.objects.filter(id=odd.id).update(act="odd")
    continue_bulk(now=database_now())
    for one in (odd, job):
        one.refresh_from_db()
    assert (odd.finished_at, odd.claimed_until) == (None, None)
    assert job.finished_at is not None


# --- Cancelled, claimed by another, or ordered by somebody who may not any more ---------------------------------------


@contextmanager
def after(count: int, act: Callable[[], object]) -> Iterator[None]:
    """Do ``act`` once the workers have marked ``count`` rows as begun."""
    seen = 0

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal seen
        answer = run(sql, *rest)
        if sql.startswith('UPDATE "connections_bulkrow" SET "begun_at"'):
            seen += 1
            if seen == count:
                act()
        return answer

    with database.execute_wrapper(execute):
        yield


def test_a_job_is_cancelled_between_two_rows(many: list[Connection]) -> None:
    job = order()
    with after(2, lambda: cancel_bulk(job, now=database_now(), actor=OLGA)):
        continue_bulk(now=database_now())
    assert Connection.objects.filter(paused_at=None).count() == 3
    job.refresh_from_db()
    assert job.finished_at is not None


def test_a_cancelled_job_ends_while_its_queue_is_long(many: list[Connection], monkeypatch: pytest.MonkeyPatch) -> None:
    job = order(BulkAct.REFRESH)
    monkeypatch.setattr(bulk, "_MOST_WAITING", -1)
    cancel_bulk(job, now=database_now(), actor=OLGA)
    continue_bulk(now=database_now())
    job.refresh_from_db()
    assert job.finished_at is not None


def test_a_worker_that_has_lost_its_claim_stops_and_leaves_the_claim(many: list[Connection]) -> None:
    job, theirs = order(), database_now() + timedelta(minutes=5)

    def claim() -> None:
        BulkJob.objects.filter(id=job.id).update(claimed_until=theirs)

    with after(2, claim):
        continue_bulk(now=database_now())
    assert Connection.objects.filter(paused_at=None).count() == 3
    job.refresh_from_db()
    assert (job.claimed_until, job.finished_at) == (theirs, None)
