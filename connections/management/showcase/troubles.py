"""Which connections of the showcase are unwell, and why: each condition is one that the lifecycle brings about."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections.management.showcase.chance import Chance
from connections.models import Connection, Reason, Revocation, Status


@dataclass(frozen=True, slots=True)
class Condition:
    """How a connection is. ``since``: within the last so many days; ``status_code`` is that of the refusal."""

    status: Status
    reason: Reason
    weight: float
    since: timedelta = timedelta(days=30)
    detail: str = ""
    status_code: int = 0
    error: str = ""


_REFUSED = "The provider refused the refresh token."
_DEAD = "The probe was answered by 401."
WELL = Condition(Status.ACTIVE, Reason.CONNECTED, 82)
CONDITIONS = (
    WELL,
    Condition(Status.ACTIVE, Reason.RECONNECTED, 5),
    Condition(Status.ACTIVE, Reason.RECOVERED, 2),
    Condition(Status.SUSPECT, Reason.REFRESH_REFUSED, 0.6, timedelta(minutes=40), _REFUSED, 400, "invalid_grant"),
    Condition(Status.SUSPECT, Reason.PROBE_REFUSED, 0.4, timedelta(minutes=20), _DEAD, 401),
    Condition(
        Status.SUSPECT,
        Reason.REFRESH_FAILING,
        0.4,
        timedelta(hours=3),
        "The token endpoint answered without tokens.",
        503,
    ),
    Condition(Status.NEEDS_REAUTH, Reason.GRANT_REJECTED, 2.6, timedelta(days=9), _REFUSED, 400, "invalid_grant"),
    Condition(Status.NEEDS_REAUTH, Reason.CREDENTIAL_DEAD, 1.0, timedelta(days=9), _DEAD, 401),
    Condition(Status.NEEDS_REAUTH, Reason.EXPIRED, 0.8, timedelta(days=9)),
    Condition(Status.NEEDS_REAUTH, Reason.LOST_IN_FLIGHT, 0.1, timedelta(days=9), _REFUSED, 400, "invalid_grant"),
    Condition(Status.REVOKED, Reason.REVOKED_BY_OPERATOR, 1.5),
    Condition(Status.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST, 3.6, timedelta(days=60)),
)


def condition_of(chance: Chance) -> Condition:
    """Return the condition of one connection."""
    return chance.one_of(CONDITIONS, [condition.weight for condition in CONDITIONS])


def afflict(connection: Connection, condition: Condition, chance: Chance, *, changed_at: datetime) -> None:
    """Give ``connection``, which is not stored yet, what goes with its condition."""
    connection.status_changed_at = changed_at
    if condition.detail:
        connection.evidence = _evidence(condition, changed_at)
    if condition.status is Status.SUSPECT:
        connection.refused_at = changed_at
        connection.failures = chance.number(1, 4)
        connection.next_attempt_at = chance.after(timedelta(minutes=10))
    if condition.reason is Reason.REFRESH_FAILING:
        connection.refresh_failing_at = changed_at
    if condition.status in (Status.NEEDS_REAUTH, Status.REVOKED, Status.DISCONNECTED):
        connection.refresh_due_at = connection.probe_due_at = None
        proven_at = changed_at - timedelta(minutes=chance.number(1, 300))
        connection.verified_at = max(connection.created_at, proven_at)
    if condition.status in (Status.REVOKED, Status.DISCONNECTED):
        ends = (Revocation.CONFIRMED, Revocation.UNCONFIRMED, Revocation.UNSUPPORTED)
        connection.revocation = chance.one_of(ends, (6, 1, 2))


def _evidence(condition: Condition, at: datetime) -> dict[str, Any]:
    said: dict[str, Any] = {"detail": condition.detail, "sent": True, "status": condition.status_code}
    if condition.error:
        said["error"] = condition.error
    if condition.status is Status.NEEDS_REAUTH:
        said |= {"refusals": 2, "refused_since": (at - timedelta(seconds=45)).isoformat()}
    return said
