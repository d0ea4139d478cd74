"""Bulk: each row is settled once, a killed worker loses nothing, and a cancelled job does nothing more."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.steer import bulk
from connections.lifecycle.steer.bulk import cancel_bulk, continue_bulk, order_bulk, outcomes_of
from connections.models import AuditEvent, BulkAct, BulkJob, BulkRow, Connection, Tenant
from tests.connections.api.stored import make_connection

OLGA = Actor(operator="olga")


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
