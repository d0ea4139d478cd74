"""Incidents are opened for silence, learn what they come from, and close by themselves when they are over."""

from datetime import timedelta

import pytest
from django.db import transaction

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.health.attend import QUIET_FOR, attend_incidents
from connections.lifecycle.health.facts import WITHIN
from connections.lifecycle.health.failing import judge_failure
from connections.lifecycle.health.incidents import (
    close_incident,
    freeze_for,
    open_client_incident,
    open_silence_incident,
)
from connections.lifecycle.health.strikes import strike_credential
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, Incident, IncidentCause, IncidentKind, OutboxEvent, ProviderApp, Tenant
from providers.errors import Evidence, ProviderUnavailable
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload

MINUTE = timedelta(minutes=1)


def several(acme: Tenant, app: ProviderApp, count: int) -> list[Connection]:
    return [make_connection(acme, app=app, end_user=f"user-{number}") for number in range(count)]


def try_each(made: list[Connection]) -> None:
    for connection in made:
        age(connection.id, hours=2)
        refresh(connection.id, trigger="sweep")


def opened(app: ProviderApp, count: int) -> Incident:
    """Let so many of the app's connections be refused now, and the incident of it be opened."""
    ids = list(Connection.objects.filter(provider_app=app).order_by("id").values_list("id", flat=True)[:count])
    Connection.objects.filter(id__in=ids).update(refused_at=database_now())
    incident = freeze_for(Connection.objects.filter(provider_app=app).order_by("id")[0], now=database_now())
    assert incident is not None
    return incident


def recover(count: int) -> None:
    """Let so many of those that are refused work again."""
    ids = Connection.objects.filter(refused_at__isnull=False).order_by("id").values_list("id", flat=True)[:count]
    Connection.objects.filter(id__in=[*ids]).update(refused_at=None)


@pytest.mark.parametrize(
    ("kind", "how", "cause"),
    [
        ("status", {"status": 503}, IncidentCause.OUTAGE),
        ("lost_response", {}, IncidentCause.OUTAGE),
    ],
)
def test_a_provider_that_answers_nobody_is_one_incident_that_ends_with_the_silence(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess, kind: str, how: dict[str, object], cause: str
) -> None:
    made = several(acme, app, 6)
    sandbox.control.fault(kind, grant_type="refresh_token", times=0, **how)
    for failing in range(1, 6):
        assert not Incident.objects.exists(), f"{failing} are not many"
        Connection.objects.filter(id=made[failing - 1].id).update(failures=0)
        try_each(made[failing - 1 : failing])
        attend_incidents(now=database_now())
    attend_incidents(now=database_now())
    incident = Incident.objects.get()
    assert (incident.kind, incident.cause, incident.closed_at) == (IncidentKind.UNAVAILABLE, cause, None)
    assert incident.facts["failing"] == 5
    assert freeze_for(reload(made[5]), now=database_now()) == incident
    Connection.objects.update(failures=0, verified_at=database_now())
    assert attend_incidents(now=database_now() + WITHIN - MINUTE) == 0, "not at the first sign"
    assert attend_incidents(now=database_now() + WITHIN + MINUTE) == 1
    assert freeze_for(reload(made[5]), now=database_now()) is None


def test_in_an_outage_each_connection_without_a_valid_token_is_told_of(acme: Tenant) -> None:
    app, now = make_app(acme), database_now()
    (one,) = several(acme, app, 1)
    open_silence_incident(app, party=None, failing=5, now=now)
    Connection.objects.update(failures=3, access_expires_at=now - MINUTE)
    for _ in range(2):
        with transaction.atomic():
            judge_failure(reload(one), ProviderUnavailable(Evidence("Away.")), can_probe=True, now=now)
    assert OutboxEvent.objects.filter(type="connection.refresh_failing", connection_id=one.id).count() == 1
    assert reload(one).status == "active"


def test_a_cause_is_not_learnt_anew_from_the_recovery(acme: Tenant) -> None:
    app = make_app(acme)
    made = several(acme, app, 12)
    incident = opened(app, 12)
    assert incident.cause == IncidentCause.APP_GONE
    later = database_now() + WITHIN + MINUTE
    Connection.objects.update(refused_at=later - MINUTE)
    Connection.objects.filter(id__in=[one.id for one in made[6:]]).update(refused_at=None, verified_at=later)
    attend_incidents(now=later)
    incident.refresh_from_db()
    assert (incident.cause, incident.facts["succeeded"]) == (IncidentCause.APP_GONE, 6)


def test_silence_of_a_few_among_many_that_are_answered_is_no_incident(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    made = several(acme, app, 30)
    try_each(made[5:])
    sandbox.control.fault("status", grant_type="refresh_token", times=0, status=503)
    try_each(made[:5])
    attend_incidents(now=database_now())
    assert not Incident.objects.filter(kind=IncidentKind.UNAVAILABLE).exists()


def test_many_failures_are_over_when_fewer_than_a_tenth_fail_for_ten_minutes(acme: Tenant) -> None:
    app = make_app(acme)
    several(acme, app, 30)
    incident, now = opened(app, 6), database_now()
    closed = []
    for minute in range(1, 45):
        # From the third minute on four fail, where no incident would be opened; from the thirtieth on two.
        recover(2 if minute in (3, 30) else 0)
        Connection.objects.filter(refused_at__isnull=False).update(refused_at=now + minute * MINUTE)
        closed += [minute] * attend_incidents(now=now + minute * MINUTE)
    assert closed == [40]
    incident.refresh_from_db()
    assert incident.closed_at == now + 40 * MINUTE
    assert incident.timeline[-1]["what"] == "Closed: it is over"


def test_one_dead_grant_keeps_no_incident_of_a_small_app_open(acme: Tenant) -> None:
    app = make_app(acme)
    made = several(acme, app, 5)
    opened(app, 5)
    now = database_now()
    Connection.objects.exclude(id=made[0].id).update(refused_at=None, verified_at=now + MINUTE)
    closed = []
    for minute in range(1, 15):
        Connection.objects.filter(id=made[0].id).update(spared_at=now + minute * MINUTE)
        closed += [minute] * attend_incidents(now=now + minute * MINUTE)
    assert closed == [10]


def test_nobody_keeps_an_incident_open_by_refused_grants_of_their_own(acme: Tenant, globex: Tenant) -> None:
    """A quarter is refused for ever, and the rest works: after a day the former are judged, and none opens anew."""
    app = make_app(None)
    theirs = [make_connection(globex, app=app, end_user=f"user-{number}") for number in range(5)]
    others = several(acme, app, 15)
    ids = [one.id for one in theirs]
    Connection.objects.filter(id__in=ids).update(refused_at=database_now())
    opened_at = database_now()
    incident = freeze_for(reload(theirs[0]), now=opened_at)
    assert incident is not None
    closed = []
    for hour in range(1, 26):
        now = opened_at + timedelta(hours=hour)
        Connection.objects.filter(id__in=ids).update(spared_at=now, spared_by=incident.id)
        Connection.objects.exclude(id__in=ids).update(verified_at=now)
        closed += [hour] * attend_incidents(now=now)
    assert closed == [25]
    incident.refresh_from_db()
    assert incident.timeline[-1]["what"] == "Closed: the others have worked for a day"
    for seconds in (0, 40):  # each gets its two strikes
        for one in theirs:
            with transaction.atomic():
                locked = reload(one)
                assert locked.current_version_id is not None
                strike_credential(locked, locked.current_version_id, evidence={}, now=now + timedelta(seconds=seconds))
    assert {reload(one).status for one in theirs} == {"needs_reauth"}
    assert {reload(one).status for one in others} == {"active"}
    Connection.objects.filter(id__in=[one.id for one in others[:12]]).update(refused_at=now)
    assert freeze_for(reload(others[0]), now=now) is not None, "most of them fail: that is a new one"


def test_all_of_a_small_app_failing_keeps_it_open(acme: Tenant) -> None:
    app = make_app(acme)
    several(acme, app, 5)
    opened(app, 5)
    now = database_now()
    for minute in range(1, 40):
        Connection.objects.update(spared_at=now + minute * MINUTE)
        assert attend_incidents(now=now + minute * MINUTE) == 0


def test_a_refused_registration_that_nobody_tries_any_more_is_over_after_a_day(app: ProviderApp) -> None:
    now = database_now()
    open_client_incident(app, evidence={}, now=now)
    quiet = QUIET_FOR[IncidentKind.CLIENT_REJECTED]
    assert attend_incidents(now=now + quiet - MINUTE) == 0
    assert attend_incidents(now=now + quiet + MINUTE) == 1


def test_the_cause_is_learnt_while_it_is_open_and_changes_are_in_the_timeline(acme: Tenant) -> None:
    app = make_app(acme)
    made = several(acme, app, 12)
    incident = opened(app, 6)
    assert incident.cause == IncidentCause.APP_GONE
    beside = {one.id for one in made} - {
        *Connection.objects.filter(refused_at__isnull=False).values_list("id", flat=True)
    }
    Connection.objects.filter(id__in=beside).update(verified_at=database_now())
    attend_incidents(now=database_now())
    incident.refresh_from_db()
    assert incident.facts["succeeded"] == 6
    assert [step["what"] for step in incident.timeline][:2] == ["Opened", IncidentCause.APP_GONE.label]


def test_what_is_learnt_of_an_incident_that_was_just_closed_changes_nothing(acme: Tenant) -> None:
    app = make_app(acme)
    several(acme, app, 5)
    seen = opened(app, 5)
    assert close_incident(Incident.objects.get(), now=database_now(), actor=Actor(operator="olga"))
    seen.learn(IncidentCause.OUTAGE, {}, now=database_now())
    kept = Incident.objects.get()
    assert (kept.cause, kept.timeline[-1]["what"]) == (IncidentCause.APP_GONE, "Closed by an operator")
