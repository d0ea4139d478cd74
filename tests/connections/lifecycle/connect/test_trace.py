"""The trace of a connect: each step, where it stopped and what was said, and nothing secret."""

import json

import pytest

from connections.access.secrets import open_client_secrets, open_credential
from connections.lifecycle.connect import trace
from connections.lifecycle.connect.trace import MOST, note_step
from connections.models import Connection, ConnectSession, ConnectStep, CredentialVersion, Permission, Tenant
from providers.sandbox.client import SandboxProcess
from tests.factories import make_caller
from tests.flows import EndUser, call


def steps() -> list[tuple[str, str]]:
    return list(ConnectStep.objects.values_list("step", "outcome"))


def test_a_connect_leaves_its_steps(alice: EndUser, sandbox: SandboxProcess) -> None:
    alice.connect()
    assert steps() == [("authorize", "done"), ("callback", "done"), ("complete", "done")]
    exchanges = ConnectStep.objects.get(step="complete").exchanges
    assert exchanges[0]["sent"]["grant_type"] == "authorization_code"
    assert exchanges[0]["status"] == 200
    assert ConnectStep.objects.get(step="callback").exchanges[0]["came"]["code"] == "…"


def test_a_failed_exchange_says_where_it_stopped_and_what_the_provider_said(
    alice: EndUser, sandbox: SandboxProcess
) -> None:
    sandbox.control.fault("status", endpoint="token", times=1, status=400)
    with pytest.raises(AssertionError):
        alice.connect()
    last = ConnectStep.objects.latest("id")
    assert last.step == "complete"
    assert last.outcome != "done"
    assert last.exchanges[0]["status"] == 400


def test_a_session_keeps_so_many_steps_and_no_more(alice: EndUser) -> None:
    session = ConnectSession.objects.get(id=alice.invite().id)
    for _ in range(MOST + 3):
        note_step(session.id, "poll_code", outcome="done", exchanges=[])
    assert ConnectStep.objects.count() == MOST
    session.delete()
    assert not ConnectStep.objects.exists()


def test_a_trace_that_cannot_be_written_stops_nobody(alice: EndUser, monkeypatch: pytest.MonkeyPatch) -> None:
    session = ConnectSession.objects.get(id=alice.invite().id)
    session_id = session.id
    session.delete()
    note_step(session_id, "authorize", outcome="done", exchanges=[])
    assert steps() == []
    monkeypatch.setattr(trace, "MOST", 0)
    alice.connect()
    assert steps() == []


def test_no_secret_of_the_connect_is_in_it(alice: EndUser) -> None:
    made = alice.connect()
    connection = Connection.objects.select_related("tenant", "provider_app").get(id=made["id"])
    credential = open_credential(connection, CredentialVersion.objects.get(connection=connection))
    tokens = [credential.access_token, credential.refresh_token, *open_client_secrets(connection.provider_app)]
    told = json.dumps([step.exchanges for step in ConnectStep.objects.all()])
    for secret in tokens:
        assert secret is not None
        assert secret.get_secret_value() not in told


def test_the_api_shows_the_steps_to_the_tenant_and_to_no_other(alice: EndUser, globex: Tenant) -> None:
    alice.connect()
    session = ConnectSession.objects.get()
    path = f"/connect-sessions/{session.id}/steps"
    reader = make_caller(session.tenant, "reader", [Permission.READ])
    traced = call(reader, "GET", path).json()["steps"]
    assert [(one["step"], one["outcome"]) for one in traced] == steps()
    assert traced[-1]["exchanges"][0]["status"] == 200
    foreign = call(make_caller(globex, "stranger", [Permission.READ]), "GET", path)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
