"""Closing an incident: by hand, or because it is over."""

from datetime import timedelta

from connections.lifecycle.audit import Actor
from connections.lifecycle.clock import database_now
from connections.lifecycle.close_incident import close_incident
from connections.lifecycle.incidents import close_quiet_incidents, open_client_incident
from connections.models import AuditEvent, Connection, Incident, IncidentKind, ProviderApp

OLGA = Actor(operator="olga")


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
