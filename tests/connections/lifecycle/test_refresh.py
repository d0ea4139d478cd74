"""Refresh: one request, the right verdict on every answer, nothing lost."""

import threading
import time
import uuid
from typing import Any

import pytest
import requests
from django.db import connection as database

from connections.lifecycle.claim import Need, Outcome
from connections.lifecycle.locking import release_database, short_transaction
from connections.lifecycle.refresh import refresh, refresh_and_wait
from connections.lifecycle.sealing import open_credential
from connections.lifecycle.targets import access_to
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    Incident,
    IncidentKind,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Stage,
)
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser
from tests.sandbox_control import SandboxProcess, fingerprint


def refreshes(sandbox: SandboxProcess) -> list[Any]:
    return sandbox.control.log(grant_type="refresh_token")


def reload(connection: Connection) -> Connection:
    return Connection.objects.select_related("provider_app").get(id=connection.id)


def current(connection: Connection) -> CredentialVersion:
    return CredentialVersion.objects.get(connection=connection, stage=Stage.CURRENT)


def last_attempt(connection: Connection) -> RefreshAttempt:
    attempt = RefreshAttempt.objects.filter(connection=connection).first()
    assert attempt is not None
    return attempt


def due(connection: Connection) -> Connection:
    age(connection.id, hours=1)
    return reload(connection)


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
    me = requests.get(f"{sandbox.url}/me", headers={"Authorization": f"Bearer {token.get_secret_value()}"}, timeout=5)
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


@pytest.mark.parametrize("kind", ["html", "truncated_json", "empty_body", "json_list", "no_access_token"])
def test_a_malformed_answer_leaves_the_attempt_in_doubt(
    connection: Connection, sandbox: SandboxProcess, kind: str
) -> None:
    before = current(due(connection))
    sandbox.control.fault(kind, grant_type="refresh_token")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert last_attempt(connection).state == AttemptState.IN_DOUBT
    row = reload(connection)
    assert (row.status, row.current_version_id, row.failures) == ("active", before.id, 1)
    assert row.next_attempt_at is not None


def test_a_lost_response_is_retried_within_the_grace_and_nothing_is_lost(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(grace_seconds=30)
    due(connection)
    sandbox.control.fault("lost_response", grant_type="refresh_token")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.BACKING_OFF
    age(connection.id, seconds=15)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    first, second = RefreshAttempt.objects.filter(connection=connection).order_by("claimed_at")
    assert (first.state, second.state, second.follows_doubt) == ("superseded", "promoted", True)
    assert reload(connection).status == "active"


def test_a_refusal_after_a_doubt_is_told_as_lost_in_flight(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.fault("lost_response", grant_type="refresh_token")
    refresh(connection.id, trigger="sweep")
    age(connection.id, seconds=15)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.reason) == ("needs_reauth", "lost_in_flight")


def test_one_refusal_is_a_suspicion_and_a_second_one_ends_the_grant(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    sandbox.control.revoke(client_id=connection.provider_app.client_id)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.reason) == ("suspect", "refresh_refused")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.FRESH, "the second try is due in 30 s"
    age(connection.id, seconds=20)
    again = Need(instead_of=connection.current_version_id, at_once=True)
    assert refresh(connection.id, trigger="api", need=again).outcome is Outcome.REFUSED
    assert reload(connection).status == "suspect", "two refusals within 30 s are one"
    age(connection.id, seconds=31)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFUSED
    row = reload(connection)
    assert (row.status, row.reason, row.refresh_due_at) == ("needs_reauth", "grant_rejected", None)
    assert row.evidence["error"] == "invalid_grant"


def test_a_success_lifts_the_suspicion(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")
    refresh(connection.id, trigger="sweep")
    age(connection.id, seconds=31)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    row = reload(connection)
    assert (row.status, row.reason, row.refused_at) == ("active", "recovered", None)


def test_a_refused_client_is_an_incident_and_touches_no_connection(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    before = due(connection)
    sandbox.control.fault("error", grant_type="refresh_token", times=0, error="invalid_client")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.CLIENT_REJECTED
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.CLIENT_REJECTED
    assert len(refreshes(sandbox)) == 1, "while the incident is open nothing more is sent"
    row = reload(connection)
    assert (row.status, row.failures, row.version) == ("active", 0, before.version)
    incident = Incident.objects.get(provider_app=connection.provider_app, closed_at=None)
    assert incident.kind == IncidentKind.CLIENT_REJECTED
    sandbox.control.clear_faults()
    Incident.objects.update(last_seen_at="2020-01-01T00:00:00Z")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert not Incident.objects.filter(closed_at=None).exists()


@pytest.mark.parametrize("http_date", [False, True])
def test_obeys_retry_after_and_takes_429_for_not_processed(
    connection: Connection, sandbox: SandboxProcess, http_date: bool
) -> None:
    due(connection)
    sandbox.control.fault("rate_limited", grant_type="refresh_token", retry_after=120, http_date=http_date)
    report = refresh(connection.id, trigger="sweep")
    assert report.outcome is Outcome.UNAVAILABLE
    assert report.retry_after_seconds is not None and 115 <= report.retry_after_seconds <= 121
    assert last_attempt(connection).state == AttemptState.ABORTED


def test_a_server_error_backs_off_and_the_connection_stays_active(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    due(connection)
    sandbox.control.fault("status", grant_type="refresh_token", status=503)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    row = reload(connection)
    assert (row.status, row.failures) == ("active", 1)


def test_an_unreachable_provider_is_not_in_doubt(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    ProviderApp.objects.update(params={"issuer": "http://127.0.0.1:1"})
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNAVAILABLE
    attempt = last_attempt(connection)
    assert (attempt.state, attempt.evidence["sent"]) == (AttemptState.ABORTED, False)


def test_keeps_the_old_refresh_token_when_none_is_returned(connection: Connection, sandbox: SandboxProcess) -> None:
    before = open_credential(reload(connection), current(due(connection)))
    sandbox.control.fault("missing_refresh_token", grant_type="refresh_token")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    after = open_credential(reload(connection), current(connection))
    assert after.refresh_token == before.refresh_token
    assert after.access_token != before.access_token


def test_a_narrowed_scope_is_stored_and_told(connection: Connection, sandbox: SandboxProcess) -> None:
    due(connection)
    sandbox.control.fault("narrow_scope", grant_type="refresh_token", scope="profile.read")
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert current(connection).scopes == ["profile.read"]
    event = OutboxEvent.objects.get(type="connection.scopes_lost")
    assert event.payload["lost_scopes"] == ["files.read"]


@pytest.mark.parametrize("value", [0, -5, "soon", None, 10**12, 1.5, True])
def test_an_odd_lifetime_never_makes_a_hot_loop(connection: Connection, sandbox: SandboxProcess, value: Any) -> None:
    due(connection)
    sandbox.control.fault("expires_in", grant_type="refresh_token", value=value)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    version = current(connection)
    assert version.access_expires_at is not None
    lifetime = (version.access_expires_at - version.received_at).total_seconds()
    assert 30 <= lifetime <= 366 * 86_400
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.FRESH


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
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=1)
    name = f"latchkey-{uuid.uuid4().hex[:8]}"

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run, name=name)
    thread.start()
    deadline = time.monotonic() + 5
    while not refreshes(sandbox) and time.monotonic() < deadline:
        time.sleep(0.02)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%'"
        )
        assert cursor.fetchone()[0] == 0
        cursor.execute("SELECT count(*) FROM connections_refreshattempt WHERE state = 'sent'")
        assert cursor.fetchone()[0] == 1
    thread.join()


def test_vends_the_valid_token_while_its_refresh_is_stalled(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess
) -> None:
    Connection.objects.filter(id=connection.id).update(refresh_due_at=connection.created_at)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=2)

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not refreshes(sandbox):
        time.sleep(0.02)
    began = time.monotonic()
    answer = alice.vend(str(connection.id))
    waited = time.monotonic() - began
    still_stalled = thread.is_alive()
    thread.join()
    assert answer.status_code == 200
    assert still_stalled, f"the vend took {waited:.2f} s, longer than the stall"


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
