"""A revocation whose processes are killed: by the provider's own log nothing is called done before it is."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

from django.db import connection as database

from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.models import Connection, CredentialVersion, OutboxEvent, Revocation
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.observed import reload

NEVER = 10_000


def process(connection: Connection, statement: int) -> "subprocess.Popen[bytes]":
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    command = [
        sys.executable,
        "-m",
        "tests.connections.lifecycle.end.revoke_killed",
        str(connection.id),
        str(statement),
    ]
    return subprocess.Popen(command, cwd=PROJECT_ROOT, env=os.environ | {"DATABASE_URL": url})


def live_grants(connection: Connection, sandbox: SandboxProcess) -> list[str]:
    """Return the grants that the provider has not revoked."""
    grants = sandbox.control.grants(client_id=connection.provider_app.client_id)
    return [grant["id"] for grant in grants if grant["revoked_at"] is None]


def check_nothing_was_said_too_early(connection: Connection, sandbox: SandboxProcess) -> None:
    """The secrets and the promise to revoke are there, unless the provider's log says that the grant was revoked."""
    if reload(connection).revocation == Revocation.CONFIRMED:
        assert "grant_revoked" in [entry.outcome for entry in sandbox.control.log(endpoint="revoke")]
    else:
        assert CredentialVersion.objects.filter(connection=connection).exists()


def test_whenever_it_is_killed_it_is_done_and_proved_in_the_end(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    assert live_grants(connection, sandbox)
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    killed = 0
    for statement in range(1, 200, 4):
        ended = process(connection, statement).wait(timeout=60)
        check_nothing_was_said_too_early(connection, sandbox)
        if ended == 0:
            break
        killed += 1
    assert killed > 3
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert live_grants(connection, sandbox) == []
    assert not CredentialVersion.objects.filter(connection=connection).exists()
    assert OutboxEvent.objects.filter(type="connection.revocation_confirmed").count() == 1


def test_killed_between_the_revocation_and_its_proof_it_is_proved_by_the_next_run(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    sandbox.control.fault("stall", endpoint="revoke", times=0, seconds=15, processed=True)
    running = process(connection, NEVER)
    until(lambda: bool(sandbox.control.log(endpoint="revoke")), "the request to revoke")
    running.kill()
    running.wait(timeout=60)
    assert reload(connection).revocation == Revocation.PENDING
    assert CredentialVersion.objects.filter(connection=connection).exists()
    sandbox.control.clear_faults()
    until(lambda: revoke(connection.id) is Revocation.CONFIRMED, "the proof", seconds=120, pause=0.5)
    assert live_grants(connection, sandbox) == []
