"""The helpers of a process: in turn, as many as one can use, and never for good where nothing comes free."""

import itertools
import threading
import time
from concurrent.futures import Future, wait

import pytest

from connections.lifecycle.refresh import helpers
from connections.lifecycle.refresh.helpers import Helpers, helpers_of_process
from providers.sandbox.waiting import until


class Taking:
    """A thread that takes helpers."""

    def __init__(self, line: Helpers, wanted: int) -> None:
        self.granted: list[int] = []
        self._thread = threading.Thread(target=lambda: self.granted.append(line.take(wanted)))
        self._thread.start()

    def wait(self) -> int:
        self._thread.join(60)
        return self.granted[0]


def in_line(line: Helpers, count: int) -> None:
    until(lambda: len(line._line) == count, "the line", pause=0.01)


def test_gives_what_is_wanted_and_no_more_than_there_are() -> None:
    line = Helpers(5)
    assert [line.take(0), line.take(3), line.take(2)] == [0, 3, 2]
    line.give_back(5)
    assert line.take(9) == 5


def test_the_first_in_line_gets_all_that_it_wants_before_the_next_gets_any() -> None:
    line = Helpers(4)
    assert line.take(4) == 4
    first = Taking(line, 3)
    in_line(line, 1)
    second = Taking(line, 1)
    in_line(line, 2)
    for _ in range(2):
        line.give_back(1)
    assert not first.granted and not second.granted
    line.give_back(1)
    assert first.wait() == 3
    assert not second.granted
    line.give_back(1)
    assert second.wait() == 1


def test_nobody_waits_for_helpers_that_do_not_come_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "STALLED_SECONDS", 0.2)
    line = Helpers(4)
    assert line.take(3) == 3
    began = time.monotonic()
    first = Taking(line, 4)
    until(lambda: line._line or first.granted, "the first in the line", pause=0.01)
    second = Taking(line, 2)
    assert (first.wait(), second.wait()) == (1, 0), "the first takes what is left"
    assert time.monotonic() - began >= 0.2
    line.give_back(4)
    assert line.take(4) == 4, "whoever left the line holds up nobody"


def test_waits_for_as_long_as_some_come_free(monkeypatch: pytest.MonkeyPatch) -> None:
    for stalled in (0.4, 10.0):
        monkeypatch.setattr(helpers, "STALLED_SECONDS", stalled)
        line = Helpers(3)
        assert line.take(3) == 3
        taking, moments = Taking(line, 3), [time.monotonic()]
        for _ in range(3):
            time.sleep(stalled / 2)
            line.give_back(1)
            moments.append(time.monotonic())
        granted = taking.wait()
        if max(after - before for before, after in itertools.pairwise(moments)) < 0.9 * stalled:
            break  # else this machine is so busy that none came free for too long
    assert granted == 3


def test_a_helper_is_free_when_its_call_has_ended_however_it_did() -> None:
    line = Helpers(2)
    assert line.take(2) == 2
    futures: list[Future[float]] = [line.run(lambda: 1 / 1), line.run(lambda: 1 / 0)]
    wait(futures, 10)
    assert futures[0].result() == 1
    assert isinstance(futures[1].exception(), ZeroDivisionError)
    assert line.take(2) == 2


def test_a_process_has_one_line() -> None:
    assert helpers_of_process() is helpers_of_process()
