"""Flood: limits the audit rows that a caller without a key, a password or a session can cause.

Each process writes at most one row a minute for one source, 20 about one thing, and 60 rows a minute in all. The next
row says how many were left out. The limit is needed because the audit trail is never swept: otherwise anybody could
fill the disk.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

PER_SECONDS = 60.0
MOST_ROWS = 60
MOST_EACH = 20


class Gate:
    """Decides which of many events of one kind get a row. Thread-safe; one instance serves one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: OrderedDict[Hashable, tuple[float, Hashable]] = OrderedDict()
        self._left_out = 0

    def admit(self, source: Hashable, *, about: Hashable = None) -> dict[str, int] | None:
        """Return what to add to the row's ``detail``, or None if no row is to be written.

        No more than 20 rows are ``about`` one thing, so that it does not use up what others have.
        The only key is ``left_out``: how many events had no row since the last one. It is absent for 0. No I/O.
        """
        now = time.monotonic()
        with self._lock:
            while self._told and next(iter(self._told.values()))[0] <= now - PER_SECONDS:
                self._told.popitem(last=False)
            alike = 0 if about is None else sum(other == about for _, other in self._told.values())
            if source in self._told or len(self._told) >= MOST_ROWS or alike >= MOST_EACH:
                self._left_out += 1
                return None
            self._told[source] = (now, about)
            left_out, self._left_out = self._left_out, 0
            return {"left_out": left_out} if left_out else {}

    def forget(self) -> None:
        """Return to the state of a fresh process."""
        with self._lock:
            self._told.clear()
            self._left_out = 0
