"""Lanes: threads that are kept apart, so that work which waits for a provider never takes the threads of other work.

A request waits for its turn in the event loop, and holds no thread meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import Any

from connections.refusals import Busy

BUSY = "Latchkey is busy: try again in a few seconds."
BUSY_SECONDS = 2.0


class LaneFull(Busy):
    """So much waits in this lane already that waiting makes no sense."""

    def __init__(self) -> None:
        super().__init__(BUSY, retry_after_seconds=BUSY_SECONDS)


class Lane:
    """``threads`` threads, for which up to ``most_waiting`` wait, each for ``wait_seconds`` at most.

    ``executor`` replaces the threads, for tests.
    """

    def __init__(
        self,
        name: str,
        *,
        threads: int,
        most_waiting: int = 1000,
        wait_seconds: float = 10.0,
        executor: Executor | None = None,
    ) -> None:
        self.executor = executor or ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._places = asyncio.Semaphore(threads)
        self._most_waiting = most_waiting
        self._waiting = 0
        self._wait_seconds = wait_seconds

    async def run(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        """Run ``function`` in a thread of this lane, when it is its turn, and return what it returns.

        Raises ``LaneFull``, and what ``function`` raises.
        """
        async with self.place():
            run = copy_context().run  # the span that this belongs to
            return await asyncio.get_running_loop().run_in_executor(self.executor, run, function, *arguments)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Wait for a place, and hold it. Raises ``LaneFull``."""
        if self._places.locked():
            await self._wait()
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    async def _wait(self) -> None:
        if self._waiting >= self._most_waiting:
            raise LaneFull
        self._waiting += 1
        try:
            await asyncio.wait_for(self._places.acquire(), self._wait_seconds)
        except TimeoutError:
            raise LaneFull from None
        finally:
            self._waiting -= 1
