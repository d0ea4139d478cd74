"""Latchkey's endpoint for agents against the official Python SDK's client: from the handshake to a proxied call."""

import socket
import threading
import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest

from connections.models import AuditEvent, Connection, Permission, Tenant
from tests.agent_sdk import talk
from tests.connections.api.grants import let
from tests.connections.api.stored import make_app, make_connection
from tests.factories import Caller, make_caller
from tests.interop.summary import Report
from tests.upstream import Upstream, ok, upstream

__all__ = ["upstream"]

SECRET = "at-" + "x" * 40


@pytest.fixture
def here() -> Iterator[str]:
    """Latchkey's ASGI application on a loopback port, with threads of its own, and its address."""
    import uvicorn

    from config.asgi import make_front  # imported by conftest, once the test database is there

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_front(), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(60)


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    told = Report(f"mcp {version('mcp')} (client)")
    told.attach(request.node)
    return told


@pytest.fixture
def connection(acme: Tenant, upstream: Upstream) -> Connection:
    app = make_app(acme, params={"issuer": upstream.url})
    return make_connection(acme, app=app, access_token=SECRET)


@pytest.fixture
def agent(acme: Tenant) -> Caller:
    return make_caller(acme, "agent", [Permission.PROXY], proxy_rules=["sandbox * /crm/**"])


def headers_of(agent: Caller, end_user: str = "alice") -> dict[str, str]:
    return {**agent.headers, "Latchkey-End-User": end_user, "Latchkey-Agent": "sdk"}


@pytest.mark.parametrize(("mode", "spoken"), [("legacy", "2025-11-25"), ("auto", "2026-07-28")])
def test_from_the_first_message_to_a_proxied_call(
    mode: str, spoken: str, here: str, agent: Caller, connection: Connection, upstream: Upstream, report: Report
) -> None:
    upstream.answers(ok(b'{"name": "Ada"}', "Content-Type: application/json"))

    async def do(client: Any) -> None:
        assert client.protocol_version == spoken
        report.step(f"agreed on {spoken}")
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert tools["list_connections"].annotations.read_only_hint
        assert not tools["call_provider"].annotations.read_only_hint
        report.step(f"listed the tools: {', '.join(tools)}")
        listed = await client.call_tool("list_connections", {})
        [usable] = listed.structured_content["connections"]
        assert (usable["id"], usable["works"]) == (str(connection.id), True)
        report.step("list_connections: the result fits its output schema, which the SDK checks")
        call = {"connection": usable["id"], "method": "GET", "path": "crm/people/7", "purpose": "look up a name"}
        answer = await client.call_tool("call_provider", call)
        assert (answer.is_error, answer.structured_content["json"]) == (False, {"name": "Ada"})
        assert upstream.last.one("authorization") == f"Bearer {SECRET}"
        assert SECRET not in str(answer)
        report.step("call_provider: the provider saw the credential, and the agent its answer alone")
        refused = await client.call_tool("call_provider", {**call, "path": "admin"})
        assert (refused.is_error, refused.structured_content["rule"]) == (True, "proxy_rules")
        report.step("a path that no rule allows: a result with the code policy_denied")

    talk(here, headers_of(agent), do, mode=mode)
    row = AuditEvent.objects.get(action="connection.proxy", decision="allowed")
    assert (row.subject, row.agent, row.purpose) == ("alice", "sdk", "look up a name")


def test_an_approval_on_the_way(here: str, agent: Caller, connection: Connection, report: Report) -> None:
    let(connection, "bob", needs_approval=True)

    async def do(client: Any) -> None:
        call = {"connection": str(connection.id), "path": "crm/people"}
        asked = await client.call_tool("call_provider", call)
        assert (asked.is_error, asked.structured_content["code"]) == (True, "approval_required")
        assert asked.structured_content["approve_url"].startswith("http")
        state = await client.call_tool("get_approval", {"approval": asked.structured_content["approval"]})
        assert state.structured_content["state"] == "pending"
        report.step("a call that needs an approval: the link, and then how it stands")

    talk(here, headers_of(agent, "bob"), do)


def test_without_a_key_there_is_nothing_to_talk_to(here: str, acme: Tenant) -> None:
    async def do(client: Any) -> None:
        await client.list_tools()

    with pytest.raises(ExceptionGroup) as refused:
        talk(here, {"Authorization": "Bearer lk_nobody"}, do, mode="legacy")
    assert "MCPError" in repr(refused.value)
    assert AuditEvent.objects.get(action="api_key.refused").decision == "unknown"
