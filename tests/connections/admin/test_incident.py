"""The page of an incident, and the API beside it: cause, counts, evidence and timeline, said so that people can act."""

import pytest
from django.test import Client
from django.urls import reverse

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.health.incidents import close_incident, open_client_incident
from connections.lifecycle.health.telling import explanation
from connections.models import Incident, Permission, ProviderApp, Tenant
from tests.connections.api.stored import make_app
from tests.factories import make_caller
from tests.flows import call

pytestmark = pytest.mark.django_db(transaction=True)
EVIDENCE = {"detail": "Refused.", "sent": True, "status": 401, "error": "invalid_client"}


@pytest.fixture
def incident(acme: Tenant) -> Incident:
    app = make_app(acme)
    ProviderApp.objects.filter(id=app.id).update(name="<b>CRM</b>", secrets_changed_at=database_now())
    app.refresh_from_db()
    open_client_incident(app, evidence=EVIDENCE, now=database_now())
    opened = Incident.objects.select_related("provider_app").get()
    opened.spared = 7
    opened.save()
    return opened


def test_the_page_says_what_is_so_what_it_means_and_what_to_do(olga: Client, incident: Incident) -> None:
    page = olga.get(reverse("admin:connections_incident_change", args=[incident.id])).content.decode()
    assert "the provider app “&lt;b&gt;CRM&lt;/b&gt;”" in page and "<b>CRM</b>" not in page
    for part in ("What it means", "What to do", "Timeline", "Opened", "invalid_client", "7 connections"):
        assert part in page, part


def test_the_api_says_the_same_and_to_nobody_else(incident: Incident, acme: Tenant, globex: Tenant) -> None:
    own, other = make_caller(acme, "own", [Permission.APPS]), make_caller(globex, "other", [Permission.APPS])
    said = call(own, "GET", f"/incidents/{incident.id}").json()
    told = explanation(incident)
    assert (said["detail"], said["means"], said["to_do"]) == (told.what, told.means, told.to_do)
    assert (said["cause"], said["spared"]) == (incident.cause, 7)
    assert [step["what"] for step in said["timeline"]] == ["Opened", incident.get_cause_display()]
    assert call(other, "GET", f"/incidents/{incident.id}").status_code == 404
    close_incident(incident, now=database_now(), actor=SYSTEM)
    assert call(own, "GET", f"/incidents/{incident.id}").json()["timeline"][-1]["what"] == "Closed: it is over"
