"""Incidents: many failures at once (five connections and a fifth of an app's, within 10 minutes), and their end."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import Actor
from connections.lifecycle.health.incidents import (
    close_incident,
    close_quiet_incidents,
    downgrades_frozen,
    open_client_incident,
)
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AuditEvent, Connection, Incident, IncidentKind, ProviderApp, Tenant
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.clockwork import age

OLGA = Actor(operator="olga")


def refuse(app: ProviderApp, count: int, *, minutes_ago: float = 0) -> None:
    """Let so many of the app's connections have been refused then."""
    ids = list(Connection.objects.filter(provider_app=app).order_by("id").values_list("id", flat=True)[:count])
    Connection.objects.filter(id__in=ids).update(refused_at=database_now() - timedelta(minutes=minutes_ago))


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
    make_connection(acme, app=other, refused_at=database_now())
    refuse(app, refused, minutes_ago=minutes_ago)
    assert downgrades_frozen(app, now=database_now()) is is_frozen
    assert Incident.objects.filter(provider_app=app, kind="many_failures", closed_at=None).exists() is is_frozen
    assert not downgrades_frozen(other, now=database_now()), "another app is not concerned"


def test_connections_that_ended_do_not_count_among_the_apps(acme: Tenant) -> None:
    app = make_app(acme)
    for number in range(26):
        make_connection(acme, app=app, end_user=f"user-{number}")
    refuse(app, 5)
    last = Connection.objects.order_by("-id").first()
    assert last is not None
    Connection.objects.filter(id=last.id).update(status="disconnected", reason="disconnected_by_request")
    assert downgrades_frozen(app, now=database_now())


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


def test_what_failed_for_many_is_over_after_a_quiet_hour(app: ProviderApp) -> None:
    now = database_now()
    Incident.objects.create(
        provider_app=app, kind=IncidentKind.MANY_FAILURES, opened_at=now, last_seen_at=now - timedelta(minutes=59)
    )
    open_client_incident(app, evidence={}, now=now - timedelta(days=1))
    assert close_quiet_incidents(now=now) == 0
    assert close_quiet_incidents(now=now + timedelta(minutes=2)) == 1
    assert Incident.objects.get(closed_at=None).kind == IncidentKind.CLIENT_REJECTED


def test_it_is_not_over_while_connections_are_still_refused(connection: Connection) -> None:
    now = database_now()
    Incident.objects.create(
        provider_app=connection.provider_app,
        kind=IncidentKind.MANY_FAILURES,
        opened_at=now,
        last_seen_at=now - timedelta(hours=2),
    )
    Connection.objects.update(refused_at=now - timedelta(minutes=30))
    assert close_quiet_incidents(now=now) == 0
