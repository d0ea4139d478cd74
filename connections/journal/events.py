"""Write outbox events, each in the transaction of the change that it reports."""

import uuid
from typing import Any

from connections.models import Connection, OutboxEvent


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
