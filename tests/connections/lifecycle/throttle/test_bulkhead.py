"""Bulkhead: whatever one provider does, threads are left for the others."""

from contextlib import ExitStack

import pytest

from connections.lifecycle.throttle.bulkhead import Bulkhead, Crowded


def fill(bulkhead: Bulkhead, holder: str, stack: ExitStack) -> int:
    """Take places for ``holder`` until it gets no more; return how many it got."""
    for count in range(1000):
        try:
            stack.enter_context(bulkhead.place(holder))
        except Crowded:
            return count
    raise AssertionError("the bulkhead has no end")


def test_each_slow_provider_leaves_a_third_of_what_it_found() -> None:
    bulkhead = Bulkhead(64)
    with ExitStack() as stack:
        assert [fill(bulkhead, f"slow-{number}", stack) for number in range(4)] == [43, 14, 5, 2]


def test_a_place_that_was_given_back_is_free_for_anybody() -> None:
    bulkhead = Bulkhead(6)
    for holder in ("slow", "other"):
        with ExitStack() as stack:
            assert fill(bulkhead, holder, stack) == 4


def test_a_place_is_given_back_whatever_happens() -> None:
    bulkhead = Bulkhead(1)
    for _ in range(3):
        with pytest.raises(ValueError, match="of the body"), bulkhead.place("app"):
            raise ValueError("of the body")
    with ExitStack() as stack:
        assert fill(bulkhead, "app", stack) == 1


def test_who_gets_no_place_has_sent_nothing_and_may_come_again_soon() -> None:
    bulkhead = Bulkhead(1)
    with bulkhead.place("app"), pytest.raises(Crowded) as refused, bulkhead.place("app"):
        pass
    assert not refused.value.sent
    assert refused.value.retry_after_seconds
