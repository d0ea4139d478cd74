"""The outbound client against servers that redirect, trickle, lie and present wrong certificates."""

import gzip
import json
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme

from providers import egress
from providers.errors import (
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    TargetRefused,
)

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def answering(raw: bytes) -> Callable[[socket.socket], None]:
    """Return a handler that reads the request's head and answers ``raw``."""

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass

    return handle


def read_head(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        if not (more := connection.recv(65536)):
            break
        received += more
    return received


def trickle(connection: socket.socket, raw: bytes, *, pause: float = 0.05) -> None:
    for byte in raw:
        connection.sendall(bytes([byte]))
        time.sleep(pause)


def failing(url: str, **arguments: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        egress.request("POST", url, **arguments)
    return caught.value


# Requests and answers


def test_sends_form_query_and_headers_and_returns_the_answer(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(418, {"a": 1}, headers={"X-Thing": "yes"})
    response = egress.request(
        "POST", f"{provider.url}/token", headers={"X-Me": "1"}, params={"q": "a b"}, form={"grant": "ü&="}
    )
    assert (response.status, response.json(), response.headers["x-thing"]) == (418, {"a": 1}, "yes")
    assert provider.last.form == {"grant": "ü&="}
    assert provider.last.query == {"q": "a b"}
    assert provider.last.headers["X-Me"] == "1"
    assert provider.last.headers["User-Agent"] == "Latchkey"
    assert provider.last.headers["Host"] == provider.url.removeprefix("http://")


def test_sends_json_and_raw_content(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, {})
    egress.request("POST", provider.url, json={"a": [1]})
    assert provider.last.json == {"a": [1]}
    egress.request("PUT", provider.url, content=b"\x00raw", headers={"Content-Type": "text/plain"})
    assert (provider.last.method, provider.last.body) == ("PUT", b"\x00raw")


def test_answer_that_is_no_json_is_named_without_its_text(egress_policy: Any, provider: Any) -> None:
    for body in (b"<html>canary</html>", b"", b'{"canary": ', b"[" * 60_000, b"\xff\xfe\x00"):
        provider.answers[:] = []
        provider.answers_with(200, body)
        response = egress.request("GET", provider.url)
        with pytest.raises(MalformedResponse) as caught:
            response.json()
        assert "canary" not in "".join(traceback.format_exception(caught.value))
        assert caught.value.__context__ is None
    assert "canary" not in repr(response)


# D1: where it may go


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/",
        "https://localhost:{port}/",
        "https://[::1]:{port}/",
        "https://[::ffff:127.0.0.1]:{port}/",
        "https://2130706433:{port}/",
        "https://0x7f000001:{port}/",
        "https://0177.0.0.1:{port}/",
        "https://127.1:{port}/",
        "https://0:{port}/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[fd00:ec2::254]/",
        "https://[64:ff9b::7f00:1]/",
    ],
)
def test_strict_policy_refuses_non_public_addresses_unsent(strict_egress: None, raw_server: Any, url: str) -> None:
    touched = threading.Event()
    port = raw_server(lambda connection: touched.set())
    failure = failing(url.format(port=port))
    assert isinstance(failure, TargetRefused)
    assert not failure.sent
    assert not touched.is_set()


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com/path",
        "https://",
        "https://user:canary@example.com/",
        "https://example.com:99999/",
        "https://[::1/",
        "",
    ],
)
def test_refuses_urls_that_are_no_https_targets(egress_policy: Any, url: str) -> None:
    failure = failing(url)
    assert isinstance(failure, TargetRefused | MisconfiguredProvider)
    assert not failure.sent
    assert "canary" not in "".join(traceback.format_exception(failure))


def test_refuses_a_name_one_of_whose_addresses_is_private(strict_egress: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def mixed(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", mixed)
    failure = failing("https://mixed.example/")
    assert isinstance(failure, TargetRefused)


def test_looks_up_once_and_connects_to_the_address_that_was_checked(
    egress_policy: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answers_with(200, {})
    port = int(provider.url.rpartition(":")[2])
    lookups: list[str] = []

    def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        lookups.append(host)
        address = "127.0.0.1" if len(lookups) == 1 else "10.0.0.5"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    egress.request("GET", f"http://rebinding.example:{port}/")
    assert lookups == ["rebinding.example"]
    assert provider.last.headers["Host"] == f"rebinding.example:{port}"


def test_tries_the_next_address_when_one_does_not_answer(
    egress_policy: Any, provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.answers_with(200, {})
    port = int(provider.url.rpartition(":")[2])
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("127.0.0.2", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert egress.request("GET", f"http://two.example:{port}/").status == 200


def test_plain_http_is_for_loopback_alone(egress_policy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    egress_policy(allowed_targets=("10.0.0.0/8",))
    assert isinstance(failing("http://10.0.0.1/"), TargetRefused)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in ("127.0.0.1", "93.184.216.34")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert isinstance(failing("http://mixed.example/"), TargetRefused)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_refused_and_nothing_reaches_its_target(
    egress_policy: Any, make_provider: Any, status: int
) -> None:
    token, trap = make_provider(), make_provider()
    token.answers_with(status, b"", headers={"Location": f"{trap.url}/collect"})
    failure = failing(f"{token.url}/token", form={"refresh_token": "canary"})
    assert isinstance(failure, TargetRefused)
    assert failure.evidence.status == status
    assert failure.sent
    assert trap.requests == []


def test_mounted_session_refuses_redirects_too(egress_policy: Any, make_provider: Any) -> None:
    token, trap = make_provider(), make_provider()
    token.answers_with(307, b"", headers={"Location": f"{trap.url}/collect"})
    session = requests.Session()
    egress.mount(session)
    with pytest.raises(TargetRefused):
        session.post(f"{token.url}/token", data={"refresh_token": "canary"}, allow_redirects=True)
    assert trap.requests == []


def test_mounted_session_is_judged_and_returns_what_requests_expects(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, {"a": "ü"})
    session = requests.Session()
    egress.mount(session)
    response = session.post(provider.url, data={"x": "1"}, verify=False, proxies={"http": "http://127.0.0.1:1"})
    assert (response.status_code, response.json(), response.text) == (200, {"a": "ü"}, json.dumps({"a": "ü"}))
    egress_policy(allow_loopback=False)
    with pytest.raises(TargetRefused):
        session.post(provider.url)


def test_environment_has_no_say(
    egress_policy: Any, provider: Any, make_provider: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = make_provider()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    provider.answers_with(200, {})
    egress.request("GET", provider.url)
    session = requests.Session()
    egress.mount(session)
    session.get(provider.url)
    assert (len(provider.requests), elsewhere.requests) == (2, [])


# TLS


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(egress_policy: Any, authority: trustme.CA, tmp_path: Path) -> Any:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    egress_policy(ca_file=str(tmp_path / "ca.pem"))
    return egress_policy


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def test_speaks_tls_with_the_name_of_the_target(trusting: Any, authority: trustme.CA, make_provider: Any) -> None:
    asked: list[str | None] = []
    context = server_context(authority.issue_cert("localhost", "127.0.0.1"))
    context.sni_callback = lambda sock, name, ctx: asked.append(name)
    server = make_provider(context)
    server.answers_with(200, {"ok": True})
    by_name = server.url.replace("127.0.0.1", "localhost")
    assert egress.request("POST", by_name, form={"a": "b" * 200_000}).json() == {"ok": True}
    assert len(server.last.form["a"]) == 200_000
    assert egress.request("GET", server.url).status == 200
    assert asked == ["localhost", None]


@pytest.mark.parametrize("case", ["wrong host", "expired", "unknown authority", "address not named"])
def test_certificate_that_does_not_hold_is_refused_unsent(
    trusting: Any, authority: trustme.CA, make_provider: Any, case: str
) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    certificate = {
        "wrong host": lambda: authority.issue_cert("other.example"),
        "expired": lambda: authority.issue_cert("localhost", not_after=past),
        "unknown authority": lambda: trustme.CA().issue_cert("localhost"),
        "address not named": lambda: authority.issue_cert("localhost"),
    }[case]()
    server = make_provider(server_context(certificate))
    url = server.url if case == "address not named" else server.url.replace("127.0.0.1", "localhost")
    failure = failing(f"{url}/token", form={"secret": "canary"})
    assert isinstance(failure, ProviderUnavailable)
    assert "certificate" in failure.evidence.detail
    assert not failure.sent
    assert server.requests == []


def test_environment_cannot_add_an_authority(
    egress_policy: Any, authority: trustme.CA, make_provider: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
    egress.configure(egress.current_policy())
    server = make_provider(server_context(authority.issue_cert("localhost")))
    server.answers_with(200, {})
    url = server.url.replace("127.0.0.1", "localhost")
    assert isinstance(failing(url), ProviderUnavailable)
    session = requests.Session()
    egress.mount(session)
    with pytest.raises(ProviderUnavailable):
        session.get(url, verify=False)


def test_server_that_speaks_no_tls_is_unavailable_unsent(egress_policy: Any, raw_server: Any) -> None:
    port = raw_server(lambda connection: connection.sendall(b"SSH-2.0-x\r\n" * 5))
    failure = failing(f"https://127.0.0.1:{port}/")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent


# Failures before the first byte


def test_unknown_name_and_closed_port_are_unavailable_unsent(egress_policy: Any) -> None:
    failure = failing("https://no-such-name.invalid/?canary=1")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    failure = failing(f"http://127.0.0.1:{port}/?canary=1", form={"canary": "1"})
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert "canary" not in "".join(traceback.format_exception(failure))


def test_lookup_that_hangs_ends_at_the_connect_deadline(egress_policy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    egress_policy(connect_seconds=0.2)
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(5) and [])
    started = time.monotonic()
    failure = failing("https://slow.example/")
    release.set()
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("headers", [{"X-Key": "a\r\nInjected: 1"}, {"X-Key": "ключ"}])
def test_header_that_http_cannot_carry_is_refused_before_connecting(
    egress_policy: Any, provider: Any, headers: dict[str, str]
) -> None:
    failure = failing(provider.url, headers=headers)
    assert isinstance(failure, MisconfiguredProvider)
    assert not failure.sent
    assert failure.__context__ is None
    assert provider.requests == []


# D2: the deadline


def test_deadline_holds_against_trickled_headers(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(total_seconds=0.4)

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        trickle(connection, b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)

    started = time.monotonic()
    failure = failing(f"http://127.0.0.1:{raw_server(handle)}/")
    assert isinstance(failure, ProviderUnavailable)
    assert failure.sent
    assert 0.3 < time.monotonic() - started < 1.5


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n", b"\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
def test_deadline_holds_against_a_trickled_body(egress_policy: Any, raw_server: Any, head: bytes) -> None:
    egress_policy(total_seconds=0.4)

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + head)
        trickle(connection, b"1\r\na\r\n" * 200)

    started = time.monotonic()
    failure = failing(f"http://127.0.0.1:{raw_server(handle)}/")
    assert isinstance(failure, ProviderUnavailable)
    assert (failure.sent, failure.evidence.status) == (True, 200)
    assert time.monotonic() - started < 1.5


def test_deadline_holds_against_a_trickled_tls_handshake(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(connect_seconds=0.4)
    port = raw_server(lambda connection: trickle(connection, b"\x16\x03\x03\x40\x00" + b"\x02" * 1000))
    started = time.monotonic()
    failure = failing(f"https://127.0.0.1:{port}/")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert time.monotonic() - started < 1.5


def test_deadline_holds_against_a_body_trickled_over_tls(trusting: Any, authority: trustme.CA, raw_server: Any) -> None:
    trusting(total_seconds=0.6)
    context = server_context(authority.issue_cert("127.0.0.1"))

    def handle(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            trickle(secured, b"a" * 1000)

    started = time.monotonic()
    failure = failing(f"https://127.0.0.1:{raw_server(handle)}/")
    assert isinstance(failure, ProviderUnavailable)
    assert failure.sent
    assert time.monotonic() - started < 1.8


def test_deadline_holds_against_a_server_that_never_reads(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(total_seconds=0.4)
    port = raw_server(lambda connection: time.sleep(3))
    started = time.monotonic()
    failure = failing(f"http://127.0.0.1:{port}/", content=b"x" * 30_000_000)
    assert isinstance(failure, ProviderUnavailable)
    assert failure.sent
    assert time.monotonic() - started < 1.5


def test_endless_interim_answers_end_at_the_deadline(egress_policy: Any, raw_server: Any) -> None:
    egress_policy(total_seconds=0.4)

    def handle(connection: socket.socket) -> None:
        read_head(connection)
        while True:
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            time.sleep(0.01)

    assert isinstance(failing(f"http://127.0.0.1:{raw_server(handle)}/"), ProviderUnavailable)


def test_call_may_shorten_the_deadline(egress_policy: Any, raw_server: Any) -> None:
    port = raw_server(lambda connection: time.sleep(2))
    started = time.monotonic()
    failing(f"http://127.0.0.1:{port}/", total_seconds=0.2)
    assert time.monotonic() - started < 1


# D3: the cap, and answers that are broken


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
    for packed, coding in ((gzip.compress(b'{"a":1}'), "gzip"), (zlib.compress(b'{"a":1}'), "deflate")):
        provider.answers[:] = []
        provider.answers_with(200, packed, headers={"Content-Encoding": coding})
        assert egress.request("GET", provider.url).json() == {"a": 1}
    assert provider.last.headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b'{"a":1}' * 50, mtime=0)[:-9],
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\n\r\nxx",
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
    for rest in (b"\r\n" + b"x" * 200_000, b"Content-Length: 10\r\n\r\nx", b"Content-Encoding: br\r\n\r\nx"):
        raw = f"HTTP/1.1 {status} No\r\nRetry-After: 7\r\n".encode() + rest
        response = egress.request("GET", f"http://127.0.0.1:{raw_server(answering(raw))}/")
        assert (response.status, response.body, response.headers["retry-after"]) == (status, b"", "7")


# The proxy


def tunnelling_proxy(seen: list[bytes], port: int) -> Callable[[socket.socket], None]:
    """Return a handler that takes a CONNECT and joins the connection to ``port`` on loopback."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def handle(connection: socket.socket) -> None:
        seen.append(read_head(connection))
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            connection.sendall(b"HTTP/1.1 200 Connection established\r\nX: y\r\n\r\n")
            back = threading.Thread(target=pump, args=(upstream, connection), daemon=True)
            back.start()
            pump(connection, upstream)
            back.join(5)

    return handle


def test_proxy_is_asked_for_a_tunnel_and_the_certificate_is_still_checked(
    trusting: Any, authority: trustme.CA, make_provider: Any, raw_server: Any
) -> None:
    server = make_provider(server_context(authority.issue_cert("api.partner.invalid")))
    server.answers_with(200, {"ok": True})
    seen: list[bytes] = []
    proxy = raw_server(tunnelling_proxy(seen, int(server.url.rpartition(":")[2])))
    trusting(proxy_url=f"http://us%40er:p%3Ass@127.0.0.1:{proxy}")
    assert egress.request("GET", "https://api.partner.invalid/me").json() == {"ok": True}
    assert seen[0].startswith(b"CONNECT api.partner.invalid:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNAZXI6cDpzcw==" in seen[0]
    assert "Proxy-Authorization" not in server.last.headers
    failure = failing("https://other.partner.invalid/")
    assert isinstance(failure, ProviderUnavailable)
    assert (failure.sent, len(server.requests)) == (False, 1)


def test_proxy_does_not_lift_the_address_rules(egress_policy: Any, raw_server: Any) -> None:
    seen: list[bytes] = []
    port = raw_server(lambda connection: seen.append(read_head(connection)))
    egress_policy(proxy_url=f"http://127.0.0.1:{port}")
    for url in ("https://169.254.169.254/", "https://10.0.0.1/", "https://[fd00::1]/", "http://10.0.0.1/"):
        assert isinstance(failing(url), TargetRefused)
    assert seen == []


def test_proxy_that_refuses_makes_the_provider_unavailable_unsent(egress_policy: Any, raw_server: Any) -> None:
    port = raw_server(answering(b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"))
    egress_policy(proxy_url=f"http://127.0.0.1:{port}")
    failure = failing("https://api.partner.invalid/")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent


# The policy


@pytest.mark.parametrize(
    "settings",
    [
        {"proxy_url": "socks5://127.0.0.1:1080"},
        {"proxy_url": "https://proxy.example:3128"},
        {"proxy_url": "proxy.example:3128"},
        {"ca_file": "/nonexistent/ca.pem"},
        {"ca_file": __file__},
        {"allowed_targets": ("http://erp",)},
    ],
)
def test_wrong_policy_is_refused_and_changes_nothing(egress_policy: Any, settings: dict[str, Any]) -> None:
    before = egress.current_policy()
    with pytest.raises(ValueError, match=r"allowed target|proxy|CA file"):
        egress_policy(**settings)
    assert egress.current_policy() is before


def test_policy_does_not_show_the_proxy_password() -> None:
    assert "canary" not in repr(egress.EgressPolicy(proxy_url="http://u:canary@proxy.example:3128"))
