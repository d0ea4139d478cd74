"""What a part of the audit trail says about the use of each API client. Reads only.

Only rows that a valid key or token caused count, for only they are vends and proxied calls of a client. What was
refused because the client is suspended, held or slowed down is left out: it is the answer to suspicious use.
"""

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import ip_address, ip_network

from connections.journal.audit import ALLOWED
from connections.models import AuditEvent
from connections.refusals import ClientHeld, NotFound, PolicyDenied, Suspended, Throttled

VENDED, PROXIED = "credential.vend", "connection.proxy"
ACTS = (VENDED, PROXIED)
_ANSWERED = (Suspended.code, ClientHeld.code, Throttled.code)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# So much of an address names its network: a deployment stays in it, somebody else's machine is seldom in it.
_PREFIXES = {4: 24, 6: 48}


@dataclass(slots=True)
class Span:
    """From when to when, and how often."""

    first_at: datetime
    last_at: datetime
    uses: int = 0

    def add(self, at: datetime) -> None:
        """Count one use."""
        self.first_at, self.last_at = min(self.first_at, at), max(self.last_at, at)
        self.uses += 1


@dataclass(slots=True)
class DayOfUse:
    """What one client did on one day (UTC), as far as a part of the trail tells.

    ``connections`` are those that it got. ``denied`` are the ids that it was denied: of connections that it may not
    use, and such as are none for it; ``guessed`` are the latter.
    """

    client_id: uuid.UUID
    day: date
    span: Span
    networks: dict[str, Span] = field(default_factory=dict)
    connections: set[uuid.UUID] = field(default_factory=set)
    denied: set[uuid.UUID] = field(default_factory=set)
    guessed: set[uuid.UUID] = field(default_factory=set)


def network_of(address: str) -> str:
    """Return the network of an IP address, in CIDR notation. No I/O."""
    known = ip_address(address)
    return str(ip_network(f"{known}/{_PREFIXES[known.version]}", strict=False))


def read_use(*, after: int, to: int) -> list[DayOfUse]:
    """Return what the audit rows with ids above ``after``, up to ``to``, say; each client's days in their order."""
    found: dict[tuple[date, uuid.UUID], DayOfUse] = {}
    for client_id, at, decision, connection_id, address, asked_for in _rows(after=after, to=to):
        key = (at.date(), client_id)
        if (one := found.get(key)) is None:
            one = found[key] = DayOfUse(client_id, at.date(), Span(at, at))
        one.span.add(at)
        if address is not None:
            one.networks.setdefault(network_of(address), Span(at, at)).add(at)
        if decision == ALLOWED and connection_id is not None:
            one.connections.add(connection_id)
        elif decision == PolicyDenied.code and connection_id is not None:
            one.denied.add(connection_id)
        elif decision == NotFound.code and connection_id is None and asked_for and _UUID.fullmatch(asked_for):
            one.denied.add(uuid.UUID(asked_for))
            one.guessed.add(uuid.UUID(asked_for))
    return [found[key] for key in sorted(found)]


_Row = tuple[uuid.UUID, datetime, str, uuid.UUID | None, str | None, str | None]


def _rows(*, after: int, to: int) -> Iterator[_Row]:
    rows = AuditEvent.objects.filter(id__gt=after, id__lte=to, action__in=ACTS, api_client_id__isnull=False)
    columns = ("api_client_id", "at", "decision", "connection_id", "address", "detail__asked_for")
    yield from rows.exclude(decision__in=_ANSWERED).order_by("id").values_list(*columns).iterator()
