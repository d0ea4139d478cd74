"""Strikes: change a connection's status after a refusal or a proof of life, by the two-strike rule of ``rules``.

Every refusal and every proof names the credential version that was tested, and is ignored unless that one is current.
Call these functions in a transaction, with the connection locked. No HTTP.
"""

import uuid
from datetime import datetime
from typing import Any

from connections.lifecycle.health.incidents import SPARED_RETRY, freeze_for, spare
from connections.lifecycle.health.rules import STRIKE_INTERVAL, decide_refusal
from connections.lifecycle.health.status import change_status
from connections.models import Connection, Reason, Status


def strike_credential(
    connection: Connection, version_id: uuid.UUID, *, evidence: dict[str, Any], now: datetime
) -> None:
    """Judge a probe's dead answer about a credential that cannot be refreshed. Two, at least 30 s apart, end the grant.

    ``evidence`` has the keys ``detail``, ``status`` (HTTP) and ``by`` (the kind of call).
    """
    if not strike(
        connection,
        version_id,
        first=Reason.PROBE_REFUSED,
        final=Reason.CREDENTIAL_DEAD,
        is_decisive=False,
        evidence=evidence,
        now=now,
    ):
        connection.probe_at(judge_again_at(connection, now=now))


def judge_again_at(connection: Connection, *, now: datetime) -> datetime:
    """Return when a refused connection is to be tried once more: after 30 s, or later while an incident spares it."""
    if connection.spared_by is not None:
        return now + SPARED_RETRY
    return (connection.refused_at or now) + STRIKE_INTERVAL


def record_proof(connection: Connection, version_id: uuid.UUID, *, by: str, now: datetime) -> None:
    """Record a proof that the credential works, ``by`` which kind of call, and lift a suspicion that came from a probe.

    A suspicion that came from a refused refresh stays.
    """
    if connection.current_version_id != version_id:
        return
    if connection.status == Status.SUSPECT and connection.reason == Reason.PROBE_REFUSED:
        change_status(connection, Status.ACTIVE, Reason.RECOVERED, now=now)
        connection.suspect(None)
    connection.verify(now, by=by)


def strike(
    connection: Connection,
    version_id: uuid.UUID,
    *,
    first: Reason,
    final: Reason,
    is_decisive: bool,
    evidence: dict[str, Any],
    now: datetime,
) -> bool:
    """Count one refusal of ``version_id``. Return whether it ended the connection, or came too late to concern it.

    ``first`` and ``final`` are the reasons for a suspicion and for the end. ``is_decisive``: one refusal is enough.
    ``evidence`` is JSON-ready (``status.change_status``).
    """
    if connection.current_version_id != version_id or connection.status not in (Status.ACTIVE, Status.SUSPECT):
        return True
    is_first = connection.refused_at is None
    if is_first:
        connection.suspect(now)
    incident = freeze_for(connection, now=now)
    if incident is not None:
        spare(connection, incident, now=now)
    elif connection.spared_by is not None:  # what it was refused during the incident was not its fault
        is_first = True
        connection.suspect(now)
        connection.spare(None, now=None)
    decision = decide_refusal(
        refused_at=connection.refused_at,
        is_first=is_first,
        is_decisive=is_decisive,
        is_frozen=incident is not None,
        now=now,
    )
    if decision == "end":
        change_status(connection, Status.NEEDS_REAUTH, final, evidence=evidence, now=now)
        connection.rest()
        return True
    if decision == "suspect" and connection.status == Status.ACTIVE:
        change_status(connection, Status.SUSPECT, first, evidence=evidence, now=now)
    return False
