"""Flood: what whoever has no key, no password and no session can have written as often as they like.

Each process writes at most one row a minute for one source, and 60 in all; the next row tells how many were left out.
The audit trail is never swept, so that nobody may fill it from outside.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

PER_SECONDS = 60.0
MOST_ROWS = 60


class Gate:
    """Which of many events of one kind are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: OrderedDict[Hashable, float] = OrderedDict()
        self._left_out = 0

    def admit(self, source: Hashable) -> dict[str, int] | None:
        """Return what the row's detail says besides (``left_out``, since the last row), or None to leave it out too."""
        now = time.monotonic()
        with self._lock:
            while self._told and next(iter(self._told.values())) <= now - PER_SECONDS:
                self._told.popitem(last=False)
            if source in self._told or len(self._told) >= MOST_ROWS:
                self._left_out += 1
                return None
            self._told[source] = now
            left_out, self._left_out = self._left_out, 0
            return {"left_out": left_out} if left_out else {}

    def forget(self) -> None:
        """Begin anew, as a fresh process does."""
        with self._lock:
            self._told.clear()
            self._left_out = 0
