"""Scenarios: the database or the broker fails under a refresh."""

import time

from connections.database.clock import database_now
from connections.drills.faults import Answer
from connections.drills.ground import Ground
from connections.drills.oracles import expect, expect_equal, expect_refreshed
from connections.drills.throwaway import hang_up
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.sweep import sweep_refreshes
from connections.models import Reason, Status
from providers.sandbox.waiting import until

_SPOOLED_WITHIN_SECONDS = 90.0  # each of the store's tries may wait for the pool
_STALL = Answer("stall", {"seconds": 15})  # or until it is released


def database_cut(ground: Ground) -> str:
    """Every session of the database ends while the provider answers."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, _STALL)
    running = ground.in_thread(subject)
    _cut(ground)
    ground.sandbox.release()
    expect_refreshed(running.result().outcome)
    expect_equal(ground.attempts(subject), ["promoted"], "the attempts")
    expect_equal(ground.stages(subject), ["previous", "current"], "the versions")
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")
    expect_equal(_spooled(ground), 0, "files in the spool")
    ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
    expect(ground.works(subject), "the credential does not work")
    return "stored on a new connection"


def database_away(ground: Ground) -> str:
    """The database accepts no connection; the worker is killed once the spool holds its answer."""
    (subject,) = ground.connect(grace_seconds=0)
    ground.fault(subject, _STALL)
    # Without a pool the process notices at once that the database is gone, not only after the pool's time-out.
    with ground.in_process(subject, DATABASE_POOL_SIZE="0") as process:
        until(lambda: ground.requests(subject), "the request at the provider")
        ground.server.allow_connections(allowed=False)
        began = time.monotonic()
        try:
            _cut(ground)
            ground.sandbox.release()
            until(lambda: _spooled(ground), "a file in the spool", seconds=_SPOOLED_WITHIN_SECONDS)
            took = time.monotonic() - began
            process.kill()
            process.wait()
        finally:
            ground.server.allow_connections(allowed=True)
    expect_equal(_spooled(ground), 1, "files in the spool: all that is left of the answer")
    hang_up()  # from here on this process acts as a newly started worker
    ground.pass_time(subject)  # after some seconds, a version that is not promoted counts as abandoned
    recover_unfinished(now=database_now())
    until(lambda: not _spooled(ground), "an empty spool")  # another thread may be replaying it, too
    recover_unfinished(now=database_now())
    expect_equal(ground.attempts(subject), ["promoted"], "the attempts after the replay")
    expect_equal(ground.stages(subject), ["previous", "current"], "the versions")
    expect_equal(ground.outcomes(subject), ["rotated"], "what the provider did")
    ground.expect_status(subject, Status.ACTIVE, Reason.CONNECTED)
    expect(ground.works(subject), "the credential does not work")
    return f"spooled after {took:.0f} s, stored and promoted although its worker was dead"


def _spooled(ground: Ground) -> int:
    return len(list(ground.spool.glob("*.version")))


def _cut(ground: Ground) -> None:
    """End every database session, and drop the connections of this process."""
    ground.server.cut_connections()
    hang_up()


def broker_away(ground: Ground) -> str:
    """No task can be sent; the credential has expired."""
    (subject,) = ground.connect()
    ground.expire(subject)
    sweep_refreshes(now=database_now())
    expect(ground.works(subject), "the vend was not refreshed inline")
    expect(len(ground.requests(subject)) == 1, "not exactly one request was sent")
    ground.due(subject)
    sweep_refreshes(now=database_now())
    ground.expect_status(subject, Status.ACTIVE)
    return "the vend refreshed inline; the sweep goes on"
