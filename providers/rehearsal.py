"""Rehearsals: something stands in for the network, so that an entry can be tried and nothing leaves the house.

A tool of ``providers.dialects``. A process that serves anybody never enters one.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult

from providers.values import ClientCertificate

# Gets the target and the client certificate that would be presented; returns what the request is written to, and the
# answer read from.
Connect = Callable[[SplitResult, ClientCertificate | None], Any]

_connect: Connect | None = None


@contextmanager
def rehearsed(connect: Connect) -> Iterator[None]:
    """Have ``connect`` stand in for the network, within the block and for all of this process."""
    global _connect  # noqa: PLW0603 - there is one network a process
    before, _connect = _connect, connect
    try:
        yield
    finally:
        _connect = before


def connect(target: SplitResult, certificate: ClientCertificate | None) -> Any:
    """Return the connection of the rehearsal that is on, None if none is: then the network is real. No I/O."""
    return None if _connect is None else _connect(target, certificate)
