"""Until when a request may leave: for a caller whose place somebody else takes when it stands still for too long.

The caller opens the window; ``providers.egress`` looks at it last of all before a request's first byte, when the
connection stands: whatever held the process up before then is noticed.
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
    """Let the first request of the block leave by ``first_by``, those that follow it by ``others_by``, none later.

    Both are moments of ``time.monotonic()``. A request that is later raises ``NotSentInTime``.
    """
    token = _window.set(_Window(first_by, others_by))
    try:
        yield
    finally:
        _window.reset(token)


def is_closed() -> bool:
    """Whether it is too late for the request that is about to leave. Without a window it never is."""
    window = _window.get()
    if window is None:
        return False
    by = window.first_by if window.is_first else window.others_by
    window.is_first = False
    return time.monotonic() > by
