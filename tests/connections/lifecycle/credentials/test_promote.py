"""Promote: an orphan is kept for as long as it may be the live one, and displaces nothing that still works."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AttemptState, AuditEvent, Connection, CredentialVersion, OutboxEvent, Stage
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age, due
from tests.connections.lifecycle.observed import current, refreshes, reload
from tests.connections.lifecycle.unfinished import answered, open_attempt


def orphaned(connection: Connection, sandbox: SandboxProcess) -> CredentialVersion:
    """Let an answer come that the connection no longer needs; its tokens work."""
    late = answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox)
    due(connection)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    store_received(late)
    age(connection.id, seconds=6)
    recover_unfinished(now=database_now())
    orphan = CredentialVersion.objects.get(id=late.id)
    assert orphan.stage == Stage.ORPHAN
    return orphan


@pytest.mark.parametrize("status", ["active", "suspect"])
def test_an_orphan_goes_when_the_current_version_was_refreshed_once_after_it(
    connection: Connection, sandbox: SandboxProcess, status: str
) -> None:
    """A healthy connection is promoted by the plain statements, a suspect one by the rules."""
    orphaned(connection, sandbox)
    due(connection)
    if status == "suspect":
        Connection.objects.filter(id=connection.id).update(status=status, reason="refresh_refused")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    stages = CredentialVersion.objects.filter(connection=connection).values_list("stage", flat=True)
    assert sorted(stages) == ["current", "previous"]


@pytest.mark.parametrize("status", ["active", "suspect"])
def test_an_orphan_that_came_during_the_refresh_is_kept(
    connection: Connection, sandbox: SandboxProcess, status: str
) -> None:
    orphan = orphaned(connection, sandbox)
    due(connection)
    CredentialVersion.objects.filter(id=orphan.id).update(received_at=database_now() + timedelta(seconds=5))
    if status == "suspect":
        Connection.objects.filter(id=connection.id).update(status=status, reason="refresh_refused")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert CredentialVersion.objects.get(id=orphan.id).stage == Stage.ORPHAN


def test_an_expired_orphan_never_takes_the_place_of_a_token_that_still_works(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    """The connection vends while its token is valid; then the orphan has its turn, before the grant is given up."""
    orphan = orphaned(connection, sandbox)
    CredentialVersion.objects.filter(id=orphan.id).update(access_expires_at=database_now() - timedelta(days=60))
    before = current(connection)
    Connection.objects.filter(id=connection.id).update(refresh_due_at=database_now())
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant", times=2)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.reason, row.current_version_id) == ("suspect", "refresh_refused", before.id)
    assert row.access_expires_at is not None and row.access_expires_at > database_now()
    assert row.refresh_due_at == row.access_expires_at, "the orphan has its turn when the token ends"
    due(connection)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.current_version_id) == ("suspect", orphan.id)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    row = reload(connection)
    assert (row.status, row.reason) == ("active", "recovered")
    assert [entry.outcome for entry in refreshes(sandbox)][-1] == "rotated"


def test_an_orphan_that_still_vends_is_tried_at_once(connection: Connection, sandbox: SandboxProcess) -> None:
    orphan = orphaned(connection, sandbox)
    Connection.objects.filter(id=connection.id).update(refresh_due_at=database_now())
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.current_version_id) == ("active", orphan.id)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED


def test_a_recovery_by_refresh_is_audited_and_told_once(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")
    refresh(connection.id, trigger="sweep")
    age(connection.id, seconds=31)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    steps = [
        (event.decision, event.detail["from"], event.detail["reason"])
        for event in AuditEvent.objects.filter(action="connection.status", connection_id=connection.id).order_by("id")
    ]
    assert steps == [
        ("active", "pending", "connected"),
        ("suspect", "active", "refresh_refused"),
        ("active", "suspect", "recovered"),
    ]
    told = list(OutboxEvent.objects.order_by("id").values_list("type", flat=True))
    assert told == ["connection.connected", "connection.suspect", "connection.recovered"]
    recovered = OutboxEvent.objects.get(type="connection.recovered").payload
    assert (recovered["status"], recovered["previous_status"]) == ("active", "suspect")
