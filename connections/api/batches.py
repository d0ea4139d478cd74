"""Answers together what waits at the same time, in a few threads: nobody waits for a batch to fill."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from connections.lifecycle.refresh.waits import Run

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


class Batches(Generic[Asked, Answer]):
    """Asks ``answer_all`` for whatever has come since it was asked last, up to ``largest`` at once.

    ``at_once`` batches run at the same time, each in a thread of ``run``'s. A batch begins when the loop has run what
    it had to run, so that those who are woken together share one. The more ask, the more share a batch.
    """

    def __init__(
        self, answer_all: Callable[[Sequence[Asked]], Sequence[Answer]], *, run: Run, at_once: int, largest: int
    ) -> None:
        self._answer_all = answer_all
        self._run = run
        self._places = at_once
        self._largest = largest
        self._waiting: deque[tuple[Asked, asyncio.Future[Answer]]] = deque()
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Answer:
        """Return the answer to ``asked``. Raises what ``answer_all`` raised for the whole batch."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._begin)
        self._waiting.append((asked, future))
        return await future

    def _begin(self) -> None:
        while self._waiting and len(self._under_way) < self._places:
            batch = [self._waiting.popleft() for _ in range(min(self._largest, len(self._waiting)))]
            task = asyncio.create_task(self._answer(batch))
            self._under_way.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: "asyncio.Task[None]") -> None:
        self._under_way.discard(task)
        self._begin()

    async def _answer(self, batch: "list[tuple[Asked, asyncio.Future[Answer]]]") -> None:
        wanted = [(asked, future) for asked, future in batch if not future.done()]  # the others have gone
        if not wanted:
            return
        try:
            answers = await self._run(self._answer_all, [asked for asked, _ in wanted])
        except Exception as error:  # noqa: BLE001 (each asker gets it)
            for _, future in wanted:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(wanted, answers, strict=True):
            if not future.done():
                future.set_result(answer)
