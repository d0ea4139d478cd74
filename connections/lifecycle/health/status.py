"""Status: the one gate through which a connection's status and reason change.

Every change follows the table of ``models.states``, and writes an event and an audit row in the same transaction.
``strikes``, ``failing``, ``expire`` and the rooms above decide about changes.
"""

from datetime import datetime
from typing import Any

from connections.journal import audit, events, meters
from connections.models import Connection, Reason, Status

# The event has the name of what happened where that says more than the name of the new status.
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
    """Give the locked connection a status and a reason, with an event and an audit row, in the caller's transaction.

    ``evidence`` replaces that of the connection (``models.Connection`` lists its keys) and is part of the event and the
    audit row. ``told`` adds members to the event, JSON-ready. Raises ``ValueError`` if the state table does not allow
    the change.
    """
    evidence = evidence or {}
    before = connection.status
    connection.become(status, reason, evidence=evidence, now=now)
    if status in (Status.NEEDS_REAUTH, Status.REVOKED) and connection.verified_at is not None:
        meters.death_noticed(reason, seconds=(now - connection.verified_at).total_seconds())
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
