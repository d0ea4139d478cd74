"""Vends under access grants: who is let in, what the answer and the trail say, and when a credential stays here."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.policy.revoke import revoke_grant
from connections.lifecycle.steer.switches import suspend
from connections.models import AccessGrant, AuditEvent, Connection, OwnerKind, Permission, SubjectKind, Tenant
from providers.catalog.exchange_method import TokenExchangeMethod
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.api.vending import last_audit, vend, vend_by_owner
from tests.factories import Caller, make_caller


def denied_by(answer: Any) -> str:
    assert (answer.status_code, answer.json()["code"]) == (403, "policy_denied")
    rule: str = answer.json()["rule"]
    assert (last_audit().decision, last_audit().detail["rule"]) == ("policy_denied", rule)
    return rule


def test_a_grant_lets_another_end_user_in(connection: Connection, backend: Caller) -> None:
    assert denied_by(vend(backend, connection, end_user="bob")) == "other_user"
    grant = let(connection)
    answer = vend(backend, connection, end_user="bob", purpose="report")
    assert (answer.status_code, answer.json()["grant"]) == (200, str(grant.id))
    row = last_audit()
    assert (row.decision, row.subject, row.detail, row.purpose) == (
        "allowed",
        "bob",
        {"grant": str(grant.id)},
        "report",
    )
    assert row.credential_version_id == connection.current_version_id
    assert row.fingerprint
    assert denied_by(vend(backend, connection, end_user="carol")) == "other_user"


def test_whoever_a_grant_is_for_finds_the_connection_by_its_provider(
    connection: Connection, backend: Caller, acme: Tenant
) -> None:
    assert vend_by_owner(backend, end_user="bob").json()["code"] == "not_found"
    subjects: list[tuple[SubjectKind, str, dict[str, Any]]] = [
        (SubjectKind.END_USER, "bob", {"end_user": "bob"}),
        (SubjectKind.GROUP, "sales", {"end_user": "carol", "groups": ["sales"]}),
        (SubjectKind.AGENT, "crm-sync", {"end_user": "carol", "agent": "crm-sync"}),
        (SubjectKind.API_CLIENT, str(backend.client.id), {"end_user": "carol"}),
    ]
    for kind, subject, asked in subjects:
        grant = let(connection, subject, kind)
        answer = vend_by_owner(backend, **asked)
        assert (answer.status_code, answer.json()["grant"]) == (200, str(grant.id)), asked
        assert answer.json()["connection"] == str(connection.id)
        revoke_grant(grant.id, now=database_now(), actor=SYSTEM)
        assert vend_by_owner(backend, **asked).json()["code"] == "not_found"
    let(connection, provider="sandbox", allows_vend=True, expires_at=in_seconds(60))
    assert vend_by_owner(backend, end_user="bob").status_code == 200
    make_connection(acme, end_user="carol", account="another")
    told = vend_by_owner(backend, end_user="bob").json()
    assert (told["code"], len(told["connections"])) == ("ambiguous_connection", 2)
    bobs = make_connection(acme, end_user="bob", account="bobs")
    assert vend_by_owner(backend, end_user="bob").json()["connection"] == str(bobs.id), "their own comes first"


def test_a_grant_at_another_provider_or_tenant_finds_nothing(
    connection: Connection, backend: Caller, globex: Tenant
) -> None:
    let(connection, provider="hubspot")
    let(make_connection(globex, end_user="alice"), "bob")
    assert vend_by_owner(backend, end_user="bob").json()["code"] == "not_found"


def test_the_owner_is_told_of_no_grant(connection: Connection, backend: Caller) -> None:
    let(connection, "alice")
    answer = vend(backend, connection, end_user="alice")
    assert (answer.status_code, answer.json()["grant"], last_audit().detail) == (200, None, {})


@pytest.mark.parametrize(
    ("kind", "subject", "asked"),
    [
        (SubjectKind.GROUP, "sales", {"end_user": "bob", "groups": ["support", "sales"]}),
        (SubjectKind.AGENT, "crm-sync", {"agent": "crm-sync"}),
    ],
)
def test_groups_and_agents_are_subjects_too(
    kind: SubjectKind, subject: str, asked: dict[str, Any], connection: Connection, backend: Caller
) -> None:
    assert denied_by(vend(backend, connection, **asked))
    let(connection, subject, kind)
    assert vend(backend, connection, **asked).status_code == 200


def test_an_api_client_may_be_let_in_without_a_user(connection: Connection, backend: Caller, acme: Tenant) -> None:
    let(connection, str(backend.client.id), SubjectKind.API_CLIENT)
    assert vend(backend, connection).status_code == 200
    assert denied_by(vend(make_caller(acme, "another"), connection)) == "no_user"


def test_a_grant_on_a_provider_is_on_each_connection_there(connection: Connection, backend: Caller) -> None:
    let(connection, provider="sandbox")
    assert vend(backend, connection, end_user="bob").status_code == 200
    assert vend(backend, make_connection(connection.tenant, end_user="carol"), end_user="bob").status_code == 200
    elsewhere = make_connection(connection.tenant, end_user="carol")
    overwrite(elsewhere, provider="github")
    elsewhere.provider_app.provider = "github"
    elsewhere.provider_app.save()
    assert denied_by(vend(backend, elsewhere, end_user="bob")) == "other_user"


def test_a_grant_gives_nothing_of_another_tenant(connection: Connection, globex: Tenant, backend: Caller) -> None:
    theirs = make_connection(globex, end_user="carol")
    let(theirs, "alice", provider="sandbox")
    let(theirs, "alice")
    assert denied_by(vend(make_caller(globex), theirs, end_user="bob")) == "other_user"
    assert denied_by(vend(backend, connection, end_user="bob")) == "other_user"
    assert vend(backend, theirs, end_user="alice").status_code == 404


def test_a_revoked_grant_is_over_at_once(connection: Connection, backend: Caller) -> None:
    grant = let(connection)
    assert vend(backend, connection, end_user="bob").status_code == 200
    assert revoke_grant(grant.id, now=database_now(), actor=SYSTEM)
    assert denied_by(vend(backend, connection, end_user="bob")) == "other_user"


def test_so_is_one_whose_time_is_over(connection: Connection, backend: Caller) -> None:
    grant = let(connection, expires_at=in_seconds(7200))
    assert vend(backend, connection, end_user="bob").status_code == 200
    then = database_now() - timedelta(hours=1)
    AccessGrant.objects.filter(id=grant.id).update(created_at=then, expires_at=then + timedelta(minutes=1))
    answer = vend(backend, connection, end_user="bob")
    assert denied_by(answer) == "grant_expired"
    assert answer.json()["grant"] == last_audit().detail["grant"] == str(grant.id)


@pytest.mark.parametrize(
    "limits", [{"methods": ["GET", "HEAD"]}, {"paths": ["/contacts/**"]}, {"scopes": ["profile.read"]}]
)
def test_a_credential_that_can_do_more_than_the_grant_stays_here(
    limits: dict[str, Any], connection: Connection, backend: Caller
) -> None:
    narrow = let(connection, **limits)
    answer = vend(backend, connection, end_user="bob")
    assert denied_by(answer) == "proxy_only"
    assert "proxy" in answer.json()["detail"]
    assert last_audit().fingerprint is None
    revoke_grant(narrow.id, now=database_now(), actor=SYSTEM)
    let(connection, allows_vend=True, **limits)
    assert vend(backend, connection, end_user="bob").status_code == 200


def test_so_does_one_that_outlives_the_grant(connection: Connection, backend: Caller) -> None:
    grant = let(connection, expires_at=in_seconds(60))
    assert denied_by(vend(backend, connection, end_user="bob")) == "proxy_only"
    AccessGrant.objects.filter(id=grant.id).update(expires_at=in_seconds(86_400))
    assert vend(backend, connection, end_user="bob").status_code == 200
    connection.versions.update(access_expires_at=None)  # an end that nobody knows
    assert denied_by(vend(backend, connection, end_user="bob")) == "proxy_only"


def test_scopes_beyond_the_grant_are_refused(connection: Connection, backend: Caller) -> None:
    let(connection, scopes=["profile.read", "files.read"])
    assert vend(backend, connection, end_user="bob", scopes=["files.read"]).status_code == 200
    connection.versions.update(scopes=["profile.read", "files.read", "files.write"])
    assert denied_by(vend(backend, connection, end_user="bob", scopes=["files.write"])) == "grant_scopes"


def test_what_the_connection_lacks_is_missing_under_a_grant_too(connection: Connection, backend: Caller) -> None:
    grant = let(connection)
    answer = vend(backend, connection, end_user="bob", scopes=["files.write"])
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert last_audit().detail == {"grant": str(grant.id)}
    suspend(connection, now=database_now(), actor=SYSTEM)
    assert vend(backend, connection, end_user="bob").json()["code"] == "suspended"


def test_a_connection_for_grants_only_needs_one_of_everybody(acme: Tenant) -> None:
    shared = make_connection(acme, owner=OwnerKind.TENANT, grants_only=True)
    robot = make_caller(acme, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER])
    assert denied_by(vend(robot, shared)) == "grant_needed"
    assert denied_by(vend(robot, shared, end_user="bob")) == "grant_needed"
    let(shared)
    assert vend(robot, shared, end_user="bob").status_code == 200
    hers = make_connection(acme, grants_only=True)
    assert denied_by(vend(robot, hers, end_user="alice")) == "grant_needed"
    let(hers, "alice")
    assert vend(robot, hers, end_user="alice").status_code == 200


def test_a_grant_is_no_permission(connection: Connection, acme: Tenant) -> None:
    reader = make_caller(acme, "reader", [Permission.READ])
    let(connection, str(reader.client.id), SubjectKind.API_CLIENT)
    assert vend(reader, connection, end_user="alice").json()["code"] == "permission_denied"


def test_disconnecting_revokes_the_grants_on_it(connection: Connection, backend: Caller) -> None:
    grant, wide = let(connection), let(connection, provider="sandbox")
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    assert list(AccessGrant.objects.standing()) == [wide]
    told = AuditEvent.objects.get(action="access_grant.revoked")
    assert (told.detail["grant"], told.detail["why"]) == (str(grant.id), "disconnected")
    assert vend(backend, connection, end_user="bob").json()["code"] == "not_found"


def test_the_usual_vend_reads_no_grants(connection: Connection, backend: Caller) -> None:
    let(connection)
    with CaptureQueriesContext(database) as asked:
        assert vend(backend, connection, end_user="alice").status_code == 200
    assert not [query for query in asked if "accessgrant" in query["sql"]]


def test_what_acts_for_a_subject_is_asked_for_no_more_than_the_grant_allows(acme: Tenant, backend: Caller) -> None:
    connection = make_connection(acme, owner=OwnerKind.TENANT, grants_only=True)
    connection.provider_app.auth_style = TokenExchangeMethod.style
    connection.provider_app.save()
    let(connection, scopes=["files.read"])
    asked = {"end_user": "bob", "subject_token": "token-of-a-subject"}
    assert denied_by(vend(backend, connection, **asked)) == "proxy_only"
    assert denied_by(vend(backend, connection, **asked, scopes=["files.write"])) == "grant_scopes"
