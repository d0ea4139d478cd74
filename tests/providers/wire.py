"""What a misbehaving server needs, and a call that must fail."""

import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from providers import egress
from providers.errors import ProviderError


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


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return the context of a server that presents ``certificate``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
