"""Write outbox events, each in the transaction of the change that it reports, and read them in order."""

import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Q

from connections.models import Connection, OutboxEvent

SETTLE_SECONDS = 0.25  # transactions that write events take milliseconds
_LOOK_AGAIN_SECONDS = 0.005
_CLOCKS_APART = timedelta(seconds=60)

# The transaction id below which every transaction of this database has ended. ``txid_snapshot_xmin`` would say it for
# the whole server: a long transaction in any other database of the server would hold back all events. The lock that a
# transaction holds on its own id (32 bits of it) tells whose it is. It is taken a moment after the id is assigned, so
# one without a lock counts as ours. One that has ended since the snapshot is visible to the next query.
_HORIZON = """
SELECT coalesce(
    (
        SELECT min(open.id)
        FROM txid_snapshot_xip(taken.snapshot) AS open (id)
        WHERE txid_status(open.id) = 'in progress' AND mod(open.id, 4294967296) NOT IN (
            SELECT transactionid::text::bigint
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted
              AND datname IS DISTINCT FROM current_database()
        )
    ),
    txid_snapshot_xmax(taken.snapshot)
)
FROM (SELECT txid_current_snapshot() AS snapshot) AS taken
"""
_LAST_ID = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM connections_outboxevent_id_seq"
# A fresh id, above every one that has been given: a snapshot's own bound lies below those that are still open.
_FRESH_TRANSACTION = "SELECT txid_current()"
_OLDEST_WRITER = """
SELECT CASE WHEN count(*) = count(xact_start) THEN coalesce(min(xact_start), clock_timestamp()) END
FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """Events in order, and the id up to which nothing is missing from what was asked for."""

    events: list[OutboxEvent]
    to: int


def read_settled(which: Q, *, after: int, limit: int) -> Settled:
    """Return at most ``limit`` of the events of ``which`` with ids above ``after``, in order.

    The list ends before an event ahead of which another may still appear. That is up to the last id there is, once
    every transaction that is open now has ended: whoever wrote an earlier id had its transaction begun by now, since
    an event is never the first thing that a transaction writes. Waits for them for a quarter of a second. If one takes
    longer, the list ends with what was written before the oldest of them began. A few queries, which must not share a
    snapshot (READ COMMITTED).
    """
    last = int(_value(_LAST_ID))
    found = OutboxEvent.objects.filter(which, id__gt=after, id__lte=last).order_by("id")
    if not _have_ended(before=int(_value(_FRESH_TRANSACTION))):
        oldest: datetime | None = _value(_OLDEST_WRITER)
        if oldest is None:  # it is another role's, and so nobody says when it began
            return Settled([], after)
        events = list(found.filter(created_at__lt=oldest - _CLOCKS_APART)[:limit])
        return Settled(events, events[-1].id if events else after)
    events = list(found[:limit])
    return Settled(events, events[-1].id if len(events) == limit else max(last, after))


def last_id() -> int:
    """Return the highest id that an event has been given, whether it is visible yet or not. One query."""
    return int(_value(_LAST_ID))


def _have_ended(*, before: int) -> bool:
    """Wait until every transaction of this database with an id below ``before`` has ended. Return False if in vain."""
    give_up_at = time.monotonic() + SETTLE_SECONDS
    while int(_value(_HORIZON)) < before:
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def _value(statement: str) -> Any:
    with database.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def emit(type_: str, connection: Connection, **payload: Any) -> None:
    """Write one event about ``connection``, in the caller's transaction.

    The payload always has the members of ``identity``. ``payload`` adds members of this type of event, JSON-ready.
    """
    OutboxEvent.objects.create(
        type=type_,
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        payload=identity(
            connection.id,
            provider=connection.provider,
            end_user=connection.end_user,
            status=connection.status,
            reason=connection.reason,
        )
        | payload,
    )


def emit_of_tenant(
    type_: str, tenant_id: uuid.UUID | None, *, connection_id: uuid.UUID | None = None, payload: dict[str, Any]
) -> None:
    """Write one event about something of a tenant's, in the caller's transaction. ``payload`` is JSON-ready.

    None is the operator, and no tenant reads such an event.
    ``connection_id`` is the connection that it concerns, if it is a single one.
    """
    OutboxEvent.objects.create(type=type_, tenant_id=tenant_id, connection_id=connection_id, payload=payload)


def identity(
    connection_id: uuid.UUID, *, provider: str, end_user: str, status: str, reason: str
) -> dict[str, str | None]:
    """Return the payload members that every event about a connection has.

    Keys: ``connection`` (its id), ``provider``, ``end_user`` (None: the whole tenant), ``status``, ``reason``. No I/O.
    """
    return {
        "connection": str(connection_id),
        "provider": provider,
        "end_user": end_user or None,
        "status": status,
        "reason": reason,
    }
