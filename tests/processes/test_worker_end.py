"""How a worker ends: asked to, it finishes what is in flight; killed, it leaves nothing that stays stuck."""

import signal
from collections.abc import Iterator

import pytest

from config.local.demo.stack import LocalStack
from connections.lifecycle.refresh import presence
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, populate, running_stack
from tests.processes.observed import reach, refreshes, rows, states


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    folder = tmp_path_factory.mktemp("worker_end") / "stack"
    with running_stack(folder, "worker", "beat", "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def idle(stack: LocalStack) -> list[str]:
    """Connections that no test has touched."""
    connections: list[str] = populate(stack, 3, "--grace", "60")["connections"]
    return connections


def claimed(stack: LocalStack, connection: str, *, stall_seconds: float = 15) -> None:
    """Make the connection due at a provider that takes its time, and wait until the request is on its way."""
    control(stack).clear_log()
    control(stack).fault("stall", grant_type="refresh_token", seconds=stall_seconds)
    rows(stack, f"UPDATE connections_connection SET refresh_due_at = now() WHERE id = '{connection}'")
    until(lambda: refreshes(stack), "the refresh at the provider")


def test_a_worker_that_is_asked_to_end_finishes_its_refresh(stack: LocalStack, idle: list[str]) -> None:
    connection = idle.pop()
    claimed(stack, connection, stall_seconds=3)
    stack.stop_process("beat")
    stack.stop_process("worker")
    try:
        assert states(stack, connection) == ["promoted"]
        assert len(refreshes(stack)) == 1
    finally:
        stack.start_process("worker")
        stack.start_process("beat")


def test_a_refresh_whose_worker_was_killed_is_taken_up_by_the_next(stack: LocalStack, idle: list[str]) -> None:
    connection = idle.pop()
    claimed(stack, connection)
    stack.kill("worker", signal.SIGKILL)
    control(stack).release()
    assert states(stack, connection) == ["sent"]
    # The lease runs out, and the mark that a task is on its way.
    rows(stack, f"UPDATE connections_refreshattempt SET deadline_at = now() WHERE connection_id = '{connection}'")
    rows(stack, f"UPDATE connections_connection SET refresh_enqueued_until = NULL WHERE id = '{connection}'")
    reach(stack, connection, "superseded", "promoted", seconds=120)
    assert rows(stack, f"SELECT status FROM connections_connection WHERE id = '{connection}'") == [("active",)]
    follows = "SELECT follows_doubt FROM connections_refreshattempt WHERE state = 'promoted'"
    assert rows(stack, f"{follows} AND connection_id = '{connection}'") == [(True,)]


def test_two_workers_of_one_machine_are_two_claimants(stack: LocalStack, idle: list[str]) -> None:
    """Each holds a lock of its own: the death of one is noticed while the other lives, which takes its refresh up."""
    connection = idle.pop()
    stack.start_process("worker-2")
    try:
        until(lambda: len(rows(stack, presence.HELD_KEYS)) == 2, "the locks of both")
        claimed(stack, connection)
        killed = _claimants(stack, connection)[0][0]
        stack.kill("worker" if killed == stack.pid("worker") else "worker-2")
        control(stack).release()
        reach(stack, connection, "superseded", "promoted", seconds=120)
        (of_first, of_second) = _claimants(stack, connection)
        assert of_first[0] != of_second[0]
        assert of_first[1] != of_second[1]
    finally:
        stack.stop_process("worker-2")


def _claimants(stack: LocalStack, connection: str) -> list[tuple[int, int]]:
    """Return the process id and the key of each attempt's claimant, oldest first."""
    attempts = f"FROM connections_refreshattempt WHERE connection_id = '{connection}' ORDER BY claimed_at"
    return [(int(by.split(":")[1]), key) for by, key in rows(stack, f"SELECT claimed_by, claimant_key {attempts}")]
