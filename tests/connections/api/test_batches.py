"""Batches: who asks together is answered together, and each gets its own answer."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from connections.api.batches import Batches


class Counter:
    """Answers numbers with their double, in batches that end when they are let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go = asyncio.Event()

    def answer(self, asked: Sequence[int]) -> list[int]:
        self.batches.append([*asked])
        return [2 * number for number in asked]

    async def run(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        answers = function(*arguments)
        await self.go.wait()
        return answers


def ask_all(numbers: Sequence[int], *, at_once: int = 1, largest: int = 4) -> tuple[list[int], list[list[int]], int]:
    """Return the answers, the batches, and how many of these ran at the same time."""

    async def main() -> tuple[list[int], list[list[int]], int]:
        counter = Counter()
        batches: Batches[int, int] = Batches(counter.answer, run=counter.run, at_once=at_once, largest=largest)
        tasks = [asyncio.create_task(batches.ask(number)) for number in numbers]
        await asyncio.sleep(0.01)
        together = len(counter.batches)
        counter.go.set()
        return await asyncio.gather(*tasks), counter.batches, together

    return asyncio.run(main())


def test_each_asker_gets_its_own_answer() -> None:
    answers, *_ = ask_all(range(11))
    assert answers == [2 * number for number in range(11)]


def test_who_asks_at_the_same_time_shares_a_batch() -> None:
    assert ask_all(range(11))[1] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10]]


def test_one_alone_waits_for_nobody_else() -> None:
    assert ask_all([7])[1] == [[7]]


def test_as_many_batches_run_at_once_as_are_allowed() -> None:
    assert [ask_all(range(11), at_once=number)[2] for number in (1, 2, 3)] == [1, 2, 3]


def test_a_failure_is_told_to_each_of_its_batch_and_to_nobody_else() -> None:
    def fail_once(asked: Sequence[int]) -> list[int]:
        if 0 in asked:
            raise ValueError("this batch")
        return [*asked]

    async def run(function: Callable[..., Any], /, *arguments: Any) -> Any:
        return function(*arguments)

    async def main() -> None:
        batches: Batches[int, int] = Batches(fail_once, run=run, at_once=1, largest=4)
        asked: list[Awaitable[int]] = [asyncio.create_task(batches.ask(number)) for number in range(6)]
        for of_the_first_batch in asked[:4]:
            with pytest.raises(ValueError, match="this batch"):
                await of_the_first_batch
        assert [await asked[4], await asked[5]] == [4, 5]

    asyncio.run(main())


def test_who_has_gone_is_not_asked_for() -> None:
    async def main() -> list[list[int]]:
        counter = Counter()
        batches: Batches[int, int] = Batches(counter.answer, run=counter.run, at_once=1, largest=4)
        first = asyncio.create_task(batches.ask(0))
        await asyncio.sleep(0.01)
        gone, last = (asyncio.create_task(batches.ask(number)) for number in (1, 2))
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0)
        counter.go.set()
        assert (await first, await last) == (0, 4)
        return counter.batches

    assert asyncio.run(main()) == [[0], [2]]
