import time

import pytest

from providers.sandbox.waiting import NotInTime, until


def test_returns_the_first_true_thing() -> None:
    looks = iter([None, [], "there", "too late"])
    assert until(lambda: next(looks), "something", pause=0) == "there"


def test_says_what_was_waited_for_and_how_long() -> None:
    with pytest.raises(NotInTime, match=r"^not within 0\.01 s: a miracle$"):
        until(lambda: False, "a miracle", seconds=0.01, pause=0)


def test_says_what_was_there_at_the_last_look() -> None:
    looks: list[int] = []
    with pytest.raises(NotInTime) as raised:
        until(lambda: looks.append(1), lambda: f"more than {len(looks)} looks", seconds=0.01, pause=0)
    assert str(raised.value) == f"not within 0.01 s: more than {len(looks)} looks"


def test_looks_once_more_after_the_deadline() -> None:
    late = time.monotonic() + 0.05
    assert until(lambda: time.monotonic() > late, "the deadline", seconds=0.01, pause=0.1)


def test_lets_rise_what_the_look_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        until(lambda: 1 / 0, "a number")
