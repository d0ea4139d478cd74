"""The death of a process is noticed in seconds, and nobody who lives is taken for dead."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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
    """The process that claimed, the key of its lock, and what it claimed."""

    pid: int
    key: int
    connection: str


@pytest.fixture(scope="module")
def beaten(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A beat and a worker, and connections for every test."""
    with running_stack(tmp_path_factory.mktemp("presence") / "stack", "worker", "beat", "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def idle(beaten: LocalStack) -> list[str]:
    """Connections that no test has touched."""
    return connected(beaten, 3)


@pytest.fixture(scope="module")
def ensure_second(beaten: LocalStack) -> Iterator[Callable[[], None]]:
    """Start a second worker, unless the last one lives."""
    started: list[subprocess.Popen[bytes]] = []
    with ExitStack() as running:

        def ensure() -> None:
            if not started or started[-1].poll() is not None:
                started.append(running.enter_context(extra_worker(beaten)))

        yield ensure


@pytest.fixture
def stack(beaten: LocalStack, ensure_second: Callable[[], None]) -> LocalStack:
    """A beat and two workers: a supervised one, which comes back when it was killed, and one of this module's own."""
    ensure_second()
    until(lambda: len(present(beaten)) == 2, "the locks of both workers", seconds=60)
    return beaten


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A beat and a worker on a PostgreSQL of their own."""
    with stack_to_break(tmp_path_factory.mktemp("own_server") / "stack", "worker", "beat", "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def idle_there(own_server: LocalStack) -> list[str]:
    """Connections on that server that no test has touched."""
    return connected(own_server, 2)


def present(stack: LocalStack) -> list[int]:
    """The backends that hold a lock for a process of this stack."""
    found = rows(
        stack,
        "SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory'"
        " AND application_name ^@ 'latchkey presence' AND datname = current_database()",
    )
    return [pid for (pid,) in found]


def connected(stack: LocalStack, count: int) -> list[str]:
    """Fill the stack with connections whose provider bears with a refresh token that is sent again."""
    connections: list[str] = populate(stack, count, "--grace", "120")["connections"]
    return connections


def attempts(connection: str, columns: str) -> str:
    """Return the statement that reads the connection's attempts, oldest first."""
    return f"SELECT {columns} FROM connections_refreshattempt WHERE connection_id = '{connection}' ORDER BY claimed_at"


def status_of(connection: str) -> str:
    """Return the statement that reads the connection's status."""
    return f"SELECT status FROM connections_connection WHERE id = '{connection}'"


def claimed(stack: LocalStack, connection: str) -> Claimant:
    """Have a worker send a refresh that the provider answers when it is released; returns while it is under way."""
    control(stack).clear_log()
    control(stack).fault("stall", grant_type="refresh_token", seconds=18)
    rows(stack, f"UPDATE connections_connection SET refresh_due_at = now() WHERE id = '{connection}'")
    until(lambda: refreshes(stack), "the refresh at the provider")
    ((claimed_by, key),) = rows(stack, attempts(connection, "claimed_by, claimant_key"))
    assert key is not None, "the process claimed before it held its lock"
    return Claimant(int(claimed_by.split(":")[1]), key, connection)


def test_a_killed_process_s_refresh_is_retried_within_seconds(stack: LocalStack, idle: list[str]) -> None:
    claimant = claimed(stack, idle.pop())
    os.kill(claimant.pid, signal.SIGKILL)
    control(stack).release()
    ((killed_at,),) = rows(stack, "SELECT clock_timestamp()")
    reach(stack, claimant.connection, "superseded", "promoted", seconds=120)
    (first, second) = rows(stack, attempts(claimant.connection, "error, claimed_at, deadline_at, follows_doubt"))
    seconds = (second[1] - killed_at).total_seconds()
    print(f"retried {seconds:.1f} s after the kill")
    assert first[0] == "abandoned"
    assert second[3] is True
    assert second[1] < first[2], "the lease was not over"
    assert rows(stack, status_of(claimant.connection)) == [("active",)]


def test_a_stopped_process_keeps_its_lock_and_its_refresh(stack: LocalStack, idle: list[str]) -> None:
    claimant = claimed(stack, idle.pop())
    os.kill(claimant.pid, signal.SIGSTOP)
    control(stack).release()
    time.sleep(LONG_ENOUGH_SECONDS)
    seen = rows(stack, attempts(claimant.connection, "state, absent_since"))
    os.kill(claimant.pid, signal.SIGCONT)
    assert seen == [("sent", None)]
    reach(stack, claimant.connection, "promoted", seconds=120)
    assert len(refreshes(stack)) == 1


def test_a_stopped_process_s_answer_is_kept_though_its_lease_ran_out(stack: LocalStack, idle: list[str]) -> None:
    claimant = claimed(stack, idle.pop())
    os.kill(claimant.pid, signal.SIGSTOP)
    control(stack).release()
    lapsed = "UPDATE connections_refreshattempt SET deadline_at = now()"
    rows(stack, f"{lapsed} WHERE connection_id = '{claimant.connection}'")
    try:
        reach(stack, claimant.connection, "superseded", "promoted", seconds=120)
    finally:
        os.kill(claimant.pid, signal.SIGCONT)
    stages = f"SELECT stage FROM connections_credentialversion WHERE connection_id = '{claimant.connection}'"
    until(
        lambda: sorted(stage for (stage,) in rows(stack, stages)) == ["current", "orphan", "previous"],
        "the late answer as an orphan",
        seconds=120,
    )
    assert rows(stack, status_of(claimant.connection)) == [("active",)]


@pytest.mark.parametrize("way", ["restarted", "crashed"])
def test_no_living_process_is_taken_for_dead_when_the_database_comes_back(
    own_server: LocalStack, idle_there: list[str], way: str
) -> None:
    until(lambda: present(own_server), "the lock of the worker", seconds=60)
    claimant = claimed(own_server, idle_there.pop())
    (before,) = present(own_server)
    assert own_server.postgres is not None
    if way == "restarted":
        own_server.postgres.restart(immediate=True)
    else:
        os.kill(before, signal.SIGKILL)  # the server ends every session, and goes on under the same start time
        until(lambda: _answers(own_server), "a database that answers")
    (after,) = until(lambda: present(own_server), "the lock of the worker")
    assert after != before
    time.sleep(LONG_ENOUGH_SECONDS)
    seen = rows(own_server, attempts(claimant.connection, "state, claimant_key"))
    control(own_server).release()
    assert seen == [("sent", claimant.key)]
    reach(own_server, claimant.connection, "promoted", seconds=120)
    assert len(refreshes(own_server)) == 1


def _answers(stack: LocalStack) -> bool:
    try:
        return bool(rows(stack, "SELECT 1"))
    except psycopg.OperationalError:
        return False
