import json
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from providers import mcp_server
from providers.errors import ProviderUnavailable
from providers.response import Response
from tests.providers.conftest import TOTAL_SECONDS

RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25", "serverInfo": {"name": "x"}}}
STREAM = {"Content-Type": "text/event-stream"}


def event(document: Any) -> str:
    return f"event: message\ndata: {json.dumps(document)}\n\n"


def test_greets_as_the_protocol_says_and_reads_the_answer(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, RESULT)
    answer = mcp_server.initialize(f"{provider.url}/mcp", headers={"Authorization": "Bearer t"})
    assert mcp_server.greeting_in(answer) == RESULT["result"]
    (sent,) = provider.requests
    assert (sent.method, sent.path, sent.json["method"]) == ("POST", "/mcp", "initialize")
    assert sent.json["params"]["clientInfo"]["name"] == "Latchkey"
    assert sent.headers["Accept"] == "application/json, text/event-stream"
    assert sent.headers["Authorization"] == "Bearer t"


def test_ends_the_session_that_the_server_began(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, RESULT, headers={"Mcp-Session-Id": "s-1"})
    mcp_server.initialize(provider.url, headers={"Authorization": "Bearer t"})
    assert [request.method for request in provider.requests] == ["POST", "DELETE"]
    assert provider.last.headers["Mcp-Session-Id"] == "s-1"
    assert provider.last.headers["Authorization"] == "Bearer t"


def test_takes_the_answer_out_of_a_stream_that_stays_open(egress_policy: Any, raw_server: Callable[..., int]) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65_536)
        notice = event({"jsonrpc": "2.0", "method": "notifications/message"})
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        for text in (": waiting\n\n", notice, event(RESULT)):
            connection.sendall(f"{len(text):x}\r\n{text}\r\n".encode())
            time.sleep(0.01)
        while connection.recv(65_536):  # never ends by itself
            pass

    began = time.monotonic()
    answer = mcp_server.initialize(f"http://127.0.0.1:{raw_server(handle)}/mcp")
    assert mcp_server.greeting_in(answer) == RESULT["result"]
    assert time.monotonic() - began < 0.5 * TOTAL_SECONDS


def test_a_stream_that_never_answers_is_an_outage(
    egress_policy: Callable[..., Any], raw_server: Callable[..., int]
) -> None:
    egress_policy(total_seconds=0.3)

    def handle(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: waiting\n\n")
        connection.recv(1)

    with pytest.raises(ProviderUnavailable):
        mcp_server.initialize(f"http://127.0.0.1:{raw_server(handle)}/mcp")


@pytest.mark.parametrize(
    ("status", "body", "headers"),
    [
        (401, json.dumps(RESULT), {}),
        (200, "<html>sign in</html>", {"Content-Type": "text/html"}),
        (200, "{}", {}),
        (200, "", {}),
        (200, json.dumps(RESULT | {"id": 2}), {}),
        (200, json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -32600, "message": "no"}}), {}),
        (200, json.dumps(RESULT | {"result": {"protocolVersion": 7}}), {}),
        (200, "data: nonsense\n\n", STREAM),
        (200, f"data: {'9' * 5000}\n\n", STREAM),
        (200, f"data: {'[' * 50_000}\n\n", STREAM),
        (200, event({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}}), STREAM),
    ],
)
def test_only_the_result_of_our_request_is_a_greeting(status: int, body: str, headers: dict[str, str]) -> None:
    answer = Response(status, {"Content-Type": "application/json"} | headers, body.encode())
    assert mcp_server.greeting_in(answer) is None


def streaming(*parts: str) -> Callable[[socket.socket], None]:
    """Return a handler that sends a stream of events, each of ``parts`` as a chunk, and keeps it open."""

    def handle(connection: socket.socket) -> None:
        connection.recv(65_536)
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall((head + "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts)).encode())
        while connection.recv(65_536):  # until the client has had enough
            pass

    return handle


def test_a_stream_in_tiny_parts_costs_no_more_than_its_length(
    egress_policy: Any, raw_server: Callable[..., int]
) -> None:
    notices = "".join(event({"jsonrpc": "2.0", "method": "x", "params": {"n": number}}) for number in range(300))
    port = raw_server(streaming(*notices, event(RESULT)))
    began = time.thread_time()
    answer = mcp_server.initialize(f"http://127.0.0.1:{port}/mcp")
    assert time.thread_time() - began < 10
    assert mcp_server.greeting_in(answer) == RESULT["result"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_sees_the_answer_wherever_the_parts_are_cut(
    egress_policy: Any, raw_server: Callable[..., int], ending: str
) -> None:
    text = f": hello\n\n{event(RESULT)}".replace("\n", ending)
    answer = mcp_server.initialize(f"http://127.0.0.1:{raw_server(streaming(*text))}/mcp")
    assert mcp_server.greeting_in(answer) == RESULT["result"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_reads_a_stream_with_any_line_ending(ending: str) -> None:
    text = f": hello\n\n{event({'jsonrpc': '2.0', 'method': 'x'})}{event(RESULT)}".replace("\n", ending)
    assert mcp_server.greeting_in(Response(200, STREAM, text.encode())) == RESULT["result"]
