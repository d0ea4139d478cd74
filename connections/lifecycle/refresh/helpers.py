"""Helpers: the threads of a process that send the refreshes of one message at the same time.

All messages share them, in turn: the first in line gets as many as it can use. If none comes free for a while, because
providers do not answer, whoever waits goes on without.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import ParamSpec, TypeVar

from connections.database.pool import release_database

THREADS = 64
STALLED_SECONDS = 1.0

_P = ParamSpec("_P")
_R = TypeVar("_R")


@dataclass(slots=True, eq=False)
class _Turn:
    """One in the line, who wants so many helpers."""

    wanted: int
    granted: int = 0
    is_come: threading.Event = field(default_factory=threading.Event)


class Helpers:
    """A number of threads, and the line of those that wait for some of them."""

    def __init__(self, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="refresh")
        self._threads = self._free = threads
        self._guard = threading.Lock()
        self._line: deque[_Turn] = deque()
        self._freed_at = 0.0

    def take(self, wanted: int) -> int:
        """Return how many helpers the caller has now: up to ``wanted``, for which it waits its turn.

        It gets fewer, or none, if none has come free for ``STALLED_SECONDS``. Use each with ``run``, or ``give_back``.
        """
        if wanted < 1:
            return 0
        turn, began = _Turn(min(wanted, self._threads)), time.monotonic()
        with self._guard:
            self._line.append(turn)
            self._serve()
        while not turn.is_come.wait(max(0.0, max(began, self._freed_at) + STALLED_SECONDS - time.monotonic())):
            with self._guard:
                if turn.granted or time.monotonic() < max(began, self._freed_at) + STALLED_SECONDS:
                    continue
                if turn is self._line[0]:
                    turn.granted, self._free = self._free, 0
                self._line.remove(turn)
                self._serve()
                break
        return turn.granted

    def run(self, act: Callable[_P, _R], *arguments: _P.args, **named: _P.kwargs) -> "Future[_R]":
        """Call ``act`` in a helper that the caller has taken; the helper is free afterwards."""

        def run() -> _R:
            try:
                return act(*arguments, **named)
            finally:
                release_database()
                self.give_back(1)

        return self._executor.submit(run)

    def give_back(self, count: int) -> None:
        """Give back helpers that were taken and not used."""
        if count:
            with self._guard:
                self._free += count
                self._freed_at = time.monotonic()
                self._serve()

    def _serve(self) -> None:
        while self._line and self._line[0].wanted <= self._free:
            turn = self._line.popleft()
            turn.granted = turn.wanted
            self._free -= turn.wanted
            turn.is_come.set()


def helpers_of_process() -> Helpers:
    """Return the helpers of this process. The first call in a process makes them; their threads begin when needed."""
    return _helpers(os.getpid())


@lru_cache(maxsize=1)
def _helpers(_process: int) -> Helpers:
    return Helpers(THREADS)
