"""Answers that no web framework would give: the bytes are written to the accepted socket itself.

Owns the few operations on the raw connection that faults need (hang up, reset, trickle, stream without end, notice that
the client is gone). It accepts, it never connects. Which fault uses which is in ``faults``.
"""

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any

from flask import Response

_LOOK_SECONDS = 0.02
_DROPPED = ConnectionAbortedError("the sandbox answered on the socket itself, or not at all")


class Line:
    """The accepted connection of one request. Once ``released`` is set, nothing waits on it any more."""

    def __init__(self, accepted: socket.socket, *, released: threading.Event | None = None) -> None:
        self._socket = accepted
        self._released = released or threading.Event()
        self._poll = select.poll()
        self._poll.register(accepted.fileno(), select.POLLRDHUP | select.POLLHUP | select.POLLERR)

    def peer_closed(self) -> bool:
        """Return whether the client has hung up (or closed its sending side)."""
        return bool(self._poll.poll(0))

    def wait(self, seconds: float) -> bool:
        """Sleep until it is released, but no longer than the client waits; return whether it is still there."""
        ends_at = time.monotonic() + seconds
        while not self._released.is_set() and (left := ends_at - time.monotonic()) > 0:
            if self._poll.poll(min(left, _LOOK_SECONDS) * 1000):
                return False
        return not self.peer_closed()

    def send(self, data: bytes) -> None:
        """Write ``data`` at once. Raises ConnectionError when the client is gone."""
        self._socket.sendall(data)

    def hang_up(self, *, reset: bool) -> None:
        """Close the connection now: with a FIN, or with a RST when ``reset``."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The server's file objects would keep the descriptor open past a plain close().
        os.close(self._socket.detach())


class WireResponse(Response):
    """A response that is played on the line, after which the connection is closed.

    The code that logs the request sets two callbacks: ``finish`` is called before the last byte or the close,
    ``client_gone`` if the client hung up first. ``sent_status`` is the status that is sent, None if none is.
    """

    def __init__(self, play: Callable[[Line, Callable[[], None]], None], *, sent_status: int | None) -> None:
        super().__init__()
        self._play = play
        self.sent_status = sent_status
        self.finish: Callable[[], None] = lambda: None
        self.client_gone: Callable[[], None] = lambda: None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Play the response, then tell the WSGI server that the connection is gone."""
        try:
            self._play(Line(environ["sandbox.socket"]), self.finish)
        except ConnectionError:
            self.client_gone()
        self.finish()
        raise _DROPPED


def hung_up(*, reset: bool = False) -> WireResponse:
    """Return a response that sends nothing and closes the connection."""

    def play(line: Line, finish: Callable[[], None]) -> None:
        finish()
        line.hang_up(reset=reset)

    return WireResponse(play, sent_status=None)


def streamed(head: bytes, chunks: Iterable[bytes], *, interval: float = 0.0, status: int = 200) -> WireResponse:
    """Return a response that sends ``head``, then each chunk ``interval`` seconds after the one before."""

    def play(line: Line, finish: Callable[[], None]) -> None:
        held = head
        for chunk in chunks:
            line.send(held)
            held = chunk
            if interval and not line.wait(interval):
                raise ConnectionAbortedError
        finish()
        line.send(held)

    return WireResponse(play, sent_status=status)


def cut_off(response: Response, *, after: int) -> WireResponse:
    """Return ``response`` with its true Content-Length, closed after that many bytes of the body."""
    body = response.get_data()
    return streamed(head_of(response, content_length=len(body)), [body[:after]], status=response.status_code)


def head_of(response: Response, *, content_length: int | None) -> bytes:
    """Return the status line and headers of ``response`` as they go over the wire, the blank line included.

    With ``content_length`` None the body ends where the connection does (RFC 9112 §6.3).
    """
    lines = [f"HTTP/1.1 {response.status}"]
    lines += [f"{name}: {value}" for name, value in response.headers.items() if name.lower() != "content-length"]
    if content_length is not None:
        lines.append(f"Content-Length: {content_length}")
    lines += [f"Date: {formatdate(usegmt=True)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")
