"""Things that wait for an end user's approval."""

import uuid
from datetime import timedelta
from typing import Any

from connections.database.clock import database_now
from connections.models import AccessGrant, Approval, Connection
from tests.connections.api.grants import let
from tests.factories import Caller


def wait_for_answer(connection: Connection, asker: Caller, **changes: Any) -> Approval:
    """Have ``asker`` wait for the approval of a proxied request, for bob, as an agent."""
    now = database_now()
    asked: dict[str, Any] = {
        "end_user": "bob",
        "agent": "crm-bot",
        "purpose": "clean up",
        "action": "proxy",
        "method": "DELETE",
        "path": "/crm/contacts/7",
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
    }
    grant = AccessGrant.objects.filter(connection=connection).first() or let(connection, needs_approval=True)
    return Approval.objects.create(
        tenant=connection.tenant,
        grant=grant,
        connection=connection,
        api_client_id=asker.client.id,
        asked=uuid.uuid4().bytes,
        **{**asked, **changes},
    )
