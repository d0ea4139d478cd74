"""The protocol's own methods, in every version that there is."""

from typing import Any

import jsonschema
import pytest
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, KNOWN_PROTOCOL_VERSIONS

from connections.models import Connection
from tests.connections.api.mcp.speaking import MODERN, ask, post, request
from tests.factories import Caller

CLIENT = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
of_versions = pytest.mark.parametrize("version", KNOWN_PROTOCOL_VERSIONS)


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
def test_a_version_with_a_handshake_is_agreed_on(version: str, agent: Caller) -> None:
    answer = post(agent, request("initialize", {"protocolVersion": version, **CLIENT}))
    result = answer.json()["result"]
    assert (answer.status_code, result["protocolVersion"]) == (200, version)
    assert result["capabilities"] == {"tools": {"listChanged": False}}
    assert result["serverInfo"]["name"] == "latchkey"
    assert "never an instruction" in result["instructions"]
    assert "Mcp-Session-Id" not in answer


@pytest.mark.parametrize("asked", ["1999-01-01", "2099-01-01", MODERN, "", "x" * 200])
def test_another_version_gets_the_newest_with_a_handshake(asked: str, agent: Caller) -> None:
    result = ask(agent, "initialize", {"protocolVersion": asked, **CLIENT}, without=("mcp-protocol-version",))["result"]
    assert result["protocolVersion"] == HANDSHAKE_PROTOCOL_VERSIONS[-1]


def test_without_a_handshake_the_server_says_what_it_speaks(agent: Caller) -> None:
    result = ask(agent, "server/discover", version=MODERN)["result"]
    assert result["supportedVersions"] == list(KNOWN_PROTOCOL_VERSIONS)
    assert (result["resultType"], result["cacheScope"], result["ttlMs"]) == ("complete", "private", 0)
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "latchkey"


@pytest.mark.parametrize("version", HANDSHAKE_PROTOCOL_VERSIONS)
def test_a_ping_is_answered_with_nothing(version: str, agent: Caller) -> None:
    assert ask(agent, "ping", version=version) == {"jsonrpc": "2.0", "id": 1, "result": {}}


@of_versions
def test_the_tools_are_listed_with_what_they_take_and_return(version: str, agent: Caller) -> None:
    tools: dict[str, Any] = {
        tool["name"]: tool for tool in ask(agent, "tools/list", version=version)["result"]["tools"]
    }
    assert set(tools) == {"list_connections", "list_providers", "get_connect_link", "call_provider", "get_approval"}
    for tool in tools.values():
        for schema in (tool["inputSchema"], tool["outputSchema"]):
            jsonschema.Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        is_call = tool["name"] == "call_provider"
        hints = tool["annotations"]
        assert hints["readOnlyHint"] is not is_call
        assert (hints["destructiveHint"], hints["openWorldHint"]) == (is_call, is_call)


def test_no_tool_takes_for_whom_it_works_and_none_hands_out_a_credential(agent: Caller) -> None:
    for tool in ask(agent, "tools/list")["result"]["tools"]:
        taken = set(tool["inputSchema"]["properties"])
        assert taken.isdisjoint({"end_user", "tenant", "agent", "groups", "end_user_token", "subject_token", "key"})
        assert "vend" not in tool["name"]
        assert "credential" not in str(tool["outputSchema"]).lower()


@of_versions
@pytest.mark.parametrize(
    "method", ["resources/list", "prompts/list", "logging/setLevel", "tasks/list", "nope", "", "tools/list\n", "Ping"]
)
def test_a_method_that_is_not_served_is_told(method: str, version: str, agent: Caller) -> None:
    headers = {"mcp-method": method.strip() or "x", "mcp-protocol-version": version}
    answer = ask(agent, method, version=version, headers={} if method.strip() == method and method else headers)
    assert answer["error"]["code"] in ((-32601,) if method.strip() == method and method else (-32601, -32020))
    assert answer["id"] == 1


def test_a_method_of_another_version_is_not_served(agent: Caller) -> None:
    assert ask(agent, "server/discover")["error"]["code"] == -32601
    for method in ("initialize", "ping"):
        answer = post(
            agent,
            request(method, {"_meta": _meta()}),
            headers={"mcp-protocol-version": MODERN, "mcp-method": method},
        )
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, -32601)


def _meta() -> dict[str, Any]:
    return {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    }


@of_versions
def test_an_unknown_tool_and_a_cursor_of_nobody_s_are_errors_of_the_protocol(version: str, agent: Caller) -> None:
    for method, params in (("tools/call", {"name": "vend"}), ("tools/list", {"cursor": "2"})):
        answer = ask(agent, method, params, version=version)
        assert answer["error"]["code"] == -32602, answer


@pytest.mark.parametrize(
    "params",
    [
        {"name": 7},
        {"name": ["list_connections"]},
        {"name": "list_connections", "arguments": []},
        {"name": "list_connections", "arguments": "x"},
        {},
    ],
)
def test_params_of_the_wrong_kind_are_an_error_of_the_protocol(params: Any, agent: Caller) -> None:
    answer = ask(agent, "tools/call", params)
    assert answer["error"]["code"] == -32602
    assert "list_connections'" not in answer["error"]["message"]


@pytest.mark.parametrize(
    "method", ["notifications/initialized", "notifications/cancelled", "notifications/progress", "notifications/x"]
)
@of_versions
def test_a_notification_is_taken_and_does_nothing(
    method: str, version: str, agent: Caller, connection: Connection
) -> None:
    told = {"jsonrpc": "2.0", "method": method, "params": {"requestId": 1}}
    answer = post(agent, told, headers={"mcp-protocol-version": version})
    assert (answer.status_code, answer.content) == (202, b"")
    assert "Content-Type" not in answer


def test_the_same_id_may_come_again(agent: Caller) -> None:
    assert ask(agent, "ping") == ask(agent, "ping")
    for id_ in ("a", "", 0, -1, 2**70, "é", "x" * 255):
        assert post(agent, request("ping", id_=id_)).json()["id"] == id_
