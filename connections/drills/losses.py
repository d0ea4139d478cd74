"""Scenarios: processes that die or stand still in the middle of a refresh, and rivals for the same connection."""

import os
import signal
import time
from subprocess import Popen

from connections.database.clock import database_now
from connections.drills import faults
from connections.drills.answers import told_as_lost
from connections.drills.faults import Answer
from connections.drills.ground import Ground, Running, Subject
from connections.drills.oracles import expect, expect_equal, expect_refreshed
from connections.drills.phases import Phase, hold_claims, hold_promotion, hold_stores, kill_held, wait_until_held
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import SEND_WITHIN_SECONDS, refresh_and_wait
from connections.models import Reason, Status, Trigger
from providers.sandbox.waiting import until

_RIVALS = 8
_GRACE_SECONDS = 120
_END_SECONDS = 120
# The provider rotates the token at once and answers when it is released; meanwhile the process is stopped or killed.
_STALL = Answer("stall", {"seconds": 15})
_LONG_STALL = Answer("stall", {"seconds": 20})


def _rotated(ground: Ground, subject: Subject) -> bool:
    return any(outcome in ("rotated", "refreshed") for outcome in ground.outcomes(subject))


def _kill(ground: Ground, subject: Subject, phase: Phase) -> None:
    """Kill -9 a process in the middle of a refresh, in ``phase``, and let its lease run out."""
    if phase is Phase.SENT:
        ground.fault(subject, _LONG_STALL)
    with ground.in_process(subject) as process:
        if phase is Phase.SENT:
            until(lambda: _rotated(ground, subject), "the request at the provider")
            process.kill()
            until(lambda: ground.requests(subject)[-1].ended_at, "the end of the request at the provider")
        else:
            with hold_stores(ground):
                kill_held(ground, process, "relation")
    expect_equal((ground.attempts(subject), ground.stages(subject)), (["sent"], ["current"]), f"killed {phase}")
    _end_lease(ground, subject)


def _end_lease(ground: Ground, subject: Subject) -> None:
    ground.pass_time(subject)
    recover_unfinished(now=database_now())


def killed(ground: Ground) -> str:
    """kill -9 between the rotation and the store; the provider has a grace period."""
    for phase in (Phase.SENT, Phase.ANSWERED):
        (subject,) = ground.connect(grace_seconds=_GRACE_SECONDS)
        _kill(ground, subject, phase)
        expect_refreshed(ground.refresh(subject).outcome)
        expect_equal(ground.attempts(subject), ["superseded", "promoted"], f"killed {phase}: the attempts")
        expect_equal(ground.attempts(subject, "follows_doubt"), [False, True], "which attempts follow a doubt")
        ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
        first, second = ground.requests(subject)
        expect_equal((first.outcome, second.outcome), ("rotated", "refreshed_in_grace"), "what the provider did")
        expect_equal(second.refresh_presented, first.refresh_presented, "the token of the retry")
        expect(ground.works(subject), "the credential does not work")
    return "retried once in the grace period; not lost"


def killed_strict(ground: Ground) -> str:
    """kill -9 between the rotation and the store, at a provider without a grace period."""
    told = ""
    for phase in (Phase.SENT, Phase.ANSWERED):
        (subject,) = ground.connect(grace_seconds=0)
        _kill(ground, subject, phase)
        ground.refresh(subject)
        told = told_as_lost(ground, subject)
    return told


def killed_stored(ground: Ground) -> str:
    """kill -9 between the store and the promotion, at a provider without a grace period."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, _STALL)
    with ground.in_process(subject) as process:
        until(lambda: ground.requests(subject), "the request at the provider")
        with hold_promotion(ground, subject):
            ground.sandbox.release()
            until(lambda: "received" in ground.stages(subject), "the store of the answer")
            kill_held(ground, process, "transactionid")
    expect_equal(ground.attempts(subject), ["received"], "the attempts")
    expect_equal(ground.stages(subject), ["current", "received"], "the versions")
    _end_lease(ground, subject)
    _is_promoted_alone(ground, subject)
    return "promoted without another request"


def _is_promoted_alone(ground: Ground, subject: Subject) -> None:
    """Raise ``Broken`` unless the credential of the one request is current and works."""
    expect_equal(ground.attempts(subject), ["promoted"], "the attempts")
    expect_equal(ground.stages(subject), ["previous", "current"], "the versions")
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")
    ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
    expect(ground.works(subject), "the credential does not work")


def rivals(ground: Ground) -> str:
    """Many callers refresh the same connection at once."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, Answer("stall", {"seconds": 1}))
    ground.due(subject)
    running = [
        Running(lambda: refresh_and_wait(subject.id, trigger=Trigger.DRILL, need=Need())) for _ in range(_RIVALS)
    ]
    outcomes = [one.result().outcome for one in running]
    sent = len(ground.requests(subject))
    expect(sent == 1, f"{sent} requests were sent")
    expect(set(outcomes) <= {Outcome.REFRESHED, Outcome.FRESH}, f"the outcomes are {sorted(set(outcomes))}")
    return f"1 request; {_RIVALS - 1} others left cleanly"


def redelivered(ground: Ground) -> str:
    """The same task is delivered twice."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.due(subject)
    first, second = (refresh_and_wait(subject.id, trigger=Trigger.DRILL, need=Need()).outcome for _ in range(2))
    expect(first is Outcome.REFRESHED and second is Outcome.FRESH, f"the outcomes are {first} and {second}")
    expect(len(ground.requests(subject)) == 1, "two requests were sent")
    return "the second does nothing"


def stopped_before_send(ground: Ground) -> str:
    """SIGSTOP after the claim, for longer than a claim may wait; another process takes over meanwhile."""
    (subject,) = ground.connect(grace_seconds=0)
    with ground.in_process(subject) as process:
        with hold_claims(ground) as release:
            wait_until_held(ground, "advisory")
            os.kill(process.pid, signal.SIGSTOP)
            stopped_at = time.monotonic()
            release()
            until(lambda: ground.attempts(subject) == ["sent"], "the commit of the claim")
        expect(not ground.requests(subject), "something was sent")
        _end_lease(ground, subject)
        expect_refreshed(ground.refresh(subject).outcome)
        time.sleep(max(0.0, stopped_at + SEND_WITHIN_SECONDS + 0.1 - time.monotonic()))
        _go_on(process)
    expect_equal(ground.attempts(subject, "error"), ["late", ""], "the attempts' errors")
    expect_equal(ground.attempts(subject), ["superseded", "promoted"], "the attempts")
    expect(ground.attempts(subject, "evidence")[0]["sent"] is False, "the evidence says that it was sent")
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")  # for the process that took over
    ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
    expect(ground.works(subject), "the credential does not work")
    return "aborted unsent; the one that took over refreshed"


def _go_on(process: "Popen[bytes]") -> None:
    """Resume a stopped process, and wait for its end."""
    os.kill(process.pid, signal.SIGCONT)
    process.wait(_END_SECONDS)


def _stop_after_send(ground: Ground, subject: Subject, process: "Popen[bytes]") -> None:
    """Stop a process while the provider has its request, until the answer is there and the lease is over."""
    until(lambda: _rotated(ground, subject), "the request at the provider")
    os.kill(process.pid, signal.SIGSTOP)
    ground.sandbox.release()
    until(lambda: ground.requests(subject)[-1].ended_at, "the answer of the provider")
    expect_equal(ground.attempts(subject), ["sent"], "the attempts")
    _end_lease(ground, subject)
    expect_equal(ground.attempts(subject), ["in_doubt"], "the attempts after the lease")


def stopped_after_send(ground: Ground) -> str:
    """SIGSTOP while the provider answers, past the lease; the late answer is the only live token."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, _STALL)
    with ground.in_process(subject) as process:
        _stop_after_send(ground, subject, process)
        _go_on(process)
    _is_promoted_alone(ground, subject)
    return "the late answer was stored and promoted"


def overtaken(ground: Ground) -> str:
    """SIGSTOP while the provider answers; another refresh overtakes it, whose token is refused later."""
    (subject,) = ground.connect(grace_seconds=_GRACE_SECONDS)
    ground.fault(subject, _STALL)
    with ground.in_process(subject) as process:
        _stop_after_send(ground, subject, process)
        expect_refreshed(ground.refresh(subject).outcome)
        expect_equal(ground.attempts(subject), ["superseded", "promoted"], "the attempts when it was overtaken")
        _go_on(process)
    expect_equal(sorted(ground.stages(subject)), ["current", "orphan", "previous"], "the versions")
    expect_equal(ground.attempts(subject), ["superseded", "promoted"], "the attempts after the late answer")
    ground.fault(subject, faults.GRANT_REJECTED)
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.REFUSED, f"the outcome is {outcome}")
    expect_refreshed(ground.refresh(subject).outcome)
    expect_equal(ground.attempts(subject)[2:], ["rejected", "promoted"], "the attempts after the refusal")
    late, current, refused, saved = ground.requests(subject)
    expect_equal(current.refresh_presented, late.refresh_presented, "the token of the one that took over")
    expect_equal(refused.refresh_presented, current.refresh_issued, "the token that was refused")
    expect_equal(saved.refresh_presented, late.refresh_issued, "the token that was tried instead")
    ground.expect_status(subject, Status.ACTIVE)
    expect("connection.needs_reauth" not in ground.kinds_of_events(subject), "the end user was asked")
    expect(ground.works(subject), "the credential does not work")
    return "the late answer was kept, and saved the connection"


def revoked(ground: Ground) -> str:
    """The grant is revoked at the provider, without notice."""
    (subject,) = ground.connect()
    ground.sandbox.revoke(client_id=subject.client_id)
    ground.refresh(subject)
    ground.expect_status(subject, Status.SUSPECT, Reason.REFRESH_REFUSED)
    ground.pass_time(subject, seconds=31)
    ground.refresh(subject)
    ground.expect_status(subject, Status.NEEDS_REAUTH, Reason.GRANT_REJECTED)
    notices = len(ground.events(subject, "connection.needs_reauth"))
    expect(notices == 1, f"{notices} notices were given")
    return "suspected, decided by a second refusal 30 s later, told once"
