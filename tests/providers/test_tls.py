"""TLS sessions: a later call resumes what an earlier one began, and nothing that is checked is checked less."""

import contextlib
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from providers import egress, egress_policy, tls
from providers.errors import ProviderUnavailable, TargetRefused
from tests.providers.wire import failing, read_head, server_context

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"


class Resuming:
    """A server over TLS that notes of each request whether its connection resumed a session."""

    def __init__(self, context: ssl.SSLContext, raw_server: Any) -> None:
        self.context = context
        self.resumed: list[bool] = []
        self.hang_up_next = False
        self.url = f"https://localhost:{raw_server(self._serve)}"

    def _serve(self, connection: socket.socket) -> None:
        if self.hang_up_next:
            self.hang_up_next = False
            connection.recv(1)
            return
        with self.context.wrap_socket(connection, server_side=True) as secured:
            read_head(secured)
            self.resumed.append(secured.session_reused or False)
            secured.sendall(_ANSWER)
            with contextlib.suppress(OSError):
                secured.unwrap()


@pytest.fixture
def server(trusting: Any, authority: trustme.CA, raw_server: Any) -> Resuming:
    return Resuming(server_context(authority.issue_cert("localhost", "127.0.0.1")), raw_server)


def get(url: str) -> None:
    assert egress.request("GET", url).status == 200


def test_every_later_call_resumes_a_session(server: Resuming) -> None:
    for _ in range(3):
        get(server.url)
    assert server.resumed == [False, True, True]


def test_an_older_tls_resumes_too(server: Resuming) -> None:
    server.context.maximum_version = ssl.TLSVersion.TLSv1_2
    for _ in range(3):
        get(server.url)
    assert server.resumed == [False, True, True]


def test_a_session_is_for_one_name_alone(server: Resuming) -> None:
    get(server.url)
    get(server.url.replace("localhost", "127.0.0.1"))
    assert server.resumed == [False, False]


def test_a_session_is_for_one_address_alone(server: Resuming, monkeypatch: pytest.MonkeyPatch) -> None:
    get(server.url)
    port = int(server.url.rpartition(":")[2])
    moved = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", port))]
    with socket.create_server(("127.0.0.2", port)) as other:
        other.settimeout(0.2)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: moved)
        seen = egress_policy.current_setup().sessions._kept
        assert [kept.address[0] for kept in seen] == ["127.0.0.1"]
        assert isinstance(failing(server.url, total_seconds=0.5), ProviderUnavailable)
    assert len(seen) == 1, "the session of the old address is kept"


def test_a_session_ends_with_the_authorities_under_which_it_began(server: Resuming, egress_policy: Any) -> None:
    trusted = egress.current_policy().ca_file
    get(server.url)
    egress_policy(ca_file="")
    failure = failing(server.url)
    assert "certificate" in failure.evidence.detail
    egress_policy(ca_file=trusted)
    get(server.url)
    assert server.resumed == [False, False]


def test_the_address_is_looked_up_and_judged_at_every_call(server: Resuming, monkeypatch: pytest.MonkeyPatch) -> None:
    get(server.url)
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert isinstance(failing(server.url), TargetRefused)
    assert server.resumed == [False]


def test_the_certificate_is_shown_again_after_a_while(server: Resuming, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "KEPT_SECONDS", 0.05)
    get(server.url)
    time.sleep(0.1)
    get(server.url)
    assert server.resumed == [False, False]


def test_a_server_that_forgot_the_session_has_to_show_its_certificate(server: Resuming, authority: trustme.CA) -> None:
    get(server.url)
    server.context = server_context(authority.issue_cert("localhost"))  # started anew, with other keys for its tickets
    get(server.url)
    get(server.url)
    assert server.resumed == [False, False, True]
    expired = authority.issue_cert("localhost", not_after=datetime.now(UTC) - timedelta(days=1))
    server.context = server_context(expired)
    failure = failing(server.url, form={"secret": "canary"})
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert len(server.resumed) == 3


def test_a_server_that_stumbles_over_a_session_is_asked_without_one(server: Resuming) -> None:
    get(server.url)
    server.hang_up_next = True
    get(server.url)
    assert server.resumed == [False, False]


def test_a_failure_without_a_session_is_not_tried_again(server: Resuming) -> None:
    server.hang_up_next = True
    failure = failing(server.url)
    assert isinstance(failure, ProviderUnavailable)
    assert not failure.sent
    assert server.resumed == []


def test_the_number_of_sessions_is_bounded(server: Resuming) -> None:
    get(server.url)
    ((known, (_, session)),) = egress_policy.current_setup().sessions._kept.items()
    sessions = tls.Sessions()
    for port in range(600):
        sessions.keep(known._replace(port=port), session)
    assert len(sessions._kept) == 512
    assert sessions.of(known._replace(port=0)) is None
    assert sessions.of(known._replace(port=599)) is not None
