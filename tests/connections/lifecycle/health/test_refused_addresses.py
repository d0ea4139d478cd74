"""An answer that says that our address is not on the provider's list: told to the operator, held against nobody."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from connections.access.targets import redirect_uri
from connections.database.clock import database_now
from connections.lifecycle.health.attend import attend_incidents
from connections.lifecycle.health.incidents import freeze_for
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, Incident, IncidentKind, ProviderApp, RefreshAttempt, Tenant, Trigger
from providers.dialects.fixture import fixtures
from providers.dialects.life import Life
from providers.dialects.wire import Answer, Request, answered_by
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.dialects.test_every_entry import life_of
from tests.dialects.test_whole_lives import confirmed, registered
from tests.factories import Caller
from tests.flows import EndUser, Invitation, completion_code

SAID = [
    "ip restricted",
    "IP restricted or invalid login hours",
    "login from 203.0.113.9: IP address not allowed",
]


@pytest.fixture
def life() -> Life:
    return life_of(fixtures()["salesforce"])


@pytest.fixture
def alice(backend: Caller) -> EndUser:
    return EndUser("alice", backend)


@pytest.fixture
def connected(life: Life, acme: Tenant, alice: EndUser) -> Connection:
    registered(life, acme)
    with answered_by(life.vendor.respond):
        return confirmed(alice, *came_back(life, alice))


def came_back(life: Life, alice: EndUser) -> tuple[Invitation, str]:
    """Let alice consent, and return her session and its completion code."""
    life.vendor.callback = redirect_uri(ProviderApp.objects.get().id)
    invitation = alice.invite(provider="salesforce", params={"login_host": life.values["login_host"]})
    answer = {name: values[0] for name, values in life.vendor.consent(alice.leave(invitation)).items()}
    return invitation, completion_code(alice.visit(f"{life.vendor.callback}?{urlencode(answer)}"))


@pytest.mark.parametrize("said", SAID)
def test_a_refresh_refused_by_address_opens_an_incident_and_downgrades_nobody(
    life: Life, connected: Connection, said: str
) -> None:
    with answered_by(life.vendor.respond):
        for _ in range(8):
            age(connected.id, hours=13)
            life.vendor.scripted.append((400, {"error": "invalid_grant", "error_description": said}))
            assert refresh(connected.id, trigger=Trigger.SWEEP).outcome is Outcome.UNAVAILABLE
        assert reload(connected).status == "active"
        incident = Incident.objects.get()
        assert (incident.kind, incident.closed_at) == (IncidentKind.ADDRESS_REFUSED, None)
        assert incident.evidence["connection"] == str(connected.id)
        assert "list it there" in incident.evidence["detail"]
        assert said not in str(incident.evidence), "the words of a provider are not kept"
        assert freeze_for(connected, now=database_now()) is None, "others are judged as ever"
        assert not RefreshAttempt.objects.filter(state="in_doubt").exists(), "the token was not used"
        age(connected.id, hours=13)
        assert refresh(connected.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED


def test_a_grant_that_has_ended_is_still_noticed(life: Life, connected: Connection) -> None:
    dead = (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})
    with answered_by(life.vendor.respond):
        for _ in range(2):
            age(connected.id, hours=13)
            life.vendor.scripted.append(dead)
            refresh(connected.id, trigger=Trigger.SWEEP)
    assert reload(connected).status == "needs_reauth"
    assert not Incident.objects.exists()


def test_a_probe_refused_by_address_proves_nothing_about_the_grant(life: Life, connected: Connection) -> None:
    def respond(_: Request) -> Answer:
        return 401, {"Content-Type": "text/plain"}, b"IP restricted"

    with answered_by(respond):
        assert probe(connected.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.FORBIDDEN
    assert reload(connected).status == "active"
    assert Incident.objects.get().kind == IncidentKind.ADDRESS_REFUSED


def test_a_code_refused_by_address_is_kept_and_may_be_confirmed_again(life: Life, acme: Tenant, alice: EndUser) -> None:
    registered(life, acme)
    with answered_by(life.vendor.respond):
        invitation, code = came_back(life, alice)
        life.vendor.scripted.append((400, {"error": "invalid_grant", "error_description": "ip restricted"}))
        refused = alice.complete(invitation, code)
        assert (refused.status_code, refused.json()["code"]) == (502, "app_misconfigured")
        assert "list it there" in refused.json()["detail"]
        assert Incident.objects.get().kind == IncidentKind.ADDRESS_REFUSED
        assert confirmed(alice, invitation, code).status == "active"


def test_the_incident_closes_when_nothing_was_refused_for_an_hour(life: Life, connected: Connection) -> None:
    with answered_by(life.vendor.respond):
        age(connected.id, hours=13)
        life.vendor.scripted.append((400, {"error": "invalid_grant", "error_description": "ip restricted"}))
        refresh(connected.id, trigger=Trigger.SWEEP)
    assert attend_incidents(now=database_now() + timedelta(minutes=59)) == 0
    assert attend_incidents(now=database_now() + timedelta(minutes=61)) == 1
