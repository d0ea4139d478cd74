"""Scenarios: a process dies, or the database fails, under refreshes that share their claim, store and promotion."""

import os
import signal
import time

from connections.database.clock import database_now
from connections.database.pool import release_database
from connections.drills.faults import Answer
from connections.drills.ground import Ground, Running, Subject
from connections.drills.oracles import expect, expect_equal, expect_refreshed
from connections.drills.phases import hold_claims, hold_promotion, hold_stores, kill_held, wait_until_held
from connections.lifecycle.refresh.claim_query import find_apps
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.together import refresh_together
from connections.models import Reason, Status
from providers.sandbox.waiting import until

_COUNT = 4
_BEGIN_SECONDS = 30.0
_STALL = Answer("stall", {"seconds": 15})  # or until it is released


def _end_leases(ground: Ground, subjects: list[Subject]) -> None:
    for subject in subjects:
        ground.pass_time(subject)
    recover_unfinished(now=database_now())


def _expect_each(ground: Ground, subjects: list[Subject], *, attempts: list[str], stages: list[str]) -> None:
    for subject in subjects:
        expect_equal(ground.attempts(subject), attempts, "the attempts")
        expect_equal(ground.stages(subject), stages, "the versions")


def _expect_one_request_each(ground: Ground, subjects: list[Subject]) -> None:
    """Raise ``Broken`` unless the provider rotated each token once, and every connection has one that works."""
    requests = ground.requests(subjects[0])  # of their common app
    expect_equal([entry.outcome for entry in requests], ["rotated"] * len(subjects), "what the provider did")
    presented = {entry.refresh_presented for entry in requests}
    expect_equal(len(presented), len(subjects), "the tokens that were presented")
    for subject in subjects:
        ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
        expect(ground.works(subject), "the credential does not work")


def killed_claimed(ground: Ground) -> str:
    """kill -9 after a claim of several refreshes, before any of their requests."""
    subjects = ground.connect(grace_seconds=0, count=_COUNT)
    with ground.in_process(*subjects) as process, hold_claims(ground) as release:
        wait_until_held(ground, "advisory")
        expect_equal([ground.attempts(subject) for subject in subjects], [[]] * _COUNT, "what others see of it")
        os.kill(process.pid, signal.SIGSTOP)
        release()
        until(lambda: ground.attempts(subjects[-1]) == ["sent"], "the commit of the claims")
        process.kill()
        process.wait()
    _expect_each(ground, subjects, attempts=["sent"], stages=["current"])
    expect(not ground.requests(subjects[0]), "something was sent")
    _end_leases(ground, subjects)
    for subject in subjects:
        expect_refreshed(ground.refresh(subject).outcome)
    _expect_each(ground, subjects, attempts=["superseded", "promoted"], stages=["previous", "current"])
    _expect_one_request_each(ground, subjects)
    return "nothing was sent; each refreshed by the next"


def killed_stored(ground: Ground) -> str:
    """kill -9 after the answers were stored together, before they are promoted."""
    subjects = ground.connect(grace_seconds=0, count=_COUNT)
    ground.fault(subjects[0], _STALL, times=_COUNT)
    with ground.in_process(*subjects) as process:
        until(lambda: len(ground.requests(subjects[0])) == _COUNT, "the requests at the provider")
        with hold_promotion(ground, *subjects):
            ground.sandbox.release()
            until(lambda: all("received" in ground.stages(subject) for subject in subjects), "the store of the answers")
            kill_held(ground, process, "transactionid")
    _expect_each(ground, subjects, attempts=["received"], stages=["current", "received"])
    _end_leases(ground, subjects)
    _expect_each(ground, subjects, attempts=["promoted"], stages=["previous", "current"])
    _expect_one_request_each(ground, subjects)
    return "promoted without another request"


def cut_storing(ground: Ground) -> str:
    """The database session that stores the answers ends before it has done so."""
    subjects = ground.connect(grace_seconds=0, count=_COUNT)
    for subject in subjects:
        ground.due(subject)
    rows = [*find_apps(*(subject.id for subject in subjects)).values()]
    release_database()
    with hold_stores(ground):
        running = Running(lambda: refresh_together(rows, begin_by=time.monotonic() + _BEGIN_SECONDS))
        until(lambda: len(_answered(ground, subjects[0])) == _COUNT, "the answers of the provider")
        storing = wait_until_held(ground, "relation")
        with ground.session() as session:
            session.execute("SELECT pg_terminate_backend(%s)", [storing])
        until(lambda: len(list(ground.spool.glob("*.version"))) == _COUNT, "the answers in the spool")
    expect_equal(running.result(), [], "what failed")
    until(lambda: not list(ground.spool.glob("*.version")), "an empty spool")
    _expect_each(ground, subjects, attempts=["promoted"], stages=["previous", "current"])
    _expect_one_request_each(ground, subjects)
    return "all were spooled at once, and stored on a new connection"


def _answered(ground: Ground, subject: Subject) -> list[object]:
    return [entry for entry in ground.requests(subject) if entry.ended_at]
