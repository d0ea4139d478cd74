"""Prove: each refresh token is sent once, whatever dies or stands still in between."""

import time

import pytest

from connections.database.clock import database_now
from connections.lifecycle.port import go_on as going
from connections.lifecycle.port.go_on import continue_imports, go_on
from connections.lifecycle.port.store import store_rows
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    AccessGrant,
    AttemptState,
    AuditEvent,
    Connection,
    ImportRow,
    ImportRun,
    ProviderApp,
    RefreshAttempt,
    Tenant,
)
from providers.catalog.typed_methods import BearerTokenMethod
from providers.sandbox.client import SandboxProcess
from tests.connections.api.grants import let
from tests.connections.lifecycle.port.importing import (
    OLGA,
    connection_ids,
    lines_of,
    minted,
    order,
    outcomes,
    row_of,
    run_import,
)
from tests.factories import make_sandbox_app


def half_done(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess, count: int = 2) -> ImportRun:
    """Return an import whose process died after it had stored the rows."""
    run = order(lines_of(minted(sandbox, app, count)), tenant=acme)
    while store_rows(run, actor=OLGA):
        pass
    return run


def refreshes(sandbox: SandboxProcess) -> list[str]:
    """Return which refresh tokens were presented."""
    return [str(entry.refresh_presented) for entry in sandbox.control.log(grant_type="refresh_token")]


def end(run: ImportRun) -> ImportRun:
    return go_on(run.id, give_up_at=time.monotonic() + 30)


def test_what_a_sweep_has_refreshed_meanwhile_is_not_refreshed_again(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    run = half_done(acme, app, sandbox)
    refresh(connection_ids(run)[0], trigger="sweep")
    assert outcomes(end(run)) == ["refreshed_and_verified"] * 2
    assert len(refreshes(sandbox)) == len(set(refreshes(sandbox))) == 2


def test_a_refresh_whose_process_died_is_recovered_and_told(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    sandbox.control.settings(grace_seconds=60)
    run = half_done(acme, app, sandbox, 1)
    connection = Connection.objects.get(id=connection_ids(run)[0])
    RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=AttemptState.SENT,
        trigger="sweep",
        claimed_by="somebody who died",
        claimed_at=database_now(),
        deadline_at=database_now(),
    )
    assert outcomes(end(run)) == ["refreshed_and_verified"]
    assert len(refreshes(sandbox)) == 1


def test_a_provider_that_is_down_ends_nothing(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = half_done(acme, app, sandbox)
    sandbox.control.fault("status", times=0)
    assert outcomes(end(run)) == ["provider_unavailable"] * 2
    assert {one.status for one in Connection.objects.all()} == {"active"}
    sandbox.control.clear()


def test_our_own_wrong_secret_blames_the_app(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = half_done(acme, app, sandbox, 70)
    sandbox.control.register_client(app.client_id, client_secret="another", redirect_uris=["https://x.example"])
    assert outcomes(end(run)) == ["app_misconfigured"] * 70
    assert len(refreshes(sandbox)) < 70


def test_what_is_suspended_is_stored_and_not_tried(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = half_done(acme, app, sandbox, 1)
    Tenant.objects.update(suspended_at=database_now())
    assert outcomes(end(run)) == ["switched_off"]
    assert not refreshes(sandbox)


def test_a_connection_that_is_deleted_meanwhile_is_told(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    run = half_done(acme, app, sandbox, 1)
    Connection.objects.all().delete()
    assert outcomes(end(run)) == ["gone"]


def test_a_key_is_verified_and_its_account_found(acme: Tenant, sandbox: SandboxProcess) -> None:
    app = make_sandbox_app(sandbox, tenant=acme, style=BearerTokenMethod.style)
    rows = [
        {"provider": "sandbox", "auth_style": app.auth_style, "end_user": "alice", "key": key}
        for key in (sandbox.control.api_key("alice"), "sk_" + "0" * 40)
    ]
    run = run_import(lines_of([rows[0], {**rows[1], "end_user": "bob"}]), tenant=acme)
    assert outcomes(run) == ["verified", "refused"], [row_of(run, line).detail for line in (1, 2)]
    assert Connection.objects.get(end_user="alice").provider_account_name


def test_another_account_than_the_row_says_is_told(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = run_import(lines_of(minted(sandbox, app, account_id="somebody-else")), tenant=acme)
    assert outcomes(run) == ["other_account"]


def test_grants_end_where_the_probe_finds_another_account(
    acme: Tenant, app: ProviderApp, sandbox: SandboxProcess
) -> None:
    for on_conflict in ("skip", "replace"):
        rows = minted(sandbox, app, account_id="somebody-else")
        run = run_import(lines_of(rows), tenant=acme, verify=on_conflict == "replace", on_conflict=on_conflict)
        if on_conflict == "skip":
            let(Connection.objects.get())
    assert outcomes(run) == ["other_account"]
    assert not AccessGrant.objects.standing().exists()
    assert AuditEvent.objects.get(action="access_grant.revoked").detail["why"] == "account_changed"
    changed = AuditEvent.objects.get(action="connection.account_changed")
    assert (changed.connection_id, changed.detail) == (Connection.objects.get().id, {"grants": 1})


def test_two_of_one_account_are_told_after_the_probe(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    rows = minted(sandbox, app, 2, end_user="alice")
    run = run_import(lines_of(rows), tenant=acme)
    assert sorted(outcomes(run)) == ["other_account", "refreshed_and_verified"]


@pytest.mark.parametrize(("refresh_all", "code"), [(True, "refreshed"), (False, "stored")])
def test_what_does_not_rotate_is_refreshed_as_one_likes(
    acme: Tenant, sandbox: SandboxProcess, refresh_all: bool, code: str
) -> None:
    app = make_sandbox_app(sandbox, tenant=acme, style="oauth2_client_credentials", grant_types=["client_credentials"])
    row = {"provider": "sandbox", "auth_style": app.auth_style, "owner": "tenant", "access_token": "at"}
    soon = str(int(time.time()) + 3000)
    run = run_import(
        lines_of([{**row, "expires_at": soon}]), tenant=acme, refresh_all=refresh_all, verify=False
    )  # fmt: skip
    assert outcomes(run) == [code]


def test_all_or_nothing_stores_nothing_for_one_bad_row(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    rows = [*minted(sandbox, app, 2), {"provider": "nonsense", "end_user": "zoe"}]
    run = run_import(lines_of(rows), tenant=acme, all_or_nothing=True)
    assert outcomes(run) == ["not_stored", "not_stored", "unknown_provider"]
    assert not Connection.objects.exists()
    assert not ImportRow.objects.filter(content__isnull=False).exists()
    assert outcomes(run_import(lines_of(rows[:2]), tenant=acme, all_or_nothing=True)) == ["refreshed_and_verified"] * 2


def test_the_workers_go_on_with_what_came_over_the_api(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = half_done(acme, app, sandbox, 1)
    assert continue_imports(now=database_now()) == 0
    ImportRun.objects.update(in_background=True)
    assert continue_imports(now=database_now()) == 1
    assert outcomes(run) == ["refreshed_and_verified"]


def test_rows_that_never_come_are_not_waited_for(acme: Tenant, app: ProviderApp, sandbox: SandboxProcess) -> None:
    run = order(lines_of(minted(sandbox, app)), tenant=acme)
    ImportRun.objects.update(
        state="reading", in_background=True, created_at=database_now() - going.PARTS_COME_WITHIN * 2
    )
    continue_imports(now=database_now())
    assert outcomes(run) == ["not_stored"]
    assert ImportRun.objects.get().finished_at is not None
