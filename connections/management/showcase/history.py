"""What happened to the connections in the last week: refreshes, vends, probes, changes of status, and the events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from connections.journal.event_types import EventType
from connections.journal.events import identity
from connections.management.showcase.chance import Chance
from connections.management.showcase.grants import Granted
from connections.management.showcase.ground import Ground
from connections.management.showcase.names import AGENTS, PURPOSES
from connections.management.showcase.rows import write
from connections.models import VENDS, ApiClient, AttemptState, AuditEvent, OutboxEvent, RefreshAttempt, Status, Trigger

WEEK = timedelta(days=7)
_LATELY = timedelta(minutes=90)
_STAGES = {Status.SUSPECT: EventType.SUSPECT, Status.NEEDS_REAUTH: EventType.NEEDS_REAUTH}
_ENDS = {Status.REVOKED: EventType.REVOKED, Status.DISCONNECTED: EventType.DISCONNECTED}


def tell_history(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> list[OutboxEvent]:
    """Write the week's attempts, audit rows and events, each in the order of its moments, and return the events."""
    write([attempt for one in granted for attempt in _attempts(one, chance)])
    rows = [row for one in granted for row in (*_made(one, chance), *_changed(one), *_probed(one, chance))]
    rows += _vends(chance, ground, [one for one in granted if one.condition.status in VENDS])
    write(sorted(rows, key=lambda row: row.at))
    events = [event for one in granted for event in _events(one, chance)]
    write(sorted(events, key=lambda event: event.created_at))
    numbers = dict(OutboxEvent.objects.values_list("event_id", "id"))
    for event in events:
        event.id = numbers[event.event_id]
    return sorted(events, key=lambda event: event.id)


def _attempts(granted: Granted, chance: Chance) -> list[RefreshAttempt]:
    """Return its last refreshes: those that worked, those that failed on the way, and the refusal, if there was one."""
    lifetime = granted.app.liked.lifetime_seconds
    if lifetime is None or granted.version_id is None or granted.connection.is_canary:
        return []
    step = timedelta(seconds=lifetime * 0.78)
    changed_at = granted.connection.status_changed_at
    is_unwell = granted.condition.status not in (Status.ACTIVE, Status.REVOKED)
    made = []
    moment = changed_at if is_unwell else chance.now - step * chance.share()
    if is_unwell and granted.condition.error:
        strikes = (moment, moment - timedelta(seconds=45))
        made = [_attempt(granted, chance, at, AttemptState.REJECTED, "grant_rejected") for at in strikes]
    if not is_unwell and moment > granted.connection.created_at:
        made.append(_attempt(granted, chance, moment, AttemptState.PROMOTED, ""))
    for _ in range(chance.number(1, 6)):
        moment -= timedelta(minutes=chance.number(120, 1000))  # not all of them, or they would be too many
        if moment < max(granted.connection.created_at, chance.now - WEEK):
            break
        if chance.falls(0.04):
            made.append(_attempt(granted, chance, moment, AttemptState.ABORTED, "provider_unavailable"))
        else:
            made.append(_attempt(granted, chance, moment, AttemptState.PROMOTED, ""))
    return made


def _attempt(granted: Granted, chance: Chance, at: datetime, state: AttemptState, error: str) -> RefreshAttempt:
    if (version_id := granted.version_id) is None:
        raise ValueError("Only what has a credential is refreshed.")
    evidence: dict[str, Any] = {}
    if error == "grant_rejected":
        evidence = dict(granted.connection.evidence)
    elif error:
        evidence = {"detail": "The token endpoint did not answer in time.", "sent": True}
    return RefreshAttempt(
        id=chance.id(),
        connection=granted.connection,
        parent_version_id=version_id,
        state=state,
        trigger=chance.one_of((Trigger.SWEEP, Trigger.VEND, Trigger.OPERATOR), (95, 4, 1)),
        claimed_by="worker-1",
        claimed_at=at,
        deadline_at=at + timedelta(seconds=60),
        ended_at=at + timedelta(milliseconds=chance.number(90, 1400)),
        error=error,
        evidence=evidence,
    )


def _row(granted: Granted, at: datetime, action: str, **columns: Any) -> AuditEvent:
    return AuditEvent(
        **{
            "at": at,
            "action": action,
            "decision": "allowed",
            "tenant_id": granted.tenant.id,
            "connection_id": granted.connection.id,
            "credential_version_id": granted.version_id,
            "api_client_id": None,
            "operator": "",
            "subject": "",
            "agent": "",
            "purpose": "",
            "scopes": [],
            "address": None,
            "fingerprint": None,
            "detail": {},
            **columns,
        }
    )


def _made(granted: Granted, chance: Chance) -> list[AuditEvent]:
    at = granted.connection.created_at
    if at < chance.now - timedelta(days=60):
        return []
    person = granted.connection.end_user or granted.connection.granted_by
    return [_row(granted, at, "connection.connected", subject=person, scopes=list(granted.scopes))]


def _changed(granted: Granted) -> list[AuditEvent]:
    connection = granted.connection
    if granted.condition.status is Status.ACTIVE:
        return []
    detail = {"from": Status.ACTIVE, "reason": connection.reason, "evidence": connection.evidence}
    changed = _row(
        granted, connection.status_changed_at, "connection.status", decision=str(connection.status), detail=detail
    )
    if granted.condition.status is not Status.DISCONNECTED:
        return [changed]
    asked_at = connection.status_changed_at - timedelta(seconds=1)
    return [_row(granted, asked_at, "connection.disconnect", operator="olga"), changed]


def _probed(granted: Granted, chance: Chance) -> list[AuditEvent]:
    if granted.condition.status in VENDS and chance.falls(0.1):
        at = chance.before(min(timedelta(days=2), chance.now - granted.connection.created_at))
        return [_row(granted, at, "connection.probe", operator="olga", detail={"outcome": "alive"})]
    return []


def _vends(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> list[AuditEvent]:
    """Return the vends of the week, thinly, and those of the last hours as they would be: more by day than by night."""
    made = []
    canaries = [one for one in granted if one.connection.is_canary]
    made += [_touch(chance, one, ground.callers[one.tenant.slug]) for one in canaries[:1]]
    granted = [one for one in granted if not one.connection.is_canary]
    for one in granted:
        callers = ground.callers[one.tenant.slug]
        lately = min(WEEK, chance.now - one.connection.created_at)
        made += [_vend(chance, one, callers, chance.before(lately)) for _ in range(chance.number(0, 5))]
    older = [one for one in granted if one.connection.created_at < chance.now - _LATELY]
    for _ in range(len(older)):
        one = chance.one_of(older)
        at = chance.now - _LATELY * chance.share()
        made.append(_vend(chance, one, ground.callers[one.tenant.slug], at))
    return made


def _vend(chance: Chance, granted: Granted, callers: Sequence[ApiClient], at: datetime) -> AuditEvent:
    decision = chance.one_of(("allowed", "insufficient_scope", "provider_unavailable"), (985, 9, 6))
    return _row(
        granted,
        at,
        "credential.vend",
        decision=decision,
        api_client_id=chance.one_of(callers).id,
        subject=granted.connection.end_user,
        agent=chance.one_of(AGENTS),
        purpose=chance.one_of(PURPOSES),
        scopes=list(granted.scopes[:2]),
        address=f"10.20.{chance.number(0, 9)}.{chance.number(1, 250)}",
        fingerprint=chance.digest() if decision == "allowed" else None,
    )


def _touch(chance: Chance, canary: Granted, callers: Sequence[ApiClient]) -> AuditEvent:
    """Return the vend of a canary by somebody who has no business there."""
    row = _vend(chance, canary, callers, chance.before(timedelta(hours=6)))
    row.decision, row.agent, row.purpose, row.address = "allowed", "", "", f"203.0.113.{chance.number(1, 250)}"
    return row


def _events(granted: Granted, chance: Chance) -> list[OutboxEvent]:
    connection, told = granted.connection, []
    if connection.created_at > chance.now - timedelta(days=30):
        told.append((EventType.CONNECTED, connection.created_at))
    if (type_ := (_STAGES | _ENDS).get(granted.condition.status)) is not None:
        told.append((type_, connection.status_changed_at))
    return [
        OutboxEvent(
            event_id=chance.id(),
            type=type_,
            tenant_id=granted.tenant.id,
            connection_id=connection.id,
            payload=identity(
                connection.id,
                provider=connection.provider,
                end_user=connection.end_user,
                status=connection.status,
                reason=connection.reason,
            ),
            created_at=at,
        )
        for type_, at in told
    ]
