"""The time until which a request may leave. If a caller stands still longer, another process takes its place.

The caller opens the window. ``providers.egress`` checks it directly before a request's first byte, when the connection
is open, so that it notices every delay before that moment.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class _Window:
    first_by: float
    others_by: float
    is_first: bool = True


_window: ContextVar[_Window | None] = ContextVar("send_window", default=None)


@contextmanager
def open_until(first_by: float, *, others_by: float) -> Iterator[None]:
    """Until the block ends, the first request must leave by ``first_by`` and each later one by ``others_by``.

    Both are moments of ``time.monotonic()``. A request that comes too late raises ``NotSentInTime``.
    """
    token = _window.set(_Window(first_by, others_by))
    try:
        yield
    finally:
        _window.reset(token)


def is_closed() -> bool:
    """Whether the next request would leave too late. Always False outside a window."""
    window = _window.get()
    if window is None:
        return False
    by = window.first_by if window.is_first else window.others_by
    window.is_first = False
    return time.monotonic() > by
