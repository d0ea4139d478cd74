"""The outbound client over TLS and through a proxy: whose certificate counts, and what the proxy may not lift."""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from providers import egress
from providers.errors import (
    ProviderUnavailable,
    TargetRefused,
)
from providers.oauth.classify import json_document
from tests.providers.wire import answering, failing, read_head, server_context


def test_speaks_tls_with_the_name_of_the_target(trusting: Any, authority: trustme.CA, make_provider: Any) -> None:
    asked: list[str | None] = []
    context = server_context(authority.issue_cert("localhost", "127.0.0.1"))
    context.sni_callback = lambda sock, name, ctx: asked.append(name)
    server = make_provider(context)
    server.answers_with(200, {"ok": True})
    by_name = server.url.replace("127.0.0.1", "localhost")
    assert json_document(egress.request("POST", by_name, form={"a": "b" * 200_000})) == {"ok": True}
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


def test_server_that_speaks_no_tls_is_unavailable_unsent(egress_policy: Any, raw_server: Any) -> None:
    port = raw_server(lambda connection: connection.sendall(b"SSH-2.0-x\r\n" * 5))
    failure = failing(f"https://127.0.0.1:{port}/")
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent


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
            back.join(60)

    return handle


def test_proxy_is_asked_for_a_tunnel_and_the_certificate_is_still_checked(
    trusting: Any, authority: trustme.CA, make_provider: Any, raw_server: Any
) -> None:
    server = make_provider(server_context(authority.issue_cert("api.partner.invalid")))
    server.answers_with(200, {"ok": True})
    seen: list[bytes] = []
    proxy = raw_server(tunnelling_proxy(seen, int(server.url.rpartition(":")[2])))
    trusting(proxy_url=f"http://us%40er:p%3Ass@127.0.0.1:{proxy}")
    assert json_document(egress.request("GET", "https://api.partner.invalid/me")) == {"ok": True}
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
