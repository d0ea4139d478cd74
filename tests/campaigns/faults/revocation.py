"""A grant revoked at the provider without a word: how long until Latchkey tells of it.

Real: worker, beat and web server, the probes' default intervals, the sweep, the provider, the rule of two refusals.
Sped up: the wait until a connection's next probe (drawn from the interval of one that was vended within the hour, where
an active connection is) and the 30 s between the two refusals are not waited for; the rows' times are moved, and what
was moved is added to what is measured. Few connections of each provider app are revoked, because many at once would
rightly be taken for the provider's fault.
"""

import random
import time
import uuid
from dataclasses import replace
from typing import Any

import requests

from connections.lifecycle.credentials.due import ProbeIntervals
from connections.lifecycle.health.rules import STRIKE_INTERVAL
from connections.models import Connection, Tenant
from providers.sandbox.waiting import until
from tests.campaigns.faults.figures import Figure, percentile
from tests.campaigns.faults.ground import Ground, Member
from tests.campaigns.faults.pushes import ENDED, told_at
from tests.factories import make_caller

_AN_APP = 4
_PROBE_P95_SECONDS = 15 * 60
_REPORT_P95_SECONDS = 5.0
_PUSH_P95_SECONDS = 5.0
_CROWD = 20
_NOTICED_SECONDS = 120.0


def by_probe(ground: Ground) -> Figure:
    """Measure from the revocation to the event that the grant is dead, for connections that are in use."""
    members = _members(ground)
    interval = ProbeIntervals().hot.total_seconds()
    waits = {member.id: random.uniform(0, interval) for member in members}
    began: dict[uuid.UUID, float] = {}
    with ground.running("worker", "beat"):
        for member in members:
            ground.control.revoke(grant_id=member.grant)
            began[member.id] = time.time()
        _set(ground, members, "probe_due_at = now(), last_vended_at = now()")
        _wait_for(ground, members, "connection.suspect")
        seconds = [waits[one] + at - began[one] for one, at in _decided(ground, members).items()]
    return _figure(
        "revocation",
        "revocation to event, active connections",
        seconds,
        target_seconds=_PROBE_P95_SECONDS,
        target="p95 ≤ 15 min",
    )


def by_report(ground: Ground) -> Figure:
    """Measure from a caller's report of a 401 to the first event; that the grant is dead takes a second refusal."""
    members = _members(ground)
    keys = {tenant_id: make_caller(Tenant.objects.get(id=tenant_id)).key for tenant_id in _tenants(members).values()}
    tenants = _tenants(members)
    began: dict[uuid.UUID, float] = {}
    with ground.running("web", "worker", "beat"):
        for member in members:
            ground.control.revoke(grant_id=member.grant)
            began[member.id] = _report(ground, member, keys[tenants[member.id]])
        events = _wait_for(ground, members, "connection.suspect")
        decided = [at - began[one] for one, at in _decided(ground, members).items()]
    figure = _figure(
        "revocation_reported",
        "revocation to event, after a caller's report",
        [events[one] - at for one, at in began.items()],
        target_seconds=_REPORT_P95_SECONDS,
        target="p95 ≤ 5 s",
    )
    figure.facts["decided_p95_seconds"] = round(percentile(decided, 0.95), 1)
    return figure


def by_push(ground: Ground) -> Figure:
    """Measure from the provider's push to the first event: of accounts with one connection, and of one with many.

    No beat runs: nothing of it may wait for one.
    """
    app = ground.make_app()
    told = told_at(ground, app, base_url=ground.stack.urls["web"], access_lifetime=3600)
    members = ground.make_members(app, ground.count(200, least=4))
    crowd = ground.make_members(app, _CROWD)
    told.name_accounts(members)
    told.name_accounts(crowd, "the-crowd")
    began: dict[uuid.UUID, float] = {}
    with ground.running("web", "worker"):
        for member in members:
            ground.control.revoke(grant_id=member.grant)
            began[member.id] = time.time()
            told.push(ENDED, member.id)
        events = _wait_for(ground, members, "connection.revoked")
        for member in crowd:
            ground.control.revoke(grant_id=member.grant)
        at = time.time()
        told.push(ENDED, "the-crowd")
        _wait_for(ground, crowd, "connection.revoked")
        of_many = time.time() - at
    figure = _figure(
        "revocation_pushed",
        "revocation to event, after the provider's push",
        [*(events[one] - at for one, at in began.items()), of_many],
        target_seconds=_PUSH_P95_SECONDS,
        target="p95 ≤ 5 s",
    )
    figure.facts[f"seconds_until_all_{_CROWD}_of_an_account"] = round(of_many, 2)
    return replace(figure, is_kept=figure.is_kept and of_many <= _PUSH_P95_SECONDS)


def _members(ground: Ground) -> list[Member]:
    """Make connections of many tenants: at most four of an app fail at once."""
    count = ground.count(50, least=1)
    apps = [ground.make_app(access_lifetime=3600) for _ in range(count)]
    return [member for app in apps for member in ground.make_members(app, _AN_APP)]


def _tenants(members: list[Member]) -> dict[uuid.UUID, uuid.UUID]:
    return dict(Connection.objects.filter(id__in=[one.id for one in members]).values_list("id", "tenant_id"))


def _set(ground: Ground, members: list[Member], values: str) -> None:
    ground.rows(f"UPDATE connections_connection SET {values} WHERE id = ANY(%s)", [member.id for member in members])


def _events(ground: Ground, members: list[Member], type_: str) -> dict[uuid.UUID, float]:
    """Return when the first event of that type came for each connection."""
    found: list[Any] = ground.rows(
        "SELECT connection_id, extract(epoch FROM min(created_at))::float8 FROM connections_outboxevent"
        " WHERE type = %s AND connection_id = ANY(%s) GROUP BY connection_id",
        type_,
        [member.id for member in members],
    )
    return dict(found)


def _wait_for(ground: Ground, members: list[Member], type_: str) -> dict[uuid.UUID, float]:
    until(
        lambda: len(_events(ground, members, type_)) == len(members),
        f"{type_} for {len(members)} connections",
        seconds=_NOTICED_SECONDS,
        pause=0.1,
    )
    return _events(ground, members, type_)


def _decided(ground: Ground, members: list[Member]) -> dict[uuid.UUID, float]:
    """Let 30 s pass, and return when the events came that the grants are dead, with those 30 s added."""
    strike = STRIKE_INTERVAL.total_seconds()
    moved = f"interval '{strike} seconds'"
    _set(
        ground,
        members,
        f"refused_at = refused_at - {moved}, next_attempt_at = next_attempt_at - {moved},"
        f" refresh_due_at = refresh_due_at - {moved}, refresh_enqueued_until = NULL",
    )
    return {one: at + strike for one, at in _wait_for(ground, members, "connection.needs_reauth").items()}


def _report(ground: Ground, member: Member, key: str) -> float:
    """Report a 401 as a caller does, and return when that began."""
    ((version,),) = ground.rows("SELECT current_version_id FROM connections_connection WHERE id = %s", member.id)
    began = time.time()
    answer = requests.post(
        f"{ground.stack.urls['web']}/api/v1/connections/{member.id}/report",
        json={"version": str(version), "status": 401},
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answer.ok, f"the report is answered {answer.status_code}: {answer.text[:300]}"
    return began


def _figure(row: str, measure: str, seconds: list[float], *, target_seconds: float, target: str) -> Figure:
    p95 = percentile(seconds, 0.95)
    told = f"{p95 / 60:.1f} min" if p95 > 120 else f"{p95:.2f} s"
    return Figure(
        row=row,
        measure=measure,
        measured=f"p95 {told} ({len(seconds)} revocations)",
        target=target,
        is_kept=bool(seconds) and p95 <= target_seconds,
        facts={
            "count": len(seconds),
            "p50_seconds": round(percentile(seconds, 0.5), 2),
            "p95_seconds": round(p95, 2),
            "most_seconds": round(max(seconds, default=0.0), 2),
        },
    )
