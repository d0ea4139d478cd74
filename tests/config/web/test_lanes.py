"""Lanes: who waits for a provider waits in its own lane, and in the event loop."""

import asyncio
import threading

import pytest

from config.web.lanes import Lane, LaneFull


def test_a_full_lane_keeps_nobody_of_another_lane_waiting() -> None:
    slow, quick = Lane("slow", threads=2), Lane("quick", threads=1)
    ended = threading.Event()

    async def main() -> None:
        waiting = [asyncio.create_task(slow.run(ended.wait)) for _ in range(10)]
        await asyncio.sleep(0)
        for _ in range(50):
            assert await quick.run(int) == 0
        ended.set()
        assert await asyncio.gather(*waiting) == [True] * 10

    asyncio.run(main())


def test_who_waits_for_a_thread_has_none() -> None:
    lane, ended, began = Lane("lane", threads=3), threading.Event(), threading.Semaphore(0)

    def work() -> str:
        began.release()
        ended.wait()
        return threading.current_thread().name

    async def main() -> list[str]:
        tasks = [asyncio.create_task(lane.run(work)) for _ in range(30)]
        for _ in range(3):
            await asyncio.to_thread(began.acquire)
        await asyncio.sleep(0.02)
        assert not began.acquire(blocking=False)
        ended.set()
        return await asyncio.gather(*tasks)

    assert len(set(asyncio.run(main()))) == 3


def test_too_many_are_turned_away_at_once_and_the_patient_after_a_while() -> None:
    lane, ended = Lane("lane", threads=1, most_waiting=1, wait_seconds=0.05), threading.Event()

    async def main() -> None:
        holder = asyncio.create_task(lane.run(ended.wait))
        await asyncio.sleep(0)
        patient = asyncio.create_task(lane.run(int))
        await asyncio.sleep(0)
        with pytest.raises(LaneFull):
            await lane.run(int)
        with pytest.raises(LaneFull):
            await patient
        ended.set()
        await holder
        assert await lane.run(int) == 0

    asyncio.run(main())


def test_a_failure_gives_its_place_back() -> None:
    lane = Lane("lane", threads=1, wait_seconds=0.05)

    async def main() -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await lane.run(lambda: 1 / 0)
        assert await lane.run(int) == 0

    asyncio.run(main())
