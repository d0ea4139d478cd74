"""Equal shares of a provider's limit: many customers behind one key."""

import asyncio
import selectors
import socket
import uuid
from collections.abc import Coroutine
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.proxy.turns import Turns
from connections.lifecycle.throttle.turns import leave
from connections.models import Approval, Connection, Tenant
from connections.refusals import RateLimited
from tests.campaigns.shares import MODEST_CALLERS, call_of, furthest_off, shares
from tests.connections.api.grants import let
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.proxy.conftest import make_agent
from tests.connections.lifecycle.proxy.test_provider import Limit, limit
from tests.factories import Caller
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, ok

__all__ = ["limit"]

PER_MINUTE = 6000
SECONDS = 2.0


class Patience(selectors.SelectSelector):
    """The time of a loop in which it passes only while nobody has anything to do, and is over at once."""

    now = 1_000_000.0

    def select(self, timeout: float | None = None) -> Any:
        self.now += timeout or 0.0
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """A loop in which it does not matter how busy this machine is."""

    def __init__(self) -> None:
        self._patience = Patience()
        super().__init__(self._patience)

    def time(self) -> float:
        return self._patience.now


async def ask(function: Any, /, *arguments: Any) -> Any:
    """Ask Redis at once, by the time of the loop."""
    return function(*arguments, **({} if function is leave else {"now": asyncio.get_running_loop().time()}))


def play(scene: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=Loop) as runner:
        runner.run(scene)


def test_one_with_fifty_requests_takes_nothing_from_nine_with_one() -> None:
    """A provider of 100 calls a minute, with time sixty times as fast, and callers in two processes."""
    counts = shares(per_minute=PER_MINUTE, seconds=SECONDS, run=ask, loop_factory=Loop)
    share = sum(counts.values()) / (1 + MODEST_CALLERS)
    assert share >= 0.9 * SECONDS * PER_MINUTE * 0.95 / 60 / 10
    assert furthest_off(counts) <= 0.1, counts


def test_what_some_leave_is_for_the_others() -> None:
    async def scene() -> None:
        turns, order_of = Turns(ask), call_of("alone", connection=uuid.uuid4(), per_minute=PER_MINUTE)
        loop, count = asyncio.get_running_loop(), 0
        began = loop.time()
        while loop.time() < began + SECONDS:
            await turns.wait(*order_of)
            count += 1
        # All that may go at once, and then all that comes back.
        assert count >= 0.9 * (PER_MINUTE / 20 + SECONDS * PER_MINUTE * 0.95 / 60)

    play(scene())


def test_a_caller_that_does_not_wait_is_told_when_to_come_again() -> None:
    connection = uuid.uuid4()

    async def scene() -> None:
        turns = Turns(ask)
        order, permitted = call_of("a", connection=connection, per_minute=60, wait=0)
        for _ in range(3):
            await turns.wait(order, permitted)
        with pytest.raises(RateLimited) as refused:
            await turns.wait(order, permitted)
        assert refused.value.retry_after_seconds == pytest.approx(60 / 57)

    play(scene())


def test_who_gives_up_frees_the_place() -> None:
    connection = uuid.uuid4()

    async def scene() -> None:
        turns = Turns(ask)
        order, permitted = call_of("a", connection=connection, per_minute=60)
        for _ in range(3):
            await turns.wait(order, permitted)
        waiting = [asyncio.create_task(turns.wait(order, permitted)) for _ in range(3)]
        await asyncio.sleep(0.1)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert not turns._locks

    play(scene())


def test_a_call_beyond_the_limit_is_refused_by_us(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(requests_per_minute=1)
    at_once = {"Prefer": "wait=0"}
    assert proxied(agent, "GET", address_of(connection, "a"), headers=at_once).status == 200
    reply = proxied(agent, "GET", address_of(connection, "a"), headers=at_once)
    assert reply.refused == (429, "rate_limited")
    assert 60 <= int(reply.one("retry-after") or 0) <= 120
    assert len(upstream.seen) == 1


def test_nothing_is_sent_while_the_provider_wants_to_be_left_alone(
    acme: Tenant, agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(requests_per_minute=6000)
    upstream.answers(ok(b"slow down", "Retry-After: 600", status="429 Too Many Requests"))
    assert proxied(agent, "GET", address_of(connection, "a")).outcome == "upstream"
    other = make_agent(acme, "* * /**", name="other")
    reply = proxied(other, "GET", address_of(connection, "a"))
    assert reply.refused == (429, "rate_limited")
    assert 500 <= int(reply.one("retry-after") or 0) <= 600
    assert len(upstream.seen) == 1


@pytest.fixture
def approved(connection: Connection, agent: Caller) -> str:
    """An approval for bob, of one GET of what lies at ``a``."""
    return approve_one(agent, connection)


def approve_one(agent: Caller, connection: Connection) -> str:
    let(connection, needs_approval=True)
    asked = proxied(agent, "GET", address_of(connection, "a"), end_user="bob")
    assert asked.refused == (202, "approval_required")
    found: str = asked.json()["approval"]
    decide_approval(uuid.UUID(found), approves=True, by="carol", now=database_now(), actor=SYSTEM)
    return found


def states(approval: str) -> str:
    return Approval.objects.get(id=approval).state(now=database_now())


def test_an_approval_is_not_used_up_by_a_call_that_gets_no_turn(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit, approved: str
) -> None:
    limit(requests_per_minute=1)
    assert proxied(agent, "GET", address_of(connection, "b")).status == 200
    without_wait = {"Prefer": "wait=0"}
    refused = proxied(agent, "GET", address_of(connection, "a"), headers=without_wait, end_user="bob")
    assert (refused.refused, states(approved)) == ((429, "rate_limited"), "approved")
    limit(requests_per_minute=6000)
    again = proxied(agent, "GET", address_of(connection, "a"), headers={"Prefer": "wait=10"}, end_user="bob")
    assert (again.status, states(approved)) == (200, "used")


@pytest.mark.parametrize(
    ("status", "state"),
    [("429 Too Many Requests", "approved"), ("500 Internal Server Error", "used"), ("404 Not Found", "used")],
)
def test_an_approval_is_used_up_by_what_the_provider_may_have_acted_on(
    status: str, state: str, agent: Caller, connection: Connection, upstream: Upstream, approved: str
) -> None:
    upstream.answers(ok(b"", status=status))
    assert proxied(agent, "GET", address_of(connection, "a"), end_user="bob").outcome == "upstream"
    assert states(approved) == state


def test_an_approval_is_not_used_up_where_nobody_answers_the_call(acme: Tenant, agent: Caller) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"http://127.0.0.1:{server.getsockname()[1]}"
    connection = make_connection(acme, app=make_app(acme, params={"issuer": closed}))
    approved = approve_one(agent, connection)
    refused = proxied(agent, "GET", address_of(connection, "a"), end_user="bob")
    assert (refused.refused, states(approved)) == ((503, "provider_unavailable"), "approved")


def test_an_approval_is_used_up_where_the_connection_breaks_after_the_request(
    agent: Caller, connection: Connection, upstream: Upstream, approved: str
) -> None:
    upstream.handle = lambda wire: None
    refused = proxied(agent, "GET", address_of(connection, "a"), end_user="bob")
    assert (refused.refused, states(approved)) == ((502, "answer_refused"), "used")
