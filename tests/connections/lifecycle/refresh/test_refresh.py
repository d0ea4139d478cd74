"""Refresh: one request whoever asks, nothing lost, and vends go on meanwhile."""

import threading
import uuid

import pytest
import requests
from django.db import connection as database

from connections.access.secrets import open_credential
from connections.access.targets import access_to
from connections.database.pool import release_database, short_transaction
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh, refresh_and_wait
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Stage,
)
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import due
from tests.connections.lifecycle.observed import current, last_attempt, refreshes, reload
from tests.flows import EndUser


def test_replaces_a_due_credential_by_one_that_works(connection: Connection, sandbox: SandboxProcess) -> None:
    before = current(due(connection))
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    after = current(connection)
    assert after.id != before.id
    assert (after.parent_id, after.grant_id) == (before.id, before.grant_id)
    assert CredentialVersion.objects.get(id=before.id).stage == Stage.PREVIOUS
    row = reload(connection)
    assert (row.status, row.verified_by, row.current_version_id) == ("active", "refresh", after.id)
    assert row.refresh_due_at is not None and row.access_expires_at is not None
    share = (row.refresh_due_at - after.received_at) / (row.access_expires_at - after.received_at)
    assert 0.70 <= share <= 0.85
    token = open_credential(row, after).access_token
    assert token is not None
    me = requests.get(f"{sandbox.url}/me", headers={"Authorization": f"Bearer {token.get_secret_value()}"}, timeout=60)
    assert me.status_code == 200
    assert OutboxEvent.objects.filter(type="connection.refreshed", connection_id=connection.id).count() == 1


def test_leaves_a_fresh_credential_alone(connection: Connection, sandbox: SandboxProcess) -> None:
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.FRESH
    assert refreshes(sandbox) == []


def test_replaces_a_named_version_once(connection: Connection, sandbox: SandboxProcess) -> None:
    need = Need(instead_of=connection.current_version_id)
    assert refresh(connection.id, trigger="api", need=need).outcome is Outcome.REFRESHED
    assert refresh(connection.id, trigger="api", need=need).outcome is Outcome.FRESH
    assert len(refreshes(sandbox)) == 1


def test_knows_nothing_of_an_unknown_connection(connection: Connection) -> None:
    assert refresh(uuid.uuid4(), trigger="sweep").outcome is Outcome.GONE


def test_many_at_once_send_one_request(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.settings(delay_seconds={"token": 0.5})
    outcomes: list[Outcome] = []

    def run() -> None:
        outcomes.append(refresh_and_wait(connection.id, trigger="vend", need=Need()).outcome)
        database.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sandbox.control.settings(delay_seconds={"token": 0})
    assert sorted(outcomes) == sorted([Outcome.REFRESHED] + [Outcome.FRESH] * 5)
    assert len(refreshes(sandbox)) == 1


def test_the_database_itself_excludes_a_second_open_attempt(connection: Connection) -> None:
    values = {
        "connection": connection,
        "parent_version_id": connection.current_version_id,
        "claimed_at": connection.created_at,
        "deadline_at": connection.created_at,
    }
    RefreshAttempt.objects.create(state=AttemptState.SENT, **values)
    with pytest.raises(Exception, match="one_attempt_in_flight"):
        RefreshAttempt.objects.create(state=AttemptState.IN_DOUBT, **values)


def test_refuses_http_inside_a_transaction(connection: Connection) -> None:
    with pytest.raises(RuntimeError, match="HTTP call"), short_transaction():
        release_database()
    due(connection)
    with pytest.raises(RuntimeError, match="HTTP call"), short_transaction():
        refresh(connection.id, trigger="sweep")


def test_a_version_received_but_not_promoted_is_promoted_by_the_next(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    refresh(connection.id, trigger="sweep")
    promoted, previous = current(connection), CredentialVersion.objects.get(connection=connection, stage="previous")
    attempt = last_attempt(connection)
    # Back to the moment between the store and the promotion, where a process was killed.
    CredentialVersion.objects.filter(id=promoted.id).update(stage=Stage.RECEIVED)
    CredentialVersion.objects.filter(id=previous.id).update(stage=Stage.CURRENT)
    RefreshAttempt.objects.filter(id=attempt.id).update(state=AttemptState.RECEIVED)
    Connection.objects.filter(id=connection.id).update(
        current_version_id=previous.id, refresh_due_at=attempt.claimed_at
    )
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.FRESH
    assert current(connection).id == promoted.id
    assert len(refreshes(sandbox)) == 1


def test_an_attempt_that_outlived_its_lease_is_superseded_and_retried(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    row = reload(connection)
    abandoned = RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=row.current_version_id,
        state=AttemptState.SENT,
        claimed_at=row.created_at,
        deadline_at=row.created_at,
    )
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    abandoned.refresh_from_db()
    assert abandoned.state == AttemptState.SUPERSEDED
    assert last_attempt(connection).follows_doubt


def test_an_open_lease_is_waited_for(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    row = reload(connection)
    RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=row.current_version_id,
        state=AttemptState.SENT,
        claimed_at=row.updated_at,
        deadline_at="2999-01-01T00:00:00Z",
    )
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.IN_FLIGHT
    assert refreshes(sandbox) == []


def test_a_suspended_app_refreshes_nothing(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    ProviderApp.objects.update(suspended_at="2020-01-01T00:00:00Z")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.SWITCHED_OFF
    assert refreshes(sandbox) == []


def test_sends_the_refresh_token_of_the_current_version(connection: Connection, sandbox: SandboxProcess) -> None:
    credential = open_credential(reload(connection), current(due(connection)))
    refresh(connection.id, trigger="sweep")
    assert credential.refresh_token is not None
    (sent,) = refreshes(sandbox)
    assert fingerprint(credential.refresh_token.get_secret_value()) in repr(sent)


def test_holds_no_database_connection_during_the_exchange(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=15)
    name = f"latchkey-{uuid.uuid4().hex[:8]}"

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    until(lambda: refreshes(sandbox), "the refresh at the provider", pause=0.02)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        )
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM connections_refreshattempt WHERE state = 'sent'")
        assert cursor.fetchone()[0] == 1
    assert thread.is_alive()
    sandbox.control.release()
    thread.join()


def test_vends_the_valid_token_while_its_refresh_is_stalled(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess
) -> None:
    Connection.objects.filter(id=connection.id).update(refresh_due_at=connection.created_at)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=15)

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: refreshes(sandbox), "the refresh at the provider", pause=0.02)
    answer = alice.vend(str(connection.id))
    is_stalled = thread.is_alive()
    sandbox.control.release()
    thread.join()
    assert answer.status_code == 200
    assert is_stalled, "the vend waited for the refresh"


def test_a_vend_refreshes_inline_when_no_valid_token_is_left(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    answer = alice.vend(str(connection.id))
    assert answer.status_code == 200, answer.content
    assert answer.json()["verified_by"] == "refresh"
    assert len(refreshes(sandbox)) == 1


def test_a_vend_is_told_when_the_provider_cannot_refresh(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    sandbox.control.fault("status", grant_type="refresh_token", times=0, status=503)
    answer = alice.vend(str(connection.id))
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_unavailable")
    assert int(answer["Retry-After"]) >= 1


def test_uses_the_strategy_that_its_app_declares(connection: Connection) -> None:
    assert access_to(reload(connection).provider_app, connection.params).capabilities.rotates
