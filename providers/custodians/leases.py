"""What is good for a while: the token or the keys by which a custodian knows us, asked for again before they end."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

_MARGIN_SECONDS = 60.0
_LEAST_SECONDS = 5.0

Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class Lease(Generic[Held]):
    """What was given, and for how many seconds from then."""

    value: Held = field(repr=False)
    seconds: float


class Leases(Generic[Held]):
    """Keeps what ``ask`` gives for one name each, until shortly before it ends. May be used by many threads at once."""

    def __init__(self) -> None:
        self._asking = threading.Lock()
        self._kept: dict[object, tuple[Held, float]] = {}

    def of(self, name: object, ask: Callable[[], Lease[Held]]) -> Held:
        """Return what is kept for ``name``, or ask for it. Raises what ``ask`` raises. Others wait for its answer."""
        with self._asking:
            kept = self._kept.get(name)
            if kept is not None and time.monotonic() < kept[1]:
                return kept[0]
            began = time.monotonic()
            lease = ask()
            good_for = max(_LEAST_SECONDS, lease.seconds - min(_MARGIN_SECONDS, lease.seconds / 2))
            self._kept = {name: (lease.value, began + good_for)}
            return lease.value

    def forget(self) -> None:
        """Ask anew the next time: what was given is no longer taken."""
        with self._asking:
            self._kept = {}
