"""What the outbound client sends and returns, and where it refuses to go."""

import socket
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from providers import egress
from providers.errors import (
    MisconfiguredProvider,
    ProviderUnavailable,
    TargetRefused,
)
from providers.oauth.classify import json_document
from tests.providers.wire import failing


def test_sends_form_query_and_headers_and_returns_the_answer(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(418, {"a": 1}, headers={"X-Thing": "yes"})
    response = egress.request(
        "POST", f"{provider.url}/token", headers={"X-Me": "1"}, params={"q": "a b"}, form={"grant": "ü&="}
    )
    assert (response.status, json_document(response), response.headers["x-thing"]) == (418, {"a": 1}, "yes")
    assert provider.last.form == {"grant": "ü&="}
    assert provider.last.query == {"q": "a b"}
    assert provider.last.headers["X-Me"] == "1"
    assert provider.last.headers["User-Agent"] == "Latchkey"
    assert provider.last.headers["Host"] == provider.url.removeprefix("http://")


def test_keeps_every_challenge_where_a_server_sends_several(egress_policy: Any, raw_server: Any) -> None:
    def handle(connection: socket.socket) -> None:
        connection.recv(65_536)
        challenges = b"WWW-Authenticate: Basic realm=x\r\nWWW-Authenticate: Bearer scope=a\r\n"
        connection.sendall(b"HTTP/1.1 401 No\r\n" + challenges + b"Content-Length: 0\r\n\r\n")

    response = egress.request("GET", f"http://127.0.0.1:{raw_server(handle)}/")
    assert response.headers["www-authenticate"] == "Basic realm=x, Bearer scope=a"


def test_sends_json_and_raw_content(egress_policy: Any, provider: Any) -> None:
    provider.answers_with(200, {})
    egress.request("POST", provider.url, json={"a": [1]})
    assert provider.last.json == {"a": [1]}
    egress.request("PUT", provider.url, content=b"\x00raw", headers={"Content-Type": "text/plain"})
    assert (provider.last.method, provider.last.body) == ("PUT", b"\x00raw")


def test_speaks_to_ipv6_and_names_the_host_as_urls_do(egress_policy: Any, make_provider: Any) -> None:
    try:
        provider = make_provider(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    provider.answers_with(200, {})
    assert egress.request("GET", f"{provider.url}/me").status == 200
    assert provider.last.headers["Host"] == provider.url.removeprefix("http://")


def test_answer_that_is_no_json_is_no_document_and_shows_no_text(egress_policy: Any, provider: Any) -> None:
    for body in (b"<html>canary</html>", b"", b'{"canary": ', b"[" * 60_000, b"\xff\xfe\x00"):
        provider.answers[:] = []
        provider.answers_with(200, body)
        response = egress.request("GET", provider.url)
        assert json_document(response) is None
        assert "canary" not in repr(response)


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


def test_environment_has_no_say(
    egress_policy: Any, provider: Any, make_provider: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = make_provider()
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, elsewhere.url)
    provider.answers_with(200, {})
    egress.request("GET", provider.url)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login canary password canary")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    egress.request("GET", provider.url)
    assert (len(provider.requests), elsewhere.requests) == (2, [])
    assert "Authorization" not in provider.last.headers


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
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(30) and [])
    started = time.monotonic()
    failure = failing("https://slow.example/")
    release.set()
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("headers", [{"X-Key": "a\r\nInjected: 1"}, {"X-Key": "ключ"}])
def test_header_that_http_cannot_carry_is_refused_before_connecting(
    egress_policy: Any, provider: Any, headers: dict[str, str]
) -> None:
    failure = failing(provider.url, headers=headers)
    assert isinstance(failure, MisconfiguredProvider)
    assert not failure.sent
    assert failure.__context__ is None
    assert provider.requests == []


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


@pytest.mark.parametrize("strict", [True, False])
def test_a_server_of_the_operator_may_be_on_this_machine(
    strict: bool, provider: Any, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("strict_egress" if strict else "egress_policy")
    provider.answers_with(200, {"a": 1})
    answer = egress.request("POST", f"{provider.url}/v1", of_operator=True)
    assert json_document(answer) == {"a": 1}
    if strict:
        assert isinstance(failing(f"{provider.url}/v1"), TargetRefused), "nobody else's may"


@pytest.mark.parametrize("host", ["10.1.2.3", "192.168.0.1", "8.8.8.8", "[2001:4860:4860::8888]"])
def test_without_tls_a_server_of_the_operator_has_to_be_near(host: str, strict_egress: None) -> None:
    refused = failing(f"http://{host}:9/v1", of_operator=True)
    assert isinstance(refused, TargetRefused)
    assert "Without TLS" in refused.evidence.detail


def test_the_proxy_is_for_public_servers_of_the_operator_alone(egress_policy: Any, provider: Any) -> None:
    egress_policy(proxy_url="http://127.0.0.1:9")
    provider.answers_with(200, {"a": 1})
    assert egress.request("POST", f"{provider.url}/v1", of_operator=True).status == 200
    assert isinstance(failing("https://8.8.8.8/v1", of_operator=True), ProviderUnavailable)
