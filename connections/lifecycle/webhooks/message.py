"""What is sent: an event as ``GET /events`` shows it, with the time under the name that Standard Webhooks gives it."""

import json
import uuid
from datetime import datetime
from typing import Any

from connections.journal.event_types import EventType
from connections.models import OutboxEvent

TEST_TYPE = "webhook.test"


def body_of(event: OutboxEvent, *, tenant: str | None, content: Any = None) -> bytes:
    """Return the body of one event. ``tenant`` is the slug; None where it is about no tenant, or about one gone.

    ``content`` is what the provider said in one that it pushed, None where that is kept no longer.
    """
    said = {"content": content} if event.type == EventType.PROVIDER_EVENT else {}
    return _body(
        event.event_id,
        event.type,
        tenant=tenant,
        connection=event.connection_id,
        data=event.payload | said,
        at=event.created_at,
    )


def trial_body(message_id: uuid.UUID, *, endpoint_id: uuid.UUID, tenant: str | None, at: datetime) -> bytes:
    """Return the body of a test event, of a type of its own."""
    return _body(
        message_id, TEST_TYPE, tenant=tenant, connection=None, data={"webhook_endpoint": str(endpoint_id)}, at=at
    )


def _body(
    message_id: uuid.UUID,
    type_: str,
    *,
    tenant: str | None,
    connection: uuid.UUID | None,
    data: dict[str, Any],
    at: datetime,
) -> bytes:
    moment = at.isoformat().replace("+00:00", "Z")
    document = {
        "id": str(message_id),
        "type": type_,
        "timestamp": moment,
        "tenant": tenant,
        "connection": None if connection is None else str(connection),
        "data": data,
        "created_at": moment,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
