"""What is good for a while: the token or the keys by which a custodian knows us, asked for again before they end."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from weakref import WeakSet

_MARGIN_SECONDS = 60.0
_LEAST_SECONDS = 5.0

Held = TypeVar("Held")


@dataclass(frozen=True, slots=True)
class Lease(Generic[Held]):
    """What was given, and for how many seconds from then."""

    value: Held = field(repr=False)
    seconds: float


def _in_child() -> None:
    for leases in list(_all):
        leases.begin_anew()  # a thread of the parent that was asking does not come along


_all: "WeakSet[Leases[Any]]" = WeakSet()
os.register_at_fork(after_in_child=_in_child)


class Leases(Generic[Held]):
    """Keeps what ``ask`` gives for one name each, until shortly before it ends. May be used by many threads at once."""

    def __init__(self) -> None:
        self.begin_anew()
        _all.add(self)

    def begin_anew(self) -> None:
        """Keep nothing, and let nobody be asking."""
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
