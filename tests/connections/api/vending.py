"""Vends over the API, and the audit row that they leave."""

from typing import Any

from connections.models import AuditEvent, Connection
from tests.factories import Caller
from tests.flows import call


def vend(caller: Caller, connection: Connection, **body: Any) -> Any:
    return call(caller, "POST", f"/connections/{connection.id}/credential", body)


def vend_by_owner(caller: Caller, **body: Any) -> Any:
    return call(caller, "POST", "/credentials", {"provider": "sandbox", **body})


def last_audit() -> AuditEvent:
    row = AuditEvent.objects.filter(action="credential.vend").first()
    assert row is not None
    return row
