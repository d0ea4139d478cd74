"""Incidents: many failures at once (five connections and a fifth of an app's, within 10 minutes), and their end."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.health.incidents import (
    SPARED_RETRY,
    close_incident,
    freeze_for,
    open_client_incident,
)
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    AuditEvent,
    Connection,
    Incident,
    IncidentCause,
    IncidentKind,
    Notice,
    OutboxEvent,
    ProviderApp,
    Tenant,
)
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload

OLGA = Actor(operator="olga")


def refuse(app: ProviderApp, count: int, *, minutes_ago: float = 0) -> None:
    """Let so many of the app's connections have been refused then."""
    ids = list(Connection.objects.filter(provider_app=app).order_by("id").values_list("id", flat=True)[:count])
    Connection.objects.filter(id__in=ids).update(refused_at=database_now() - timedelta(minutes=minutes_ago))


def some_of(app: ProviderApp) -> Connection:
    return Connection.objects.filter(provider_app=app).order_by("id")[0]


@pytest.mark.parametrize(
    ("connections", "refused", "minutes_ago", "is_frozen"),
    [(4, 4, 0, False), (5, 5, 0, True), (25, 5, 0, True), (26, 5, 0, False), (5, 5, 11, False)],
    ids=["too few", "all of few", "a fifth", "less than a fifth", "too long ago"],
)
def test_downgrades_are_frozen_where_the_fault_is_not_theirs(
    acme: Tenant, connections: int, refused: int, minutes_ago: float, is_frozen: bool
) -> None:
    app, other = make_app(acme), make_app(None)
    for number in range(connections):
        make_connection(acme, app=app, end_user=f"user-{number}")
    beside = make_connection(acme, app=other, refused_at=database_now())
    refuse(app, refused, minutes_ago=minutes_ago)
    assert (freeze_for(some_of(app), now=database_now()) is not None) is is_frozen
    assert Incident.objects.filter(provider_app=app, kind="many_failures", closed_at=None).exists() is is_frozen
    assert freeze_for(beside, now=database_now()) is None, "another app is not concerned"


def test_connections_that_ended_do_not_count_among_the_apps(acme: Tenant) -> None:
    app = make_app(acme)
    for number in range(26):
        make_connection(acme, app=app, end_user=f"user-{number}")
    refuse(app, 5)
    last = Connection.objects.order_by("-id").first()
    assert last is not None
    Connection.objects.filter(id=last.id).update(status="disconnected", reason="disconnected_by_request")
    assert freeze_for(some_of(app), now=database_now()) is not None


def test_a_few_refusals_among_many_connections_end_those_few(acme: Tenant, app: ProviderApp) -> None:
    made = [make_connection(acme, app=app, end_user=f"user-{number}") for number in range(30)]
    for connection in made[:5]:
        age(connection.id, hours=2)
        assert refresh(connection.id, trigger="sweep").outcome == "refused"
    for connection in made[:5]:
        age(connection.id, seconds=31)
        assert refresh(connection.id, trigger="sweep").outcome == "refused"
    assert Connection.objects.filter(status="needs_reauth", reason="grant_rejected").count() == 5
    assert not Incident.objects.exists()


def test_an_incident_is_closed_once_and_may_open_anew(app: ProviderApp) -> None:
    open_client_incident(app, evidence={}, now=database_now())
    incident = Incident.objects.get()
    assert close_incident(incident, now=database_now(), actor=OLGA)
    assert not close_incident(incident, now=database_now(), actor=OLGA)
    event = AuditEvent.objects.get(action="incident.closed")
    assert (event.operator, event.decision) == ("olga", "client_rejected")
    open_client_incident(app, evidence={}, now=database_now())
    assert Incident.objects.filter(closed_at=None).count() == 1


def refused_together(acme: Tenant, app: ProviderApp, count: int = 6) -> list[Connection]:
    """Let each of the app's connections be refused once: their grants are none of the provider's."""
    made = [make_connection(acme, app=app, end_user=f"user-{number}") for number in range(count)]
    again(made, hours=2)
    return made


def again(made: list[Connection], **delta: float) -> None:
    for connection in made:
        age(connection.id, **delta)
        refresh(connection.id, trigger="sweep")


def test_whom_an_incident_spares_is_counted_once_and_starts_afresh_when_it_is_over(
    acme: Tenant, app: ProviderApp
) -> None:
    made = refused_together(acme, app)
    for _ in range(3):
        again(made, minutes=6)
    incident = Incident.objects.get()
    assert (incident.kind, incident.spared) == (IncidentKind.MANY_FAILURES, 6)
    assert not Connection.objects.filter(status="needs_reauth").exists()
    close_incident(incident, now=database_now(), actor=OLGA)
    Connection.objects.exclude(id=made[0].id).update(refused_at=None, spared_at=None)
    again(made[:1], minutes=6)
    assert reload(made[0]).status == "suspect", "one refusal since the incident, however many there were in it"
    again(made[:1], seconds=31)
    assert reload(made[0]).status == "needs_reauth"


def test_while_it_lasts_nobody_is_asked_in_a_hot_loop(acme: Tenant, app: ProviderApp) -> None:
    made = refused_together(acme, app)
    again(made, seconds=31)
    due = [reload(connection).next_attempt_at for connection in made]
    assert all(at is not None and at > database_now() + SPARED_RETRY - timedelta(seconds=60) for at in due)


def test_its_beginning_and_its_end_are_told_once_to_programs_and_to_people(acme: Tenant, app: ProviderApp) -> None:
    made = refused_together(acme, app)
    again(made, minutes=6)
    incident = Incident.objects.get()
    close_incident(incident, now=database_now(), actor=OLGA)
    opened, closed = OutboxEvent.objects.filter(type__startswith="incident.").order_by("id")
    assert (opened.type, closed.type) == ("incident.opened", "incident.closed")
    assert opened.tenant_id == closed.tenant_id == app.tenant_id
    assert opened.payload["incident"] == str(incident.id)
    assert opened.payload["cause"] == "app_gone"
    assert closed.payload["spared"] == incident.spared == 6
    began, ended = f"incident.opened:{incident.id}", f"incident.closed:{incident.id}"
    told = {notice.cause: notice for notice in Notice.objects.all()}
    assert set(told) == {began, ended}
    for part in ("deleted or disabled", "What it means", "What to do", f"/admin/connections/incident/{incident.id}/"):
        assert part in told[began].body
    assert "6 were not downgraded" in told[ended].body
    assert "user-" not in told[began].body + told[ended].body
    assert incident.timeline[-1]["what"] == "Closed by an operator"


def test_a_refused_registration_names_the_secret_and_closes_when_it_is_mended(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    app = connection.provider_app
    changed = database_now()
    ProviderApp.objects.filter(id=app.id).update(secrets_changed_at=changed)
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_client", status=401)
    again([connection], hours=2)
    incident = Incident.objects.get()
    assert (incident.kind, incident.cause) == (IncidentKind.CLIENT_REJECTED, IncidentCause.WRONG_SECRET)
    assert f"{changed:%Y-%m-%d %H:%M}" in Notice.objects.get().body
    assert reload(connection).status == "active"
    Incident.objects.update(last_seen_at=database_now() - timedelta(hours=1))
    again([connection], hours=2)
    incident.refresh_from_db()
    assert (incident.closed_at is not None, incident.spared) == (True, 1)
    assert Notice.objects.filter(cause=f"incident.closed:{incident.id}").count() == 1
