"""The places of calls under way: one caller with many never takes those of the others, whomever it names."""

import asyncio
from typing import Any

import pytest
from django.conf import settings

from connections.models import Connection, OwnerKind, Tenant
from tests.asgi_client import CallersThread, kept_transaction
from tests.connections.api.stored import overwrite
from tests.connections.lifecycle.proxy.conftest import make_agent
from tests.factories import Caller
from tests.proxied import Reply, address_of, ask
from tests.upstream import Upstream, Wire, ok

PLACES = 24


@pytest.mark.parametrize("names_many", [False, True], ids=["of one end user", "of many end users"])
def test_one_caller_with_many_calls_leaves_places_to_the_others(
    names_many: bool,
    acme: Tenant,
    agent: Caller,
    connection: Connection,
    upstream: Upstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from config.asgi import make_front

    monkeypatch.setattr(settings, "PROXY_STREAMS", PLACES)
    other = make_agent(acme, "* * /**", name="other")
    if names_many:
        overwrite(connection, owner_kind=OwnerKind.TENANT, end_user="")
    executor, refused, served = CallersThread(), list[Reply](), list[Reply]()
    is_crowded = asyncio.Event()

    def hold(wire: Wire) -> None:
        if wire.seen.target == "/slow":
            wire.has_been_left()
        wire.answer(ok(b"fine"))

    upstream.handle = hold

    async def main() -> None:
        front = make_front(executor)

        async def call_slowly(number: int) -> None:
            named = f"user {number}" if names_many else "alice"
            refused.append(await ask(front, agent, "GET", address_of(connection, "slow"), Reply(), end_user=named))
            is_crowded.set()

        slow: list[Any] = [asyncio.create_task(call_slowly(number)) for number in range(PLACES)]
        await asyncio.wait_for(is_crowded.wait(), 60)
        served.append(await ask(front, other, "GET", address_of(connection, "a"), Reply()))
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)

    with kept_transaction():
        executor.run(main)
    assert {reply.refused for reply in refused} == {(503, "provider_unavailable")}
    assert [reply.status for reply in served] == [200]
