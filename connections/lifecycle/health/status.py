"""Status: the one gate through which a connection's status and reason change.

Every change follows the table of ``models.states``, and leaves an event and an audit row in its own transaction. Who
decides about a change: ``strikes``, ``failing``, ``expire``, and the rooms above.
"""

from datetime import datetime
from typing import Any

from connections.journal import audit, events
from connections.models import Connection, Reason, Status

# The event tells what happened, where that says more than the status that it led to.
_EVENTS = {
    Reason.CONNECTED: "connection.connected",
    Reason.RECONNECTED: "connection.connected",
    Reason.RECOVERED: "connection.recovered",
}


def change_status(
    connection: Connection,
    status: Status,
    reason: Reason,
    *,
    now: datetime,
    evidence: dict[str, Any] | None = None,
    told: dict[str, Any] | None = None,
) -> None:
    """Give the locked connection a status and a reason, with an event and an audit row. ``told`` joins the event.

    Raises ``ValueError`` if the state table does not allow the change.
    """
    evidence = evidence or {}
    before = connection.status
    connection.become(status, reason, evidence=evidence, now=now)
    events.emit(
        _EVENTS.get(reason, f"connection.{status}"),
        connection,
        previous_status=before,
        evidence=evidence,
        **(told or {}),
    )
    audit.record(
        "connection.status",
        decision=f"{status}",
        connection=connection,
        version_id=connection.current_version_id,
        detail={"from": before, "reason": reason, "evidence": evidence},
    )
