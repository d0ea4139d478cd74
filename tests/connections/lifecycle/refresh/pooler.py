"""A stand-in for a pooler that shares sessions: it hands PostgreSQL's bytes on, under a process id of its own."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_ENCRYPTION_REQUESTS = (80877103, 80877104)  # TLS and GSSAPI: both declined
_MADE_UP_PID = 77


@contextmanager
def shared_sessions(host: str, port: int) -> Iterator[int]:
    """Listen on a loopback port for clients of the server at ``host`` and ``port`` until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_accept, args=(listener, host, port), daemon=True).start()
        yield listener.getsockname()[1]


def _accept(listener: socket.socket, host: str, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((host, port))
            _hand_on_startup(client, server)
            threading.Thread(target=_hand_on, args=(client, server), daemon=True).start()
            threading.Thread(target=_answer, args=(server, client), daemon=True).start()


def _hand_on_startup(client: socket.socket, server: socket.socket) -> None:
    while True:
        size, code = struct.unpack("!II", _exactly(client, 8))
        if code not in _ENCRYPTION_REQUESTS:
            break
        client.sendall(b"N")
    server.sendall(struct.pack("!II", size, code) + _exactly(client, size - 8))


def _answer(server: socket.socket, client: socket.socket) -> None:
    with suppress(OSError, struct.error):
        kind = b""
        while kind != b"Z":  # ready for the first query
            kind, size = struct.unpack("!cI", _exactly(server, 5))
            body = _exactly(server, size - 4)
            if kind == b"K":  # BackendKeyData
                body = struct.pack("!I", _MADE_UP_PID) + body[4:]
            client.sendall(kind + struct.pack("!I", size) + body)
    _hand_on(server, client)


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    for side in (source, target):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()


def _exactly(source: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = source.recv(size - len(data))
        if not more:
            raise ConnectionError
        data += more
    return data
