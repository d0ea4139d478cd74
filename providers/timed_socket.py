"""Sockets that keep one deadline over all their operations.

A time-out for each single operation would never end a call to a peer that sends a byte a second, be it in the TLS
handshake, the headers or the body. Only ``providers.egress`` opens and connects these sockets.
"""

import socket
import ssl
import time
from typing import Any


def time_left(deadline: float) -> float:
    """Return the seconds until ``deadline`` of the monotonic clock. Raises ``TimeoutError`` when it has passed."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class TimedSocket(socket.socket):
    """A socket that gives each operation only what is left until ``deadline`` (monotonic clock)."""

    deadline = 0.0

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(self.deadline))
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(time_left(self.deadline))
        super().sendall(*args, **kwargs)


class TimedTLSSocket(ssl.SSLSocket):
    """A ``TimedSocket`` over TLS. Here ``sendall`` is a loop of ``send``, so each ``send`` gets the remaining time."""

    deadline = 0.0

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(self.deadline))
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(time_left(self.deadline))
        return super().send(*args, **kwargs)

    def do_handshake(self, block: bool = False) -> None:
        self.settimeout(time_left(self.deadline))
        super().do_handshake(block)
