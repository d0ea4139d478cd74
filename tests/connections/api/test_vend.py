"""The vend: to whom, and what for. Its audit rows are in ``test_vend_audit.py``."""

import uuid
from collections.abc import Callable

import pytest
from django.conf import settings

from connections.lifecycle.steer.switches import Suspendable
from connections.models import (
    Connection,
    OwnerKind,
    Permission,
    Reason,
    Scope,
    Status,
    Tenant,
)
from tests.connections.api.stored import expire_in, make_app, make_connection, overwrite
from tests.connections.api.vending import last_audit, vend, vend_by_owner
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call


def test_misses_what_was_asked_of_this_connection_alone(acme: Tenant, globex: Tenant, backend: Caller) -> None:
    connection = make_connection(acme, account="person-1")
    for other in (
        make_connection(acme, end_user="bob", account="person-2"),
        make_connection(globex, account="person-3"),
    ):
        Scope.objects.create(connection=other, name=f"asked.by.{other.end_user}", is_requested=True)
    Scope.objects.create(connection=connection, name="granted.once", is_observed=False)
    answer = vend(backend, connection, end_user="alice").json()
    assert answer["credential"]["missing_scopes"] == ["files.write"]


def test_says_all_that_is_needed_to_use_the_credential(acme: Tenant, backend: Caller) -> None:
    connection = make_connection(acme, access_token="at-1", account="person-1")
    answer = vend(backend, connection, end_user="alice")
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    body = answer.json()
    assert set(body) == {
        *("active", "connection", "binding", "grant", "credential", "version", "verified_at", "verified_by")
    }
    assert (body["active"], body["version"]) == (True, str(connection.current_version_id))
    credential = body["credential"]
    assert credential.pop("expires_at")
    assert credential == {
        "auth_method": "bearer",
        "value": "at-1",
        "token_type": "Bearer",
        "proxy_only": False,
        "notice": None,
        "scopes": ["profile.read", "files.read"],
        "missing_scopes": ["files.write"],
        "headers": {"Authorization": "Bearer at-1"},
        "query": {},
        "body": {},
        "base_url": "http://127.0.0.1:9",
        "params": {"issuer": "http://127.0.0.1:9"},
        "account": {"id": "person-1", "name": ""},
    }


def test_missing_are_the_scopes_that_were_asked_for_here_and_not_given(acme: Tenant, backend: Caller) -> None:
    make_connection(acme, end_user="bob", scopes=[], requested=["bobs"])
    connection = make_connection(acme, scopes=["granted", "unasked"], requested=["granted", "refused"])
    Scope.objects.create(connection=connection, name="seen", is_observed=True)
    answer = vend(backend, connection, end_user="alice").json()
    assert answer["credential"]["missing_scopes"] == ["refused"]


# --- Who may (F2) -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("end_user", ["bob", "ALICE", "alice ", "al%", None])
def test_an_end_users_connection_vends_for_that_end_user_alone(
    end_user: str | None, connection: Connection, backend: Caller
) -> None:
    refused = vend(backend, connection, **({} if end_user is None else {"end_user": end_user}))
    assert (refused.status_code, refused.json()["code"]) == (403, "policy_denied")
    assert "credential" not in refused.json()
    assert vend(backend, connection, end_user="alice").status_code == 200


def test_acting_without_a_user_is_a_permission_of_its_own(connection: Connection, acme: Tenant) -> None:
    robot = make_caller(acme, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER])
    assert vend(robot, connection).status_code == 200
    assert vend(robot, connection, end_user="bob").status_code == 403
    only = make_caller(acme, "only", [Permission.VEND_WITHOUT_USER])
    assert vend(only, connection).json()["code"] == "permission_denied"


def test_a_tenants_connection_vends_for_everybody_there_who_is_named(acme: Tenant, backend: Caller) -> None:
    connection = make_connection(acme, owner=OwnerKind.TENANT)
    assert vend(backend, connection, end_user="bob").status_code == 200
    nobody = vend(backend, connection)
    assert (nobody.status_code, nobody.json()["code"]) == (403, "policy_denied")
    robot = make_caller(acme, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER])
    assert vend(robot, connection).status_code == 200


def test_a_tenants_key_that_names_another_tenant_vends_nothing(
    connection: Connection, backend: Caller, globex: Tenant
) -> None:
    """The caller meant somebody else's: that its own connection has this id must not answer for it."""
    unknown = call(backend, "POST", f"/connections/{uuid.uuid4()}/credential", {"end_user": "alice"})
    for slug in ("globex", "nobody", ""):
        answer = vend(backend, connection, end_user="alice", tenant=slug)
        assert answer.status_code == (404 if slug else 422)
        if slug:
            assert answer.json() == unknown.json()
            assert vend_by_owner(backend, end_user="alice", tenant=slug).json() == unknown.json()
    assert vend(backend, connection, end_user="alice", tenant="acme").status_code == 200


def test_an_operator_wide_client_vends_where_it_names_the_tenant(connection: Connection, operator: Caller) -> None:
    assert vend(operator, connection, end_user="alice", tenant="acme").status_code == 200
    assert vend_by_owner(operator, end_user="alice", tenant="acme").status_code == 200
    assert vend(operator, connection, end_user="bob", tenant="acme").status_code == 403
    make_tenant("globex")
    assert vend(operator, connection, end_user="alice", tenant="globex").json()["code"] == "not_found"
    assert vend_by_owner(operator, end_user="alice", tenant="globex").json()["code"] == "not_found"
    assert vend(operator, connection, end_user="alice").status_code == 422


@pytest.mark.parametrize("tenant", ["acme", "globex", None])
def test_a_tenants_client_vends_nothing_of_another_tenant_whatever_it_names(
    tenant: str | None, connection: Connection, foreign_backend: Caller
) -> None:
    named = {} if tenant is None else {"tenant": tenant}
    answers = [
        vend(foreign_backend, connection, end_user="alice", **named),
        vend_by_owner(foreign_backend, end_user="alice", **named),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 2
    connection.refresh_from_db()
    assert connection.last_vended_at is None


# --- By owner ---------------------------------------------------------------------------------------------------------


def test_by_owner_finds_the_one_connection(acme: Tenant, connection: Connection, backend: Caller) -> None:
    others = [make_connection(acme, end_user="bob"), make_connection(acme, owner=OwnerKind.TENANT)]
    assert vend_by_owner(backend, end_user="alice").json()["connection"] == str(connection.id)
    robot = make_caller(acme, "robot", [Permission.VEND, Permission.VEND_WITHOUT_USER])
    assert vend_by_owner(robot).json()["connection"] == str(others[1].id)
    assert vend_by_owner(backend).json()["code"] == "policy_denied"
    assert vend_by_owner(backend, end_user="carol").json()["code"] == "not_found"
    assert vend_by_owner(backend, end_user="alice", provider="oidc").json()["code"] == "not_found"


def test_by_owner_prefers_what_works(acme: Tenant, backend: Caller) -> None:
    broken = make_connection(acme, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    assert vend_by_owner(backend, end_user="alice").json()["code"] == "reauthorization_required"
    Connection.objects.create(
        tenant=acme, provider_app=broken.provider_app, provider="sandbox", owner_kind="end_user", end_user="alice"
    )
    assert vend_by_owner(backend, end_user="alice").json()["code"] == "reauthorization_required"
    works = make_connection(acme)
    assert vend_by_owner(backend, end_user="alice").json()["connection"] == str(works.id)
    second = make_connection(acme)
    ambiguous = vend_by_owner(backend, end_user="alice")
    assert (ambiguous.status_code, ambiguous.json()["code"]) == (409, "ambiguous_connection")
    assert {choice["id"] for choice in ambiguous.json()["connections"]} == {str(works.id), str(second.id)}


def test_by_owner_tells_nothing_to_a_client_that_may_not_vend(
    acme: Tenant, connection: Connection, switch_off: Callable[[Suspendable], None]
) -> None:
    make_connection(acme)
    reader = make_caller(acme, "reader", [Permission.READ])
    stopped = make_caller(acme, "stopped")
    switch_off(stopped.client)
    for caller, status, code in ((reader, 403, "permission_denied"), (stopped, 423, "suspended")):
        for end_user in ("alice", "nobody"):
            answer = vend_by_owner(caller, end_user=end_user)
            assert (answer.status_code, answer.json()["code"]) == (status, code)
            assert "connections" not in answer.json()
            assert (last_audit().decision, last_audit().api_client_id) == (code, caller.client.id)


# --- Scopes and lifetime ----------------------------------------------------------------------------------------------


def test_scopes_are_asked_for_by_name_and_all_needed(connection: Connection, backend: Caller) -> None:
    for scopes, missing in (
        (["files.read"], []),
        (["files.read", "profile.read"], []),
        (["files.write"], ["files.write"]),
        (["files.read", "files", "FILES.READ"], ["files", "FILES.READ"]),
    ):
        answer = vend(backend, connection, end_user="alice", scopes=scopes)
        if missing:
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
            assert answer.json()["missing_scopes"] == missing
        else:
            assert answer.status_code == 200


def test_min_ttl_is_kept_to(connection: Connection, backend: Caller) -> None:
    expire_in(connection, 60, refreshable=False)
    assert vend(backend, connection, end_user="alice", min_ttl=30).status_code == 200
    too_long = vend(backend, connection, end_user="alice", min_ttl=90)
    assert (too_long.status_code, too_long.json()["code"]) == (422, "min_ttl_unavailable")
    assert 50 < too_long.json()["longest_seconds"] <= 60
    expire_in(connection, 3, refreshable=False)
    assert vend(backend, connection, end_user="alice").status_code == 200
    expire_in(connection, -1, refreshable=False)
    gone = vend(backend, connection, end_user="alice")
    assert (gone.status_code, gone.json()["code"], gone.json()["reason"]) == (
        409,
        "reauthorization_required",
        "expired",
    )


# --- Status -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "answer", "code"),
    [
        (Status.ACTIVE, Reason.RECONNECTED, 200, None),
        (Status.SUSPECT, Reason.REFRESH_REFUSED, 200, None),
        (Status.PENDING, Reason.AWAITING_CONFIRMATION, 409, "pending"),
        (Status.NEEDS_REAUTH, Reason.LOST_IN_FLIGHT, 409, "reauthorization_required"),
        (Status.REVOKED, Reason.REVOKED_BY_OPERATOR, 409, "reauthorization_required"),
        (Status.DISCONNECTED, Reason.DISCONNECTED_BY_REQUEST, 404, "not_found"),
    ],
)
def test_each_status_has_its_answer(
    status: Status, reason: Reason, answer: int, code: str | None, connection: Connection, backend: Caller
) -> None:
    overwrite(connection, status=status, reason=reason)
    given = vend(backend, connection, end_user="alice")
    assert (given.status_code, given.json().get("code")) == (answer, code)
    assert last_audit().decision == (code or "allowed")


def test_a_refusal_says_where_it_can_be_mended_on_the_tenants_page_or_on_ours(backend: Caller, acme: Tenant) -> None:
    connection = make_connection(acme, end_user="al/ice?x", status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    ours = vend(backend, connection, end_user="al/ice?x").json()["connect_url"]
    assert ours.startswith(f"{settings.PUBLIC_URL}/connect/mend/{connection.id}/")
    make_tenant("acme", reconnect_url="https://app.acme.example/mend/{connection}?as={end_user}&at={provider}")
    told = vend(backend, connection, end_user="al/ice?x").json()
    assert told["connect_url"] == f"https://app.acme.example/mend/{connection.id}?as=al%2Fice%3Fx&at=sandbox"
    assert told["reason"] == "grant_rejected"


# --- Kill switches (F5) -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("switch", ["tenant", "provider app", "API client", "connection"])
def test_a_kill_switch_acts_on_the_next_vend(
    switch: str, connection: Connection, backend: Caller, switch_off: Callable[[Suspendable], None]
) -> None:
    subjects: dict[str, Suspendable] = {
        "tenant": connection.tenant,
        "provider app": connection.provider_app,
        "API client": backend.client,
        "connection": connection,
    }
    assert vend(backend, connection, end_user="alice").status_code == 200
    switch_off(subjects[switch])
    for answer in (vend(backend, connection, end_user="alice"), vend_by_owner(backend, end_user="alice")):
        assert (answer.status_code, answer.json()["code"]) == (423, "suspended")
        assert last_audit().decision == "suspended"


def test_a_kill_switch_of_another_stops_nobody(
    connection: Connection, backend: Caller, globex: Tenant, switch_off: Callable[[Suspendable], None]
) -> None:
    for other in (globex, make_app(globex), make_caller(globex).client, make_connection(globex)):
        switch_off(other)
    assert vend(backend, connection, end_user="alice").status_code == 200
