"""Turns of proxied calls: each caller of one credential waits for its own, in an event loop, without a thread.

``throttle.turns`` says whose turn it is. Tenants share a credential equally, of each its API clients, and of each of
those the end users for whom it calls. So one customer's work never takes what is another's behind the same key, and
nobody gets more by the names that it states. Of each caller, one request of this process asks at a time; the others
stand behind it.
"""

import asyncio
import hashlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from connections.lifecycle.proxy.order import ProxyOrder
from connections.lifecycle.proxy.permit import Permit
from connections.lifecycle.refresh.waits import Run
from connections.lifecycle.throttle import turns
from connections.refusals import RateLimited
from providers.proxying.exchange import Head

_REFUSED = "The provider's rate limit leaves no turn for this caller yet: ask again, or wait longer (Prefer: wait=N)."


class Turns:
    """The callers of one event loop that wait for their turn. ``run`` asks Redis in a thread."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._locks: dict[tuple[str, str], asyncio.Lock] = {}
        self._users: Counter[tuple[str, str]] = Counter()
        self._held: dict[str, float] = {}

    async def wait(self, order: ProxyOrder, permitted: Permit) -> None:
        """Wait for the caller's turn, as long as it allows. Raises ``RateLimited``, at once where that is too short."""
        line, until = _line(permitted), time.monotonic() + order.use.wait_seconds
        per_minute = permitted.outgoing.limits.requests_per_minute
        if not per_minute:
            await _sleep(self._held_for(line), until)
            return
        caller = "/".join(caller_of(order, permitted))
        async with self._alone(line, caller, until):
            try:
                while seconds := await self._run(turns.take_turn, line, caller, per_minute):
                    await _sleep(seconds, until)
            except BaseException:
                await asyncio.shield(self._run(turns.leave, line, caller))
                raise

    async def note(self, permitted: Permit, head: Head) -> None:
        """Learn from how an answer begins whether the provider wants to be left alone for a while."""
        seconds = head.retry_after_seconds
        if head.status != HTTPStatus.TOO_MANY_REQUESTS or not seconds:
            return
        if permitted.outgoing.limits.requests_per_minute:
            await self._run(turns.hold, _line(permitted), seconds)
        else:
            self._held[_line(permitted)] = time.monotonic() + min(seconds, turns.LONGEST_HOLD_SECONDS)

    def _held_for(self, line: str) -> float:
        """Return for how many seconds a line without a known limit is held. Of those, each process learns by itself."""
        left = self._held.get(line, 0.0) - time.monotonic()
        if left <= 0:
            self._held.pop(line, None)
        return max(0.0, left)

    @asynccontextmanager
    async def _alone(self, line: str, caller: str, until: float) -> AsyncIterator[None]:
        """Stand behind the other requests of the same caller, and be the one that asks. Raises ``RateLimited``."""
        key = line, caller
        lock = self._locks.setdefault(key, asyncio.Lock())
        self._users[key] += 1
        try:
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic()) if lock.locked() else None):
                    await lock.acquire()
            except TimeoutError:
                raise RateLimited(_REFUSED, retry_after_seconds=1) from None
            try:
                yield
            finally:
                lock.release()
        finally:
            self._users[key] -= 1
            if not self._users[key]:
                del self._users[key], self._locks[key]


def caller_of(order: ProxyOrder, permitted: Permit) -> tuple[str, str, str]:
    """Return by what a caller is known among those of one credential: its tenant, its API client, its end user.

    The widest comes first: what a caller may state is within what is known of it. Says nothing of the end user. No I/O.
    """
    user = hashlib.sha256((order.use.end_user or "").encode()).hexdigest()
    return str(permitted.connection.tenant_id), str(permitted.client_id), user


async def _sleep(seconds: float, until: float) -> None:
    """Sleep for so long before the next look. Raises ``RateLimited`` if that is later than ``until``."""
    if time.monotonic() + seconds > until:
        raise RateLimited(_REFUSED, retry_after_seconds=seconds)
    await asyncio.sleep(min(seconds, turns.LOOK_SECONDS))


def _line(permitted: Permit) -> str:
    """Return whose limit it is: the connection's, or its provider app's."""
    connection = permitted.connection
    is_apps = permitted.outgoing.limits.shared_by == "app"
    return f"app:{connection.provider_app_id}" if is_apps else f"connection:{connection.id}"
