"""Store: a row becomes a connection with all that belongs to it, or nothing."""

from datetime import timedelta
from typing import Any

import pytest

from connections.access.secrets import current_data_key, open_credential
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.port.store import store_rows
from connections.models import (
    AccessGrant,
    AuditEvent,
    Connection,
    CredentialVersion,
    DataKey,
    ImportRow,
    ImportRun,
    OwnerKind,
    Stage,
    Status,
    Tenant,
)
from tests.connections.api.grants import let
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.connections.lifecycle.port.importing import OLGA, lines_of, order, outcomes, row_of
from tests.factories import make_tenant

ROW = {"provider": "sandbox", "end_user": "alice", "access_token": "at-1", "refresh_token": "rt-1"}


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    tenant = make_tenant("acme")
    make_app(tenant)
    return tenant


def stored(*rows: dict[str, Any], tenant: Tenant, **options: Any) -> ImportRun:
    """Take these rows and store them; nothing is sent."""
    run = order(lines_of(rows), tenant=tenant, **options)
    while store_rows(run, actor=OLGA):
        pass
    return run


def only() -> Connection:
    return Connection.objects.get()


def secrets_of(connection: Connection) -> tuple[str, str]:
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    credential = open_credential(connection, version)
    assert credential.access_token is not None
    assert credential.refresh_token is not None
    return credential.access_token.get_secret_value(), credential.refresh_token.get_secret_value()


def test_what_a_row_says_is_the_connection(acme: Tenant) -> None:
    soon = (database_now() + timedelta(minutes=30)).isoformat()
    row = {**ROW, "expires_at": soon, "scopes": "files.read", "metadata": {"plan": "pro"}, "label": "work"}
    run = stored({**row, "account_id": "person-1", "account_name": "Alice"}, tenant=acme)
    connection = only()
    assert (connection.tenant, connection.owner_kind, connection.end_user) == (acme, OwnerKind.END_USER, "alice")
    assert (connection.status, connection.binding, connection.label) == (Status.ACTIVE, "imported", "work")
    assert (connection.metadata, connection.provider_account_id) == ({"plan": "pro"}, "person-1")
    assert [(scope.name, scope.is_requested, scope.is_granted) for scope in connection.scopes.all()] == [
        ("files.read", True, True)
    ]
    assert secrets_of(connection) == ("at-1", "rt-1")
    assert connection.access_expires_at is not None
    assert abs(connection.access_expires_at.isoformat() > soon) <= 1
    assert connection.refresh_due_at is not None
    assert connection.refresh_due_at <= database_now()
    row_now = row_of(run)
    assert (row_now.state, row_now.content, row_now.version_id) == ("stored", None, connection.current_version_id)
    assert AuditEvent.objects.get(action="connection.imported").detail["import"] == str(run.id)


@pytest.mark.parametrize("expires_at", ["", "2020-01-01T00:00:00Z"])
def test_a_token_that_may_have_ended_is_not_vended_before_its_refresh(acme: Tenant, expires_at: str) -> None:
    stored({**ROW, "expires_at": expires_at}, tenant=acme)
    connection = only()
    assert connection.access_expires_at is not None
    assert connection.access_expires_at < database_now()


def test_the_whole_tenant_s_is_answered_for_by_whom_the_row_names(acme: Tenant) -> None:
    stored({**ROW, "owner": "tenant"}, tenant=acme)
    connection = only()
    assert (connection.owner_kind, connection.end_user, connection.granted_by) == (OwnerKind.TENANT, "", "alice")


def test_what_is_there_stays_unless_it_is_to_be_replaced(acme: Tenant) -> None:
    there = make_connection(acme)
    assert outcomes(stored(ROW, tenant=acme)) == ["exists"]
    there.refresh_from_db()
    assert secrets_of(there)[1] == "rt"
    run = stored(ROW, tenant=acme, on_conflict="replace")
    assert outcomes(run) == ["imported"]
    before = there.grant_id
    there = only()
    assert secrets_of(there) == ("at-1", "rt-1")
    assert there.grant_id != before
    assert (
        not CredentialVersion.objects.filter(connection=there, stage=Stage.CURRENT)
        .exclude(id=there.current_version_id)
        .exists()
    )


def test_another_account_or_label_is_no_conflict(acme: Tenant) -> None:
    make_connection(acme, account="person-1")
    rows = [
        {**ROW, "account_id": "person-2"},
        {**ROW, "refresh_token": "rt-2", "label": "work"},
        {**ROW, "refresh_token": "rt-3", "account_id": "person-1"},
    ]
    assert outcomes(stored(*rows, tenant=acme)) == ["imported", "imported", "exists"]


def test_a_second_row_never_replaces_what_a_first_one_brought(acme: Tenant) -> None:
    make_connection(acme)
    rows = [ROW, {**ROW, "refresh_token": "rt-2"}]
    assert outcomes(stored(*rows, tenant=acme, on_conflict="replace")) == ["imported", "duplicate"]
    assert secrets_of(only()) == ("at-1", "rt-1")


def test_an_owner_may_bring_several_that_were_not_there(acme: Tenant) -> None:
    assert outcomes(stored(ROW, {**ROW, "refresh_token": "rt-2"}, tenant=acme)) == ["imported"] * 2


def test_two_rows_of_one_account_make_one_connection(acme: Tenant) -> None:
    rows = [{**ROW, "account_id": "p"}, {**ROW, "refresh_token": "rt-2", "account_id": "p"}]
    assert outcomes(stored(*rows, tenant=acme)) == ["imported", "exists"]
    assert Connection.objects.count() == 1


def test_several_that_could_be_meant_are_left_alone(acme: Tenant) -> None:
    for account in ("p-1", "p-2"):
        make_connection(acme, account=account)
    assert outcomes(stored(ROW, tenant=acme, on_conflict="replace")) == ["ambiguous"]


def test_what_an_operator_has_revoked_is_not_brought_back(acme: Tenant) -> None:
    overwrite(make_connection(acme), status="revoked", reason="revoked_by_operator")
    assert outcomes(stored(ROW, tenant=acme, on_conflict="replace")) == ["revoked"]


def test_grants_on_another_account_end_when_it_is_replaced(acme: Tenant) -> None:
    there = make_connection(acme, account="p-1", label="work")
    let(there)
    stored({**ROW, "label": "work", "account_id": "p-2"}, tenant=acme, on_conflict="replace")
    assert not AccessGrant.objects.standing().exists()
    assert only().provider_account_id == "p-2"


def test_so_do_they_where_a_row_says_nothing_of_its_account(acme: Tenant) -> None:
    there = make_connection(acme, account="p-1")
    let(there)
    let(there, "carol", provider="sandbox")
    assert outcomes(stored(ROW, tenant=acme, on_conflict="replace")) == ["imported"]
    assert [grant.subject for grant in AccessGrant.objects.standing()] == ["carol"]
    assert AuditEvent.objects.get(action="access_grant.revoked").detail["why"] == "account_changed"
    assert (only().provider_account_id, only().provider_account_name) == ("", "")


def test_what_says_that_it_is_of_the_same_account_keeps_them(acme: Tenant) -> None:
    let(make_connection(acme, account="p-1"))
    stored({**ROW, "account_id": "p-1"}, tenant=acme, on_conflict="replace")
    assert AccessGrant.objects.standing().count() == 1


def test_another_tenant_s_connections_are_none_of_its_business(acme: Tenant) -> None:
    globex = make_tenant("globex")
    make_app(globex)
    other = make_connection(globex)
    assert outcomes(stored(ROW, tenant=acme, on_conflict="replace")) == ["imported"]
    assert secrets_of(Connection.objects.get(id=other.id))[1] == "rt"
    run = stored({**ROW, "tenant": "globex"}, tenant=acme)
    assert outcomes(run) == ["wrong_tenant"]


def test_a_row_whose_key_is_gone_is_told(acme: Tenant) -> None:
    run = order(lines_of([ROW]), tenant=acme)
    current_data_key(acme.id)
    DataKey.objects.filter(tenant=acme).update(is_current=False)
    ImportRow.objects.update(tenant=make_tenant("globex"))
    store_rows(run, actor=SYSTEM)
    assert outcomes(run) == ["unreadable"]
    assert Connection.objects.count() == 0


def test_what_was_good_when_it_was_read_is_judged_again(acme: Tenant) -> None:
    run = order(lines_of([ROW]), tenant=acme)
    make_connection(acme)
    store_rows(run, actor=SYSTEM)
    assert outcomes(run) == ["exists"]
    assert row_of(run).content is None
