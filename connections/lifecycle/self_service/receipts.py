"""Receipts: who used a connection, when, for what and as which agent, from the audit rows of vends and proxied calls.

The trail may have tens of millions of rows. Those of one connection are found by an index that begins with the part of
the table (``models.audit_event``), and they are read from the newest part to the oldest, as many as one page needs. A
filter looks at a bounded number of uses a page; so a page may be short although older ones follow.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from connections.journal.audit import ALLOWED
from connections.models import ApiClient, AuditEvent

# By the action of the audit row: a credential was handed out, or a request was sent with it for the caller.
USES = {"credential.vend": "credential", "connection.proxy": "request"}
MOST_EXAMINED = 2000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which uses are wanted; None for any."""

    api_client: uuid.UUID | None = None
    subject: str | None = None
    agent: str | None = None
    purpose: str | None = None

    @property
    def is_any(self) -> bool:
        """Whether all of them are wanted."""
        return (self.api_client, self.subject, self.agent, self.purpose) == (None, None, None, None)

    def takes(self, use: AuditEvent) -> bool:
        """Whether ``use`` is one of them."""
        return (
            self.api_client in (None, use.api_client_id)
            and self.subject in (None, use.subject)
            and self.agent in (None, use.agent)
            and self.purpose in (None, use.purpose)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Uses, the newest first. ``next`` is the id before which the next page begins, None where there is none.

    ``clients`` are the names of the API clients that made them, by id; one that is gone is missing.
    """

    uses: Sequence[AuditEvent]
    clients: dict[uuid.UUID, str]
    next: int | None


@dataclass(slots=True)
class Group:
    """Uses by the same client, for the same subject and purpose, as the same agent.

    ``agent_is_verified``: a token of a trusted issuer named the agent; else the client alone says so.
    """

    client: str
    subject: str
    agent: str
    agent_is_verified: bool
    purpose: str
    count: int
    first_at: datetime
    last_at: datetime


def receipts(connection_id: uuid.UUID, *, before: int | None = None, limit: int, wanted: Wanted | None = None) -> Page:
    """Return up to ``limit`` uses of a connection, from the one before the id ``before`` on. A few queries, no lock."""
    wanted = wanted or Wanted()
    examined = limit if wanted.is_any else MOST_EXAMINED
    found = _newest(connection_id, before=before, limit=examined + 1)
    more, found = len(found) > examined, found[:examined]
    uses = [use for use in found if wanted.takes(use)]
    last = found[-1].id if more else None
    if len(uses) > limit:
        uses = uses[:limit]
        last = uses[-1].id
    ids = {use.api_client_id for use in uses if use.api_client_id is not None}
    return Page(uses, dict(ApiClient.objects.filter(id__in=ids).values_list("id", "name")), last)


def verified_of(use: AuditEvent) -> Mapping[str, str]:
    """Return by which issuer's token the ``end_user`` and the ``agent`` of a use were named; those alone that were."""
    verified = use.detail.get("verified")
    return verified if isinstance(verified, dict) else {}


def groups(page: Page) -> list[Group]:
    """Return the uses of one page put together by who used it and for what, the latest first. No I/O."""
    found: dict[tuple[object, ...], Group] = {}
    for use in page.uses:
        is_verified = "agent" in verified_of(use)
        key = (use.api_client_id, use.subject, use.agent, is_verified, use.purpose)
        group = found.get(key)
        if group is None:
            client = page.clients.get(use.api_client_id, "") if use.api_client_id is not None else ""
            found[key] = Group(client, use.subject, use.agent, is_verified, use.purpose, 1, use.at, use.at)
        else:
            group.count += 1
            group.first_at = use.at
    return list(found.values())


def _newest(connection_id: uuid.UUID, *, before: int | None, limit: int) -> list[AuditEvent]:
    """Read parts of the table from the newest on, twice as many each time, until there are ``limit`` uses."""
    found: list[AuditEvent] = []
    for rows in AuditEvent.objects.of_connection_by_parts(connection_id, before=before):
        uses = rows.filter(action__in=USES, decision=ALLOWED).order_by("-id")
        found += uses.defer("fingerprint")[: limit - len(found)]
        if len(found) >= limit:
            break
    return found
