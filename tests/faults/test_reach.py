"""A provider that cannot be reached, or is not who it says it is: nothing is sent, so nothing is in doubt."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import trustme

from connections.drills.grants import move_app
from connections.lifecycle.claim import Outcome
from connections.models import ProviderApp
from tests.faults.observed import Subject
from tests.providers.wire import server_context

YESTERDAY = datetime.now(UTC) - timedelta(days=1)
CERTIFICATES: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "expired": lambda authority: authority.issue_cert("localhost", not_after=YESTERDAY),
    "wrong host": lambda authority: authority.issue_cert("other.example"),
    "unknown authority": lambda authority: trustme.CA().issue_cert("localhost"),
}


def fails_unsent_and_recovers(subject: Subject, issuer: str, *, detail: str) -> None:
    """Move the provider to ``issuer`` and back: the connection is as it was, and its next refresh follows no doubt."""
    subject.begin_again()
    before, shown = subject.current().id, subject.refresh_token()
    app = ProviderApp.objects.get()
    move_app(app, issuer)
    assert subject.refresh().outcome is Outcome.UNAVAILABLE
    (attempt,) = subject.attempts()
    assert (attempt.state, attempt.error) == ("aborted", "provider_unavailable")
    assert (attempt.evidence["sent"], attempt.evidence["status"]) == (False, None)
    assert detail in attempt.evidence["detail"]
    row = subject.row()
    assert (row.status, row.current_version_id, row.failures) == ("active", before, 1)
    assert row.next_attempt_at is not None
    assert subject.vend().status_code == 200
    assert subject.requests() == []
    move_app(app, app.params["issuer"])
    subject.wait(minutes=1)
    assert subject.refresh().outcome is Outcome.REFRESHED
    assert subject.shown() == [shown]
    assert not subject.attempts()[-1].follows_doubt


def test_a_name_that_does_not_exist_and_a_closed_port_are_not_in_doubt(subject: Subject) -> None:
    fails_unsent_and_recovers(subject, "https://nobody.invalid", detail="could not be looked up")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    fails_unsent_and_recovers(subject, f"http://127.0.0.1:{closed}", detail="could not be reached")


def test_a_server_that_does_not_accept_in_time_is_not_in_doubt(subject: Subject, short_deadline: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        queued = [socket.socket() for _ in range(3)]
        for waiting in queued:
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        fails_unsent_and_recovers(subject, f"http://127.0.0.1:{port}", detail="could not be reached in time")
        for waiting in queued:
            waiting.close()


@pytest.mark.usefixtures("trusting")
def test_a_certificate_that_does_not_hold_gets_no_token(
    subject: Subject, authority: trustme.CA, make_provider: Any
) -> None:
    for certificate in CERTIFICATES.values():
        impostor = make_provider(server_context(certificate(authority)))
        issuer = impostor.url.replace("127.0.0.1", "localhost")
        fails_unsent_and_recovers(subject, issuer, detail="certificate was not accepted")
        assert impostor.requests == []


def test_a_server_without_tls_gets_no_token(subject: Subject, raw_server: Any) -> None:
    heard: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    issuer = f"https://127.0.0.1:{raw_server(handle)}"
    fails_unsent_and_recovers(subject, issuer, detail="TLS handshake")
    assert len(heard) == 1
    assert b"refresh_token" not in heard[0]
