"""The HTTP around a message: whose page asks, what is sent and taken, and of which version it is."""

import base64
from typing import Any

import pytest

from tests.asgi_client import AsgiClient
from tests.connections.api.mcp.speaking import HANDSHAKE, META, MODERN, post, request
from tests.factories import Caller

MISMATCH, UNSUPPORTED, PARAMS = -32020, -32022, -32602


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://testserver", 200),
        ("https://testserver", 403),
        ("http://testserver:8000", 403),
        ("http://testserver.evil.example", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("*", 403),
    ],
)
def test_no_page_of_another_site_may_call(origin: str, status: int, agent: Caller) -> None:
    answer = post(agent, request("ping"), headers={"origin": origin})
    assert answer.status_code == status
    assert "Access-Control-Allow-Origin" not in answer


@pytest.mark.parametrize("host", ["evil.example", "testserver@evil.example", "127.0.0.1:9@x"])
def test_another_host_is_not_served(host: str, agent: Caller) -> None:
    assert post(agent, request("ping"), headers={"host": host}).status_code == 422


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("Application/JSON", 200),
        ("text/plain", 415),
        ("text/json", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/jsonx", 415),
    ],
)
def test_a_message_is_sent_as_json(kind: str, status: int, agent: Caller) -> None:
    assert post(agent, request("ping"), headers={"content-type": kind}).status_code == status


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/json, text/event-stream", 200),
        ("application/json;q=0.9", 200),
        ("*/*", 200),
        ("application/*", 200),
        ("text/event-stream", 406),
        ("text/html, application/xhtml+xml", 406),
    ],
)
def test_the_answer_is_json_or_there_is_none(accept: str, status: int, agent: Caller) -> None:
    assert post(agent, request("ping"), headers={"accept": accept}).status_code == status


def test_nothing_said_of_what_is_taken_means_anything(agent: Caller) -> None:
    assert post(agent, request("ping"), without=("accept", "mcp-protocol-version")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE"])
def test_there_is_no_stream_to_listen_to_and_no_session_to_end(method: str, agent: Caller) -> None:
    answer = AsgiClient().generic(method, "/mcp", headers={**agent.headers, "accept": "text/event-stream"})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize("version", ["2024-11-04", "2099-01-01", "x", "2025-11-25, 2025-06-18", "9" * 500])
def test_an_unknown_version_is_told_which_there_are(version: str, agent: Caller) -> None:
    answer = post(agent, request("ping"), headers={"mcp-protocol-version": version})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, UNSUPPORTED)
    assert {HANDSHAKE, MODERN} < set(error["data"]["supported"])
    assert len(error["data"]["requested"]) <= 100


def modern(method: str = "tools/list", params: Any = None, headers: Any = None, caller: Any = None) -> Any:
    return post(
        caller,
        request(method, {"_meta": META} if params is None else params),
        headers={"mcp-protocol-version": MODERN, "mcp-method": method, **(headers or {})},
    )


@pytest.mark.parametrize(
    ("params", "headers", "code"),
    [
        ({}, {}, PARAMS),
        ({"_meta": {}}, {}, PARAMS),
        ({"_meta": []}, {}, PARAMS),
        ({"_meta": {"io.modelcontextprotocol/protocolVersion": MODERN}}, {}, PARAMS),
        ({"_meta": {**META, "io.modelcontextprotocol/protocolVersion": 7}}, {}, PARAMS),
        ({"_meta": {**META, "io.modelcontextprotocol/clientCapabilities": 7}}, {}, PARAMS),
        ({"_meta": {**META, "io.modelcontextprotocol/protocolVersion": HANDSHAKE}}, {}, MISMATCH),
        ({"_meta": META}, {"mcp-method": "ping"}, MISMATCH),
        ({"_meta": META}, {"mcp-method": ""}, MISMATCH),
    ],
)
def test_what_headers_and_message_say_is_the_same(params: Any, headers: Any, code: int, agent: Caller) -> None:
    answer = modern(params=params, headers=headers, caller=agent)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("name", "is_same"),
    [
        ("list_connections", True),
        (f"=?base64?{base64.b64encode(b'list_connections').decode()}?=", True),
        ("list_providers", False),
        ("", False),
        ("=?base64?%%?=", False),
        ("=?base64?/w==?=", False),
    ],
)
def test_the_name_of_the_tool_is_the_same(name: str, is_same: bool, agent: Caller) -> None:
    params = {"_meta": META, "name": "list_connections"}
    answer = modern("tools/call", params, {"mcp-name": name}, agent)
    assert ("result" in answer.json()) is is_same
    if not is_same:
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, MISMATCH)


def test_a_statement_that_comes_twice_is_refused(agent: Caller) -> None:
    from tests.connections.api.mcp.wire import exchange

    for name in ("latchkey-tenant", "latchkey-end-user", "authorization"):
        status, told = exchange(agent, request("ping"), more=[(name, "a"), (name, "b")])
        assert (status, told["code"]) == (422, "invalid_request"), name
    for name in ("mcp-protocol-version", "mcp-method"):
        status, told = exchange(agent, request("ping"), more=[(name, HANDSHAKE), (name, HANDSHAKE)])
        assert (status, told["error"]["code"]) == (400, MISMATCH), name
    status, _ = exchange(agent, request("ping"), more=[("content-type", "text/plain")])
    assert status == 415
