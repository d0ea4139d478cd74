"""Bulkhead: one slow provider never takes all the threads of a process.

Each thread that calls a provider, or waits for such a call in another process, holds a place. A provider app gets
another place only as long as it holds fewer than twice the places that are free. So one slow provider holds two thirds
of them at the most, a second one two thirds of what is left, and so on. With 64 places it takes five providers that
are slow at the same time to leave none. The rule is the dynamic threshold by which switches share a buffer (Choudhury
and Hahne, 1998).

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
    def place(self, holder: Hashable) -> Iterator[None]:
        """Hold a place for ``holder`` (a provider app's id, an issuer) while the body runs. Raises ``Crowded``."""
        if not self._take(holder):
            raise Crowded
        try:
            yield
        finally:
            self._give_back(holder)

    def has_room(self, holder: Hashable) -> bool:
        """Whether ``holder`` would get a place now. No I/O."""
        with self._lock:
            return self._has_room(holder)

    def _has_room(self, holder: Hashable) -> bool:
        return self._held.get(holder, 0) < TIMES_THE_FREE * self._free

    def _take(self, holder: Hashable) -> bool:
        with self._lock:
            if not self._has_room(holder):
                return False
            self._free -= 1
            self._held[holder] += 1
            return True

    def _give_back(self, holder: Hashable) -> None:
        with self._lock:
            self._free += 1
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]


bulkhead = Bulkhead(settings.PROVIDER_THREADS)
