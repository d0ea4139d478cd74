"""A hostile provider: nothing that it answers hands the credential over, leads the caller away or fills the memory."""

import gzip
import time
import zlib
from collections.abc import Callable

import pytest

from connections.models import AuditEvent, Connection
from providers.catalog import loader
from providers.catalog.proxying import ProxyLimits
from tests.connections.lifecycle.proxy.conftest import SECRET
from tests.deadlines import cut_short
from tests.factories import Caller
from tests.proxied import Reply, address_of, proxied
from tests.upstream import Upstream, Wire, ok

Limit = Callable[..., None]


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Change what the entry lets a proxied call do."""

    def change(**limits: object) -> None:
        found = loader.entry("sandbox")
        monkeypatch.setitem(found.__dict__, "proxy", ProxyLimits.model_validate(limits))

    return change


def bare_deflate(raw: bytes) -> bytes:
    return zlib.compress(raw)[2:-4]


def end() -> AuditEvent:
    return AuditEvent.objects.filter(action="connection.proxied")[0]


# --- The credential ---------------------------------------------------------------------------------------------------
def test_a_secret_that_is_repeated_is_taken_out_of_body_and_headers(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    body = f'{{"your": "Bearer {SECRET}"}}'.encode()
    upstream.answers(ok(body, f"ETag: {SECRET}", f"X-Request-Id: {SECRET}", f"Content-Type: text/plain; x={SECRET}"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert SECRET not in str(reply)
    assert (len(reply.body), reply.one("content-length")) == (len(body), str(len(body)))
    assert reply.json()["your"] == f"Bearer {'*' * len(SECRET)}"
    assert end().detail["secret_repeated"] is True


@pytest.mark.parametrize("size", [1, 2, 7, 20, 41])
def test_a_secret_is_found_across_the_borders_of_chunks(
    size: int, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    body = f"x{SECRET}y{SECRET}{SECRET[:10]}z".encode()

    def drip(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for at in range(0, len(body), size):
            part = body[at : at + size]
            wire.answer(b"%x;ext=%s\r\n%s\r\n" % (len(part), b"e" * 30, part))
            time.sleep(0.001)
        wire.answer(b"0\r\nX-Trailer: 1\r\n\r\n")

    upstream.handle = drip
    reply = proxied(agent, "GET", address_of(connection, "a"))
    stars = "*" * len(SECRET)
    assert reply.body.decode() == f"x{stars}y{stars}{SECRET[:10]}z"
    assert (reply.is_whole, reply.one("x-trailer")) == (True, None)


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", bare_deflate),
    ],
)
def test_a_secret_is_found_behind_a_coding_that_was_not_asked_for(
    coding: str, pack: Callable[[bytes], bytes], agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(pack(f"a{SECRET}b".encode() * 3), f"Content-Encoding: {coding}"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert reply.body.decode() == f"a{'*' * len(SECRET)}b" * 3
    assert (reply.one("content-encoding"), reply.one("content-length")) == (None, None)


@pytest.mark.parametrize(
    ("asked", "arrives"),
    [
        ("bytes=0-", "bytes=0-"),
        ("bytes=0-0", "bytes=0-0"),
        ("bytes=1000-", "bytes=1000-"),
        ("bytes=-500", "bytes=-500"),
        ("bytes=70-133", "bytes=70-133"),
        ("bytes=70-132", None),
        ("bytes=-63", None),
        ("bytes=0-0,5-5", None),
        ("bytes=-", None),
        ("lines=1-2", None),
    ],
)
def test_no_part_is_asked_for_that_may_lie_within_a_secret(
    asked: str, arrives: str | None, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    proxied(agent, "GET", address_of(connection, "a"), headers={"Range": asked})
    assert upstream.last.one("range") == arrives


def test_a_part_that_begins_or_ends_within_the_secret_gives_nothing_of_it_away(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    whole = b"x" * 70 + SECRET.encode() + b"y" * 70
    for start, stop in ((90, 170), (10, 90), (75, 100)):
        told = f"Content-Range: bytes {start}-{stop - 1}/{len(whole)}"
        upstream.answers(ok(whole[start:stop], told, status="206 Partial Content"))
        reply = proxied(agent, "GET", address_of(connection, "a"), headers={"Range": f"bytes={start}-"})
        assert (reply.status, len(reply.body)) == (206, stop - start)
        assert set(reply.body) <= set(b"xy*")


def test_several_parts_at_once_are_refused(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    upstream.answers(ok(b"..", "Content-Type: multipart/byteranges; boundary=b", status="206 Partial Content"))
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (502, "answer_refused")


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "compress", "x"])
def test_a_coding_that_hides_the_answer_is_refused(
    coding: str, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"....", f"Content-Encoding: {coding}"))
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (502, "answer_refused")


def test_no_header_sets_a_cookie_or_speaks_in_our_name(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(
        ok(
            b"fine",
            "Set-Cookie: a=1",
            "Set-Cookie2: a=1",
            "WWW-Authenticate: Bearer",
            "Proxy-Authenticate: Basic",
            "Authorization: x",
            "Latchkey-Outcome: refused",
            "Access-Control-Allow-Origin: *",
            "Strict-Transport-Security: max-age=1",
            "Clear-Site-Data: *",
            "Refresh: 0; url=https://evil.example/",
            "Content-Security-Policy: none",
            "Alt-Svc: h2=evil.example",
            "X-Accel-Redirect: /etc/passwd",
            "Connection: close, Retry-After",
            "Retry-After: 7",
            "X-RateLimit-Remaining: 9",
            f"Link: <{upstream.url}/a?page=2>; rel=next, <https://evil.example/>; rel=x",
        )
    )
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert {name for name, _ in reply.headers} <= {
        *("latchkey-outcome", "cache-control", "content-security-policy", "content-length", "x-ratelimit-remaining"),
        *(
            "link",
            "x-content-type-options",
            "referrer-policy",
            "cross-origin-opener-policy",
            "strict-transport-security",
        ),
    }
    assert reply.outcome == "upstream"
    assert reply.one("x-ratelimit-remaining") == "9"
    assert (reply.one("link") or "").startswith(f"<{address_of(connection, 'a?page=2')}>")


def test_the_wait_that_a_provider_asks_for_is_passed_on(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"slow down", "Retry-After: 7", status="429 Too Many Requests"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.one("retry-after"), reply.outcome) == (429, "7", "upstream")


# --- Redirects --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://evil.example/",
        "https://user@evil.example/",
        "//evil.example/",
        "http://127.0.0.1:1/",
        "http://user@127.0.0.1/",
        "/a/%2e%2e/x",
        "\\\\evil.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "",
    ],
)
def test_a_redirect_to_anywhere_else_is_refused(
    location: str, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"", f"Location: {location}", status="302 Found"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert reply.refused == (502, "answer_refused")
    assert reply.json()["reason"] == "redirect"
    assert reply.json().get("redirects_to") == (location if location.startswith("https://evil") else None)
    assert len(upstream.seen) == 1


def test_where_a_redirect_leads_is_told_without_the_credential(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    signed = "https://files.example/a?X-Amz-Signature=0123"
    upstream.answers(ok(b"", f"Location: {signed}&key={SECRET}", status="302 Found"))
    assert (
        proxied(agent, "GET", address_of(connection, "a")).json()["redirects_to"] == f"{signed}&key={'*' * len(SECRET)}"
    )


def test_a_redirect_below_the_base_url_is_followed_with_the_credential(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(
        ok(b"", "Location: /b/c?x=1", status="302 Found"),
        ok(b"", f"Location: {upstream.url}/d", status="307 x"),
        ok(b"here"),
    )
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.body) == (200, b"here")
    assert [seen.target for seen in upstream.seen] == ["/a", "/b/c?x=1", "/d"]
    assert {seen.one("authorization") for seen in upstream.seen} == {f"Bearer {SECRET}"}
    first, *led = AuditEvent.objects.filter(action="connection.proxy", decision="allowed").order_by("id")
    assert first.detail["path"] == "/a"
    assert [row.detail for row in led] == [
        {"method": "GET", "path": to, "led_from": by, "request": first.id}
        for by, to in (("/a", "/b/c"), ("/b/c", "/d"))
    ]
    assert {row.subject for row in led} == {"alice"}
    assert AuditEvent.objects.get(action="connection.proxied").detail["redirects"] == 2


def test_redirects_without_an_end_are_refused(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    upstream.answers(ok(b"", "Location: /a", status="302 Found"))
    assert proxied(agent, "GET", address_of(connection, "a")).refused == (502, "answer_refused")
    assert len(upstream.seen) == 6


def test_what_was_created_is_named_by_its_address_at_the_proxy(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(ok(b"", f"Location: {upstream.url}/things/7", status="201 Created"))
    assert proxied(agent, "POST", address_of(connection, "things"), body=b"{}").one("location") == address_of(
        connection, "things/7"
    )
    upstream.answers(ok(b"", "Location: https://evil.example/things/7", status="201 Created"))
    assert proxied(agent, "POST", address_of(connection, "things"), body=b"{}").one("location") is None
    upstream.answers(ok(b"", "Location: /things/8", status="303 See Other"))
    reply = proxied(agent, "POST", address_of(connection, "things"), body=b"{}")
    assert (reply.status, reply.one("location")) == (303, address_of(connection, "things/8"))


# --- Broken and endless answers ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 200_000,
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(20_000)),
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nBad Header: x\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 50,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused(raw: bytes, agent: Caller, connection: Connection, upstream: Upstream) -> None:
    upstream.answers(raw)
    status, code = proxied(agent, "GET", address_of(connection, "a")).refused
    assert (status, code) in [(502, "answer_refused"), (503, "provider_unavailable")]
    assert end().decision == code


def test_interim_answers_are_not_passed_on(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    upstream.answers(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok(b"fine"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.body) == (200, b"fine")


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;" + b"e" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"hello" * 100_000)[:-20],
    ],
)
def test_an_answer_that_breaks_off_never_looks_whole(
    raw: bytes, agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.answers(raw)
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.status, reply.is_whole) == (200, False)
    assert reply.body.startswith(b"hello")
    assert end().decision == "answer_refused"


def test_more_than_was_announced_is_cut(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    upstream.answers(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n\r\nsmuggled")
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.body, reply.is_whole) == (b"hello", True)


def test_an_endless_answer_ends_at_the_entrys_size(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(max_response_bytes=100_000)

    def endless(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            wire.answer(b"x" * 65_536)

    upstream.handle = endless
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.is_whole, len(reply.body) <= 100_000) == (False, True)
    assert end().decision == "answer_refused"


def test_a_small_body_that_unpacks_to_much_ends_at_the_entrys_size(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    limit(max_response_bytes=1_000_000)
    upstream.answers(ok(gzip.compress(bytes(200_000_000), 1), "Content-Encoding: gzip"))
    reply = proxied(agent, "GET", address_of(connection, "a"))
    assert (reply.is_whole, len(reply.body) <= 1_000_000) == (False, True)


@pytest.mark.parametrize(
    ("limited", "answer", "status"),
    [
        ("answer_seconds", b"", 504),
        ("total_seconds", b"HTTP/1.1 2", 504),
        ("idle_seconds", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200),
        ("total_seconds", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", 200),
    ],
)
def test_a_provider_that_stands_still_ends_at_the_entrys_time(
    limited: str,
    answer: bytes,
    status: int,
    agent: Caller,
    connection: Connection,
    upstream: Upstream,
    limit: Limit,
) -> None:
    def stall(wire: Wire) -> None:
        wire.answer(answer)
        wire.has_been_left()

    def call(seconds: float) -> Reply:
        limit(**{limited: seconds})
        return proxied(agent, "GET", address_of(connection, "a"))

    upstream.handle = stall
    reply = cut_short(call, has_begun=lambda reply: reply.status == status, seconds=0.1)
    assert (reply.status, end().decision) == (status, "provider_timeout")
    assert status == 200 or reply.refused == (504, "provider_timeout")


def test_a_provider_that_drips_ends_at_the_entrys_time(
    agent: Caller, connection: Connection, upstream: Upstream, limit: Limit
) -> None:
    def drip(wire: Wire) -> None:
        wire.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            wire.answer(b"x")
            time.sleep(0.02)

    def call(seconds: float) -> Reply:
        limit(total_seconds=seconds)
        return proxied(agent, "GET", address_of(connection, "a"))

    upstream.handle = drip
    reply = cut_short(call, has_begun=lambda reply: reply.status == 200, seconds=0.3)
    assert (reply.status, reply.is_whole) == (200, False)


def test_an_answer_may_come_before_the_request_is_whole(
    agent: Caller, connection: Connection, upstream: Upstream
) -> None:
    upstream.handle = lambda wire: wire.answer(ok(b"too large", status="413 Content Too Large"))
    reply = proxied(agent, "POST", address_of(connection, "a"), body=b"x" * 5_000_000)
    assert (reply.status, reply.body, reply.outcome) == (413, b"too large", "upstream")
