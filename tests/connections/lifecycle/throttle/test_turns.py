"""Turns: whose it is, in Redis as it really runs."""

import time
import uuid
from collections import Counter
from collections.abc import Sequence

import pytest

from connections.lifecycle.throttle.turns import hold, leave, take_turn

QUICK, FAST, SLOW = 60_000, 3000, 100


@pytest.fixture
def key() -> str:
    """A credential by which nobody has called yet."""
    return f"connection:{uuid.uuid4()}"


def turns_of(key: str, caller: str, *, per_minute: int) -> int:
    """Take as many turns as there are at once."""
    taken = 0
    while take_turn(key, caller, per_minute) == 0.0:
        taken += 1
    leave(key, caller)
    return taken


def test_a_twentieth_of_a_minute_may_go_at_once_and_no_more(key: str) -> None:
    assert turns_of(key, "a", per_minute=100) == 5
    assert 0 < take_turn(key, "a", 100) <= 60 / 95


def test_in_a_minute_no_more_goes_than_the_provider_allows(key: str) -> None:
    began, taken = time.monotonic(), 0
    while time.monotonic() - began < 1.0:
        taken += take_turn(key, "a", 600) == 0.0
    assert taken <= 600 / 20 + 1.1 * 600 * 19 / 20 / 60


def test_whoever_had_fewer_turns_comes_first(key: str) -> None:
    assert turns_of(key, "greedy", per_minute=SLOW) == 5
    assert take_turn(key, "greedy", SLOW) > 0
    assert take_turn(key, "modest", SLOW) > 0
    time.sleep(0.65)  # there is one turn, and both wait for it
    assert take_turn(key, "greedy", SLOW) > 0
    assert take_turn(key, "modest", SLOW) == 0.0


def test_a_place_that_is_left_holds_nobody_back(key: str) -> None:
    turns_of(key, "greedy", per_minute=SLOW)
    assert take_turn(key, "modest", SLOW) > 0
    leave(key, "modest")
    time.sleep(0.65)
    assert take_turn(key, "greedy", SLOW) == 0.0


def test_a_caller_that_died_is_left_out_after_a_while(key: str) -> None:
    turns_of(key, "greedy", per_minute=SLOW)
    soonest = take_turn(key, "dead", SLOW)
    assert soonest > 0
    time.sleep(soonest + 1.05)
    assert take_turn(key, "greedy", SLOW) == 0.0


def order_of(key: str, callers: Sequence[str], *, turns: int) -> list[str]:
    """Return who gets ``turns`` turns, one after the other, of callers that ask again as soon as they had one."""
    turns_of(key, "before/them/all", per_minute=SLOW)
    had: list[str] = []
    while len(had) < turns:
        had += [caller for caller in callers if take_turn(key, caller, FAST) == 0.0]
    return had[:turns]


def test_a_caller_gets_no_more_turns_by_naming_many_end_users(key: str) -> None:
    named = [f"acme/greedy/user {number}" for number in range(20)]
    had = order_of(key, ["acme/modest/ann", *named], turns=30)
    assert 13 <= sum(caller.startswith("acme/modest") for caller in had) <= 17
    assert max(Counter(had)[name] for name in named) <= 2


def test_nor_by_a_new_name_for_each_request(key: str) -> None:
    turns_of(key, "before/them/all", per_minute=SLOW)
    had: Counter[str] = Counter()
    waiting = {f"acme/greedy/{uuid.uuid4()}" for _ in range(20)}
    while had.total() < 30:
        for caller in ("acme/modest/ann", *sorted(waiting)):
            if take_turn(key, caller, FAST) == 0.0:
                had[caller.split("/")[1]] += 1
                waiting.discard(caller)
        waiting |= {f"acme/greedy/{uuid.uuid4()}" for _ in range(20 - len(waiting))}
    assert 13 <= had["modest"] <= 17


def test_a_tenant_gets_no_more_turns_by_many_api_clients(key: str) -> None:
    many = [f"acme/client {number}/" for number in range(20)]
    had = order_of(key, [*many, "globex/one/"], turns=30)
    assert 13 <= sum(caller.startswith("globex") for caller in had) <= 17


def test_what_a_client_leaves_is_shared_by_the_end_users_of_another(key: str) -> None:
    had = order_of(key, ["acme/one/ann", "acme/one/bob", "acme/one/eve"], turns=30)
    assert all(9 <= count <= 11 for count in Counter(had).values())


def test_nobody_s_turn_comes_while_the_provider_wants_to_be_left_alone(key: str) -> None:
    hold(key, 7.0)
    assert 6.0 < take_turn(key, "a", QUICK) <= 7.0
    assert take_turn(f"{key}-other", "a", QUICK) == 0.0
