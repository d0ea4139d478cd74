"""What was noticed: incidents, suspicious use of API clients, pushes of providers, and the mail about all of that."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from connections.journal import audit
from connections.journal.event_types import EventType
from connections.lifecycle.forecast.digest import AHEAD, digest
from connections.lifecycle.forecast.upcoming import upcoming
from connections.lifecycle.health.causes import Answer, Facts
from connections.lifecycle.health.telling import ending, opening
from connections.lifecycle.provision.push_secrets import add_push_secret
from connections.lifecycle.watch.findings import mail_about
from connections.lifecycle.watch.ladder import restriction_of
from connections.lifecycle.watch.settings import watch_settings
from connections.management.showcase.chance import Chance
from connections.management.showcase.grants import Granted
from connections.management.showcase.ground import App, Ground
from connections.management.showcase.names import PUSHED
from connections.management.showcase.rows import write
from connections.models import (
    ApiClient,
    ApiKey,
    AuditEvent,
    Finding,
    Incident,
    IncidentCause,
    IncidentKind,
    Notice,
    NoticeState,
    ProviderApp,
    PushState,
    Reason,
    ReceivedPush,
    Step,
    Verdict,
    WatchRule,
    WatchSetting,
)
from providers.errors import ClientRejected, GrantRejected, ProviderUnavailable

_OPEN_INCIDENTS, _INCIDENTS = 3, 16
_OPEN_FINDINGS = 3
_REJECTED = Answer(ClientRejected.code, 401, "invalid_client", True, 1)
_REFUSED = Answer(GrantRejected.code, 400, "invalid_grant", True, 17)
_AWAY, _LIMITED = (
    Answer(ProviderUnavailable.code, status, "", True, count) for status, count in ((503, 41), (429, 23))
)
_CAUSES = (
    (IncidentKind.CLIENT_REJECTED, IncidentCause.CLIENT_ENDED, _REJECTED),
    (IncidentKind.UNAVAILABLE, IncidentCause.OUTAGE, _AWAY),
    (IncidentKind.MANY_FAILURES, IncidentCause.GRANTS_ENDED, _REFUSED),
    (IncidentKind.UNAVAILABLE, IncidentCause.RATE_LIMITED, _LIMITED),
)
_SAYS = {
    IncidentKind.CLIENT_REJECTED: "The token endpoint refused our client.",
    IncidentKind.UNAVAILABLE: "The token endpoint did not answer with tokens.",
    IncidentKind.MANY_FAILURES: "The provider refused the refresh token.",
}
_STEPS = {WatchRule.WIDE_USE: Step.THROTTLE, WatchRule.CANARY_USED: Step.HOLD}
# By the place of a notice, the oldest first: how its mail fared, where it was not simply sent.
_OUTCOMES = {
    2: (NoticeState.FAILED, 78, "TimeoutError", timedelta(days=3)),
    9: (NoticeState.UNKNOWN, 1, "SMTPServerDisconnected", timedelta(seconds=31)),
    12: (NoticeState.SENT, 4, "", timedelta(minutes=4)),
}
_SETTLED = (
    (Verdict.EXPECTED, "The new office in Lyon; Priya has confirmed its network."),
    (Verdict.EXPECTED, "The quarterly export of all contacts. It comes again in three months."),
    (Verdict.HARMFUL, "The key was in a public build log. It is rotated, and the log is gone."),
)


def notice_all(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> None:
    """Write all of it."""
    incidents = _incidents(chance, ground.apps)
    findings = _findings(chance, ground, granted)
    _pushes(chance, ground, granted)
    _expiring_secrets(chance, ground.apps)
    _mail(chance, incidents, findings)


def _incidents(chance: Chance, apps: Sequence[App]) -> Sequence[Incident]:
    rows = []
    for place, app in enumerate(chance.some_of(apps, _INCIDENTS)):
        kind, cause, answer = _CAUSES[place % len(_CAUSES)]
        is_open = place < _OPEN_INCIDENTS
        opened_at = chance.before(timedelta(hours=5) if is_open else timedelta(days=60))
        ended_at = opened_at + timedelta(minutes=chance.number(12, 400))
        closed_at = None if is_open else min(ended_at + timedelta(hours=1), chance.now)
        facts = Facts(
            host=f"api.{app.entry.slug}.example",
            live=answer.connections * 4,
            failing=answer.connections,
            tried=answer.connections + chance.number(0, 9),
            succeeded=0 if kind is IncidentKind.UNAVAILABLE else chance.number(3, 30),
            answers=(answer,),
            has_secret=True,
            secret_since=opened_at - timedelta(days=200),
            last_success_at=opened_at - timedelta(minutes=chance.number(2, 50)),
        )
        incident = Incident(
            id=chance.id(),
            provider_app=app.row,
            kind=kind,
            cause=cause,
            evidence={"detail": _SAYS[kind], "sent": True, "status": answer.status, "error": answer.code},
            facts=facts.as_dict(),
            spared=answer.connections if kind is not IncidentKind.CLIENT_REJECTED else chance.number(2, 30),
            opened_at=opened_at,
            last_seen_at=chance.before(timedelta(minutes=9)) if is_open else min(ended_at, chance.now),
            closed_at=closed_at,
        )
        incident.step("Opened", now=opened_at)
        incident.step(cause.label, now=opened_at)
        if closed_at is not None:
            how = "Closed by an operator" if chance.falls(0.2) else "Closed: it is over"
            incident.step(how, now=closed_at)
        rows.append(incident)
    return write(rows)


def _findings(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> Sequence[Finding]:
    """Write findings, some of them open and acted upon, and how the rules are set for that."""
    _set_rules()
    clients = {client.id: client for clients in ground.callers.values() for client in clients}
    canaries = [one.connection.id for one in granted if one.connection.is_canary]
    touched = AuditEvent.objects.filter(connection_id__in=canaries, api_client_id__in=clients)
    rows = [
        _found(chance, WatchRule.CANARY_USED, clients[row.api_client_id], granted, first_at=row.at, last_at=row.at)
        for row in touched
        if row.api_client_id is not None
    ]
    others = [rule for rule in WatchRule if rule is not WatchRule.CANARY_USED]
    suspected = {found.client_id for found in rows}
    innocent = [client for client in clients.values() if client.id not in suspected]
    for place, client in enumerate(chance.some_of(innocent, _OPEN_FINDINGS + len(_SETTLED))):
        is_open = place < _OPEN_FINDINGS
        first_at = chance.before(timedelta(hours=9) if is_open else timedelta(days=45))
        last_at = min(first_at + timedelta(minutes=chance.number(3, 160)), chance.now)
        found = _found(chance, others[place % len(others)], client, granted, first_at=first_at, last_at=last_at)
        if not is_open:
            found.verdict, found.note = _SETTLED[place - _OPEN_FINDINGS]
            found.resolved_by, found.resolved_at = "olga", min(last_at + timedelta(hours=2), chance.now)
        rows.append(found)
    for found in rows:
        if found.resolved_at is None and found.step:
            found.client.restrict(restriction_of(Step(found.step)))
    return write(rows)


def _found(
    chance: Chance,
    rule: WatchRule,
    client: ApiClient,
    granted: Sequence[Granted],
    *,
    first_at: datetime,
    last_at: datetime,
) -> Finding:
    step = _STEPS.get(rule, Step.ALERT)
    theirs = [one for one in granted if one.tenant.id == client.tenant_id]
    return Finding(
        id=chance.id(),
        rule=rule,
        client=client,
        opened_at=last_at + timedelta(seconds=40),
        first_at=first_at,
        last_at=last_at,
        evidence=_evidence(chance, rule, client, theirs),
        step=step,
        stepped_at=last_at + timedelta(seconds=41) if step else None,
    )


def _set_rules() -> None:
    watch_settings()
    WatchSetting.objects.filter(rule=WatchRule.WIDE_USE).update(throttle_after=0, hold_after=240)
    WatchSetting.objects.filter(rule=WatchRule.CANARY_USED).update(hold_after=0)


def _evidence(chance: Chance, rule: WatchRule, client: ApiClient, theirs: Sequence[Granted]) -> dict[str, Any]:
    touched = [str(one.connection.id) for one in chance.some_of(theirs, 6)]
    prefixes = ApiKey.objects.filter(client=client).order_by("id").values_list("prefix", flat=True)
    evidence: dict[str, Any] = {
        "uses": chance.number(40, 900),
        "keys": list(prefixes),
        "networks": [f"203.0.113.{chance.number(0, 15) * 16}/28"],
        "connections": touched,
    }
    if rule is WatchRule.WIDE_USE:
        evidence |= {"connections_counted": chance.number(180, 400), "highest": chance.number(9, 40)}
    elif rule is WatchRule.MANY_DENIALS:
        asked_for = [str(chance.id()) for _ in range(6)]
        evidence |= {"asked_for": asked_for, "asked_for_counted": chance.number(60, 300), "highest": 2}
    elif rule is WatchRule.AWAKENED:
        evidence |= {"connections_counted": chance.number(50, 90), "slept_days": chance.number(40, 200)}
    elif rule is WatchRule.CANARY_USED:
        canaries = [str(one.connection.id) for one in theirs if one.connection.is_canary]
        evidence |= {"acts": ["credential.vend"], "got_it": True, "uses": 1, "connections": canaries}
    return evidence


def _pushes(chance: Chance, ground: Ground, granted: Sequence[Granted]) -> None:
    """Write what providers have pushed: ends of grants, other events, and some that are not what they seem."""
    pushing = [app for app in ground.apps if app.entry.push is not None and app.row.tenant_id is None]
    for app in pushing:
        if app.entry.push is not None and app.entry.push.key == "push_secret":
            add_push_secret(app.row, chance.token(), actor=audit.SYSTEM)
    rows = [
        _push(chance, one.app, one.connection.status_changed_at, [one.app.told_ends[0]], connections=1, ended=1)
        for one in granted
        if one.connection.reason == Reason.PROVIDER_NOTIFIED
    ]
    for app in pushing:
        for _ in range(chance.number(4, 14)):
            at, types = chance.before(timedelta(days=14)), PUSHED.get(app.entry.slug)
            if types is not None:
                rows.append(_push(chance, app, at, [chance.one_of(types)], forwarded=1))
    for app, (why, count) in zip(pushing, (("signature", 14), ("no_secret", 3), ("stale", 1)), strict=False):
        at = chance.before(timedelta(days=6))
        rows.append(_push(chance, app, at, [], state=PushState.REFUSED, why=why, count=count))
    write(rows)


def _push(chance: Chance, app: App, at: datetime, types: list[str], **columns: Any) -> ReceivedPush:
    state = columns.setdefault("state", PushState.DONE)
    is_done = state == PushState.DONE
    return ReceivedPush(
        id=chance.id(),
        provider_app=app.row,
        event_types=types,
        delivery=chance.digest() if is_done else None,
        proof=chance.digest() if is_done else None,
        is_dated=app.entry.push is not None and app.entry.push.is_dated,
        received_at=at,
        updated_at=at,
        done_at=at + timedelta(milliseconds=chance.number(40, 1800)) if is_done else None,
        **columns,
    )


def _expiring_secrets(chance: Chance, apps: Sequence[App]) -> None:
    """Have some client secrets expire, as far as an operator has said, one of them within days."""
    with_secrets = [app for app in apps if app.row.secrets is not None]
    for place, app in enumerate(chance.some_of(with_secrets, 5)):
        ends_at = chance.after(timedelta(days=9)) if place == 0 else chance.now + timedelta(days=40 * place)
        ProviderApp.objects.filter(id=app.row.id).update(secret_expires_at=ends_at)


def _mail(chance: Chance, incidents: Iterable[Incident], findings: Iterable[Finding]) -> None:
    """Write the notices of all that, and of what ends soon. One of them was perhaps sent, and one never."""
    told: list[tuple[str, tuple[str, str], datetime]] = []
    for incident in incidents:
        told.append((f"incident.opened:{incident.id}", opening(incident), incident.opened_at))
        if incident.closed_at is not None:
            ended_at = incident.closed_at
            told.append((f"incident.closed:{incident.id}", ending(incident, now=ended_at), ended_at))
    told += [(f"{EventType.USE_SUSPECTED}:{found.id}", mail_about(found), found.opened_at) for found in findings]
    endings = upcoming(see=lambda rows: rows, until=chance.now + AHEAD, now=chance.now, limit=20)
    this_morning = chance.now - timedelta(hours=3)
    what_ends = f"What ends until {this_morning + AHEAD:%d %B}", digest(endings, now=this_morning)
    told.append((f"forecast:{this_morning:%Y-%m-%d}", what_ends, this_morning))
    rows = []
    for place, (cause, (subject, body), at) in enumerate(sorted(told, key=lambda one: one[2])):
        state, attempts, error, lasted = _OUTCOMES.get(place, (NoticeState.SENT, 1, "", timedelta(seconds=2)))
        rows.append(
            Notice(
                id=chance.id(),
                cause=cause,
                subject=subject[:200],
                body=body,
                state=state,
                attempts=attempts,
                error=error,
                created_at=at,
                ended_at=min(at + lasted, chance.now),
            )
        )
    write(rows)
