"""Closing an incident by hand."""

from connections.lifecycle.audit import Actor
from connections.lifecycle.clock import database_now
from connections.lifecycle.close_incident import close_incident
from connections.lifecycle.incidents import open_client_incident
from connections.models import AuditEvent, Incident, ProviderApp

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
