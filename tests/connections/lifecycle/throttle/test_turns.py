"""Turns: whose it is, in Redis as it really runs, by a clock that is given: so it matters to none how busy all are."""

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from connections.lifecycle.throttle.turns import hold, leave, take_turn

QUICK, FAST, SLOW = 60_000, 3000, 100


@dataclass(slots=True)
class Line:
    """The line of a credential by which nobody has called yet, and the time there."""

    key: str = field(default_factory=lambda: f"connection:{uuid.uuid4()}")
    now: float = 1_000_000.0

    def ask(self, caller: str, per_minute: int) -> float:
        return take_turn(self.key, caller, per_minute, now=self.now)

    def empty(self, caller: str, *, per_minute: int) -> int:
        """Take as many turns as there are at once, and return how many these were."""
        taken = 0
        while self.ask(caller, per_minute) == 0.0:
            taken += 1
        leave(self.key, caller)
        return taken

    def order(self, callers: Sequence[str], *, turns: int, renamed: str = "") -> list[str]:
        """Return who gets ``turns`` turns, of callers who all ask again and again, a hundred times a second.

        Those whose names begin with ``renamed`` have another one for each turn.
        """
        self.empty("before/them/all", per_minute=FAST)
        asking, had = list(callers), list[str]()
        while len(had) < turns:
            self.now += 0.01
            for place, caller in enumerate(asking):
                if self.ask(caller, FAST) == 0.0:
                    had.append(caller)
                    if renamed and caller.startswith(renamed):
                        asking[place] = f"{renamed}{uuid.uuid4()}"
        return had[:turns]


@pytest.fixture
def line() -> Line:
    return Line()


def test_a_twentieth_of_a_minute_may_go_at_once_and_no_more(line: Line) -> None:
    assert line.empty("a", per_minute=100) == 5
    assert 0 < line.ask("a", 100) <= 60 / 95


def test_in_a_minute_no_more_goes_than_the_provider_allows(line: Line) -> None:
    taken = 0
    for _ in range(6000):
        taken += line.ask("a", 600) == 0.0
        line.now += 0.01
    assert 590 <= taken <= 600


def test_redis_s_own_clock_counts_where_none_is_given(line: Line) -> None:
    assert take_turn(line.key, "a", 20) == 0.0
    assert 0 < take_turn(line.key, "a", 20) <= 60 / 19
    hold(line.key, 60.0)
    assert 3.2 < take_turn(line.key, "a", 20) <= 60.0


def test_whoever_had_fewer_turns_comes_first(line: Line) -> None:
    assert line.empty("greedy", per_minute=SLOW) == 5
    assert line.ask("greedy", SLOW) > 0
    assert line.ask("modest", SLOW) > 0
    line.now += 0.65  # there is one turn, and both wait for it
    assert line.ask("greedy", SLOW) > 0
    assert line.ask("modest", SLOW) == 0.0


def test_a_place_that_is_left_holds_nobody_back(line: Line) -> None:
    line.empty("greedy", per_minute=SLOW)
    assert line.ask("modest", SLOW) > 0
    leave(line.key, "modest")
    line.now += 0.65
    assert line.ask("greedy", SLOW) == 0.0


def test_a_caller_that_died_is_left_out_after_a_while(line: Line) -> None:
    line.empty("greedy", per_minute=SLOW)
    soonest = line.ask("dead", SLOW)
    assert soonest > 0
    line.now += soonest + 0.01
    assert line.ask("greedy", SLOW) > 0, "the one turn is kept for whoever was first in the line"
    line.now += 1.0
    assert line.ask("greedy", SLOW) == 0.0


def test_a_caller_gets_no_more_turns_by_naming_many_end_users(line: Line) -> None:
    named = [f"acme/greedy/user {number}" for number in range(20)]
    had = line.order(["acme/modest/ann", *named], turns=30)
    assert 14 <= sum(caller.startswith("acme/modest") for caller in had) <= 16
    assert max(Counter(had)[name] for name in named) == 1


def test_nor_by_a_new_name_for_each_request(line: Line) -> None:
    named = [f"acme/greedy/{number}" for number in range(20)]
    had = line.order(["acme/modest/ann", *named], turns=30, renamed="acme/greedy/")
    assert 14 <= sum(caller.startswith("acme/modest") for caller in had) <= 16
    assert len(set(had)) == 1 + sum(caller.startswith("acme/greedy") for caller in had)


def test_a_tenant_gets_no_more_turns_by_many_api_clients(line: Line) -> None:
    many = [f"acme/client {number}/" for number in range(20)]
    had = line.order([*many, "globex/one/"], turns=30)
    assert 14 <= sum(caller.startswith("globex") for caller in had) <= 16


def test_what_a_client_leaves_is_shared_by_the_end_users_of_another(line: Line) -> None:
    had = line.order(["acme/one/ann", "acme/one/bob", "acme/one/eve"], turns=30)
    assert sorted(Counter(had).values()) == [10, 10, 10]


def test_nobody_s_turn_comes_while_the_provider_wants_to_be_left_alone(line: Line) -> None:
    hold(line.key, 7.0, now=line.now)
    line.now += 1.0
    assert line.ask("a", QUICK) == pytest.approx(6.0)
    assert take_turn(f"{line.key}-other", "a", QUICK, now=line.now) == 0.0
