"""Who has touched a canary: found by the index of the audit trail, however much else was written.

It is looked for at once, before what is usual of anybody is counted, and also among rows that are not settled yet.
"""

import uuid
from collections import defaultdict
from datetime import datetime

from connections.journal.audit import ALLOWED
from connections.lifecycle.watch.findings import note, texts
from connections.lifecycle.watch.use import Span, network_of
from connections.models import ApiClient, AuditEvent, Connection, Finding, WatchRule


def touched(*, after: int, to: int) -> dict[uuid.UUID, list[AuditEvent]]:
    """Return by API client the audit rows about canaries with ids above ``after``, up to ``to``. A query or two."""
    canaries = set(Connection.objects.filter(is_canary=True).values_list("id", flat=True))
    if not canaries:
        return {}
    found: defaultdict[uuid.UUID, list[AuditEvent]] = defaultdict(list)
    rows = AuditEvent.objects.of_connections(canaries, after=after, to=to)
    for row in rows.filter(api_client_id__isnull=False).order_by("id"):
        if row.api_client_id is not None:
            found[row.api_client_id].append(row)
    return found


def note_touched(found: dict[uuid.UUID, list[AuditEvent]], *, is_final: bool, now: datetime) -> None:
    """Begin a finding about each client, or go on with it. In the caller's transaction.

    Where the rows are not the final ones, and come again, an open finding is left as it is.
    """
    for client in ApiClient.objects.select_related("tenant").filter(id__in=found.keys()):
        open_now = Finding.objects.filter(client=client, rule=WatchRule.CANARY_USED, resolved_at=None)
        if not is_final and open_now.exists():
            continue
        rows = found[client.id]
        span = Span(rows[0].at, rows[-1].at, len(rows))
        facts = {
            "connections": texts(row.connection_id for row in rows if row.connection_id is not None),
            "networks": sorted({network_of(row.address) for row in rows if row.address is not None}),
            "acts": sorted({row.action for row in rows}),
            "got_it": any(row.decision == ALLOWED for row in rows),
        }
        note(client, WatchRule.CANARY_USED, span=span, facts=facts, now=now)
