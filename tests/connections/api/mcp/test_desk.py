"""The desk: slow senders, callers who go away, what is switched off meanwhile, and a crash of ours."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from connections.api.mcp import desk, lookups
from connections.models import AuditEvent, Connection
from tests.connections.api.mcp.speaking import ask, request
from tests.connections.api.mcp.wire import exchange
from tests.factories import Caller
from tests.upstream import Upstream, Wire


async def in_parts(message: Any, *, pause: float = 0.0) -> AsyncIterator[bytes]:
    for mark in json.dumps(message):
        await asyncio.sleep(pause)
        yield mark.encode()


def test_a_body_may_come_in_parts(agent: Caller) -> None:
    status, told = exchange(agent, request("ping"), parts=in_parts(request("ping")))
    assert (status, told["result"]) == (200, {})


def test_a_body_that_stands_still_or_trickles_is_not_waited_for(agent: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_IDLE_SECONDS", 0.05)
    status, told = exchange(agent, request("ping"), parts=in_parts(request("ping"), pause=1))
    assert (status, told["code"]) == (408, "request_timeout")
    monkeypatch.setattr(desk, "_BODY_SECONDS", 0.1)
    status, told = exchange(agent, request("ping"), parts=in_parts(request("ping"), pause=0.02))
    assert (status, told["code"]) == (408, "request_timeout")


@pytest.mark.parametrize("length", ["99999999999", "-1", "1e3", "0x10", "7, 7"])
def test_a_length_that_is_none_or_too_large_is_refused(length: str, agent: Caller) -> None:
    status, told = exchange(agent, request("ping"), length=length)
    assert (status, told["code"]) in ((413, "request_too_large"), (422, "invalid_request"))


def test_a_call_ends_when_its_caller_goes_away(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    leaves, is_left = asyncio.Event(), threading.Event()
    loop: list[asyncio.AbstractEventLoop] = []

    def handle(wire: Wire) -> None:
        wire.read_body()
        loop[0].call_soon_threadsafe(leaves.set)
        if wire.has_been_left():
            is_left.set()

    async def whole(message: Any) -> AsyncIterator[bytes]:
        loop.append(asyncio.get_running_loop())
        yield json.dumps(message).encode()

    upstream.handle = handle
    asked = request(
        "tools/call", {"name": "call_provider", "arguments": {"connection": str(connection.id), "path": "a"}}
    )
    assert exchange(agent, asked, parts=whole(asked), leaves=leaves) == (0, None)
    assert is_left.wait(60)
    assert AuditEvent.objects.get(action="connection.proxied").decision == "caller_left"


def test_a_cancellation_of_somebody_else_s_request_does_nothing(agent: Caller, connection: Connection) -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1, "reason": "x"}}
    assert exchange(agent, told)[0] == 202
    assert ask(agent, "ping")["result"] == {}


def test_a_crash_tells_nobody_anything_and_stands_in_the_log(
    agent: Caller, connection: Connection, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("planted-secret")

    monkeypatch.setitem(lookups.LOOKUPS, "list_connections", crash)  # type: ignore[arg-type]  # a mapping that can change
    status, told = exchange(agent, request("tools/call", {"name": "list_connections"}))
    assert (status, told["error"]["code"], told["id"]) == (500, -32603, 1)
    (logged,) = [record for record in caplog.records if record.name == "connections.entrance"]
    assert isinstance(logged.msg, dict)
    assert (logged.msg["error"], logged.msg["path"]) == ("RuntimeError", "/mcp")
    assert "planted-secret" not in str((told, caplog.text))


def test_what_is_switched_off_meanwhile_stops(
    agent: Caller, connection: Connection, upstream: Upstream, switch_off: Callable[[Any], None]
) -> None:
    assert ask(agent, "tools/list")["result"]["tools"]
    switch_off(connection)
    asked = request(
        "tools/call", {"name": "call_provider", "arguments": {"connection": str(connection.id), "path": "a"}}
    )
    _, told = exchange(agent, asked)
    assert told["result"]["structuredContent"]["code"] == "suspended"
    assert upstream.seen == []
