"""The MCP server: its metadata, its challenge, and what it takes and says."""

from typing import Any

import pytest
import requests

from providers.sandbox.client import SandboxProcess
from tests.person import Person
from tests.providers.sandbox.test_mcp_authorization import connect, register, server

__all__ = ["server"]


@pytest.fixture
def token(server: SandboxProcess, alice: Person) -> str:
    return str(connect(server, alice, register(server).json())["access_token"])


def call(server: SandboxProcess, method: str, token: str = "", **message: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    body = {"jsonrpc": "2.0", "id": 1, "method": method, **message}
    return requests.post(f"{server.url}/mcp", json=body, headers=headers, timeout=20)


def test_a_stranger_is_told_where_to_ask(server: SandboxProcess) -> None:
    refused = call(server, "initialize")
    metadata = f"{server.url}/.well-known/oauth-protected-resource/mcp"
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == (
        f'Bearer resource_metadata="{metadata}", scope="profile.read files.read"'
    )
    said = requests.get(metadata, timeout=20).json()
    assert (said["resource"], said["authorization_servers"]) == (f"{server.url}/mcp", [f"{server.url}/as/one"])
    assert requests.get(metadata.removesuffix("/mcp"), timeout=20).json() == said


@pytest.mark.parametrize("stream", [False, True])
def test_greets_lists_its_tool_and_says_who_one_is(server: SandboxProcess, token: str, stream: bool) -> None:
    server.control.settings(mcp_stream=stream)
    greeting = call(server, "initialize", token)
    assert "protocolVersion" in greeting.text
    assert greeting.headers["Content-Type"].startswith("text/event-stream" if stream else "application/json")
    assert "whoami" in call(server, "tools/list", token).text
    assert "person-1001" in call(server, "tools/call", token, params={"name": "whoami"}).text
    assert "-32601" in call(server, "resources/list", token).text


def test_a_notification_is_only_taken(server: SandboxProcess, token: str) -> None:
    header = {"Authorization": f"Bearer {token}"}
    message = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert requests.post(f"{server.url}/mcp", json=message, headers=header, timeout=20).status_code == 202
    assert requests.post(f"{server.url}/mcp", json=[], headers=header, timeout=20).status_code == 400


def test_after_a_move_the_tokens_of_before_are_refused(server: SandboxProcess, token: str) -> None:
    server.control.settings(mcp_server="two")
    refused = call(server, "initialize", token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert server.control.log(endpoint="mcp")[-1].outcome == "wrong_issuer"


def test_its_metadata_can_be_another_s(server: SandboxProcess) -> None:
    server.control.fault("wrong_resource", endpoint="resource_metadata")
    said = requests.get(f"{server.url}/.well-known/oauth-protected-resource/mcp", timeout=20).json()
    assert said["resource"] == "https://mcp.victim.example/mcp"
