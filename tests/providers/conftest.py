"""Real servers on loopback for everything that goes out: a scripted HTTP provider, and raw sockets that misbehave."""

import contextlib
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trustme

from providers import egress

TOTAL_SECONDS = 40.0  # for a machine that is busy with other tests


@pytest.fixture
def egress_policy() -> Iterator[Callable[..., egress.EgressPolicy]]:
    """Configure egress for loopback; call it to change single settings, as for a deadline that shall be short."""
    before = egress.current_policy()

    def change(**settings: Any) -> egress.EgressPolicy:
        egress.configure(replace(egress.current_policy(), **settings))
        return egress.current_policy()

    egress.configure(egress.EgressPolicy(allow_loopback=True, connect_seconds=20, total_seconds=TOTAL_SECONDS))
    yield change
    egress.configure(before)


@pytest.fixture
def strict_egress() -> Iterator[None]:
    """Configure egress as a production without exceptions has it."""
    before = egress.current_policy()
    egress.configure(egress.EgressPolicy())
    yield
    egress.configure(before)


@dataclass
class Received:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Provider:
    """A scripted HTTP server: the answers that were queued, in order, then the last one again and again.

    With a ``responder`` it thinks for itself: that function answers every request with status, body and headers.
    """

    url: str
    requests: list[Received] = field(default_factory=list)
    answers: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)
    by_path: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    responder: Callable[[Received], tuple[int, bytes, dict[str, str]]] | None = None

    def answers_with(
        self, status: int = 200, body: Any = b"", *, headers: dict[str, str] | None = None, path: str | None = None
    ) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = (status, raw, {"Content-Type": "application/json"} | (headers or {}))
        if path is None:
            self.answers.append(answer)
        else:
            self.by_path[path] = answer

    def answer_to(self, received: Received) -> tuple[int, bytes, dict[str, str]]:
        if self.responder is not None:
            return self.responder(received)
        if received.path in self.by_path:
            return self.by_path[received.path]
        if not self.answers:
            return 404, b"", {}
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @property
    def last(self) -> Received:
        return self.requests[-1]


@pytest.fixture
def make_provider() -> Iterator[Callable[..., Provider]]:
    """Return a function that starts a scripted provider, over TLS where a context is given."""
    servers: list[ThreadingHTTPServer] = []

    def start(context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Provider:
        provider = Provider(url="")

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                received = Received(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                provider.requests.append(received)
                status, body, headers = provider.answer_to(received)
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names of http.server

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                pass  # clients that leave in the middle are what is being tested

        server = Server((host, 0), Handler)
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        servers.append(server)
        name = f"[{host}]" if ":" in host else host
        provider.url = f"{'https' if context else 'http'}://{name}:{server.server_port}"
        return provider

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def provider(make_provider: Callable[..., Provider]) -> Provider:
    return make_provider()


@pytest.fixture
def raw_server() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Return a function that serves each connection with ``handle`` and returns the port."""
    listeners: list[socket.socket] = []

    def start(handle: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                handle(connection)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def every_log_record() -> Iterator[list[logging.LogRecord]]:
    """Collect whatever any logger emits at any level, as a careless logging configuration would."""
    records: list[logging.LogRecord] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    collector = Collector(level=0)
    loggers = [logging.getLogger()]
    loggers += [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    levels = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.getLogger().addHandler(collector)
    yield records
    logging.getLogger().removeHandler(collector)
    for logger, level in levels:
        logger.setLevel(level)


@pytest.fixture
def authority() -> trustme.CA:
    """A certificate authority that nobody trusts yet."""
    return trustme.CA()


@pytest.fixture
def trusting(egress_policy: Any, authority: trustme.CA, tmp_path: Path) -> Any:
    """``egress_policy`` with ``authority`` trusted."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    egress_policy(ca_file=str(tmp_path / "ca.pem"))
    return egress_policy
