"""Write outbox events, each in the transaction of the change that it reports, and read them in order."""

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q

from connections.database.settled import fresh_transaction, have_ended, last_given, oldest_writer
from connections.models import Connection, OutboxEvent

SETTLE_SECONDS = 0.25  # transactions that write events take milliseconds
_SEQUENCE = "connections_outboxevent_id_seq"
_CLOCKS_APART = timedelta(seconds=60)


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
    last = last_given(_SEQUENCE)
    found = OutboxEvent.objects.filter(which, id__gt=after, id__lte=last).order_by("id")
    if not have_ended(before=fresh_transaction(), within_seconds=SETTLE_SECONDS):
        oldest = oldest_writer()
        if oldest is None:  # it is another role's, and so nobody says when it began
            return Settled([], after)
        events = list(found.filter(created_at__lt=oldest - _CLOCKS_APART)[:limit])
        return Settled(events, events[-1].id if events else after)
    events = list(found[:limit])
    return Settled(events, events[-1].id if len(events) == limit else max(last, after))


def last_id() -> int:
    """Return the highest id that an event has been given, whether it is visible yet or not. One query."""
    return last_given(_SEQUENCE)


def emit(type_: str, connection: Connection, **payload: Any) -> OutboxEvent:
    """Write one event about ``connection``, in the caller's transaction, and return it.

    The payload always has the members of ``identity``. ``payload`` adds members of this type of event, JSON-ready.
    Of an operator's trial it is the operator's: no tenant reads it, and no webhook endpoint is told of it.
    """
    return OutboxEvent.objects.create(
        type=type_,
        tenant_id=None if connection.is_trial else connection.tenant_id,
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
