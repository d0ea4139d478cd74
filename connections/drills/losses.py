"""Scenarios: processes that die or stand still in the middle of a refresh, and rivals for the same connection."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection as database

from connections.drills.ground import Ground, Running, Subject, expect
from connections.lifecycle.claim import Need, Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.recover import recover_unfinished
from connections.lifecycle.refresh import refresh_and_wait
from connections.models import AttemptState, Reason, RefreshAttempt, Status
from providers.sandbox.waiting import until

_RIVALS = 8
_TOO_LONG_SECONDS = 5.5  # a claim must be sent within 5 s
_SLOW_INSERT = """
CREATE FUNCTION drill_slow_insert() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_sleep(1.5); RETURN NEW; END $$;
CREATE TRIGGER drill_slow_insert BEFORE INSERT ON connections_refreshattempt
FOR EACH ROW EXECUTE FUNCTION drill_slow_insert()
"""
_SLEEPS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'
"""


def _rotated(ground: Ground, subject: Subject) -> bool:
    return any(entry.outcome in ("rotated", "refreshed") for entry in ground.requests(subject))


def _killed_after_rotation(ground: Ground, subject: Subject) -> None:
    """Kill the refreshing process once the provider has rotated the token, before the answer is stored."""
    ground.fault(subject, "stall", seconds=20)
    with ground.in_process(subject) as process:
        until(lambda: _rotated(ground, subject), "the rotation at the provider")
        process.kill()
    until(lambda: ground.requests(subject)[-1].ended_at, "the end of the request at the provider")
    ground.pass_time(subject)
    recover_unfinished(now=database_now())


def killed(ground: Ground) -> str:
    """kill -9 between the rotation and the store; the provider has a grace period."""
    (subject,) = ground.connect(grace_seconds=120)
    _killed_after_rotation(ground, subject)
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFRESHED, f"the retry's outcome is {outcome}")
    expect(ground.works(subject), "the credential does not work")
    expect(len(ground.requests(subject)) == 2, "more than one retry was sent")
    return "retried once in the grace period; not lost"


def killed_strict(ground: Ground) -> str:
    """The same at a provider without a grace period."""
    (subject,) = ground.connect(grace_seconds=0)
    _killed_after_rotation(ground, subject)
    ground.refresh(subject)
    ground.expect_status(subject, Status.NEEDS_REAUTH, Reason.LOST_IN_FLIGHT)
    for _ in range(3):
        ground.pass_time(subject)
        recover_unfinished(now=database_now())
        ground.refresh(subject)
    notices = ground.events(subject, "connection.needs_reauth")
    expect(notices == 1, f"{notices} notices were given")
    sent = len(ground.requests(subject))
    expect(sent == 2, f"{sent} requests were sent")
    return "needs_reauth (lost_in_flight), one notice, no retry storm"


def rivals(ground: Ground) -> str:
    """Many are after the same connection at once."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, "stall", seconds=1)
    ground.due(subject)
    running = [Running(lambda: refresh_and_wait(subject.id, trigger="drill", need=Need())) for _ in range(_RIVALS)]
    outcomes = [one.result().outcome for one in running]
    sent = len(ground.requests(subject))
    expect(sent == 1, f"{sent} requests were sent")
    expect(set(outcomes) <= {Outcome.REFRESHED, Outcome.FRESH}, f"the outcomes are {sorted(set(outcomes))}")
    return f"1 request; {_RIVALS - 1} others left cleanly"


def redelivered(ground: Ground) -> str:
    """The same task is delivered twice."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.due(subject)
    first, second = (refresh_and_wait(subject.id, trigger="drill", need=Need()).outcome for _ in range(2))
    expect(first is Outcome.REFRESHED and second is Outcome.FRESH, f"the outcomes are {first} and {second}")
    expect(len(ground.requests(subject)) == 1, "two requests were sent")
    return "the second does nothing"


def stopped_before_send(ground: Ground) -> str:
    """SIGSTOP while a refresh is being claimed, for longer than a claim may wait."""
    (subject,) = ground.connect(grace_seconds=0)
    with _slow_claims(), ground.in_process(subject) as process:
        until(_claims, "a claim of the process")
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(_TOO_LONG_SECONDS)
        os.kill(process.pid, signal.SIGCONT)
        process.wait(30)
    sent = len(ground.requests(subject))
    expect(not sent, f"{sent} request was sent although the claim was {_TOO_LONG_SECONDS} s old")
    for attempt in RefreshAttempt.objects.filter(connection_id=subject.id):
        expect(attempt.state == AttemptState.ABORTED, f"the attempt is {attempt.state}, not aborted")
    expect(ground.refresh(subject).outcome is Outcome.REFRESHED, "it does not recover")
    return "aborted unsent, then refreshed"


@contextmanager
def _slow_claims() -> Iterator[None]:
    """Make the insertion of an attempt take 1.5 s, by a trigger: wide enough to stop a process in."""
    with database.cursor() as cursor:
        cursor.execute(_SLOW_INSERT)
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP FUNCTION drill_slow_insert CASCADE")


def _claims() -> bool:
    with database.cursor() as cursor:
        cursor.execute(_SLEEPS)
        row = cursor.fetchone()
    return bool(row and row[0])


def stopped_after_send(ground: Ground) -> str:
    """SIGSTOP while the provider answers, past the lease; the late answer is the only live token."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, "stall", seconds=1)
    with ground.in_process(subject) as process:
        until(lambda: _rotated(ground, subject), "the rotation at the provider")
        os.kill(process.pid, signal.SIGSTOP)
        until(lambda: ground.requests(subject)[-1].ended_at, "the answer of the provider")
        ground.pass_time(subject)
        recover_unfinished(now=database_now())
        os.kill(process.pid, signal.SIGCONT)
        process.wait(30)
    attempt = ground.attempt(subject)
    expect(attempt.state == AttemptState.PROMOTED, f"the late answer's attempt is {attempt.state}")
    ground.expect_status(subject, Status.ACTIVE)
    expect(ground.works(subject), "the credential does not work")
    expect(len(ground.requests(subject)) == 1, "more than one request was sent")
    return "the late answer was stored and promoted"


def revoked(ground: Ground) -> str:
    """The grant is revoked at the provider, without a word."""
    (subject,) = ground.connect()
    ground.sandbox.revoke(client_id=subject.client_id)
    ground.refresh(subject)
    ground.expect_status(subject, Status.SUSPECT, Reason.REFRESH_REFUSED)
    ground.pass_time(subject, seconds=31)
    ground.refresh(subject)
    ground.expect_status(subject, Status.NEEDS_REAUTH, Reason.GRANT_REJECTED)
    notices = ground.events(subject, "connection.needs_reauth")
    expect(notices == 1, f"{notices} notices were given")
    return "suspected, decided by a second refusal 30 s later, told once"
