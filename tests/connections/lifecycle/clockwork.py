"""Moving a connection through time: its stored moments are shifted, so that the database's clock stays the real one."""

import uuid
from datetime import timedelta

from django.db.models import F

from connections.models import Connection, CredentialVersion, RefreshAttempt
from tests.connections.lifecycle.observed import reload


def age(connection_id: str | uuid.UUID, **delta: float) -> None:
    """Let ``timedelta(**delta)`` pass for one connection, its versions and attempts."""
    passed = timedelta(**delta)
    Connection.objects.filter(id=connection_id).update(
        access_expires_at=F("access_expires_at") - passed,
        refresh_expires_at=F("refresh_expires_at") - passed,
        grant_expires_at=F("grant_expires_at") - passed,
        authorized_at=F("authorized_at") - passed,
        refresh_due_at=F("refresh_due_at") - passed,
        next_attempt_at=F("next_attempt_at") - passed,
        refresh_enqueued_until=F("refresh_enqueued_until") - passed,
        refused_at=F("refused_at") - passed,
        refresh_failing_at=F("refresh_failing_at") - passed,
        probe_due_at=F("probe_due_at") - passed,
        revocation_due_at=F("revocation_due_at") - passed,
        revocation_deadline_at=F("revocation_deadline_at") - passed,
        last_vended_at=F("last_vended_at") - passed,
    )
    CredentialVersion.objects.filter(connection_id=connection_id).update(
        received_at=F("received_at") - passed,
        access_expires_at=F("access_expires_at") - passed,
        refresh_expires_at=F("refresh_expires_at") - passed,
        grant_expires_at=F("grant_expires_at") - passed,
    )
    RefreshAttempt.objects.filter(connection_id=connection_id).update(
        claimed_at=F("claimed_at") - passed, deadline_at=F("deadline_at") - passed
    )


def due(connection: Connection) -> Connection:
    """Let the access token of a connection run out, and return the connection as it is then."""
    age(connection.id, hours=1)
    return reload(connection)
