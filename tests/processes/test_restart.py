"""Everything is killed in the middle of many refreshes: none of them overlaps with its retry, none is lost."""

from collections.abc import Iterator

import psycopg
import pytest

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, populate, stack_to_break
from tests.deadlines import BUSY_SECONDS
from tests.processes.observed import overlaps, refreshes, rows

CONNECTIONS = 24
LEASE_SECONDS = 60
# What is left of a lease, and of a sweep's mark, is waited for; the rest is let pass in the database.
SKIPPED_SECONDS = 45


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with stack_to_break(tmp_path_factory.mktemp("restart") / "stack", "worker", "beat", "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def idle(stack: LocalStack) -> list[str]:
    """Connections that no test has touched."""
    connections: list[str] = populate(stack, 2 * CONNECTIONS, "--grace", "300")["connections"]
    return connections


@pytest.mark.parametrize(
    ("killed", "error"),
    [
        # The server lived on, and knows that they are dead.
        (("worker", "beat"), "abandoned"),
        # Nobody knows who lives: what was in flight waits for the end of its lease.
        (("worker", "beat", "valkey", "postgres"), "unanswered"),
    ],
    ids=["worker and beat", "everything"],
)
def test_none_is_stuck_for_longer_than_twice_the_lease(
    stack: LocalStack, idle: list[str], killed: tuple[str, ...], error: str
) -> None:
    taken = ", ".join(f"'{idle.pop()}'" for _ in range(CONNECTIONS))
    control(stack).clear_log()
    control(stack).settings(delay_seconds={"token": 1.5})
    rows(stack, f"UPDATE connections_connection SET refresh_due_at = now() WHERE id IN ({taken})")
    until(lambda: len(refreshes(stack)) >= CONNECTIONS // 4, "a quarter of the refreshes")
    ((killed_at,),) = rows(stack, "SELECT clock_timestamp()")
    for name in killed:
        stack.kill(name)
    until(lambda: _let_pass(stack, leases="postgres" in killed), "the end of every lease", seconds=120)
    until(
        lambda: _refreshed(stack, taken) == CONNECTIONS,
        "a refresh of every connection",
        seconds=240,
    )

    entries = refreshes(stack)
    attempts = f"FROM connections_refreshattempt WHERE connection_id IN ({taken})"
    ((taken_up_at,),) = rows(stack, f"SELECT max(claimed_at) {attempts} AND follows_doubt")
    stuck = (taken_up_at - killed_at).total_seconds() + SKIPPED_SECONDS
    ended = rows(stack, f"SELECT error, count(*) {attempts} AND state = 'superseded' GROUP BY 1")
    print(f"in flight: {ended}; taken up {stuck:.0f} s after the kill, {SKIPPED_SECONDS} of them let pass")
    assert [reason for reason, _ in ended] == [error]
    assert stuck < 2 * LEASE_SECONDS + BUSY_SECONDS
    assert overlaps(entries) == 0
    assert len({entry.grant_id for entry in entries}) == CONNECTIONS
    assert rows(stack, "SELECT DISTINCT status FROM connections_connection") == [("active",)]
    assert rows(stack, f"SELECT 1 {attempts} AND state IN ('sent', 'in_doubt', 'received')") == []


def _refreshed(stack: LocalStack, taken: str) -> int:
    attempts = f"FROM connections_refreshattempt WHERE connection_id IN ({taken})"
    ((count,),) = rows(stack, f"SELECT count(DISTINCT connection_id) {attempts} AND state = 'promoted'")
    return int(count)


def _let_pass(stack: LocalStack, *, leases: bool) -> bool:
    """Let 45 s pass for the marks of tasks that died with the worker, and for leases; False while nobody answers."""
    passed = f"interval '{SKIPPED_SECONDS} seconds'"
    try:
        rows(stack, f"UPDATE connections_connection SET refresh_enqueued_until = refresh_enqueued_until - {passed}")
        if leases:
            rows(stack, f"UPDATE connections_refreshattempt SET deadline_at = deadline_at - {passed}")
    except psycopg.OperationalError:
        return False
    return True
