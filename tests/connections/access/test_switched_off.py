"""Kill and pause stop everything that leaves the house: what is asked for now, and what was sent to a worker before."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connections import tasks
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.steer import switches
from connections.lifecycle.steer.on_demand import order_probe, order_refresh, probe_on_demand, refresh_on_demand
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes
from connections.models import AuditEvent, Connection, CredentialVersion, Revocation
from connections.refusals import Paused, Suspended
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import due
from tests.flows import EndUser, call

Throw = Callable[[Connection], object]
KILLS: dict[str, Throw] = {
    "tenant": lambda row: switches.suspend(row.tenant, now=database_now(), actor=SYSTEM),
    "provider app": lambda row: switches.suspend(row.provider_app, now=database_now(), actor=SYSTEM),
    "connection": lambda row: switches.suspend(row, now=database_now(), actor=SYSTEM),
}
PAUSES: dict[str, Throw] = {
    "paused app": lambda row: switches.pause(row.provider_app, now=database_now(), actor=SYSTEM),
    "paused connection": lambda row: switches.pause(row, now=database_now(), actor=SYSTEM),
}
OLGA = Actor(operator="olga")


@pytest.mark.parametrize("kind", [*KILLS, *PAUSES])
def test_nothing_leaves_the_house(connection: Connection, alice: EndUser, sandbox: SandboxProcess, kind: str) -> None:
    (KILLS | PAUSES)[kind](connection)
    code, refusal = ("suspended", Suspended) if kind in KILLS else ("paused", Paused)
    Connection.objects.update(probe_due_at=database_now())
    due(connection)
    sandbox.control.clear_log()

    assert sweep_refreshes(now=database_now()) == sweep_probes(now=database_now()) == 0
    tasks.refresh_connections(str(connection.id))
    tasks.probe_connections(str(connection.id))
    for act in (refresh_on_demand, probe_on_demand):
        with pytest.raises(refusal):
            act(connection.id, actor=OLGA)
    assert order_refresh(connection.id, now=database_now(), actor=OLGA).code == code
    assert order_probe(connection.id, actor=OLGA).code == code
    told = {"version": str(connection.current_version_id), "status": 401}
    for path, body in (("refresh", None), ("probe", None), ("report", told)):
        answer = call(alice.backend, "POST", f"/connections/{connection.id}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (423, code), path

    assert sandbox.control.log() == []
    for action in ("connection.refresh", "connection.probe"):
        assert AuditEvent.objects.filter(action=action, decision=code, operator="olga").count() == 1
        assert AuditEvent.objects.filter(action=action, decision=code, api_client_id=alice.backend.client.id).exists()


@pytest.mark.parametrize("kind", [*KILLS, *PAUSES])
def test_a_revocation_goes_on(connection: Connection, sandbox: SandboxProcess, kind: str) -> None:
    (KILLS | PAUSES)[kind](connection)
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    assert revoke(connection.id) is Revocation.CONFIRMED


def test_a_paused_connection_whose_credential_has_expired_says_that_it_is_paused(
    connection: Connection, alice: EndUser, sandbox: SandboxProcess
) -> None:
    PAUSES["paused connection"](connection)
    assert alice.vend(str(connection.id)).status_code == 200
    Connection.objects.update(access_expires_at=database_now())
    connection.versions.update(access_expires_at=database_now())
    answer = alice.vend(str(connection.id))
    assert (answer.status_code, answer.json()["code"]) == (423, "paused")


def test_a_suspended_connection_is_not_renewed(connection: Connection, alice: EndUser, sandbox: SandboxProcess) -> None:
    invitation = alice.invite(connection=str(connection.id))
    code = alice.finish(invitation)
    KILLS["connection"](connection)
    sandbox.control.clear_log()
    answer = alice.complete(invitation, code)
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
    assert sandbox.control.log() == []


def test_refreshes_on_demand_keep_a_distance(connection: Connection, alice: EndUser, sandbox: SandboxProcess) -> None:
    sandbox.control.clear_log()
    answers = [call(alice.backend, "POST", f"/connections/{connection.id}/refresh") for _ in range(4)]
    outcomes = [answer.json()["outcome"] for answer in answers]
    assert outcomes == ["refreshed", "too_soon", "too_soon", "too_soon"]
    assert "Retry-After" not in answers[0]
    assert all(1 <= int(answer["Retry-After"]) <= 10 for answer in answers[1:])
    assert len([request for request in sandbox.control.log() if request.path == "/token"]) == 1
    assert refresh_on_demand(connection.id, actor=OLGA).code == "too_soon"
    assert AuditEvent.objects.filter(action="connection.refresh").count() == 5
    CredentialVersion.objects.update(received_at=database_now() - timedelta(seconds=11))
    assert call(alice.backend, "POST", f"/connections/{connection.id}/refresh").json()["outcome"] == "refreshed"
