"""Refused keys: that somebody called with an API key that is not valid is recorded, but not as often as they like.

Each process writes at most one row a minute for an address, and 60 in all; the next row tells how many were left out.
Whoever has no key can thus not fill the audit trail.
"""

import threading
import time
from collections import OrderedDict

from connections.lifecycle import audit
from connections.lifecycle.clock import database_now
from connections.models import ApiKey

PER_SECONDS = 60.0
MOST_ROWS = 60


class _Gate:
    """Which of many events of the same kind are written."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told: OrderedDict[str | None, float] = OrderedDict()
        self._left_out = 0

    def admit(self, address: str | None) -> int | None:
        """Return how many were left out since the last that was written, or None to leave this one out too."""
        now = time.monotonic()
        with self._lock:
            while self._told and next(iter(self._told.values())) <= now - PER_SECONDS:
                self._told.popitem(last=False)
            if address in self._told or len(self._told) >= MOST_ROWS:
                self._left_out += 1
                return None
            self._told[address] = now
            left_out, self._left_out = self._left_out, 0
            return left_out


_gate = _Gate()


def note_refused_key(key_hash: bytes, *, address: str | None) -> None:
    """Record that a key was refused: unknown, revoked, expired, or its client suspended. One or two short queries.

    Neither the key nor its digest is kept; of a key that exists its id is.
    """
    left_out = _gate.admit(address)
    if left_out is None:
        return
    key = ApiKey.objects.select_related("client").filter(key_hash=key_hash).first()
    detail: dict[str, object] = {"left_out": left_out} if left_out else {}
    if key is None:
        audit.record("api_key.refused", decision="unknown", actor=audit.Actor(address=address), detail=detail)
        return
    why = "revoked" if key.revoked_at else "expired" if key.expires_at <= database_now() else "suspended"
    audit.record(
        "api_key.refused",
        decision=why,
        actor=audit.Actor(api_client_id=key.client_id, address=address),
        tenant_id=key.client.tenant_id,
        detail={"api_key": str(key.id), **detail},
    )
