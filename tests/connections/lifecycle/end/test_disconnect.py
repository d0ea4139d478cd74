"""Disconnect: vends stop at once, the provider's grant dies, and the secrets are gone when that is proved."""

import uuid
from datetime import timedelta

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AuditEvent, Connection, CredentialVersion, DataKey, OutboxEvent, Revocation, Stage
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.unfinished import answered, open_attempt
from tests.flows import EndUser


def end(connection: Connection, *, keep: bool = False) -> Connection:
    disconnect(connection.id, now=database_now(), actor=SYSTEM, keep=keep)
    return Connection.objects.get(id=connection.id)


def test_stops_vends_at_once_and_keeps_the_secrets_for_the_revocation(alice: EndUser, connection: Connection) -> None:
    row = end(connection)
    assert (row.status, row.reason, row.revocation) == ("disconnected", "disconnected_by_request", "pending")
    answer = alice.vend(str(connection.id))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert CredentialVersion.objects.filter(connection=connection).exists()
    assert refresh(connection.id, trigger="sweep").outcome == "gone"


def test_revokes_at_the_provider_proves_it_and_destroys_the_secrets(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    end(connection)
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert not CredentialVersion.objects.filter(connection=connection).exists()
    row = Connection.objects.get(id=connection.id)
    assert (row.revocation, row.current_version_id, row.revocation_due_at) == ("confirmed", None, None)
    assert [entry.outcome for entry in sandbox.control.log(endpoint="revoke")] == ["revoked", "grant_revoked"]
    assert OutboxEvent.objects.filter(type="connection.revocation_confirmed").count() == 1


def test_believes_no_200_that_changed_nothing(connection: Connection, sandbox: SandboxProcess) -> None:
    end(connection)
    sandbox.control.fault("status", endpoint="revoke", times=0, status=200)
    assert revoke(connection.id) is Revocation.PENDING
    assert CredentialVersion.objects.filter(connection=connection).exists()
    sandbox.control.clear_faults()
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_comes_again_while_the_provider_is_down_and_gives_up_after_24_hours(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    end(connection)
    sandbox.control.fault("status", endpoint="revoke", times=0, status=503)
    assert revoke(connection.id) is Revocation.PENDING
    row = Connection.objects.get(id=connection.id)
    assert row.revocation_due_at is not None
    age(connection.id, hours=25)
    assert revoke(connection.id) is Revocation.UNCONFIRMED
    assert not CredentialVersion.objects.filter(connection=connection).exists()


def test_a_key_that_is_missing_for_a_while_costs_neither_the_secrets_nor_their_revocation(
    connection: Connection,
) -> None:
    end(connection)
    kept = {row.id: bytes(row.wrapped) for row in DataKey.objects.all()}
    DataKey.objects.update(wrapped=b"damaged")
    assert revoke(connection.id) is Revocation.PENDING
    assert CredentialVersion.objects.filter(connection=connection).exists()
    for key_id, wrapped in kept.items():
        DataKey.objects.filter(id=key_id).update(wrapped=wrapped)
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_what_opens_is_revoked_though_something_else_of_the_grant_does_not(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    end(connection)
    version = CredentialVersion.objects.get(connection=connection)
    version.id, version.stage, version.attempt_id = uuid.uuid4(), Stage.ORPHAN, None
    version.save(force_insert=True)  # bound to another id: it never opens
    assert revoke(connection.id) is Revocation.PENDING, "not confirmed: nobody knows what it would open"
    assert sandbox.control.log(endpoint="revoke")[0].outcome == "revoked"
    assert AuditEvent.objects.filter(action="connection.revocation", decision="credential_unreadable").count() == 1
    revoke(connection.id)
    assert AuditEvent.objects.filter(action="connection.revocation", decision="credential_unreadable").count() == 1


def test_failed_refreshes_before_it_delay_no_revocation_and_hide_nothing(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", grant_type="refresh_token", times=5, status=503)
    for _ in range(5):
        age(connection.id, hours=1)
        refresh(connection.id, trigger="sweep")
    assert Connection.objects.get(id=connection.id).failures == 5
    end(connection)
    version = CredentialVersion.objects.get(connection=connection)
    version.id, version.stage, version.attempt_id = uuid.uuid4(), Stage.ORPHAN, None
    version.save(force_insert=True)  # bound to another id: it never opens
    assert revoke(connection.id) is Revocation.PENDING
    row = Connection.objects.get(id=connection.id)
    assert row.revocation_due_at is not None
    assert row.revocation_due_at - database_now() <= timedelta(seconds=5)
    assert AuditEvent.objects.filter(action="connection.revocation", decision="credential_unreadable").count() == 1


def test_the_next_look_is_never_after_the_secrets_have_to_go(connection: Connection, sandbox: SandboxProcess) -> None:
    end(connection)
    deadline = database_now() + timedelta(seconds=3)
    Connection.objects.filter(id=connection.id).update(revocation_deadline_at=deadline, revocation_failures=9)
    sandbox.control.fault("status", endpoint="revoke", times=0, status=503)
    assert revoke(connection.id) is Revocation.PENDING
    assert Connection.objects.get(id=connection.id).revocation_due_at == deadline


def test_repeating_it_changes_nothing(connection: Connection) -> None:
    first = end(connection)
    assert end(connection).updated_at == first.updated_at
    assert AuditEvent.objects.filter(action="connection.disconnect").count() == 1


def test_a_revoked_connection_can_be_connected_anew(alice: EndUser, connection: Connection) -> None:
    row = end(connection, keep=True)
    assert (row.status, row.reason) == ("revoked", "revoked_by_operator")
    assert revoke(connection.id) is Revocation.CONFIRMED
    answer = alice.vend(str(connection.id))
    assert (answer.status_code, answer.json()["code"]) == (409, "reauthorization_required")
    again = alice.connect(connection=str(connection.id))
    assert (again["id"], again["status"], again["reason"]) == (str(connection.id), "active", "reconnected")
    assert alice.vend(str(connection.id)).status_code == 200


def test_it_waits_for_a_refresh_that_is_under_way(connection: Connection, sandbox: SandboxProcess) -> None:
    """What that one brings may be the only live token of the grant."""
    attempt = open_attempt(connection, deadline_at=database_now() + timedelta(seconds=60))
    end(connection)
    assert revoke(connection.id) is Revocation.PENDING
    assert sandbox.control.log(endpoint="revoke") == []
    due_at = Connection.objects.get(id=connection.id).revocation_due_at
    assert due_at is not None and timedelta(0) < due_at - database_now() <= timedelta(seconds=5)
    store_received(answered(attempt, sandbox))
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert len(sandbox.control.log(endpoint="revoke")) == 4, "both tokens of both"
