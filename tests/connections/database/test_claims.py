"""Claims: one worker at a time goes on with a row, and whoever has lost its claim leaves the next worker's alone."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from django.db import connection as database
from django.db.models import Model

from connections.database.claims import LEASE, claim, give_back
from connections.database.clock import database_now
from connections.journal import verifications
from connections.lifecycle.port import go_on
from connections.lifecycle.steer import bulk
from connections.models import AuditVerification, BulkAct, BulkJob, ImportRun, ImportState

OVER = timedelta(microseconds=1)


def job(now: datetime) -> BulkJob:
    return BulkJob.objects.create(act=BulkAct.PAUSE, ordered_at=now, operator="olga")


def import_run(now: datetime) -> ImportRun:
    options = {"dry_run": False, "all_or_nothing": False}
    return ImportRun.objects.create(state=ImportState.STORING, in_background=True, created_at=now, options=options)


def verification(now: datetime) -> AuditVerification:
    return AuditVerification.objects.create(ordered_at=now, to_seal=3)


Made = Callable[[datetime], Model]
Worker = tuple[ModuleType, Callable[..., object]]
WORKERS: dict[Made, Worker] = {
    job: (bulk, bulk.continue_bulk),
    import_run: (go_on, go_on.continue_imports),
    verification: (verifications, verifications.continue_verifications),
}


@pytest.mark.django_db
@pytest.mark.parametrize("made", WORKERS)
def test_a_row_is_claimed_by_one_worker_until_it_is_given_back_or_over(made: Made) -> None:
    now = database_now()
    rows = type(made(now))._default_manager.all()
    until = claim(rows, now=now)
    assert until == now + LEASE
    assert claim(rows, now=now) is None
    assert claim(rows, now=until) is None
    next_one = claim(rows, now=until + OVER)
    assert next_one is not None
    give_back(rows, until=until)
    assert claim(rows, now=until + OVER) is None, "the first worker came back late: it gave back the other's claim"
    give_back(rows, until=next_one)
    assert claim(rows, now=until + OVER) is not None


@contextmanager
def another_worker_after(claimed: Made, theirs: datetime, clock: list[float]) -> Iterator[None]:
    """Let a minute pass once the row is claimed, and another worker claim it: the first one has been too slow."""
    seen: list[str] = []

    def execute(run: Callable[..., Any], sql: str, *rest: Any) -> Any:
        answer = run(sql, *rest)
        if not seen and sql.startswith("UPDATE") and 'SET "claimed_until" = %s' in sql:
            seen.append(sql)
            clock[0] += 120
            model._default_manager.update(claimed_until=theirs)
        return answer

    model = {job: BulkJob, import_run: ImportRun, verification: AuditVerification}[claimed]
    with database.execute_wrapper(execute):
        yield
    assert seen, "it was never claimed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("made", WORKERS)
def test_a_worker_that_was_too_slow_leaves_the_next_one_s_claim(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    now, clock = database_now(), [0.0]
    row = made(now)
    theirs = now + timedelta(minutes=5)
    module, go = WORKERS[made]
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=time.sleep))
    with another_worker_after(made, theirs, clock):
        go(now=now)
    assert type(row)._default_manager.values_list("claimed_until", flat=True).get() == theirs
