"""A refresh that is refused and refused, in whatever words: it is noticed, told, and ends where it is the grant's."""

from typing import Any

import pytest

from connections.lifecycle.probe.probe import probe
from connections.models import AttemptState, AuditEvent, Connection, Incident, OutboxEvent, RefreshAttempt
from tests.connections.lifecycle.clockwork import age
from tests.factories import make_tenant
from tests.field.stage import Stage
from tests.flows import EndUser

TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 31}

REFUSALS: dict[str, tuple[int, Any]] = {
    "invalid_request": (400, {"error": "invalid_request", "error_description": "session not found"}),
    "invalid_scope": (400, {"error": "invalid_scope"}),
    "invalid_scope as a form": (400, b"error=invalid_scope&error_description=gone"),
    "a code of its own": (400, {"error": "session_expired"}),
    "a code of its own, as 401": (401, {"error": "token_revoked"}),
    "access_denied": (400, {"error": "access_denied"}),
    "invalid_request in a 200": (200, {"error": "invalid_request"}),
}
PAGES: dict[str, tuple[int, Any]] = {
    "a 400 without a code": (400, {"message": "no"}),
    "a 400 page": (400, b"<html><h1>Bad Request</h1></html>"),
    "a 400 with a sentence for a code": (400, {"error": "Your session was not found."}),
    "a 403": (403, {"error": "access_denied"}),
    "a 403 page": (403, b"<html>blocked</html>"),
    "a 404": (404, b"not here"),
    "a 410": (410, {"message": "gone"}),
}


def connected(stage: Stage, *, user: EndUser | None = None, account: str = "u-1") -> Connection:
    """Connect with a token of half a minute; whoever refreshes afterwards gets what the test queues then."""
    stage.forget_answers("/token")
    stage.forget_answers("/me")
    stage.tokens(TOKENS)
    stage.me({"id": account})
    if user is not None:
        stage.alice, alice = user, stage.alice
        connection = stage.connect()
        stage.alice = alice
        return connection
    return stage.connect()


def refuse(stage: Stage, status: int, body: Any) -> None:
    """Let the provider answer so from now on, and its API refuse the token, which has expired."""
    stage.forget_answers("/token")
    stage.forget_answers("/me")
    stage.tokens(body, status=status)
    stage.me({}, status=401)


def retry(stage: Stage, connection: Connection, times: int, *, minutes: float = 3) -> None:
    for _ in range(times):
        age(connection.id, minutes=minutes)
        stage.refresh(connection)


@pytest.mark.parametrize("code", ["interaction_required", "login_required", "consent_required"])
def test_a_refresh_that_wants_the_end_user_is_the_grants_end_at_the_second_time(stage: Stage, code: str) -> None:
    connection = connected(stage)
    refuse(stage, 400, {"error": code})
    retry(stage, connection, 1)
    assert connection.status == "suspect"
    retry(stage, connection, 1)
    assert (connection.status, connection.evidence["error"]) == ("needs_reauth", code)
    assert not Incident.objects.exists()


@pytest.mark.parametrize(("status", "body"), [*REFUSALS.values(), *PAGES.values()], ids=[*REFUSALS, *PAGES])
def test_a_connection_that_cannot_be_refreshed_is_not_green_when_its_token_has_run_out(
    stage: Stage, status: int, body: Any
) -> None:
    make_tenant("acme", reconnect_url="https://app.acme.example/mend/{connection}")
    connection = connected(stage)
    refuse(stage, status, body)
    retry(stage, connection, 3)
    assert (connection.status, connection.reason) == ("suspect", "refresh_failing")
    assert connection.evidence["status"] == status
    assert connection.refresh_failing_at is not None
    told = OutboxEvent.objects.order_by("id").values_list("type", flat=True)
    assert list(told) == ["connection.connected", "connection.refresh_failing", "connection.suspect"]
    answer = stage.vend(connection)
    assert (answer.status_code, answer.json()["code"]) == (409, "reauthorization_required")
    assert answer.json()["reason"] == "refresh_failing"
    assert answer.json()["connect_url"] == f"https://app.acme.example/mend/{connection.id}"


@pytest.mark.parametrize(("status", "body"), REFUSALS.values(), ids=REFUSALS)
def test_an_oauth_error_answers_the_attempt_and_leaves_no_doubt(stage: Stage, status: int, body: Any) -> None:
    connection = connected(stage)
    refuse(stage, status, body)
    retry(stage, connection, 1)
    attempt = RefreshAttempt.objects.get()
    assert (attempt.state, attempt.error) == (AttemptState.REJECTED, "request_rejected")
    assert (connection.status, connection.failures) == ("active", 1)


@pytest.mark.parametrize("name", ["invalid_request", "invalid_scope", "a code of its own"])
def test_refusals_without_end_are_the_end_of_the_grant(stage: Stage, name: str) -> None:
    connection = connected(stage)
    status, body = REFUSALS[name]
    refuse(stage, status, body)
    retry(stage, connection, 5)
    probe(connection.id, trigger="sweep")
    retry(stage, connection, 1)
    assert (connection.status, connection.reason) == ("needs_reauth", "refresh_given_up")
    assert connection.evidence["error"] == body["error"]
    assert connection.evidence["refusals"] >= 6
    assert connection.evidence["probe_status"] == 401
    assert connection.refresh_due_at is None
    answer = stage.vend(connection)
    assert (answer.status_code, answer.json()["reason"]) == (409, "refresh_given_up")
    statuses = AuditEvent.objects.filter(action="connection.status").order_by("id").values_list("decision", flat=True)
    assert list(statuses) == ["active", "suspect", "needs_reauth"]


@pytest.mark.parametrize(("status", "body"), PAGES.values(), ids=PAGES)
def test_a_page_or_a_ban_is_never_the_end_of_a_grant(stage: Stage, status: int, body: Any) -> None:
    connection = connected(stage)
    refuse(stage, status, body)
    retry(stage, connection, 12)
    assert (connection.status, connection.reason) == ("suspect", "refresh_failing")


def test_a_grant_whose_token_still_works_is_not_given_up(stage: Stage) -> None:
    connection = connected(stage)
    refuse(stage, *REFUSALS["invalid_request"])
    stage.forget_answers("/me")
    stage.me({"id": "u-1"})
    retry(stage, connection, 12)
    assert (connection.status, connection.reason) == ("suspect", "refresh_failing")


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_that_is_away_is_told_once_and_is_no_suspicion(stage: Stage, status: int) -> None:
    connection = connected(stage)
    refuse(stage, status, b"")
    retry(stage, connection, 12)
    assert (connection.status, connection.reason) == ("active", "connected")
    assert connection.refresh_failing_at is not None
    assert OutboxEvent.objects.filter(type="connection.refresh_failing").count() == 1
    assert stage.vend(connection).status_code == 503


def test_it_recovers_with_the_first_refresh_that_succeeds(stage: Stage) -> None:
    connection = connected(stage)
    refuse(stage, *REFUSALS["invalid_request"])
    retry(stage, connection, 4)
    assert connection.status == "suspect"
    refuse(stage, 200, {"access_token": "at-2", "refresh_token": "rt-2", "expires_in": 3600})
    retry(stage, connection, 1)
    assert (connection.status, connection.reason, connection.refresh_failing_at) == ("active", "recovered", None)
    assert stage.vend(connection).json()["credential"]["value"] == "at-2"


def test_what_all_connections_of_an_app_are_told_ends_none_of_them(stage: Stage) -> None:
    connections = [connected(stage), connected(stage, user=EndUser("bob", stage.alice.backend), account="u-2")]
    refuse(stage, *REFUSALS["invalid_scope"])
    for _ in range(12):
        for connection in connections:
            retry(stage, connection, 1)
    assert [connection.status for connection in connections] == ["suspect", "suspect"]
    assert Incident.objects.get(closed_at=None).kind == "many_failures"


def test_a_client_refused_for_one_connection_alone_is_no_incident_of_the_app(stage: Stage) -> None:
    connection = connected(stage)
    sibling = connected(stage, user=EndUser("bob", stage.alice.backend), account="u-2")
    refuse(stage, 400, {"error": "unauthorized_client"})
    retry(stage, connection, 1)
    assert (connection.status, connection.failures) == ("active", 0)
    Incident.objects.update(last_seen_at="2020-01-01T00:00:00Z")
    refuse(stage, 200, {"access_token": "at-3", "refresh_token": "rt-3", "expires_in": 3600})
    retry(stage, sibling, 1)
    assert not Incident.objects.filter(closed_at=None).exists()
    refuse(stage, 400, {"error": "unauthorized_client"})
    for _ in range(4):
        retry(stage, connection, 1, minutes=0.5)
    assert (connection.status, connection.reason) == ("suspect", "refresh_failing")
    assert not Incident.objects.filter(closed_at=None).exists()


def test_a_rule_of_the_entry_wins(stage: Stage) -> None:
    stage.describe(method='[[authorization_code.errors]]\nvalue = "invalid_request"\nmeans = "grant_rejected"\n')
    connection = connected(stage)
    refuse(stage, *REFUSALS["invalid_request"])
    retry(stage, connection, 2)
    assert (connection.status, connection.reason) == ("needs_reauth", "grant_rejected")


def test_a_code_that_is_refused_in_other_words_ends_the_session_and_says_so(stage: Stage) -> None:
    stage.tokens({"error": "invalid_request"}, status=400)
    answer = stage.confirm()
    assert (answer.status_code, answer.json()["code"]) == (409, "exchange_failed")
    assert answer.json()["reason"] == "request_rejected"
    assert "(invalid_request)" in answer.json()["detail"]
