"""A provider's server as the proxy meets it: plain, slow, broken or hostile, on a socket of its own."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Seen:
    """One request as it came over the wire, with as much of its body as the server has read."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    def all_of(self, name: str) -> list[str]:
        return [value for found, value in self.headers if found.lower() == name]

    def one(self, name: str) -> str | None:
        values = self.all_of(name)
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None


@dataclass
class Wire:
    """One connection, and what came over it."""

    socket: socket.socket
    seen: Seen
    _rest: bytes = b""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes of the body as it is framed, b"" at its end."""
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken or self.socket.recv(size)

    def read_body(self) -> bytes:
        """Read the body that ``Content-Length`` tells, or that is chunked."""
        length = self.seen.one("content-length")
        raw = b""
        if length is not None:
            while len(raw) < int(length) and (more := self.read(65_536)):
                raw += more
            self.seen.body = raw
        elif self.seen.one("transfer-encoding") == "chunked":
            while not raw.endswith(b"0\r\n\r\n") and (more := self.read(65_536)):
                raw += more
            self.seen.body = unchunked(raw)
        return self.seen.body

    def answer(self, raw: bytes) -> None:
        self.socket.sendall(raw)

    def has_been_left(self, seconds: float = 60) -> bool:
        """Whether the other side ends the connection within so many seconds."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True


def unchunked(raw: bytes) -> bytes:
    body = b""
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        body, raw = body + raw[:length], raw[length + 2 :]
    return body


def ok(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    """Return a whole answer, of a server that ends the connection with it: whoever keeps it may find it gone."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


Handle = Callable[[Wire], None]


@dataclass
class Upstream:
    """A server on loopback. ``handle`` gets each connection when its request's head has come; the default says 200."""

    url: str = ""
    seen: list[Seen] = field(default_factory=list)
    handle: Handle = lambda wire: (
        wire.read_body(),
        wire.answer(ok(b'{"ok": true}', "Content-Type: application/json")),
    )[1]
    left: list[threading.Event] = field(default_factory=list)

    @property
    def last(self) -> Seen:
        return self.seen[-1]

    def answers(self, *answers: bytes) -> None:
        """Answer one request after the other with these, and all others with the last."""
        queue = list(answers)

        def handle(wire: Wire) -> None:
            wire.read_body()
            wire.answer(queue.pop(0) if len(queue) > 1 else queue[0])

        self.handle = handle


def _serve(upstream: Upstream, connection: socket.socket) -> None:
    with connection, contextlib.suppress(OSError):
        raw = b""
        while b"\r\n\r\n" not in raw:
            if not (more := connection.recv(65_536)):
                return
            raw += more
        head, _, rest = raw.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        pairs = [(name, value.strip()) for name, _, value in (one.partition(":") for one in lines)]
        wire = Wire(connection, Seen(line, pairs), rest)
        upstream.seen.append(wire.seen)
        upstream.handle(wire)
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(2)
        while connection.recv(65_536):
            pass


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    """A provider's API on loopback."""
    server = Upstream()
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    server.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=_serve, args=(server, connection), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
