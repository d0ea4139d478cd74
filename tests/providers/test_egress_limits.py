"""The outbound client against servers that trickle, never end, or are no well-formed HTTP."""

import contextlib
import gzip
import http.client
import io
import socket
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from providers import egress
from providers.errors import (
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
)
from providers.oauth.classify import json_document
from providers.response import gunzip, read_body
from tests.deadlines import BUSY_SECONDS, cut_short
from tests.providers.wire import answering, failing, read_head, server_context, trickle


def was_sent(failure: ProviderError) -> bool:
    return failure.sent


def has_head(failure: ProviderError) -> bool:
    return failure.evidence.status is not None


def cut_off(
    change: Any, url: str, *, has_begun: Callable[[ProviderError], bool], seconds: float = 0.4, **arguments: Any
) -> ProviderError:
    """Return the failure of a request whose time ends once it ``has_begun``. The server goes on for a minute."""

    def ask(deadline: float) -> ProviderError:
        change(total_seconds=deadline)
        return failing(url, **arguments)

    return cut_short(ask, has_begun=has_begun, seconds=seconds)


def test_deadline_holds_against_trickled_headers(egress_policy: Any, raw_server: Any) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        trickle(connection, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)

    started = time.monotonic()
    failure = cut_off(egress_policy, f"http://127.0.0.1:{raw_server(handle)}/", has_begun=was_sent)
    assert isinstance(failure, ProviderUnavailable)
    assert failure.sent
    assert time.monotonic() - started > 0.3


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_deadline_holds_against_a_trickled_body(egress_policy: Any, raw_server: Any, head: bytes) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        trickle(connection, b"1\r\na\r\n" * 200)

    failure = cut_off(egress_policy, f"http://127.0.0.1:{raw_server(handle)}/", has_begun=has_head)
    assert isinstance(failure, ProviderUnavailable)
    assert (failure.sent, failure.evidence.status) == (True, 200)


def test_deadline_holds_against_a_trickled_tls_handshake(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(connect_seconds=0.4)
    port = raw_server(lambda connection: trickle(connection, b"\x16\x03\x03\x40\x00" + b"\x02" * 1000))
    started = time.monotonic()
    failure = failing(f"https://127.0.0.1:{port}/")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert time.monotonic() - started < BUSY_SECONDS


def test_deadline_holds_against_a_body_trickled_over_tls(trusting: Any, authority: trustme.CA, raw_server: Any) -> None:
    context = server_context(authority.issue_cert("127.0.0.1"))

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            trickle(secured, b"a" * 1000)

    failure = cut_off(trusting, f"https://127.0.0.1:{raw_server(handle)}/", has_begun=has_head, seconds=0.6)
    assert isinstance(failure, ProviderUnavailable)
    assert (failure.sent, failure.evidence.status) == (True, 200)


def test_deadline_holds_against_a_server_that_never_reads(egress_policy: Any, raw_server: Any) -> None:
    url, content = f"http://127.0.0.1:{raw_server(lambda connection: time.sleep(60))}/", b"x" * 30_000_000
    failure = cut_off(egress_policy, url, has_begun=was_sent, content=content)
    assert isinstance(failure, ProviderUnavailable)
    assert failure.sent


def test_endless_interim_answers_end_at_the_deadline(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(total_seconds=0.4)

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.01)

    assert isinstance(failing(f"http://127.0.0.1:{raw_server(handle)}/"), ProviderUnavailable)


def test_call_may_shorten_the_deadline(egress_policy: Any, raw_server: Any) -> None:
    port = raw_server(lambda connection: time.sleep(30))
    started = time.monotonic()
    failing(f"http://127.0.0.1:{port}/", total_seconds=0.2)
    assert time.monotonic() - started < BUSY_SECONDS


def test_body_over_the_cap_is_malformed(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, b"x" * 65_536)
    assert len(egress.request("GET", provider.url).body) == 65_536
    provider.answers[:] = []
    provider.answers_with(200, b"x" * 65_537)
    assert isinstance(failing(provider.url), MalformedResponse)
    assert len(egress.request("GET", provider.url, max_body_bytes=70_000).body) == 65_537


def test_endless_body_is_left_at_the_cap(egress_policy: Any, raw_server: Any) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    assert isinstance(failing(f"http://127.0.0.1:{raw_server(handle)}/"), MalformedResponse)


def bomb(size: int, *, level: int = 9) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    zeros = bytes(1_048_576)
    return b"".join([*(packer.compress(zeros) for _ in range(size // len(zeros))), packer.flush()])


@pytest.mark.parametrize("coding", ["gzip", "x-gzip", "deflate", "GZIP"])
def test_gzip_bomb_stops_at_the_cap_on_decoded_bytes(egress_policy: Any, provider: Any, coding: str) -> None:
    packed = bomb(100 * 1_048_576)
    provider.answers_with(200, packed, headers={"Content-Encoding": coding})
    tracemalloc.start()
    try:
        assert isinstance(failing(provider.url), MalformedResponse)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


def test_compressed_answer_is_understood(egress_policy: Any, provider: Any) -> None:
    bare = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    for packed, coding in (
        (gzip.compress(b'{"a":1}'), "gzip"),
        (gzip.compress(b'{"a"') + gzip.compress(b":1}"), "gzip"),
        (gzip.compress(b'{"a":1}') + b"\x00" * 8, "X-GZip"),
        (gzip.compress(b'{"a":1}'), "gzip, gzip"),
        (gzip.compress(b'{"a":1}'), "deflate"),
        (zlib.compress(b'{"a":1}'), "deflate"),
        (zlib.compress(b'{"a":1}'), "gzip"),
        (bare.compress(b'{"a":1}') + bare.flush(), "deflate"),
    ):
        provider.answers[:] = []
        provider.answers_with(200, packed, headers={"Content-Encoding": coding})
        assert json_document(egress.request("GET", provider.url)) == {"a": 1}
    assert provider.last.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "utf-8", "identity", "", ",", "gzip, gzip"])
def test_a_coding_is_a_label_and_costs_no_body_that_is_not_written_in_it(
    egress_policy: Any, provider: Any, coding: str
) -> None:
    for body in (b'{"a": 1}', b"x", b"", b"not gzip"):
        provider.answers[:] = []
        provider.answers_with(200, body, headers={"Content-Encoding": coding})
        assert egress.request("GET", provider.url).body == body


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a":1}' * 50, mtime=0)[:-9],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"\x00\x01\x02\x03\r\n\r\n",
    ],
)
def test_answer_that_is_no_complete_http_is_malformed_and_sent(egress_policy: Any, raw_server: Any, raw: bytes) -> None:
    failure = failing(f"http://127.0.0.1:{raw_server(answering(raw))}/", form={"a": "canary"})
    assert isinstance(failure, MalformedResponse)
    assert failure.sent
    assert failure.__context__ is None


def test_connection_closed_or_reset_after_the_request_is_unavailable_and_sent(
    egress_policy: Any, raw_server: Any
) -> None:
    def reset(connection: socket.socket) -> None:
        read_head(connection)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    for handle in (answering(b""), reset):
        failure = failing(f"http://127.0.0.1:{raw_server(handle)}/")
        assert isinstance(failure, ProviderUnavailable)
        assert failure.sent


@pytest.mark.parametrize("status", [429, 500, 503])
def test_outage_keeps_its_status_whatever_its_page_is(egress_policy: Any, raw_server: Any, status: int) -> None:
    for rest in (b"\r\n" + b"x" * 200_000, b"Content-Length: 10\r\n\r\nx", b"Content-Encoding: gzip\r\n\r\n\x1f\x8bx"):
        raw = f"HTTP/1.1 {status} No\r\nRetry-After: 7\r\n".encode() + rest
        response = egress.request("GET", f"http://127.0.0.1:{raw_server(answering(raw))}/")
        assert (response.status, response.body, response.headers["retry-after"]) == (status, b"", "7")


@pytest.mark.parametrize("size", [b"-1", b"-ffffffff", b"7fffffffffffffff", b"f" * 60_000])
def test_a_chunk_of_no_possible_size_is_read_no_further_than_the_cap(
    egress_policy: Any, raw_server: Any, size: bytes
) -> None:
    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")
        with contextlib.suppress(OSError):
            for _ in range(40):
                connection.sendall(b"a" * 1_000_000)

    port = raw_server(handle)
    tracemalloc.start()
    try:
        assert isinstance(failing(f"http://127.0.0.1:{port}/"), MalformedResponse)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


class _Wire:
    """A connection from which everything has been read into memory."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.raw)


def test_the_deadline_holds_for_what_lies_in_the_buffer_already() -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = http.client.HTTPResponse(_Wire(head + b"1\r\na\r\n" * 10 + b"0\r\n\r\n"))  # type: ignore[arg-type]
    answer.begin()
    with pytest.raises(TimeoutError):
        read_body(answer, cap=100, deadline=time.monotonic() - 1, is_enough=lambda _: lambda part: False)


def test_a_body_of_countless_empty_members_is_unpacked_in_time() -> None:
    packed = gzip.compress(b"") * 120_000 + gzip.compress(b"{}")
    began = time.thread_time()
    assert gunzip(packed, cap=65_536) == b"{}"
    assert time.thread_time() - began < 10
