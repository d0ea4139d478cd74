"""Bulkhead: one slow provider never takes all the threads of a process.

Each thread that calls a provider, or waits for such a call in another process, holds a place. A provider app gets
another place only as long as it holds fewer than twice the places that are free. So one slow provider holds two thirds
of them at the most, a second one two thirds of what is left, and so on. With 64 places it takes five providers that
are slow at the same time to leave none. Where an app stands before many parties (``access.parties``), the same holds
within its share, for each tenant and for each party: none takes more than twice what it leaves to the others. The rule
is the dynamic threshold by which switches share a buffer (Choudhury and Hahne, 1998).

The places are this process's own, and kept in memory. Whoever gets none waits for nothing and is told to come again.
They are for callers and people who wait. What a sweep has sent goes without: it would only have to be sent once more.
"""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from django.conf import settings

from providers.errors import Evidence, ProviderUnavailable

TIMES_THE_FREE = 2
AGAIN_SECONDS = 2.0


class Crowded(ProviderUnavailable):
    """So many calls to this provider wait for an answer already that nothing was sent."""

    code = "crowded"

    def __init__(self) -> None:
        evidence = Evidence("So many calls to this provider wait for an answer already that none is added.", sent=False)
        super().__init__(evidence, retry_after_seconds=AGAIN_SECONDS)


class Bulkhead:
    """``places`` places, shared by whoever asks for one."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._held: Counter[Hashable] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def place(self, *path: Hashable) -> Iterator[None]:
        """Hold a place while the body runs. Raises ``Crowded``.

        ``path`` names who takes it, the widest first: a provider app's id alone, or with a tenant and a party in it.
        """
        holders = _holders(path)
        with self._lock:
            if not self._has_room(holders):
                raise Crowded
            self._free -= 1
            self._held.update(holders)
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._held.subtract(holders)
                for holder in holders:
                    if not self._held[holder]:
                        del self._held[holder]

    def has_room(self, *path: Hashable) -> bool:
        """Whether who is named by ``path`` would get a place now. No I/O."""
        with self._lock:
            return self._has_room(_holders(path))

    def _has_room(self, holders: tuple[Hashable, ...]) -> bool:
        left = self._free
        for holder in holders:
            left = TIMES_THE_FREE * left - self._held.get(holder, 0)
            if left <= 0:
                return False
        return True


def _holders(path: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    return tuple(path[: depth + 1] for depth in range(len(path)))


bulkhead = Bulkhead(settings.PROVIDER_THREADS)
