"""Looking a name up with a deadline. ``providers.egress`` does so for every call, and judges what is found."""

import ipaddress
import queue
import socket
import threading
from contextlib import suppress
from typing import Any

from providers.timed_socket import time_left

Found = list[tuple[socket.AddressFamily, Any]]

_LOOKUPS = threading.BoundedSemaphore(64)  # getaddrinfo cannot be interrupted: bounds the threads that wait in it


def look_up(host: str, port: int, deadline: float) -> Found:
    """Look ``host`` up once and return its addresses, each with its family; none if the name is unknown. Blocks.

    ``deadline`` is a moment of the monotonic clock. Raises ``TimeoutError``.
    """
    if literal := _literal(host, port):
        return literal
    answers: queue.SimpleQueue[Found] = queue.SimpleQueue()

    def ask() -> None:
        found: Found = []
        try:
            with suppress(OSError, UnicodeError):  # an unknown name has no addresses
                found = [(entry[0], entry[4]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        finally:
            _LOOKUPS.release()
            answers.put(found)

    if not _LOOKUPS.acquire(timeout=time_left(deadline)):
        raise TimeoutError
    threading.Thread(target=ask, name="egress-lookup", daemon=True).start()
    try:
        return answers.get(timeout=time_left(deadline))
    except queue.Empty:
        raise TimeoutError from None


def _literal(host: str, port: int) -> Found:
    """Return ``host`` itself if it is an address: that needs no lookup, and no thread to wait in."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return []
    if address.version == 4:
        return [(socket.AF_INET, (host, port))]
    return [] if "%" in host else [(socket.AF_INET6, (host, port, 0, 0))]  # a zone has to be looked up
