"""Write outbox events, each in the transaction of the change that it reports, and read them in order."""

import uuid
from typing import Any

from django.db import connection as database

from connections.models import Connection, OutboxEvent

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


def read_settled(tenant_id: uuid.UUID, *, after: int, limit: int) -> list[OutboxEvent]:
    """Return at most ``limit`` events of a tenant with ids above ``after``, in order.

    The list ends before an event ahead of which another may still appear. Two queries: the second sees whatever had
    ended before the first, and so must not share its snapshot (READ COMMITTED).
    """
    with database.cursor() as cursor:
        cursor.execute(_HORIZON)
        horizon = cursor.fetchone()[0]
    settled = OutboxEvent.objects.filter(tenant_id=tenant_id, id__gt=after, transaction_id__lt=horizon)
    return list(settled.order_by("id")[:limit])


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
    type_: str, tenant_id: uuid.UUID, *, connection_id: uuid.UUID | None = None, payload: dict[str, Any]
) -> None:
    """Write one event about something of a tenant's, in the caller's transaction. ``payload`` is JSON-ready.

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
