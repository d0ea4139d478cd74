"""The vend: an audit row of every decision, and secrets that do not open."""

import uuid
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db import connection as database

from connections.models import (
    AuditEvent,
    Connection,
    CredentialVersion,
    Status,
    Tenant,
)
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.api.vending import last_audit, vend, vend_by_owner
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call


def test_each_vend_is_recorded_with_who_and_what_for(connection: Connection, backend: Caller) -> None:
    asked = {"end_user": "alice", "scopes": ["files.read"], "purpose": "nightly sync", "agent": "importer/2"}
    vend(backend, connection, **asked)
    row = last_audit()
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    assert (row.decision, row.tenant_id, row.connection_id) == ("allowed", connection.tenant_id, connection.id)
    assert (row.api_client_id, row.subject, row.agent, row.purpose) == (
        backend.client.id,
        "alice",
        "importer/2",
        "nightly sync",
    )
    assert (row.scopes, row.address, row.credential_version_id) == (["files.read"], "127.0.0.1", version.id)
    assert bytes(row.fingerprint or b"") == bytes(version.fingerprint)


@pytest.mark.parametrize("path", ["id", "owner"])
def test_each_denial_is_recorded(path: str, connection: Connection, foreign_backend: Caller, backend: Caller) -> None:
    if path == "id":
        vend(foreign_backend, connection, end_user="alice", purpose="snooping")
    else:
        vend_by_owner(foreign_backend, end_user="alice", purpose="snooping")
    row = last_audit()
    assert (row.decision, row.api_client_id, row.purpose) == ("not_found", foreign_backend.client.id, "snooping")
    assert (row.connection_id, row.credential_version_id, row.fingerprint) == (None, None, None)
    assert row.detail == {"asked_for": str(connection.id) if path == "id" else "sandbox"}
    vend(backend, connection, end_user="mallory")
    assert (last_audit().decision, last_audit().subject) == ("policy_denied", "mallory")
    assert last_audit().fingerprint is None


def test_without_its_audit_row_nothing_is_vended(connection: Connection, backend: Caller) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'full'; END $$;"
            "CREATE TRIGGER no_audit BEFORE INSERT ON connections_auditevent FOR EACH ROW EXECUTE FUNCTION no_audit()"
        )
    answer = vend(backend, connection, end_user="alice")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "credential" not in answer.json()


@pytest.mark.django_db(transaction=True)
def test_a_database_that_cannot_do_it_now_is_no_crash() -> None:
    """Its disk is full, which is one of many ways: it goes away, it is begun anew, it takes too long."""
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    with database.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE 'full' USING ERRCODE = 'disk_full'; END $$;"
            "CREATE TRIGGER no_room BEFORE INSERT ON connections_auditevent FOR EACH ROW EXECUTE FUNCTION no_room()"
        )
        try:
            answers = [
                vend(backend, connection, end_user="alice"),
                call(backend, "POST", f"/connections/{connection.id}/revoke"),
            ]
        finally:
            cursor.execute("DROP FUNCTION no_room() CASCADE")
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
        assert answer["Retry-After"] == "2"
        assert "credential" not in answer.json()
    assert vend(backend, connection, end_user="alice").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_audit_row_is_committed_when_the_answer_comes() -> None:
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    with psycopg.connect(**{**database.get_connection_params(), "cursor_factory": psycopg.Cursor}) as elsewhere:
        for end_user, decision in (("alice", "allowed"), ("bob", "policy_denied")):
            vend(backend, connection, end_user=end_user)
            row = elsewhere.execute("SELECT decision FROM connections_auditevent ORDER BY id DESC LIMIT 1").fetchone()
            assert row == (decision,)
            elsewhere.rollback()


def test_audit_rows_cannot_be_changed_or_removed(connection: Connection, backend: Caller) -> None:
    vend(backend, connection, end_user="alice")
    for statement in (
        "UPDATE connections_auditevent SET decision = 'x'",
        "DELETE FROM connections_auditevent",
        # Django's own tests empty the tables so, and have it switched off.
        "ALTER TABLE connections_auditevent ENABLE TRIGGER audit_no_truncate; TRUNCATE connections_auditevent",
    ):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), database.cursor() as cursor:
            cursor.execute(statement)
    assert last_audit().decision == "allowed"


@pytest.mark.parametrize(
    ("forwarded", "trusted", "recorded"),
    [
        ("203.0.113.9", 0, "127.0.0.1"),
        ("203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", 1, "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.1", 2, "203.0.113.9"),
        ("", 1, "127.0.0.1"),
        ("unknown", 1, None),
        ("203.0.113.9:4711", 1, None),
        ("2001:db8::1", 1, "2001:db8::1"),
    ],
)
def test_the_address_is_the_one_that_the_trusted_proxies_saw(
    forwarded: str, trusted: int, recorded: str | None, connection: Connection, backend: Caller, settings: Any
) -> None:
    settings.TRUSTED_PROXY_COUNT = trusted
    answer = AsgiClient().post(
        f"/api/v1/connections/{connection.id}/credential",
        '{"end_user": "alice"}',
        "application/json",
        headers={**backend.headers, "x-forwarded-for": forwarded},
    )
    assert answer.status_code == 200
    assert last_audit().address == recorded


def test_a_credential_that_does_not_open_is_an_alert_and_no_verdict(connection: Connection, backend: Caller) -> None:
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    damaged = bytearray(version.secrets.stored)
    damaged[len(damaged) // 2] ^= 1
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [bytes(damaged), version.id]
        )
    answer = vend(backend, connection, end_user="alice")
    assert (answer.status_code, answer.json()["code"]) == (500, "credential_unreadable")
    connection.refresh_from_db()
    assert connection.status == Status.ACTIVE
    assert AuditEvent.objects.filter(action="credential.open", decision="credential_unreadable").count() == 1


def test_a_credential_moved_from_another_connection_does_not_open(
    acme: Tenant, connection: Connection, backend: Caller
) -> None:
    other = make_connection(acme, end_user="bob", access_token="bobs-token")
    stolen = CredentialVersion.objects.get(id=other.current_version_id)
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE connections_credentialversion SET secrets = %s WHERE connection_id = %s",
            [stolen.secrets.stored, connection.id],
        )
    answer = vend(backend, connection, end_user="alice")
    assert answer.json()["code"] == "credential_unreadable"
    assert "bobs-token" not in answer.content.decode()


def test_a_version_of_another_connection_is_never_vended(acme: Tenant, connection: Connection, backend: Caller) -> None:
    """The database refuses that two connections have one version; of one that no other has, nothing comes out."""
    other = make_connection(acme, end_user="bob", access_token="bobs-token")
    stolen = Connection.objects.filter(id=connection.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        stolen.update(current_version_id=other.current_version_id)
    overwrite(other, status="needs_reauth", reason="credential_dead", current_version_id=None)
    stolen.update(current_version_id=CredentialVersion.objects.get(connection=other).id)
    answer = vend(backend, connection, end_user="alice")
    assert answer.status_code >= 400
    assert "bobs-token" not in answer.content.decode()


def test_an_unknown_id_is_recorded_as_asked_for(acme: Tenant, backend: Caller) -> None:
    unknown = uuid.uuid4()
    assert call(backend, "POST", f"/connections/{unknown}/credential", {}).status_code == 404
    assert last_audit().detail == {"asked_for": str(unknown)}
