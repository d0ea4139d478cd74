"""Writing outbox events, in the transaction of the change that they tell of."""

import uuid
from typing import Any

from connections.models import Connection, OutboxEvent


def emit(type_: str, connection: Connection, **payload: Any) -> None:
    """Write one event about ``connection``; its identity, status and reason are always part of the payload."""
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
    """Return the members that the payload of every event about a connection has."""
    return {
        "connection": str(connection_id),
        "provider": provider,
        "end_user": end_user or None,
        "status": status,
        "reason": reason,
    }
