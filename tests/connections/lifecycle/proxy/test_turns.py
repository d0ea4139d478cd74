"""Equal shares of a provider's limit: many customers behind one key."""

import asyncio
import time
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from connections.lifecycle.proxy.turns import Turns
from connections.lifecycle.throttle.turns import leave, take_turn
from connections.models import Connection, Tenant
from connections.refusals import RateLimited
from providers.catalog.proxying import ProxyLimits
from tests.connections.lifecycle.proxy.conftest import make_agent
from tests.connections.lifecycle.proxy.test_provider import Limit, limit
from tests.factories import Caller
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, ok

__all__ = ["limit"]

PER_MINUTE = 6000
SECONDS = 2.0


async def run(function: Any, /, *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


def call_of(end_user: str, *, connection: uuid.UUID, per_minute: int = PER_MINUTE, wait: float = 10) -> Any:
    """Return as much of an order and its permit as a turn needs."""
    use = SimpleNamespace(end_user=end_user, wait_seconds=wait)
    limits = ProxyLimits(requests_per_minute=per_minute)
    permitted = SimpleNamespace(
        client_id=uuid.UUID(int=1),
        connection=SimpleNamespace(id=connection, provider_app_id=uuid.uuid4()),
        outgoing=SimpleNamespace(limits=limits),
    )
    return SimpleNamespace(use=use), permitted


def spend_what_may_go_at_once(connection: uuid.UUID) -> None:
    """As long as nobody is short of turns there is nothing to share."""
    while not take_turn(f"connection:{connection}", "spender", PER_MINUTE):
        pass
    leave(f"connection:{connection}", "spender")


def test_one_with_fifty_requests_takes_nothing_from_nine_with_one() -> None:
    """A provider of 100 calls a minute, with time sixty times as fast, and callers in two processes."""
    counts: dict[str, int] = {}
    connection = uuid.uuid4()

    async def call_again_and_again(turns: Turns, name: str, until: float) -> None:
        order, permitted = call_of(name, connection=connection)
        while time.monotonic() < until:
            await turns.wait(order, permitted)
            if time.monotonic() < until:
                counts[name] = counts.get(name, 0) + 1
            await asyncio.sleep(0.002)  # the call itself

    async def main() -> None:
        processes = [Turns(run), Turns(run)]
        until = time.monotonic() + SECONDS
        greedy = [call_again_and_again(processes[number % 2], "greedy", until) for number in range(50)]
        modest = [call_again_and_again(processes[number % 2], f"modest-{number}", until) for number in range(9)]
        await asyncio.gather(*greedy, *modest)

    spend_what_may_go_at_once(connection)
    asyncio.run(main())
    share = sum(counts.values()) / 10
    assert share >= 0.7 * SECONDS * PER_MINUTE * 0.95 / 60 / 10
    for number in range(9):
        assert abs(counts[f"modest-{number}"] - share) <= 0.2 * share, counts


def test_what_some_leave_is_for_the_others() -> None:
    connection, taken = uuid.uuid4(), []

    async def main() -> None:
        turns, order_of = Turns(run), call_of("alone", connection=connection)
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            await turns.wait(*order_of)
            taken.append(1)

    asyncio.run(main())
    assert len(taken) >= 0.7 * (PER_MINUTE / 20)


def test_a_caller_that_does_not_wait_is_told_when_to_come_again() -> None:
    connection = uuid.uuid4()

    async def main() -> None:
        turns = Turns(run)
        order, permitted = call_of("a", connection=connection, per_minute=60, wait=0)
        for _ in range(3):
            await turns.wait(order, permitted)
        with pytest.raises(RateLimited) as refused:
            await turns.wait(order, permitted)
        assert 0 < (refused.value.retry_after_seconds or 0) <= 60 / 57

    asyncio.run(main())


def test_who_gives_up_frees_the_place() -> None:
    connection = uuid.uuid4()

    async def main() -> None:
        turns = Turns(run)
        order, permitted = call_of("a", connection=connection, per_minute=60)
        for _ in range(3):
            await turns.wait(order, permitted)
        waiting = [asyncio.create_task(turns.wait(order, permitted)) for _ in range(3)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not turns._locks

    asyncio.run(main())


def test_a_call_beyond_the_limit_is_refused_by_us(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(requests_per_minute=20)
    at_once = {"Prefer": "wait=0"}
    assert proxied(agent, "GET", address_of(connection, "a"), headers=at_once).status == 200
    reply = proxied(agent, "GET", address_of(connection, "a"), headers=at_once)
    assert reply.refused == (429, "rate_limited")
    assert 1 <= int(reply.one("retry-after") or 0) <= 4
    assert len(upstream.seen) == 1


def test_nothing_is_sent_while_the_provider_wants_to_be_left_alone(
    acme: Tenant, agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(requests_per_minute=6000)
    upstream.answers(ok(b"slow down", "Retry-After: 30", status="429 Too Many Requests"))
    assert proxied(agent, "GET", address_of(connection, "a")).outcome == "upstream"
    other = make_agent(acme, "* * /**", name="other")
    reply = proxied(other, "GET", address_of(connection, "a"))
    assert reply.refused == (429, "rate_limited")
    assert 28 <= int(reply.one("retry-after") or 0) <= 30
    assert len(upstream.seen) == 1
