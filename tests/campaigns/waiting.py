"""Many callers that wait at the same time, on sockets and without a thread each."""

import json
import selectors
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Answered:
    """One caller's answer: the status, the body, and the epoch at which it had come."""

    status: int
    body: bytes
    at: float

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class Waiting:
    """Sends each of ``requests`` on a connection of its own, and collects the answers while the body runs.

    Every request must ask for the end of the connection: an answer is whole when the server closes it.
    """

    def __init__(self, url: str, requests: Sequence[bytes]) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port or 80)
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._parts: dict[socket.socket, list[bytes]] = {}
        self._answers: list[Answered] = []
        self._thread = threading.Thread(target=self._collect)

    def __enter__(self) -> Self:
        for request in self._requests:
            sock = socket.create_connection(self._address, timeout=60)
            sock.sendall(request)
            sock.setblocking(False)
            self._parts[sock] = []
            self._selector.register(sock, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
        self._selector.close()

    def answers(self) -> list[Answered]:
        """Wait for all answers, and return them in the order in which they came."""
        self._thread.join()
        return self._answers

    def _collect(self) -> None:
        give_up_at = time.monotonic() + 120
        while self._parts and time.monotonic() < give_up_at:
            for key, _ in self._selector.select(timeout=1):
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                part = sock.recv(65536)
                self._parts[sock].append(part)
                if not part:
                    self._selector.unregister(sock)
                    sock.close()
                    self._answers.append(_read(b"".join(self._parts.pop(sock))))


def _read(answer: bytes) -> Answered:
    head, _, body = answer.partition(b"\r\n\r\n")
    return Answered(int(head.split(b" ", 2)[1]) if head else 0, body, time.time())
