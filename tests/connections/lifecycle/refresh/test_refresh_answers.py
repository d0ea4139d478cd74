"""Refresh: the right verdict on whatever the provider answers, or does not answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from connections.access.secrets import open_credential
from connections.database.clock import database_now
from connections.drills.grants import move_app
from connections.lifecycle.refresh import settle
from connections.lifecycle.refresh.claim import Need, Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    AttemptState,
    Connection,
    Incident,
    IncidentKind,
    OutboxEvent,
    RefreshAttempt,
)
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age, due
from tests.connections.lifecycle.observed import current, last_attempt, refreshes, reload
from tests.field.conftest import stage  # noqa: F401 - a fixture
from tests.field.stage import Stage
from tests.flows import EndUser
from tests.providers.conftest import make_provider  # noqa: F401 - a fixture


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
    lengthen = Connection.objects.filter(id=connection.id).update
    lengthen(next_attempt_at=F("next_attempt_at") + timedelta(minutes=1))  # it may be one second: too soon for us
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.BACKING_OFF
    lengthen(next_attempt_at=F("next_attempt_at") - timedelta(minutes=1))
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
    assert (row.status, row.failures, row.updated_at) == ("active", 0, before.updated_at)
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
    move_app(connection.provider_app, "http://127.0.0.1:1")
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


@pytest.mark.parametrize("said", [{}, {"scope": ""}, {"scope": None}], ids=["left out", "empty", "null"])
def test_an_answer_without_scopes_leaves_them_as_they_are(stage: Stage, said: dict[str, Any]) -> None:  # noqa: F811
    """RFC 6749 §6: what is left out on a refresh is as it was."""
    stage.tokens({"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "scope": "read write"})
    connection = stage.connect()
    stage.forget_answers("/token")
    stage.tokens({"access_token": "at-2", "expires_in": 3600} | said)
    assert stage.refresh(connection).outcome is Outcome.REFRESHED
    assert sorted(current(connection).scopes) == ["read", "write"]
    assert not OutboxEvent.objects.filter(type="connection.scopes_lost").exists()
    assert stage.vend(connection, scopes=["read", "write"]).json()["credential"]["value"] == "at-2"


def test_a_caller_that_wants_more_than_there_is_refreshes_no_faster_than_the_floor(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess
) -> None:
    """It lives for a second less than it would have to, again and again."""
    lifetime = current(connection).lifetime_seconds
    assert lifetime is not None
    age(connection.id, seconds=11)
    for _ in range(3):
        alice.vend(str(connection.id), min_ttl=lifetime - 1)
        age(connection.id, seconds=2)
    assert len(refreshes(sandbox)) == 1
    age(connection.id, seconds=11)
    alice.vend(str(connection.id), min_ttl=lifetime - 1)
    assert len(refreshes(sandbox)) == 2


@pytest.mark.parametrize(
    ("fault", "longest"),
    [("lost_response", 10), ("status", 600)],
    ids=["after a doubt, within the grace", "otherwise, as long as the backoff says"],
)
def test_the_retry_comes_in_time(
    connection: Connection, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch, fault: str, longest: float
) -> None:
    due(connection)
    Connection.objects.update(failures=8)
    monkeypatch.setattr(settle.random, "random", lambda: 0.99)
    options = {"status": 429} if fault == "status" else {}
    sandbox.control.fault(fault, grant_type="refresh_token", **options)
    report = refresh(connection.id, trigger="sweep")
    assert report.retry_after_seconds is not None and longest * 0.8 < report.retry_after_seconds <= longest
    row = reload(connection)
    assert row.next_attempt_at is not None
    wait = (row.next_attempt_at - database_now()).total_seconds()
    assert report.retry_after_seconds - 5 < wait <= report.retry_after_seconds
