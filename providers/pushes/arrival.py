"""A push as it came, what was proven of it, and why one is refused."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from providers import strict_json

DEEPEST = 64

Why = Literal[
    "not_described",
    "no_secret",
    "signature_missing",
    "signature",
    "timestamp",
    "stale",
    "issuer",
    "audience",
    "token",
    "keys_unavailable",
    "malformed",
]


class PushRefused(Exception):
    """A push is not believed, or cannot be read. ``why`` is a code of ours that says nothing of what was sent."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why: Why = why


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request. ``headers`` have names in small letters; ``url`` is the address as it is registered."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """A push of which it is proven who sent it.

    ``document`` is the body as it was read. ``signed_at`` is when it was signed, None where nothing signed says so.
    ``proof`` is the digest of what was proven: the same for a push that is sent once more as it was.
    """

    document: Any = field(repr=False)
    signed_at: datetime | None
    proof: bytes = field(repr=False)


def document_in(body: bytes) -> Any:
    """Return what ``body`` says, as JSON that has one meaning. Raises ``PushRefused``. No I/O."""
    try:
        return strict_json.parse(body, deepest=DEEPEST)
    except ValueError:
        raise PushRefused("malformed") from None


def digest_of(*parts: bytes) -> bytes:
    """Return one digest of ``parts``, each told apart from its neighbours."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()
