"""Revocations that a provider does not do: told once, by their right name, and never called done."""

from datetime import timedelta

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import TELL_AFTER, revoke
from connections.models import AuditEvent, Connection, CredentialVersion, Notice, OutboxEvent, Revocation, Tenant
from providers.sandbox.client import SandboxProcess
from tests.connections.api.stored import make_app, make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload


def lied_to(connection: Connection, sandbox: SandboxProcess, *, times: int) -> None:
    """Disconnect, and have the provider say yes and do nothing, so many times."""
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    sandbox.control.fault("status", endpoint="revoke", times=0, status=200)
    for _ in range(times):
        assert revoke(connection.id) is Revocation.PENDING


def told(connection: Connection) -> list[bool]:
    """Return of each event that the provider ignores the revocation whether it is final."""
    events = OutboxEvent.objects.filter(type="connection.revocation_ignored", connection_id=connection.id)
    return [event.payload["final"] for event in events.order_by("id")]


def test_a_provider_that_says_yes_and_does_nothing_is_told_of_once_and_asked_on(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    lied_to(connection, sandbox, times=TELL_AFTER - 1)
    assert told(connection) == []
    for _ in range(4):
        assert revoke(connection.id) is Revocation.PENDING
    assert told(connection) == [False]
    notice = Notice.objects.get()
    assert notice.cause.startswith(f"revocation.ignored:{connection.provider_app_id}:")
    assert str(connection.id) in notice.body and connection.end_user not in notice.body
    assert "ignored_since" in reload(connection).evidence
    sandbox.control.clear_faults()
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert reload(connection).evidence == {}
    assert sandbox.control.log(endpoint="revoke")[-1].outcome == "grant_revoked"


def test_after_a_day_of_lies_that_is_the_outcome(connection: Connection, sandbox: SandboxProcess) -> None:
    lied_to(connection, sandbox, times=TELL_AFTER)
    age(connection.id, hours=25)
    assert revoke(connection.id) is Revocation.IGNORED
    assert told(connection) == [False, True]
    row = reload(connection)
    assert (row.revocation, row.revocation_due_at) == ("ignored", None)
    assert "ignored_since" in row.evidence and "revocation" not in row.evidence
    assert not CredentialVersion.objects.filter(connection=connection).exists()
    assert AuditEvent.objects.filter(action="connection.revocation", decision="ignored").count() == 1
    assert revoke(connection.id) is Revocation.IGNORED, "and stays"


def test_an_outage_is_no_lie(connection: Connection, sandbox: SandboxProcess) -> None:
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    sandbox.control.fault("status", endpoint="revoke", times=0, status=503)
    for _ in range(TELL_AFTER + 2):
        assert revoke(connection.id) is Revocation.PENDING
    assert told(connection) == []
    age(connection.id, hours=25)
    assert revoke(connection.id) is Revocation.UNCONFIRMED
    assert told(connection) == []
    (event,) = OutboxEvent.objects.filter(type="connection.revocation_unconfirmed")
    assert event.payload["final"] is True
    assert Notice.objects.get().cause.startswith("revocation.unconfirmed:")


def test_who_cannot_be_asked_whether_it_works_has_not_lied(connection: Connection, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="introspect", times=0, status=503)
    lied_to(connection, sandbox, times=TELL_AFTER + 1)
    assert told(connection) == []


def test_many_connections_of_an_app_are_one_mail_a_day(acme: Tenant) -> None:
    app = make_app(acme)
    made = [make_connection(acme, app=app, end_user=f"user-{number}") for number in range(4)]
    for connection in made:
        disconnect(connection.id, now=database_now(), actor=SYSTEM)
        age(connection.id, hours=25)
        assert revoke(connection.id) is Revocation.UNCONFIRMED
    assert OutboxEvent.objects.filter(type="connection.revocation_unconfirmed").count() == 4
    assert Notice.objects.count() == 1
    tomorrow = database_now() + timedelta(days=1)
    assert str(tomorrow.date()) not in Notice.objects.get().cause
