"""Latchkey against an MCP server made with the official Python SDK: from two commands to a tool call."""

import asyncio
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import requests

from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.refresh import refresh
from connections.models import ProviderApp, RegisteredClient, Revocation, Tenant
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.clockwork import age
from tests.connections.management.conftest import Run
from tests.flows import EndUser, call, completion_code
from tests.interop.steps import row, state
from tests.interop.summary import Report

_ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 60.0


@dataclass
class Tools:
    """The running server."""

    url: str
    name: str
    version: str

    @property
    def title(self) -> str:
        """What reports call it."""
        return f"{self.name} {self.version} (MCP server)"


@pytest.fixture(scope="session")
def tools() -> Iterator[Tools]:
    """The server, in a process of its own, which shares no setting with Latchkey."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.interop.mcp_sdk_server"],
        cwd=_ROOT,
        env={"PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        ready, _, _ = select.select([process.stdout], [], [], _START_SECONDS)
        yield Tools(**json.loads(process.stdout.readline() if ready else "{}"))
    finally:
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()


@pytest.fixture
def report(request: pytest.FixtureRequest, tools: Tools) -> Report:
    told = Report(tools.title)
    told.attach(request.node)
    return told


@pytest.fixture
def alice(backend: Any) -> EndUser:
    return EndUser("alice", backend)


def ask(url: str, headers: Mapping[str, str]) -> Any:
    """Call the server's tool with the SDK's own client, and return what it answers."""
    # Half a second of CPU, which each worker would spend while it collects.
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    async def main() -> Any:
        async with (
            httpx2.AsyncClient(headers=dict(headers), trust_env=False) as carrier,
            Client(streamable_http_client(url, http_client=carrier)) as client,
        ):
            return await client.call_tool("add", {"a": 40, "b": 2})

    return asyncio.run(main())


def connect(alice: EndUser, provider: str, **changes: Any) -> str:
    """Connect, and return the connection's id. The server's people consent at once."""
    invitation = alice.invite(provider=provider, **changes)
    with requests.Session() as browser:
        browser.trust_env = False
        returned = browser.get(alice.leave(invitation), allow_redirects=False, timeout=20).headers["Location"]
    answer = alice.complete(invitation, completion_code(alice.visit(returned)))
    assert answer.status_code == 200, answer.content
    return str(answer.json()["connection"]["id"])


def test_from_two_commands_to_a_tool_call(
    tools: Tools, acme: Tenant, alice: EndUser, run: Run, catalogue: Path, report: Report
) -> None:
    adding = ["providers", "add", "--mcp", tools.url, "--slug", "foreign-tools"]
    added = run(*adding, "--json")
    assert added.code == 0, added.err
    report.step(" ".join(["manage.py", *adding]))
    registering = ["provider_apps", "add", "foreign-tools", "--tenant", "acme"]
    made = run(*registering, "--json")
    assert made.code == 0, made.err
    [registered] = made.data["registered"]
    assert (registered["way"], f"{registered['issuer']}mcp") == ("dynamic", tools.url)
    assert registered["secret_expires_at"] is not None
    report.step(f"{' '.join(['manage.py', *registering])}: registered by the server (RFC 7591)")

    key = connect(alice, "foreign-tools")
    assert state(key) == ("active", "connected")
    assert RegisteredClient.objects.count() == 1
    report.step("connected with PKCE and resource, by the registered client")

    credential = alice.vend(key).json()["credential"]
    assert credential["base_url"] == tools.url
    answer = ask(credential["base_url"], credential["headers"])
    assert (answer.is_error, answer.content[0].text) == (False, "42")
    report.step("vended a token, and called a tool with it by the SDK's own client")

    assert probe(row(key).id, trigger="sweep").verdict is ProbeVerdict.ALIVE
    assert row(key).verified_by == "probe"
    report.step("probed: initialize over streamable HTTP, answered as a stream of events")

    age(key, seconds=3300)
    assert refresh(row(key).id, trigger="sweep").outcome == "refreshed"
    renewed = alice.vend(key).json()["credential"]
    assert renewed["value"] != credential["value"]
    assert ask(renewed["base_url"], renewed["headers"]).content[0].text == "42"
    report.step("refreshed with resource; the new token calls the tool")

    assert call(alice.backend, "DELETE", f"/connections/{key}").json()["status"] == "disconnected"
    assert revoke(row(key).id) is Revocation.CONFIRMED
    with requests.Session() as session:
        session.trust_env = False
        assert session.post(tools.url, headers=renewed["headers"], json={}, timeout=20).status_code == 401
    report.step("disconnected: revoked at the server (RFC 7009), and proven by the probe")


def test_the_end_user_may_bring_the_address(
    tools: Tools, acme: Tenant, alice: EndUser, run: Run, report: Report
) -> None:
    made = run("provider_apps", "add", "mcp", "--tenant", "acme", "--json")
    assert made.code == 0, made.err
    assert ProviderApp.objects.get().registers_itself
    keys = [connect(alice, "mcp", params={"server": tools.url}) for _ in range(2)]
    assert RegisteredClient.objects.count() == 1
    for key in keys:
        credential = alice.vend(key).json()["credential"]
        assert ask(credential["base_url"], credential["headers"]).content[0].text == "42"
    report.step("connected twice at the address that the API brought, with one registration")
