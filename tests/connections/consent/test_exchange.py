"""The exchange: an honest outcome for whatever the provider answers, and nothing left behind."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    Incident,
    OutboxEvent,
    ProviderApp,
)
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.consent.observed import assert_nothing_left, session_of, token_requests
from tests.flows import EndUser, call


@pytest.mark.parametrize(
    ("fault", "status", "code", "reason"),
    [
        ({"kind": "error", "error": "invalid_grant"}, 409, "exchange_failed", "grant_rejected"),
        ({"kind": "status", "status": 500}, 409, "exchange_failed", "provider_unavailable"),
        ({"kind": "reset_before"}, 409, "exchange_failed", "provider_unavailable"),
        ({"kind": "lost_response"}, 409, "exchange_failed", "provider_unavailable"),
        ({"kind": "redirect", "location": "http://127.0.0.1:1/"}, 502, "app_misconfigured", "target_refused"),
        ({"kind": "status", "endpoint": "me", "status": 401, "times": 0}, 409, "exchange_failed", "grant_rejected"),
    ],
    ids=lambda value: str(value.get("error", value["kind"])) if isinstance(value, dict) else "",
)
def test_a_failed_exchange_says_what_failed_and_leaves_nothing(
    fault: dict[str, Any], status: int, code: str, reason: str, alice: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault(**fault)
    invitation = alice.invite()
    completion = alice.finish(invitation)

    answer = alice.complete(invitation, completion)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if code == "exchange_failed":
        assert answer.json()["reason"] == reason
    assert_nothing_left(invitation, reason)
    assert Connection.objects.count() == CredentialVersion.objects.count() == 0
    refused = AuditEvent.objects.get(action="connect_session.exchange")
    assert refused.decision == reason
    again = alice.complete(invitation, completion)
    assert (again.status_code, again.json()["failure"]) == (410, reason)
    assert len(token_requests(sandbox)) == 1


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "error", "error": "invalid_client"}, 502, "app_misconfigured"),
        ({"kind": "error", "error": "unauthorized_client"}, 502, "app_misconfigured"),
        ({"kind": "rate_limited"}, 503, "provider_unavailable"),
        ({"kind": "status", "status": 503}, 503, "provider_unavailable"),
    ],
    ids=lambda value: str(value.get("error", value["kind"])) if isinstance(value, dict) else "",
)
def test_what_was_not_used_up_is_put_back_for_the_same_confirmation(
    fault: dict[str, Any], status: int, code: str, alice: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault(**fault)
    invitation = alice.invite()
    completion = alice.finish(invitation)
    answer = alice.complete(invitation, completion)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert AuditEvent.objects.filter(action="connect_session.put_back").count() == 1
    assert alice.complete(invitation, completion).status_code == 200
    assert len(token_requests(sandbox)) == 2


def test_a_provider_that_is_down_is_not_called_a_refusal(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", status=502)
    invitation = alice.invite()
    detail = alice.complete(invitation, alice.finish(invitation)).json()["detail"]
    assert "did not accept" not in detail
    assert "no usable answer" in detail


def test_a_refused_registration_is_one_incident_until_it_works_again(
    alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    for _ in range(2):
        sandbox.control.fault("error", error="invalid_client")
        invitation = alice.invite()
        assert alice.complete(invitation, alice.finish(invitation)).status_code == 502
    incident = Incident.objects.get(provider_app=app)
    assert incident.closed_at is None
    alice.connect()
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_the_grant_can_be_refreshed_and_its_lifetime_is_known(alice: EndUser) -> None:
    connection = Connection.objects.get(id=alice.connect()["id"])
    version = CredentialVersion.objects.get()
    assert (version.stage, version.is_refreshable, version.lifetime_seconds) == ("current", True, 60)
    assert connection.current_version_id == version.id
    assert connection.access_expires_at == version.received_at + timedelta(seconds=60)
    assert (connection.verified_by, connection.reason) == ("connect", "connected")
    assert OutboxEvent.objects.filter(type="connection.connected", connection_id=connection.id).count() == 1


def test_a_lifetime_that_the_answer_leaves_out_is_asked_for(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("expires_in")
    connection = Connection.objects.get(id=alice.connect()["id"])
    assert len(sandbox.control.log(endpoint="introspect")) == 1
    assert CredentialVersion.objects.get().lifetime_seconds in range(30, 61)
    assert connection.access_expires_at is not None


def test_a_grant_without_a_refresh_token_is_not_refreshed(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("missing_refresh_token")
    connection = Connection.objects.get(id=alice.connect()["id"])
    assert connection.refresh_due_at is None
    assert not CredentialVersion.objects.get().is_refreshable


def test_an_account_that_cannot_be_told_is_none(alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.fault("status", endpoint="me", status=503)
    connection = alice.connect()
    assert connection["account"] is None
    assert connection["health"]["verified_at"] is None
    assert alice.vend(connection["id"]).status_code == 200


def test_a_connection_that_is_disconnected_during_the_exchange_keeps_no_credential(
    alice: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(delay_seconds={"token": 1.0})
    invitation = alice.invite()
    code = alice.finish(invitation)
    answers: list[Any] = []

    def confirm() -> None:
        answers.append(alice.complete(invitation, code))
        database.close()

    thread = threading.Thread(target=confirm)
    thread.start()
    until(lambda: token_requests(sandbox), "the token request", pause=0.02)
    assert call(alice.backend, "DELETE", f"/connections/{Connection.objects.get().id}").status_code == 200
    thread.join()

    assert (answers[0].status_code, answers[0].json()["failure"]) == (410, "gone")
    assert session_of(invitation).state == "failed"
    assert CredentialVersion.objects.count() == 0
    assert Connection.objects.get().status == "disconnected"
