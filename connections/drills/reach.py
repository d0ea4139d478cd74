"""Scenarios: a provider is unreachable, or is not who it says it is. Nothing is sent, so nothing is in doubt."""

import datetime as dt
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from connections.drills.grants import move_app
from connections.drills.ground import Ground, Subject, deadlines
from connections.drills.oracles import expect, expect_equal, expect_kept, expect_refreshed, expect_unsent
from connections.lifecycle.refresh.claim import Outcome
from connections.models import ProviderApp

_SHORT_SECONDS = 2.0


def fails_unsent_and_recovers(ground: Ground, issuer: str, *, detail: str) -> Subject:
    """Move a new connection's provider to ``issuer``, refresh in vain, move it back and refresh once more.

    Raises ``Broken`` unless the failure keeps the credential, puts no attempt in doubt, and has ``detail`` in its
    evidence. Returns the connection.
    """
    (subject,) = ground.connect(grace_seconds=0)
    before, shown = ground.state(subject).current_version_id, ground.refresh_token(subject)
    app = ProviderApp.objects.get(id=subject.app_id)
    move_app(app, issuer)
    outcome = ground.refresh(subject).outcome
    expect(outcome is Outcome.UNAVAILABLE, f"{issuer}: the outcome is {outcome}")
    expect_unsent(ground.attempt(subject), detail=detail)
    expect_kept(subject.id, before=before)
    state = ground.state(subject)
    expect(state.failures == 1 and state.next_attempt_at is not None, f"{issuer}: the next try is not held back")
    ground.vend(subject)
    expect(not ground.requests(subject), f"{issuer}: the provider was asked")
    move_app(app, ground.sandbox.base_url)
    ground.pass_time(subject)
    expect_refreshed(ground.refresh(subject).outcome)
    expect_equal([one.refresh_presented for one in ground.requests(subject)], [shown], f"{issuer}: what was sent")
    expect_equal(ground.attempts(subject, "follows_doubt"), [False, False], f"{issuer}: which attempts follow a doubt")
    return subject


def unreachable(ground: Ground) -> str:
    """The name does not exist, nobody listens, or nobody accepts in time."""
    fails_unsent_and_recovers(ground, "https://drill.invalid", detail="could not be looked up")
    fails_unsent_and_recovers(ground, f"http://127.0.0.1:{_closed_port()}", detail="could not be reached")
    with _full_listener() as port, deadlines(total_seconds=_SHORT_SECONDS, connect_seconds=_SHORT_SECONDS / 2):
        fails_unsent_and_recovers(ground, f"http://127.0.0.1:{port}", detail="could not be reached in time")
    return "three ways: not sent, so not in doubt"


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _full_listener() -> Iterator[int]:
    """Listen on loopback with a full queue and accept nobody, so that a new connection waits for ever."""
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(3):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def unverified(ground: Ground) -> str:
    """A certificate of no known authority, and a server that speaks no TLS at all."""
    with served(_self_signed()) as (port, received):
        fails_unsent_and_recovers(ground, f"https://127.0.0.1:{port}", detail="certificate was not accepted")
    expect(not received, "a request was sent over an unverified connection")
    with served(None) as (port, received):
        fails_unsent_and_recovers(ground, f"https://127.0.0.1:{port}", detail="TLS handshake")
    expect(len(received) == 1, "no handshake was tried")
    expect(not any(b"refresh_token" in one for one in received), "a token was sent in the clear")
    return "not sent, so not in doubt; verification not skipped"


@contextmanager
def served(context: ssl.SSLContext | None) -> Iterator[tuple[int, list[bytes]]]:
    """Run a server on loopback, with TLS if a context is given. Yields its port and each client's first bytes."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    accepted, _ = server.accept()
                    with suppress(OSError), _wrapped(accepted, context) as client:
                        if found := client.recv(65536):
                            received.append(found)
                        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=serve, name="impostor")
        thread.start()
        try:
            yield int(server.getsockname()[1]), received
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _wrapped(accepted: socket.socket, context: ssl.SSLContext | None) -> socket.socket:
    accepted.settimeout(5)
    return accepted if context is None else context.wrap_socket(accepted, server_side=True)


def _self_signed() -> ssl.SSLContext:
    """Return a TLS context with a self-signed certificate for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    certificate = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(hours=1)).sign(key, hashes.SHA256())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        no_password = serialization.NoEncryption()
        formats = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        Path(file.name).write_bytes(
            key.private_bytes(*formats, no_password) + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context.load_cert_chain(file.name)
    return context
