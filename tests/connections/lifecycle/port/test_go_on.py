"""Go on: an import from its file to its report, also where a process died in the middle of it."""

import pytest

from connections.access.secrets import open_credential
from connections.lifecycle.port.report import counts_of
from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    OutboxEvent,
    ProviderApp,
    Status,
    Tenant,
)
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.port.importing import connection_ids, lines_of, minted, outcomes, row_of, run_import


def test_what_rotates_is_refreshed_once_and_verified(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    rows = minted(sandbox, app, 3)
    run = run_import(lines_of(rows), tenant=acme)
    assert outcomes(run) == ["refreshed_and_verified"] * 3, [row_of(run, line).detail for line in (1, 2, 3)]
    log = sandbox.control.log(grant_type="refresh_token")
    assert len(log) == len({entry.refresh_presented for entry in log}) == 3
    for connection in Connection.objects.filter(id__in=connection_ids(run)):
        assert connection.status == Status.ACTIVE
        assert connection.binding == "imported"
        assert connection.verified_by == "probe"
        assert connection.provider_account_name
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        token = open_credential(connection, version).refresh_token
        assert token is not None
        assert token.get_secret_value() not in {row["refresh_token"] for row in rows}


def test_it_is_told_in_the_trail_and_in_events(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = run_import(lines_of(minted(sandbox, app, 2)), tenant=acme)
    assert AuditEvent.objects.filter(action="connection.imported", operator="olga").count() == 2
    told = OutboxEvent.objects.get(type="import.finished")
    assert told.payload == {"import": str(run.id), "outcomes": {"refreshed_and_verified": 2}, "dry_run": False}
    assert OutboxEvent.objects.filter(type="connection.connected", payload__imported=True).count() == 2


def test_a_dead_grant_is_told_and_its_connection_stays_for_a_reconnect(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    rows = minted(sandbox, app, 2)
    dead = minted(sandbox, app, 1, username="bob", end_user="dead")
    sandbox.control.revoke(username="bob")
    run = run_import(lines_of(rows + dead), tenant=acme)
    assert counts_of(run) == {"refreshed_and_verified": 2, "refused": 1}
    assert Connection.objects.get(end_user="dead").status == Status.SUSPECT


@pytest.mark.parametrize("dry_run", [True, False])
def test_the_same_file_again_changes_nothing(
    dry_run: bool, acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    content = lines_of(minted(sandbox, app, 2))
    run_import(content, tenant=acme, dry_run=dry_run)
    again = run_import(content, tenant=acme, dry_run=dry_run)
    assert outcomes(again) == (["accepted"] * 2 if dry_run else ["already_imported"] * 2)
    assert Connection.objects.count() == (0 if dry_run else 2)
    assert len(sandbox.control.log(grant_type="refresh_token")) == (0 if dry_run else 2)
