"""Waits: however many wait for one refresh, one thread makes it, and all learn how it ended."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections as databases
from django.utils import timezone

from connections.database.clock import database_now
from connections.lifecycle.refresh.claim import Need, Outcome, RefreshReport
from connections.lifecycle.refresh.waits import AttemptEnds, Refreshes
from connections.lifecycle.throttle.bulkhead import bulkhead
from connections.models import AttemptState, Connection, RefreshAttempt
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import due


@pytest.fixture
def connection(connection: Connection) -> Connection:
    return due(connection)


class Threads:
    """Threads with database connections of their own, which are closed in the end."""

    def __init__(self) -> None:
        self.executor = ThreadPoolExecutor(8)
        self.most = 0
        self._busy = 0
        self._lock = threading.Lock()

    async def run(self, function: Callable[..., Any], /, *arguments: Any) -> Any:
        def work() -> Any:
            with self._lock:
                self._busy += 1
                self.most = max(self.most, self._busy)
            try:
                return function(*arguments)
            finally:
                with self._lock:
                    self._busy -= 1
                databases.close_all()

        return await asyncio.get_running_loop().run_in_executor(self.executor, work)


@pytest.fixture
def threads() -> Iterator[Threads]:
    made = Threads()
    yield made
    made.executor.shutdown()


def wait_for(
    threads: Threads, connection: Connection, *, count: int, seconds: float = 60.0
) -> tuple[list[RefreshReport], list[float]]:
    """Let ``count`` callers wait for the refresh of ``connection``; return their reports, and when each had its own."""
    need = Need(valid_until=timezone.now())

    async def main() -> list[tuple[RefreshReport, float]]:
        refreshes = Refreshes(run_refresh=threads.run, run_query=threads.run)

        async def one() -> tuple[RefreshReport, float]:
            report = await refreshes.refresh_and_wait(
                connection.id,
                places=(connection.provider_app_id,),
                need=need,
                min_ttl_seconds=None,
                wait_seconds=seconds,
            )
            return report, time.monotonic()

        return await asyncio.gather(*(one() for _ in range(count)))

    reports, moments = zip(*asyncio.run(main()), strict=True)
    return [*reports], [*moments]


def test_all_who_wait_share_one_refresh_and_one_thread(
    connection: Connection, sandbox: SandboxProcess, threads: Threads
) -> None:
    sandbox.control.settings(delay_seconds={"token": 0.3})
    reports, _ = wait_for(threads, connection, count=200)
    assert {report.outcome for report in reports} == {Outcome.REFRESHED}
    assert threads.most == 1
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1


def test_a_short_wait_ends_and_the_refresh_goes_on(
    connection: Connection, sandbox: SandboxProcess, threads: Threads
) -> None:
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=15)
    reports, _ = wait_for(threads, connection, count=5, seconds=0.05)
    assert {report.outcome for report in reports} == {Outcome.IN_FLIGHT}
    until(lambda: sandbox.control.log(grant_type="refresh_token"), "the refresh at the provider", pause=0.02)
    sandbox.control.release()
    threads.executor.shutdown()
    assert RefreshAttempt.objects.get(connection=connection).state == AttemptState.PROMOTED


def test_the_end_of_another_process_s_attempt_is_noticed_soon(connection: Connection, threads: Threads) -> None:
    now = database_now()
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        claimed_at=now,
        deadline_at=now.replace(year=now.year + 1),
    )
    ended_at: list[float] = []

    def end() -> None:
        RefreshAttempt.objects.filter(id=attempt.id).update(state=AttemptState.ABORTED)
        ended_at.append(time.monotonic())
        databases.close_all()

    timer = threading.Timer(0.3, end)
    timer.start()
    reports, moments = wait_for(threads, connection, count=20)
    timer.join()
    assert {report.outcome for report in reports} == {Outcome.REFRESHED}
    assert min(moments) >= ended_at[0]


def test_where_no_thread_may_call_the_provider_callers_wait_for_one(
    connection: Connection, sandbox: SandboxProcess, threads: Threads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulkhead, "_free", 1)
    with bulkhead.place("others"):
        reports, _ = wait_for(threads, connection, count=3, seconds=0.3)
        assert {report.outcome for report in reports} == {Outcome.IN_FLIGHT}
        assert sandbox.control.log(grant_type="refresh_token") == []
    reports, _ = wait_for(threads, connection, count=3)
    assert {report.outcome for report in reports} == {Outcome.REFRESHED}


@pytest.mark.parametrize("state", [AttemptState.PROMOTED, AttemptState.RECEIVED])
def test_an_answer_that_has_come_ends_the_wait(state: AttemptState, connection: Connection, threads: Threads) -> None:
    """Promoted is an end at once. Received is one if nobody promotes it, because its process may have died."""
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=state,
        claimed_at=database_now(),
        deadline_at=database_now(),
    )

    async def main() -> str:
        return await AttemptEnds(threads.run).wait(attempt.id, seconds=10)

    assert asyncio.run(main()) == state


def test_a_wait_for_an_attempt_has_an_end(connection: Connection, threads: Threads) -> None:
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        claimed_at=database_now(),
        deadline_at=database_now(),
    )

    async def main() -> str:
        return await AttemptEnds(threads.run).wait(attempt.id, seconds=0.05)

    assert asyncio.run(main()) == ""


def test_an_attempt_nobody_knows_has_ended(connection: Connection, threads: Threads) -> None:
    async def main() -> str:
        return await AttemptEnds(threads.run).wait(uuid.uuid4(), seconds=10)

    assert asyncio.run(main()) == ""


def test_an_impatient_caller_ends_nobody_else_s_wait(connection: Connection, threads: Threads) -> None:
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        claimed_at=database_now(),
        deadline_at=database_now(),
    )

    def end() -> None:
        RefreshAttempt.objects.filter(id=attempt.id).update(state=AttemptState.ABORTED)

    async def main() -> list[str]:
        ends = AttemptEnds(threads.run)
        patient = asyncio.create_task(ends.wait(attempt.id, seconds=10))
        impatient = await ends.wait(attempt.id, seconds=0.05)
        await threads.run(end)
        return [impatient, await patient]

    assert asyncio.run(main()) == ["", AttemptState.ABORTED]


def test_a_wait_outlives_a_database_that_is_away_for_a_moment(connection: Connection, threads: Threads) -> None:
    """The thread that asks keeps its connection, which the server ends here."""
    attempt = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        claimed_at=database_now(),
        deadline_at=database_now(),
    )
    executor = ThreadPoolExecutor(1)

    def cut_off() -> None:
        with database.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend()])

    def backend() -> int:
        return executor.submit(lambda: databases["default"].connection.info.backend_pid).result()

    async def run(function: Callable[..., Any], /, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, function, *arguments)

    async def main() -> str:
        waiting = asyncio.create_task(AttemptEnds(run).wait(attempt.id, seconds=10))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(cut_off_and_end)
        return await waiting

    def cut_off_and_end() -> None:
        cut_off()
        RefreshAttempt.objects.filter(id=attempt.id).update(state=AttemptState.ABORTED)
        databases.close_all()

    try:
        assert asyncio.run(main()) == AttemptState.ABORTED
    finally:
        executor.submit(databases.close_all).result()
        executor.shutdown()
