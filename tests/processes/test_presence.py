"""The death of a process is noticed in seconds, and nobody who lives is taken for dead."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, extra_worker, populate, running_stack, stack_to_break
from tests.processes.observed import reach, refreshes, rows

# By now an absence would have been seen twice and acted upon.
LONG_ENOUGH_SECONDS = 9


class Claimant(NamedTuple):
    """The process that claimed, and the key of its lock."""

    pid: int
    key: int


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    """A beat and two workers."""
    with (
        running_stack(tmp_path / "stack", "worker", "beat", "sandbox") as running,
        extra_worker(running),
    ):
        until(lambda: len(present(running)) == 2, "the locks of both workers", seconds=60)
        yield running


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LocalStack]:
    """A beat and a worker on a PostgreSQL of their own."""
    with stack_to_break(tmp_path / "stack", "worker", "beat", "sandbox") as running:
        until(lambda: present(running), "the lock of the worker", seconds=60)
        yield running


def present(stack: LocalStack) -> list[int]:
    """The backends that hold a lock for a process of this stack."""
    found = rows(
        stack,
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
        " AND application_name = 'latchkey presence' AND datname = current_database()",
    )
    return [pid for (pid,) in found]


def claimed(stack: LocalStack, *, stall_seconds: float) -> Claimant:
    """Have a worker send a refresh that the provider answers late; returns while it is under way."""
    populate(stack, 1, "--grace", "120")
    control(stack).fault("stall", grant_type="refresh_token", seconds=stall_seconds)
    rows(stack, "UPDATE connections_connection SET refresh_due_at = now()")
    until(lambda: refreshes(stack), "the refresh at the provider", seconds=40)
    ((claimed_by, key),) = rows(stack, "SELECT claimed_by, claimant_key FROM connections_refreshattempt")
    assert key is not None, "the process claimed before it held its lock"
    return Claimant(int(claimed_by.split(":")[1]), key)


def test_a_killed_process_s_refresh_is_retried_within_seconds(stack: LocalStack) -> None:
    claimant = claimed(stack, stall_seconds=2)
    os.kill(claimant.pid, signal.SIGKILL)
    ((killed_at,),) = rows(stack, "SELECT clock_timestamp()")
    reach(stack, "superseded", "promoted", seconds=40)
    (first, second) = rows(
        stack, "SELECT error, claimed_at, deadline_at, follows_doubt FROM connections_refreshattempt ORDER BY 2"
    )
    seconds = (second[1] - killed_at).total_seconds()
    print(f"retried {seconds:.1f} s after the kill")
    assert first[0] == "abandoned"
    assert second[3] is True
    assert seconds < 20
    assert second[1] < first[2], "the lease was not over"
    assert [status for (status,) in rows(stack, "SELECT status FROM connections_connection")] == ["active"]


def test_a_stopped_process_keeps_its_lock_and_its_refresh(stack: LocalStack) -> None:
    claimant = claimed(stack, stall_seconds=1)
    os.kill(claimant.pid, signal.SIGSTOP)
    time.sleep(LONG_ENOUGH_SECONDS)
    seen = rows(stack, "SELECT state, absent_since FROM connections_refreshattempt")
    os.kill(claimant.pid, signal.SIGCONT)
    assert seen == [("sent", None)]
    reach(stack, "promoted", seconds=30)
    assert len(refreshes(stack)) == 1


def test_a_stopped_process_s_answer_is_kept_though_its_lease_ran_out(stack: LocalStack) -> None:
    claimant = claimed(stack, stall_seconds=1)
    os.kill(claimant.pid, signal.SIGSTOP)
    rows(stack, "UPDATE connections_refreshattempt SET deadline_at = now()")
    try:
        reach(stack, "superseded", "promoted", seconds=40)
    finally:
        os.kill(claimant.pid, signal.SIGCONT)
    stages = "SELECT stage FROM connections_credentialversion ORDER BY received_at"
    until(
        lambda: sorted(stage for (stage,) in rows(stack, stages)) == ["current", "orphan", "previous"],
        "the late answer as an orphan",
        seconds=30,
    )
    assert rows(stack, "SELECT status FROM connections_connection") == [("active",)]


@pytest.mark.parametrize("way", ["restarted", "crashed"])
def test_no_living_process_is_taken_for_dead_when_the_database_comes_back(own_server: LocalStack, way: str) -> None:
    claimant = claimed(own_server, stall_seconds=LONG_ENOUGH_SECONDS + 3)
    (before,) = present(own_server)
    assert own_server.postgres is not None
    if way == "restarted":
        own_server.postgres.restart(immediate=True)
    else:
        os.kill(before, signal.SIGKILL)  # the server ends every session, and goes on under the same start time
        until(lambda: _answers(own_server), "a database that answers", seconds=20)
    (after,) = until(lambda: present(own_server), "the lock of the worker", seconds=20)
    assert after != before
    time.sleep(LONG_ENOUGH_SECONDS)
    assert rows(own_server, "SELECT state, claimant_key FROM connections_refreshattempt") == [("sent", claimant.key)]
    reach(own_server, "promoted", seconds=40)
    assert len(refreshes(own_server)) == 1


def _answers(stack: LocalStack) -> bool:
    try:
        return bool(rows(stack, "SELECT 1"))
    except psycopg.OperationalError:
        return False
