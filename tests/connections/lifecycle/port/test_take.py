"""Take: each row is judged for itself, and what was read of the good ones is kept sealed and nowhere else."""

import time
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.delete_tenant import continue_deletion, order_deletion
from connections.lifecycle.end.offboard import continue_offboarding, order_offboarding
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.port import take
from connections.lifecycle.port.options import Options
from connections.lifecycle.port.order import order_import
from connections.lifecycle.port.report import NEEDS_CARE, WORDS, counts_of, rotating_in, told_of
from connections.lifecycle.port.store import store_rows
from connections.lifecycle.port.take import take_rows
from connections.models import Connection, ImportRow, ImportRun, OffboardingMode, ProviderApp, SharedFate, Tenant
from connections.refusals import InvalidRequest
from providers.catalog.typed_methods import BearerTokenMethod, HttpBasicMethod
from tests.connections.api.stored import make_app
from tests.connections.lifecycle.port.importing import lines_of, order, outcomes, row_of
from tests.factories import make_tenant

ROW = {"provider": "sandbox", "end_user": "alice", "access_token": "at-1", "refresh_token": "rt-1"}
PAST = "2020-01-01T00:00:00Z"


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    tenant = make_tenant("acme")
    make_app(tenant)
    return tenant


def judged(row: dict[str, Any], tenant: Tenant | None, **options: Any) -> tuple[str, str]:
    """Return the code and the field of one row in a dry run."""
    run = order(lines_of([row]), tenant=tenant, dry_run=True, **options)
    found = row_of(run)
    return found.code, found.field


@pytest.mark.parametrize(
    ("row", "code", "field"),
    [
        (ROW, "accepted", ""),
        ({**ROW, "provider": "nonsense"}, "unknown_provider", "provider"),
        ({**ROW, "provider": ""}, "missing_field", "provider"),
        ({**ROW, "provider": "hubspot"}, "no_provider_app", "provider"),
        ({**ROW, "auth_style": HttpBasicMethod.style}, "no_provider_app", "provider"),
        ({**ROW, "tenant": "globex"}, "wrong_tenant", "tenant"),
        ({**ROW, "tenant": "acme"}, "accepted", ""),
        ({**ROW, "end_user": ""}, "missing_field", "end_user"),
        ({**ROW, "owner": "tenant", "end_user": ""}, "accepted", ""),
        ({**ROW, "owner": "nobody"}, "bad_field", "owner"),
        ({**ROW, "refresh_token": "", "access_token": ""}, "bad_field", "refresh_token"),
        ({**ROW, "access_token": ""}, "accepted", ""),
        ({**ROW, "refresh_token": "", "expires_at": PAST}, "expired", "expires_at"),
        ({**ROW, "expires_at": PAST}, "accepted", ""),
        ({**ROW, "param.region": "eu"}, "bad_field", "param.region"),
        ({**ROW, "client_id": "another"}, "other_client", "client_id"),
        ({**ROW, "client_id": "client"}, "accepted", ""),
        ({**ROW, "access_token": "two words"}, "bad_field", "access_token"),
        ({**ROW, "label": "x" * 65}, "bad_field", "label"),
        ({**ROW, "field.username": "x"}, "bad_field", "username"),
    ],
)
def test_a_row_is_judged(acme: Tenant, row: dict[str, Any], code: str, field: str) -> None:
    make_tenant("globex")
    assert judged(row, acme) == (code, field)
    assert Connection.objects.count() == 0


def test_rows_may_name_their_tenant_where_the_import_names_none(acme: Tenant) -> None:
    assert judged({**ROW, "tenant": "acme"}, None) == ("accepted", "")
    assert judged({**ROW, "tenant": "org_1"}, None, tenants={"org_1": "acme"}) == ("accepted", "")
    assert judged({**ROW, "tenant": "nobody"}, None) == ("unknown_tenant", "tenant")
    assert judged(ROW, None) == ("missing_field", "tenant")


def test_what_a_row_leaves_out_comes_from_the_options(acme: Tenant) -> None:
    bare = {"token": "at-1", "renew": "rt-1", "noise": "x"}
    named = {"token": "access_token", "renew": "refresh_token"}
    run = order(
        lines_of([bare]), tenant=acme, dry_run=True, columns=named, providers={"box": "sandbox"}, provider="box",
        end_user="alice",
    )  # fmt: skip
    assert outcomes(run) == ["accepted"]
    assert run.ignored_columns == ["noise"]


def test_a_style_is_found_by_what_the_row_brings(acme: Tenant) -> None:
    for style in (BearerTokenMethod.style, HttpBasicMethod.style):
        make_app(acme, auth_style=style, client_id="", client_secrets=[])
    basic = {"provider": "sandbox", "end_user": "a", "field.username": "alice", "field.password": "sk_" + "x" * 40}
    assert judged(basic, acme)[0] == "accepted"
    assert judged({"provider": "sandbox", "end_user": "a", "key": "sk_" + "0" * 40}, acme)[0] == "accepted"


def test_the_same_refresh_token_is_one_whoever_brings_it(acme: Tenant) -> None:
    rows = [ROW, {**ROW, "end_user": "bob"}, {**ROW, "refresh_token": "rt-2"}]
    run = order(lines_of(rows), tenant=acme, dry_run=True)
    assert outcomes(run) == ["accepted", "duplicate", "accepted"]
    assert "line 1" in row_of(run, 2).detail


def test_duplicates_are_found_across_batches(acme: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take, "BATCH", 2)
    rows = [{**ROW, "refresh_token": f"rt-{number}"} for number in (1, 2, 3, 1)]
    assert outcomes(order(lines_of(rows), tenant=acme)) == ["accepted"] * 3 + ["duplicate"]


def test_it_is_said_loudly_that_the_copy_at_the_source_dies(acme: Tenant) -> None:
    run = order(lines_of([ROW, {**ROW, "refresh_token": ""}]), tenant=acme, dry_run=True)
    assert (rotating_in(run), row_of(run, 1).rotates, row_of(run, 2).rotates) == (1, True, False)
    assert "copy at the source" in row_of(run).detail


def test_no_secret_is_stored_open_or_told(acme: Tenant) -> None:
    secret = "sEcReT" + uuid.uuid4().hex
    rows = [{**ROW, "refresh_token": secret}, {**ROW, "access_token": f"{secret} x"}]
    run = order(lines_of(rows), tenant=acme)
    with database.cursor() as cursor:
        for table in ("importrun", "importrow", "auditevent", "outboxevent"):
            cursor.execute(f"SELECT string_agg(row::text, '') FROM connections_{table} AS row")
            assert secret not in str(cursor.fetchone())
            assert secret.encode().hex() not in str(cursor.fetchone())
    assert all(secret not in str(told_of(row)) for row in ImportRow.objects.filter(run=run))
    assert row_of(run).content is not None
    assert row_of(run, 2).content is None


def test_a_file_that_breaks_off_is_told_and_what_came_before_is_taken(acme: Tenant) -> None:
    run = order(lines_of([ROW]) + b'\n{"provider": ', tenant=acme)
    assert outcomes(run) == ["accepted"]
    assert run.problem.startswith("Line 2:")


def test_rows_that_were_taken_are_passed_over(acme: Tenant) -> None:
    run = order_import(Options(form="json"), tenant=acme, actor=SYSTEM)
    rows = [(line, {**ROW, "refresh_token": f"rt-{line}"}) for line in (1, 2, 3)]
    assert take_rows(run.id, rows[:2])
    assert take_rows(run.id, rows)
    assert counts_of(run) == {"accepted": 3}


def test_a_row_that_is_too_large_is_told(acme: Tenant) -> None:
    run = order_import(Options(form="json"), tenant=acme, actor=SYSTEM)
    take_rows(run.id, [(1, {**ROW, "x": "y" * 300_000})])
    assert outcomes(run) == ["too_large"]


def test_rows_that_no_database_would_store_are_told(acme: Tenant) -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"x": deep}
    run = order_import(Options(form="json"), tenant=acme, actor=SYSTEM)
    odd = [{**ROW, "metadata": deep}, {**ROW, "nul\x00": 1}, {**ROW, "x": "\ud800"}, ["no object"], None]
    take_rows(run.id, list(enumerate(odd, start=1)))
    assert outcomes(run) == ["unreadable_row"] * 5


@pytest.mark.parametrize(
    "options", [{"form": "xml"}, {"on_conflict": "ask"}, {"columns": {"x": "nonsense"}}], ids=str
)  # fmt: skip
def test_options_that_make_no_sense_are_refused(acme: Tenant, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        order_import(Options(**options), tenant=acme, actor=SYSTEM)


def test_a_tenant_that_is_being_deleted_imports_nothing(acme: Tenant) -> None:
    Tenant.objects.update(shred_at=database_now() + timedelta(hours=1))
    acme.refresh_from_db()
    with pytest.raises(InvalidRequest):
        order_import(Options(), tenant=acme, actor=SYSTEM)
    assert judged({**ROW, "tenant": "acme"}, None)[0] == "unknown_tenant"


def test_an_app_that_cannot_be_used_is_told(acme: Tenant) -> None:
    ProviderApp.objects.update(params={"issuer": ""})
    assert judged(ROW, acme)[0] == "app_misconfigured"


def test_every_code_has_words() -> None:
    assert set(WORDS) > NEEDS_CARE


def test_an_erasure_forgets_the_rows_of_an_end_user(acme: Tenant) -> None:
    run = order(lines_of([ROW, {**ROW, "end_user": "bob", "refresh_token": "rt-2"}]), tenant=acme, dry_run=True)
    now = database_now()
    wishes = {"mode": OffboardingMode.ERASE, "shared": SharedFate.NOT_SAID, "hand_over_to": ""}
    ordered = order_offboarding(acme, "alice", **wishes, now=now, actor=SYSTEM)
    told = continue_offboarding(ordered.id, now=now, give_up_at=time.monotonic() + 20)
    assert told.counts["import_rows_deleted"] == 1
    assert list(ImportRow.objects.filter(run=run).values_list("end_user", flat=True)) == ["bob"]


def test_a_tenant_that_is_deleted_takes_its_imports_along(acme: Tenant) -> None:
    order(lines_of([ROW]), tenant=acme)
    now = database_now()
    order_deletion(acme.id, now=now, at_once=True, actor=SYSTEM)
    assert continue_deletion(acme.id, now=now).is_done
    assert not ImportRun.objects.exists()
    assert not ImportRow.objects.exists()


def test_old_imports_are_forgotten_but_for_what_knows_a_credential_again(acme: Tenant) -> None:
    dry, real = (order(lines_of([ROW]), tenant=acme, dry_run=dry_run) for dry_run in (True, False))
    while store_rows(real, actor=SYSTEM):
        pass
    long_ago = database_now() - timedelta(days=91)
    ImportRun.objects.update(state="done", finished_at=long_ago)
    gone = sweep_old(now=database_now())
    assert (gone["rows of imports"], gone["imports"]) == (1, 1)
    assert not ImportRun.objects.filter(id=dry.id).exists()
    assert outcomes(order(lines_of([ROW]), tenant=acme)) == ["already_imported"]
