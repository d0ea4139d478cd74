"""How a worker ends: asked to, it finishes what is in flight; killed, it leaves nothing that stays stuck."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database, populate, running_stack, scalar
from tests.processes.observed import reach, refreshes, states


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[LocalStack]:
    with running_stack(tmp_path / "stack", "worker", "beat", "sandbox") as running:
        yield running


def make_due(stack: LocalStack, *, stall_seconds: float) -> None:
    """Make one connection due at a provider that takes its time, and wait until the request is on its way."""
    populate(stack, 1, "--grace", "60")
    control(stack).fault("stall", grant_type="refresh_token", seconds=stall_seconds)
    with database(stack) as connected:
        connected.execute("UPDATE connections_connection SET refresh_due_at = now()")
    until(lambda: refreshes(stack), "the refresh at the provider", seconds=40)


def test_a_worker_that_is_asked_to_end_finishes_its_refresh(stack: LocalStack) -> None:
    make_due(stack, stall_seconds=3)
    stack.stop_process("beat")
    stack.stop_process("worker")
    assert states(stack) == ["promoted"]
    assert len(refreshes(stack)) == 1


def test_a_refresh_whose_worker_was_killed_is_taken_up_by_the_next(stack: LocalStack) -> None:
    make_due(stack, stall_seconds=4)
    stack.kill("worker", signal.SIGKILL)
    assert states(stack) == ["sent"]
    with database(stack) as connected:
        # The lease runs out, and the mark that a task is on its way.
        connected.execute("UPDATE connections_refreshattempt SET deadline_at = now()")
        connected.execute("UPDATE connections_connection SET refresh_enqueued_until = NULL")
        reach(stack, "superseded", "promoted", seconds=60)
        assert scalar(connected, "SELECT status FROM connections_connection") == "active"
        assert scalar(connected, "SELECT follows_doubt FROM connections_refreshattempt WHERE state = 'promoted'")
