"""A few of the lives with everything around them: the widget, the API, the database, the jobs."""

from urllib.parse import urlencode

import pytest

from connections.access.targets import redirect_uri
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, ProviderApp, Revocation, Tenant, Trigger
from providers.dialects.fixture import fixtures
from providers.dialects.life import Life
from providers.dialects.vendors.stand_in import CLIENT_ID, CLIENT_SECRET
from providers.dialects.wire import answered_by
from providers.vocabulary import ProbeVerdict
from tests.connections.consent.steps import submit
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.dialects.test_every_entry import life_of
from tests.factories import Caller
from tests.flows import EndUser, Invitation, call, completion_code

_STRIKES = 4
BY_CONSENT = ("hubspot", "quickbooks", "asana", "bitbucket", "zoom", "slack")
BY_TYPING = ("sendgrid", "docker-hub", "twilio", "trello")


def registered(life: Life, tenant: Tenant) -> ProviderApp:
    """Make acme's app for the entry."""
    secret = [CLIENT_SECRET] if life.method.registers_client else []
    client = CLIENT_ID if life.method.registers_client else ""
    registration = Registration(
        provider=life.entry.slug, auth_style=life.style, client_id=client, client_secrets=secret
    )
    return save_provider_app(registration, tenant=tenant, actor=SYSTEM)


def confirmed(alice: EndUser, invitation: Invitation, code: str) -> Connection:
    answer = alice.complete(invitation, code)
    assert answer.status_code == 200, answer.content
    return Connection.objects.get(id=answer.json()["connection"]["id"])


def vended(alice: EndUser, connection: Connection) -> str:
    answer = alice.vend(str(connection.id))
    assert answer.status_code == 200, answer.content
    return str(answer.json()["credential"]["value"])


def given_up(connection: Connection) -> Connection:
    """Let time pass until the connection is given up, refreshed and probed as the sweeps would."""
    for _ in range(_STRIKES):
        age(connection.id, hours=13)
        refresh(connection.id, trigger=Trigger.SWEEP)
        probe(connection.id, trigger=Trigger.SWEEP)
        connection = reload(connection)
        if connection.status == "needs_reauth":
            break
    return connection


@pytest.mark.parametrize("slug", BY_CONSENT)
def test_by_consent_from_the_widget_to_the_revocation(slug: str, acme: Tenant, backend: Caller) -> None:
    life = life_of(fixtures()[slug])
    app, vendor, alice = registered(life, acme), life.vendor, EndUser("alice", backend)
    vendor.callback = redirect_uri(app.id)
    with answered_by(vendor.respond):
        invitation = alice.invite(provider=slug)
        answer = {name: values[0] for name, values in vendor.consent(alice.leave(invitation)).items()}
        held = alice.visit(f"{vendor.callback}?{urlencode(answer)}")
        connection = confirmed(alice, invitation, completion_code(held))
        first = vended(alice, connection)
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.ALIVE
        age(connection.id, hours=13)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        assert vended(alice, connection) not in ("", first)
        vendor.end()
        assert given_up(connection).status == "needs_reauth"
        vendor.ended = False
        again = alice.invite(provider=slug, connection=str(connection.id))
        answer = {name: values[0] for name, values in vendor.consent(alice.leave(again)).items()}
        mended = confirmed(alice, again, completion_code(alice.visit(f"{vendor.callback}?{urlencode(answer)}")))
        assert (mended.id, mended.status) == (connection.id, "active")
        assert call(backend, "DELETE", f"/connections/{connection.id}").status_code == 200
        assert (revoke(connection.id) is Revocation.CONFIRMED) is bool(life.fixture.revoke)
        assert vendor.ended is bool(life.fixture.revoke)


@pytest.mark.parametrize("slug", BY_TYPING)
def test_by_typing_from_the_widget_to_its_end(slug: str, acme: Tenant, backend: Caller) -> None:
    life = life_of(fixtures()[slug])
    app, vendor, alice = registered(life, acme), life.vendor, EndUser("alice", backend)
    with answered_by(vendor.respond):
        invitation = alice.invite(provider=life.entry.slug)
        alice.start(invitation)
        held = submit(alice, f"/connect/{invitation.id}/method/{app.id}", **life.values)
        connection = confirmed(alice, invitation, completion_code(held))
        assert vended(alice, connection)
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.ALIVE
        vendor.end()
        assert given_up(connection).status == "needs_reauth"
        refused = alice.vend(str(connection.id))
        assert (refused.status_code, refused.json()["code"]) == (409, "reauthorization_required")
