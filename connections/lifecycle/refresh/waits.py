"""Waiting for a refresh without a thread: what an event loop of the web processes does for callers of the vend.

In one process, one refresh of a connection is made or awaited for all its callers. The refresh itself runs in a thread.
A refresh of another process is awaited by asking the database which of the awaited attempts are under way: one query
for all of them, at most a tenth of the time. ``refresh.refresh_and_wait`` does the same for one caller in its thread.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Protocol

from connections.database.pool import hand_back_database
from connections.lifecycle.refresh.claim import Need, Outcome, RefreshReport
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AttemptState, RefreshAttempt, Trigger

LONGEST_SECONDS = 60.0
_SHORTEST_PAUSE_SECONDS = 0.01
_UNNAMED_PAUSE_SECONDS = 0.1  # no attempt to wait for: the row is locked, or no thread may call this provider now
_POLLING_SHARE = 0.1


class Run(Protocol):
    """Runs a function in a thread, and returns what it returns."""

    def __call__(self, function: Callable[..., Any], /, *arguments: Any) -> Awaitable[Any]: ...


class Refreshes:
    """The refreshes that callers in this event loop wait for.

    ``run_refresh`` runs what calls a provider, ``run_query`` what asks the database alone.
    """

    def __init__(self, *, run_refresh: Run, run_query: Run) -> None:
        self._run_refresh = run_refresh
        self._ends = AttemptEnds(run_query)
        self._under_way: dict[tuple[uuid.UUID, float | None], asyncio.Task[RefreshReport]] = {}
        self._waiting: dict[asyncio.Task[RefreshReport], int] = {}

    async def refresh_and_wait(
        self, connection_id: uuid.UUID, *, need: Need, min_ttl_seconds: float | None, wait_seconds: float
    ) -> RefreshReport:
        """Refresh one connection, or wait up to ``wait_seconds`` for the refresh that is under way. Holds no thread.

        Callers with the same ``min_ttl_seconds`` share one refresh. An attempt that fails ends the wait at once.
        ``Outcome.IN_FLIGHT`` means that the time ran out; the refresh goes on.
        """
        key = (connection_id, min_ttl_seconds)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._refresh(connection_id, need))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        self._waiting[task] = self._waiting.get(task, 0) + 1
        try:
            return await asyncio.wait_for(asyncio.shield(task), wait_seconds)
        except TimeoutError:
            return RefreshReport(Outcome.IN_FLIGHT)
        finally:
            self._waiting[task] -= 1
            if not self._waiting[task]:
                del self._waiting[task]

    async def _refresh(self, connection_id: uuid.UUID, need: Need) -> RefreshReport:
        """Refresh, or wait for the attempt that is under way and look again, until nobody here waits any more."""
        task = asyncio.current_task()
        give_up_at = time.monotonic() + LONGEST_SECONDS
        while True:
            report: RefreshReport = await self._run_refresh(_refresh_for_callers, connection_id, need)
            is_wait = report.outcome in (Outcome.IN_FLIGHT, Outcome.CROWDED)
            if not is_wait or task not in self._waiting or time.monotonic() >= give_up_at:
                return report
            if report.attempt_id is None:
                await asyncio.sleep(_UNNAMED_PAUSE_SECONDS)
                continue
            state = await self._ends.wait(report.attempt_id, seconds=give_up_at - time.monotonic())
            if state == AttemptState.PROMOTED:
                return RefreshReport(Outcome.FRESH, report.attempt_id)


def _refresh_for_callers(connection_id: uuid.UUID, need: Need) -> RefreshReport:
    try:
        return refresh(connection_id, trigger=Trigger.VEND, need=need)
    finally:
        hand_back_database()


class AttemptEnds:
    """Tells when attempts end, whichever process makes them."""

    def __init__(self, run_query: Run) -> None:
        self._run = run_query
        self._awaited: dict[uuid.UUID, asyncio.Future[str]] = {}
        self._received: set[uuid.UUID] = set()
        self._poller: asyncio.Task[None] | None = None

    async def wait(self, attempt_id: uuid.UUID, *, seconds: float) -> str:
        """Return the state in which the attempt is when it is not under way any more; "" after ``seconds``.

        An answer that was received is promoted a moment later, unless the process died in between. So ``received`` is
        an end only when it is seen twice.
        """
        future = self._awaited.get(attempt_id)
        if future is None:
            future = self._awaited[attempt_id] = asyncio.get_running_loop().create_future()
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            return await asyncio.wait_for(asyncio.shield(future), seconds)
        except TimeoutError:
            self._awaited.pop(attempt_id, None)
            return ""

    async def _poll(self) -> None:
        pause = _SHORTEST_PAUSE_SECONDS
        while self._awaited:
            await asyncio.sleep(pause)
            began = time.monotonic()
            states: Mapping[uuid.UUID, str] = await self._run(states_of, [*self._awaited])
            for attempt_id in [*self._awaited]:
                self._look(attempt_id, states.get(attempt_id, ""))
            took = time.monotonic() - began
            pause = max(_SHORTEST_PAUSE_SECONDS, took * (1 / _POLLING_SHARE - 1))

    def _look(self, attempt_id: uuid.UUID, state: str) -> None:
        if state == AttemptState.SENT:
            return
        if state == AttemptState.RECEIVED and attempt_id not in self._received:
            self._received.add(attempt_id)
            return
        self._received.discard(attempt_id)
        future = self._awaited.pop(attempt_id)
        if not future.done():
            future.set_result(state)


def states_of(attempt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Return the states of those of the attempts that exist. One query."""
    return dict(RefreshAttempt.objects.filter(id__in=attempt_ids).values_list("id", "state"))
