"""Hostile messages: malformed in every way, deep, huge and ambiguous. Each has one answer, and none is a crash."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.api.mcp.desk import LARGEST_BODY
from connections.api.mcp.messages import DEEPEST, ProtocolError, error_of, read_message, result_of
from connections.models import AuditEvent
from tests.connections.api.mcp.speaking import post, request
from tests.factories import Caller

PARSE, INVALID = -32700, -32600
PING = '{"jsonrpc":"2.0","id":1,"method":"ping"'


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b" ", PARSE),
        (b"{", PARSE),
        (b"nope", PARSE),
        (b"\xff\xfe{}", PARSE),
        (b"\xef\xbb\xbf{}", PARSE),
        ('{"jsonrpc":"2.0","id":1,"method":"ping"}'.encode("utf-16"), PARSE),
        (b'{"a":1}{"b":2}', PARSE),
        (f'{PING},"id":2}}'.encode(), PARSE),
        (f'{PING},"method":"tools/list"}}'.encode(), PARSE),
        (f'{PING},"params":{{"a":1,"a":2}}}}'.encode(), PARSE),
        (f'{PING},"params":{{"a":NaN}}}}'.encode(), PARSE),
        (f'{PING},"params":{{"a":-Infinity}}}}'.encode(), PARSE),
        (b"1" * 100_000, PARSE),
        (b"[" * 100_000, PARSE),
        (b'{"a":' * 50_000, PARSE),
        (b"[]", INVALID),
        (json.dumps([request("ping"), request("ping", id_=2)]).encode(), INVALID),
        (b"null", INVALID),
        (b"7", INVALID),
        (b'"ping"', INVALID),
        (b"{}", INVALID),
        (b'{"id":1,"method":"ping"}', INVALID),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', INVALID),
        (b'{"jsonrpc":2.0,"id":1,"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":1}', INVALID),
        (b'{"jsonrpc":"2.0","method":null}', INVALID),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":[1],"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', INVALID),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', INVALID),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', INVALID),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', INVALID),
        (b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', INVALID),
        (json.dumps(request("ping", id_="x" * 256)).encode(), INVALID),
        (json.dumps(request("ping", id_=10**300)).encode(), INVALID),
    ],
    ids=range(37),
)
def test_what_is_no_message_is_told_so(body: bytes, code: int, agent: Caller) -> None:
    answer = post(agent, body)
    told = answer.json()
    assert (answer.status_code, told["error"]["code"], told["id"]) == (400, code, None)
    assert set(told) == {"jsonrpc", "id", "error"}


def test_depth_has_a_bound_that_is_met_exactly() -> None:
    def message(levels: int) -> bytes:
        inner: Any = 1
        for _ in range(levels):
            inner = [inner]
        return json.dumps(request("ping", {"a": inner})).encode()

    assert read_message(message(DEEPEST - 2)).method == "ping"
    with pytest.raises(ProtocolError) as refused:
        read_message(message(DEEPEST - 1))
    assert refused.value.code == INVALID


def test_a_huge_message_is_refused_before_it_is_read(agent: Caller) -> None:
    filler = "x" * (LARGEST_BODY - 100)
    assert post(agent, request("ping", {"_meta": {"a": filler}})).status_code == 200
    answer = post(agent, request("ping", {"_meta": {"a": filler + "x" * 200}}))
    assert (answer.status_code, answer.json()["code"]) == (413, "request_too_large")


def test_an_error_repeats_nothing_of_what_was_sent(agent: Caller) -> None:
    for body in (request("planted-method-name"), {"jsonrpc": "2.0", "id": 1, "planted": "lk_planted"}):
        assert "planted" not in post(agent, body).content.decode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
members = st.sampled_from(["jsonrpc", "id", "method", "params", "name", "arguments", "_meta", "result", "error"])
likely = st.sampled_from(
    [
        "2.0",
        1,
        "tools/call",
        "tools/list",
        "initialize",
        "ping",
        "call_provider",
        "list_connections",
        {},
        {"name": "get_approval"},
    ]
)
documents = st.dictionaries(members, likely | json_values, max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | documents.map(lambda found: json.dumps(found).encode()))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    try:
        message = read_message(body)
    except ProtocolError as error:
        answer = json.loads(error_of(None, error))
        assert answer["error"]["code"] in (PARSE, INVALID)
        return
    if message.id is not None:
        assert json.loads(result_of(message.id, {}))["id"] == message.id


@pytest.mark.parametrize(
    "tool", ["list_connections", "list_providers", "get_connect_link", "call_provider", "get_approval"]
)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arguments=st.dictionaries(st.text(max_size=8) | st.sampled_from(["connection", "path", "json"]), json_values))
def test_whatever_a_tool_is_given_it_does_not_crash(tool: str, arguments: Any, agent: Caller) -> None:
    answer = post(agent, request("tools/call", {"name": tool, "arguments": arguments}))
    told = answer.json()
    assert answer.status_code in (200, 400)
    if "result" in told and told["result"].get("isError"):
        assert told["result"]["structuredContent"]["code"] in ("invalid_request", "not_found", "policy_denied")
    assert AuditEvent.objects.filter(action="connection.proxied").count() == 0
