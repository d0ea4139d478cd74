"""The order of a vend: who asks, for which connection, and for what."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from pydantic import SecretStr

from connections.journal.audit import Actor

DEFAULT_WAIT_SECONDS = 10.0
LONGEST_WAIT_SECONDS = 60.0


def is_everybody_verified(*, end_user_issuer: str, agent: str, agent_issuer: str) -> bool:
    """Whether everybody whom a request names was verified by an issuer: an end user, and the agent if there is one."""
    return bool(end_user_issuer) and (not agent or bool(agent_issuer))


@dataclass(frozen=True, slots=True)
class VendOrder:
    """One call of a vend. ``key_hash`` is the digest of the caller's API key, or of the token that it has proven.

    ``groups`` are those of the end user's, for access grants. ``subject_token`` is a token of whoever the caller
    serves, to be exchanged for one that acts for them. ``is_proxied``: only the facts are wanted, because the
    credential stays here (``lifecycle.proxy``). ``wait_seconds`` is how long the caller waits for a refresh, if no
    valid credential is left.

    ``end_user_issuer`` and ``agent_issuer`` name who vouches for the end user (and the groups) and for the agent, by a
    token that was verified; "" where the caller alone says so.
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
    end_user_issuer: str = ""
    agent_issuer: str = ""

    @property
    def wants_facts(self) -> bool:
        """Whether the statement only tells the facts about this order, and allows nothing by itself."""
        return self.subject_token is not None or self.is_proxied or bool(self.vouched_by)

    @property
    def is_verified(self) -> bool:
        """Whether everybody whom the order names was verified: an end user, and the agent if there is one."""
        return is_everybody_verified(
            end_user_issuer=self.end_user_issuer, agent=self.agent, agent_issuer=self.agent_issuer
        )

    @property
    def vouched_by(self) -> dict[str, str]:
        """Who vouches for the ``end_user`` and the ``agent``, for the audit trail; without those who are asserted."""
        named = {"end_user": self.end_user_issuer, "agent": self.agent_issuer}
        return {name: issuer for name, issuer in named.items() if issuer}

    def actor(self, client_id: uuid.UUID) -> Actor:
        """Return who is behind the order, for the audit trail."""
        return Actor(
            api_client_id=client_id,
            subject=self.end_user or "",
            agent=self.agent,
            purpose=self.purpose,
            address=self.address,
        )
