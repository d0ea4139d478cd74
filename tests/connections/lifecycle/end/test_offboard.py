"""Offboarding at a real provider: what it says is revoked is refused there. What is done else: ``test_end_users``."""

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.offboard import continue_offboarding, order_offboarding
from connections.lifecycle.end.revoke import revoke
from connections.models import Connection, CredentialVersion, OffboardingMode, Revocation
from providers.sandbox.client import SandboxProcess


def test_an_erasure_forgets_what_the_provider_has_revoked_and_not_before(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", endpoint="revoke", times=1, status=503)
    ordered = order_offboarding(
        connection.tenant, "alice", mode=OffboardingMode.ERASE, now=database_now(), actor=SYSTEM
    )
    assert continue_offboarding(ordered.id, now=database_now()).done_at is None
    assert revoke(connection.id) is Revocation.PENDING
    assert continue_offboarding(ordered.id, now=database_now()).done_at is None
    assert CredentialVersion.objects.filter(connection=connection).exists()
    assert revoke(connection.id) is Revocation.CONFIRMED
    done = continue_offboarding(ordered.id, now=database_now())
    assert done.done_at is not None
    assert done.connections[str(connection.id)]["revocation"] == "confirmed"
    assert not Connection.objects.filter(id=connection.id).exists()
    assert "grant_revoked" in [entry.outcome for entry in sandbox.control.log(endpoint="revoke")]
