"""What tests of whole stacks wait for, and what they ask of the stack's database and of its provider's log."""

import itertools
from collections import defaultdict
from typing import Any

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.stacks import control, database


def rows(stack: LocalStack, statement: str) -> list[Any]:
    """Return what a statement answers, or changes, in the stack's database."""
    with database(stack) as connected:
        cursor = connected.execute(statement)
        return cursor.fetchall() if cursor.description else []


def states(stack: LocalStack, connection: str) -> list[str]:
    """Return the states of the connection's attempts, oldest first."""
    statement = f"SELECT state FROM connections_refreshattempt WHERE connection_id = '{connection}' ORDER BY claimed_at"
    return [state for (state,) in rows(stack, statement)]


def reach(stack: LocalStack, connection: str, *wanted: str, seconds: float) -> None:
    """Return once the connection's attempts have the ``wanted`` states, oldest first."""
    until(
        lambda: states(stack, connection) == [*wanted],
        lambda: f"attempts {wanted}, but they are {states(stack, connection)}",
        seconds=seconds,
        pause=0.1,
    )


def refreshes(stack: LocalStack) -> list[Any]:
    """Return the provider's log of refreshes, oldest first; one that is being answered is in it."""
    return control(stack).log(grant_type="refresh_token")


def overlaps(entries: list[Any]) -> int:
    """Count the requests of one grant that began before an earlier one of it had ended."""
    by_grant = defaultdict(list)
    for entry in entries:
        by_grant[entry.grant_id].append((entry.started_at, entry.ended_at))
    count = 0
    for spans in by_grant.values():
        spans.sort()
        count += sum(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans) if earlier[1] is not None)
    return count
