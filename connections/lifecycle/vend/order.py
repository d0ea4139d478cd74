"""The order of a vend: who asks, for which connection, and for what."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

DEFAULT_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class VendOrder:
    """One call of a vend. ``key_hash`` is the digest of the caller's API key.

    ``groups`` are those of the end user's, for access grants. ``subject_token`` is a token of whoever the caller
    serves, to be exchanged for one that acts for them. ``is_proxied``: only the facts are wanted, because the
    credential stays here (``lifecycle.proxy``). ``wait_seconds`` is how long the caller waits for a refresh, if no
    valid credential is left.
    """

    key_hash: bytes = field(repr=False)
    connection_id: uuid.UUID
    tenant: str | None = None
    end_user: str | None = None
    groups: Sequence[str] = ()
    scopes: Sequence[str] = ()
    min_ttl_seconds: float | None = None
    agent: str = ""
    purpose: str = ""
    address: str | None = None
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    subject_token: SecretStr | None = field(default=None, repr=False)
    is_proxied: bool = False

    @property
    def wants_facts(self) -> bool:
        """Whether the statement only tells the facts about this order, and allows nothing by itself."""
        return self.subject_token is not None or self.is_proxied
