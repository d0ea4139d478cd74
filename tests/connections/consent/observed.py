"""What the tests look at: the provider's log, the stored session, and what is left after a failure."""

from datetime import timedelta
from types import SimpleNamespace

from django.db.models import F

from connections.models import Connection, ConnectSession, CredentialVersion, SessionState
from tests.flows import Invitation
from tests.sandbox_control import SandboxProcess


def token_requests(*sandboxes: SandboxProcess) -> list[SimpleNamespace]:
    """Return every request that reached a token endpoint."""
    return [entry for sandbox in sandboxes for entry in sandbox.control.log(endpoint="token")]


def session_of(invitation: Invitation) -> ConnectSession:
    """Return the session as it is stored now."""
    return ConnectSession.objects.get(id=invitation.id)


def pass_time(invitation: Invitation, **delta: float) -> None:
    """Let ``timedelta(**delta)`` pass for one session: its moments are shifted, the database's clock stays real."""
    passed = timedelta(**delta)
    ConnectSession.objects.filter(id=invitation.id).update(
        expires_at=F("expires_at") - passed,
        browser_expires_at=F("browser_expires_at") - passed,
        completion_expires_at=F("completion_expires_at") - passed,
        exchange_started_at=F("exchange_started_at") - passed,
    )


def assert_nothing_left(invitation: Invitation, failure: str) -> None:
    """Assert that the session ended with ``failure``, and that no secret and no connection remains of it."""
    session = session_of(invitation)
    assert (session.state, session.failure) == (SessionState.FAILED, failure)
    assert session.held is None
    assert session.code_verifier is None
    assert session.state_hash is None
    assert session.connection_id is None
    assert not Connection.objects.filter(status="pending").exists()
    assert not CredentialVersion.objects.exclude(stage__in=["current", "previous"]).exists()
