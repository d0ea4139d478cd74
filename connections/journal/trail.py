"""Read the audit trail in order, for exports: what was asked for, from a row on, up to where nothing can be missing."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from connections.database.settled import settled_to
from connections.journal.sealing import SEQUENCE, last_seal
from connections.journal.shapes import as_line, ocsf_of, ocsf_of_seal
from connections.models import AuditEvent, AuditSeal
from connections.models.audit_event import AuditEventQuerySet

PAGE = 1000
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows are asked for; None is any. ``kind`` is an action, or a family of them with a point at its end.

    The actor is an API client, an operator's login name, or an end user's id.
    """

    tenant_id: uuid.UUID | None = None
    connection_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    operator: str | None = None
    subject: str | None = None
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Wanted()

    def rows(self) -> AuditEventQuerySet:
        """Return the rows. One query where a connection is asked for, to find the ends of the table."""
        rows: AuditEventQuerySet = AuditEvent.objects.defer("fingerprint")
        if self.connection_id is not None:
            rows = rows.of_connection(self.connection_id)
        if self.kind is not None:
            rows = rows.filter(of_kind(self.kind))
        asked = {
            "tenant_id": self.tenant_id,
            "api_client_id": self.client_id,
            "operator": self.operator,
            "subject": self.subject,
            "at__gte": self.since,
            "at__lt": self.until,
        }
        return rows.filter(**{name: value for name, value in asked.items() if value is not None})


def of_kind(kind: str) -> Q:
    """Return the condition for rows of one action, or of all that begin with ``kind`` if it ends with a point."""
    if not kind.endswith("."):
        return Q(action=kind)
    return Q(action__gte=kind, action__lt=f"{kind[:-1]}/")  # the character after a point


@dataclass(frozen=True, slots=True)
class Page:
    """Rows in order, the seals that end among them, and the id after which to go on."""

    rows: list[AuditEvent]
    seals: list[AuditSeal]
    to: int


def read_trail(wanted: Wanted, *, after: int) -> Iterator[Page]:
    """Yield pages of what is asked for with ids above ``after``, up to the last row that has settled now.

    Nothing is passed over, whatever order transactions commit in. Where one is open for longer, it ends with what is
    sealed, which has settled. The seals come where everything is asked for. A few queries for each page.
    """
    if (to := settled_to(SEQUENCE, within_seconds=_SETTLE_SECONDS)) is None:
        newest = last_seal()
        to = 0 if newest is None else newest.last_id
    while after < to:
        rows = list(wanted.rows().filter(id__gt=after, id__lte=to).order_by("id")[:PAGE])
        end = rows[-1].id if len(rows) == PAGE else to
        seals = AuditSeal.objects.filter(last_id__gt=after, last_id__lte=end) if wanted.is_everything else None
        yield Page(rows, [] if seals is None else list(seals.defer("leaves", "nonces").order_by("number")), end)
        after = end


def as_ocsf_lines(page: Page) -> str:
    """Return a page as lines of OCSF, each seal after the rows that it seals. No I/O."""
    lines = [(row.id, as_line(ocsf_of(row))) for row in page.rows]
    lines += [(seal.last_id, as_line(ocsf_of_seal(seal))) for seal in page.seals]
    return "".join(line for _, line in sorted(lines, key=lambda one: one[0]))
