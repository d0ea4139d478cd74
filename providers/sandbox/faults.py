"""Faults on demand: which are armed, and which one a request meets.

Owns the board of armed faults, their validation and matching. What each kind does is in ``fault_kinds``. Armed faults
live in memory and end with the process.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Response

from providers.sandbox.fault_kinds import KINDS, Kind
from providers.sandbox.registry import ENDPOINTS, GRANT_TYPES, InvalidDocument
from providers.sandbox.wire import Line

_FIELDS = {"endpoint", "kind", "times", "client_id", "grant_type", "probability", "options"}


@dataclass(slots=True)
class Fault:
    """An armed fault. ``remaining`` counts down; 0 means until it is cleared."""

    id: int
    endpoint: str
    kind: Kind
    remaining: int = 1
    client_id: str | None = None
    grant_type: str | None = None
    probability: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    applied: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as the control API shows it."""
        return {
            "id": self.id,
            "endpoint": self.endpoint,
            "kind": self.kind.name,
            "times": self.remaining,
            "client_id": self.client_id,
            "grant_type": self.grant_type,
            "probability": self.probability,
            "options": self.options,
            "applied": self.applied,
        }

    def play(self, process: Callable[[], Response], line: Line) -> Response:
        """Answer the request as this fault has it; ``process`` does the real work where it is done at all."""
        return self.kind.play(self.options, process, line)


class FaultBoard:
    """The armed faults, in the order in which they were declared."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._last_id = 0
        self._released = threading.Event()

    def declare(self, document: object) -> Fault:
        """Arm the fault that ``document`` describes. Raises InvalidDocument."""
        if not isinstance(document, dict):
            raise InvalidDocument("a fault must be a JSON object")
        unknown = sorted(set(document) - _FIELDS)
        if unknown:
            raise InvalidDocument(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(_FIELDS))}")
        kind = KINDS.get(document.get("kind", ""))
        if kind is None:
            raise InvalidDocument(f"kind must be one of {', '.join(KINDS)}")
        endpoint = document.get("endpoint")
        if endpoint not in (kind.endpoints or ENDPOINTS):
            raise InvalidDocument(f"endpoint must be one of {', '.join(kind.endpoints or ENDPOINTS)}")
        grant_type = document.get("grant_type")
        if grant_type is not None and grant_type not in GRANT_TYPES:
            raise InvalidDocument(f"grant_type must be one of {', '.join(GRANT_TYPES)}")
        times = document.get("times", 1)
        if isinstance(times, bool) or not isinstance(times, int) or times < 0:
            raise InvalidDocument("times must be a whole number, 0 for until cleared")
        probability = document.get("probability", 1)
        if isinstance(probability, bool) or not isinstance(probability, int | float) or not 0 < probability <= 1:
            raise InvalidDocument("probability must be above 0 and at most 1")
        options = document.get("options", {})
        kind.check(options)
        with self._lock:
            self._last_id += 1
            fault = Fault(
                self._last_id, endpoint, kind, times, document.get("client_id"), grant_type, probability, dict(options)
            )
            self._faults.append(fault)
        return fault

    def take(self, *, endpoint: str, client_id: str = "", grant_type: str = "", altering: bool = True) -> Fault | None:
        """Return the first armed fault that this request meets, and count it down.

        With ``altering=False`` the kinds that alter a success are passed over: this request cannot be one.
        """
        if not self._faults:
            return None
        with self._lock:
            for fault in self._faults:
                if (
                    fault.endpoint == endpoint
                    and fault.client_id in (None, client_id)
                    and fault.grant_type in (None, grant_type)
                    and (altering or not fault.kind.alters)
                    and (fault.probability == 1 or random.random() < fault.probability)
                ):
                    fault.applied += 1
                    if fault.remaining:
                        fault.remaining -= 1
                        if not fault.remaining:
                            self._faults.remove(fault)
                    return fault
        return None

    def armed(self) -> list[Fault]:
        """Return the faults that can still strike."""
        with self._lock:
            return list(self._faults)

    @property
    def released(self) -> threading.Event:
        """What is set by the next ``release``: a request that comes now waits no longer than that."""
        return self._released

    def release(self) -> None:
        """End each stall that is under way. What is armed stays so."""
        released, self._released = self._released, threading.Event()
        released.set()

    def clear(self, number: int | None = None) -> int:
        """Disarm one fault or all, and return how many that were."""
        with self._lock:
            kept = [] if number is None else [fault for fault in self._faults if fault.id != number]
            cleared = len(self._faults) - len(kept)
            self._faults = kept
        return cleared
