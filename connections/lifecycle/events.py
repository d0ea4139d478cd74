"""Writing outbox events, in the transaction of the change that they tell of."""

from typing import Any

from connections.models import Connection, OutboxEvent


def emit(type_: str, connection: Connection, **payload: Any) -> None:
    """Write one event about ``connection``; its identity, status and reason are always part of the payload."""
    OutboxEvent.objects.create(
        type=type_,
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        payload={
            "connection": str(connection.id),
            "provider": connection.provider,
            "end_user": connection.end_user or None,
            "status": connection.status,
            "reason": connection.reason,
            **payload,
        },
    )
