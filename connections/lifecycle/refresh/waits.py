"""Waiting for a refresh without a thread: what an event loop of the web processes does for callers of the vend.

In one process, one refresh of a connection is made or awaited for all its callers. The refresh itself runs in a thread.
A refresh of another process is awaited by asking the database which of the awaited attempts are under way: one query
for all of them, every 4 ms. ``refresh.refresh_and_wait`` does the same for one caller in its thread.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from django.db import InterfaceError, OperationalError

from connections.database.pool import hand_back_database, replace_broken_connections
from connections.lifecycle.refresh.claim import Need, Outcome, RefreshReport
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.throttle.bulkhead import AGAIN_SECONDS, bulkhead
from connections.models import AttemptState, RefreshAttempt, Trigger

LONGEST_SECONDS = 60.0
_POLL_SECONDS = 0.004
_UNNAMED_PAUSE_SECONDS = 0.1  # no attempt to wait for: the row is locked, or no thread may call this provider now
_AWAY_SECONDS = 0.5  # between two looks while the database is away


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
        self,
        connection_id: uuid.UUID,
        *,
        places: tuple[Hashable, ...],
        need: Need,
        min_ttl_seconds: float | None,
        wait_seconds: float,
    ) -> RefreshReport:
        """Refresh one connection, or wait up to ``wait_seconds`` for the refresh that is under way. Holds no thread.

        Callers with the same ``min_ttl_seconds`` share one refresh. An attempt that fails ends the wait at once.
        ``Outcome.IN_FLIGHT`` means that the time ran out; the refresh goes on. ``places``: by whom it counts in the
        bulkhead.
        """
        key = (connection_id, min_ttl_seconds)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.create_task(self._refresh(connection_id, places, need))
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

    async def _refresh(self, connection_id: uuid.UUID, places: tuple[Hashable, ...], need: Need) -> RefreshReport:
        """Refresh, or wait for the attempt that is under way and look again, until nobody here waits any more."""
        task = asyncio.current_task()
        give_up_at = time.monotonic() + LONGEST_SECONDS
        while True:
            report = RefreshReport(Outcome.CROWDED, retry_after_seconds=AGAIN_SECONDS)
            if bulkhead.has_room(*places):  # to find that out in a thread, and in the database, would slow everybody
                report = await self._run_refresh(_refresh_for_callers, connection_id, need)
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


@dataclass(slots=True)
class _Awaited:
    end: asyncio.Future[str]
    waiting: int = 0
    was_received: bool = False


class AttemptEnds:
    """Tells when attempts end, whichever process makes them."""

    def __init__(self, run_query: Run) -> None:
        self._run = run_query
        self._awaited: dict[uuid.UUID, _Awaited] = {}
        self._poller: asyncio.Task[None] | None = None

    async def wait(self, attempt_id: uuid.UUID, *, seconds: float) -> str:
        """Return the state in which the attempt is when it is not under way any more; "" after ``seconds``.

        An answer that was received is promoted a moment later, unless the process died in between. So ``received`` is
        an end only when it is seen twice. A database that is away ends no wait.
        """
        awaited = self._awaited.get(attempt_id)
        if awaited is None:
            awaited = self._awaited[attempt_id] = _Awaited(asyncio.get_running_loop().create_future())
        awaited.waiting += 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        try:
            return await asyncio.wait_for(asyncio.shield(awaited.end), seconds)
        except TimeoutError:
            return ""
        finally:
            awaited.waiting -= 1
            if not awaited.waiting and self._awaited.get(attempt_id) is awaited:
                del self._awaited[attempt_id]

    async def _poll(self) -> None:
        while self._awaited:
            await asyncio.sleep(_POLL_SECONDS)
            states: Mapping[uuid.UUID, str] | None = await self._run(states_of, [*self._awaited])
            if states is None:
                await asyncio.sleep(_AWAY_SECONDS)
                continue
            for attempt_id, awaited in self._awaited.items():
                _look(awaited, states.get(attempt_id, ""))


def _look(awaited: _Awaited, state: str) -> None:
    is_under_way = state == AttemptState.SENT or (state == AttemptState.RECEIVED and not awaited.was_received)
    awaited.was_received = state == AttemptState.RECEIVED
    if not is_under_way and not awaited.end.done():
        awaited.end.set_result(state)


def states_of(attempt_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str] | None:
    """Return the states of those of the attempts that exist; None while the database is away. One query."""
    try:
        return dict(RefreshAttempt.objects.filter(id__in=attempt_ids).values_list("id", "state"))
    except (OperationalError, InterfaceError):
        hand_back_database()  # a thread that kept the broken connection would fail for ever
        replace_broken_connections()
        return None
