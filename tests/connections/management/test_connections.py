"""``manage.py connections``."""

import uuid

import pytest

from connections.models import AuditEvent, Connection, CredentialVersion, RefreshAttempt
from providers.sandbox.client import SandboxProcess
from tests.connections.management.conftest import Run
from tests.flows import EndUser


@pytest.fixture
def connected(connection: Connection) -> str:
    """The id of a connection of alice's."""
    return str(connection.id)


def test_lists_and_filters(run: Run, connected: str) -> None:
    assert connected in run("connections", "list").out
    row = run("connections", "list", "--tenant", "acme", "--status", "active", "--end-user", "alice", "--json").data[0]
    assert (row["id"], row["provider"], row["status"], row["reason"]) == (connected, "sandbox", "active", "connected")
    assert run("connections", "list", "--provider", "other", "--json").data == []
    assert "no such connections" in run("connections", "list", "--status", "revoked").out


def test_shows_why_and_what_happens_next(run: Run, connected: str) -> None:
    shown = run("connections", "show", connected, "--json").data
    assert shown["scopes_granted"] == ["files.read", "profile.read"]
    assert shown["account_name"]
    assert {step["text"] for step in shown["next"]} == {"Refresh", "Probe"}
    assert "next" in run("connections", "show", connected).out


def test_refreshes_on_demand(run: Run, connected: str, sandbox: SandboxProcess) -> None:
    before = Connection.objects.get().current_version_id
    ran = run("connections", "refresh", connected, "--json")
    assert ran.code == 0
    assert ran.data["outcome"] == "refreshed"
    assert Connection.objects.get().current_version_id != before
    assert RefreshAttempt.objects.get().trigger == "operator"
    assert AuditEvent.objects.get(action="connection.refresh").operator.endswith("(command line)")


def test_a_refresh_that_fails_ends_with_exit_code_1(run: Run, connected: str, sandbox: SandboxProcess) -> None:
    sandbox.control.revoke(username="alice")
    ran = run("connections", "refresh", connected)
    assert (ran.code, ran.out) == (1, "")
    assert "refused the grant" in ran.err
    again = run("connections", "refresh", connected, "--json")
    assert again.code == 1
    assert again.data["ok"] is False
    assert AuditEvent.objects.filter(action="connection.refresh", decision="refused").count() == 2


def test_probes_on_demand(run: Run, connected: str) -> None:
    ran = run("connections", "probe", connected, "--json")
    assert (ran.code, ran.data["outcome"]) == (0, "alive")
    assert Connection.objects.get().verified_by == "probe"


def test_revokes_so_that_it_can_be_connected_anew(run: Run, connected: str) -> None:
    ran = run("connections", "revoke", connected)
    assert ran.code == 0
    assert "can be connected anew" in ran.out
    assert Connection.objects.get().status == "revoked"
    assert run("connections", "revoke", connected).code == 1


def test_disconnects_for_good(run: Run, connected: str) -> None:
    assert run("connections", "revoke", connected, "--for-good", "--json").data["outcome"] == "disconnected"
    assert Connection.objects.get().status == "disconnected"
    assert "not in use" in run("connections", "refresh", connected).err


@pytest.mark.parametrize("verb", ["show", "refresh", "probe", "revoke"])
def test_an_unknown_connection_is_an_error(run: Run, verb: str) -> None:
    for wrong in (str(uuid.uuid4()), "nonsense"):
        ran = run("connections", verb, wrong)
        assert (ran.code, ran.out) == (1, "")
        assert "connections list" in ran.err


def test_no_token_is_ever_printed(run: Run, alice: EndUser, connected: str) -> None:
    token = alice.vend(connected).json()["credential"]["value"]
    printed = ""
    for arguments in (("list",), ("show", connected), ("probe", connected), ("refresh", connected)):
        for ran in (run("connections", *arguments), run("connections", *arguments, "--json")):
            printed += ran.out + ran.err
    fresh = alice.vend(connected).json()["credential"]["value"]
    assert fresh != token
    assert token not in printed
    assert fresh not in printed
    assert CredentialVersion.objects.filter(stage="current").count() == 1


def test_a_wrong_limit_is_a_usage_error(run: Run) -> None:
    assert run("connections", "list", "--limit", "0").code == 2
