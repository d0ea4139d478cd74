"""How many pushes may come before any work is done for one. In memory: each process counts what it gets."""

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable

PER_SECOND = 50.0
AT_ONCE = 500.0
REFUSALS_PER_SECOND = 0.5
REFUSALS_AT_ONCE = 30.0
_MOST_KEPT = 10_000
_OF_ONE_PLACE = 64  # bits of an IPv6 address: whoever has one address there has all of them


class Allowance:
    """So many at once, and then so many a second, for each key. Thread-safe; forgets keys that have been quiet."""

    def __init__(self, *, per_second: float, at_once: float) -> None:
        self._per_second, self._at_once = per_second, at_once
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, key: Hashable, count: float = 1.0) -> bool:
        """Whether there is room for ``count`` more, which are taken then. With 0 it only looks. No I/O."""
        now = time.monotonic()
        with self._lock:
            left, at = self._kept.pop(key, (self._at_once, now))
            left = min(self._at_once, left + (now - at) * self._per_second)
            has_room = left >= max(count, 1.0)
            self._kept[key] = (left - count if has_room else left, now)
            while len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)
            return has_room

    def forget(self) -> None:
        """Return to the state of a fresh process."""
        with self._lock:
            self._kept.clear()


def place_of(address: str | None) -> str | None:
    """Return where refusals from ``address`` count: the address itself, of IPv6 the network of one place. No I/O."""
    if address is None or ":" not in address:
        return address
    return str(ipaddress.ip_network((address, _OF_ONE_PLACE), strict=False))


pushes = Allowance(per_second=PER_SECOND, at_once=AT_ONCE)
refusals = Allowance(per_second=REFUSALS_PER_SECOND, at_once=REFUSALS_AT_ONCE)
