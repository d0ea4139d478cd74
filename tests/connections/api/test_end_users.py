"""An end user leaves: all that they had ends, or is handed over, or is forgotten, and a receipt says so."""

import time
import uuid
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal import audit
from connections.lifecycle.end import forget
from connections.lifecycle.end.offboard import continue_offboarding, continue_ordered
from connections.models import (
    AccessGrant,
    AuditEvent,
    Connection,
    ConnectSession,
    ManagementSession,
    Offboarding,
    OutboxEvent,
    OwnerKind,
    Permission,
    Revocation,
    SubjectKind,
    Tenant,
)
from tests.connections.admin.noted import act_on_what_is_of_alice
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import vend
from tests.factories import Caller, make_caller
from tests.flows import EndUser, call


def leave(caller: Caller, query: str = "", *, end_user: str = "alice") -> Any:
    return call(caller, "DELETE", f"/end-users/{end_user}{query}")


def revocations_end(outcome: Revocation = Revocation.CONFIRMED) -> None:
    """Do what the providers do meanwhile."""
    pending = Connection.objects.filter(revocation=Revocation.PENDING)
    pending.update(revocation=outcome, revocation_due_at=None, revocation_deadline_at=None)


def receipt(caller: Caller, answer: Any) -> Any:
    return call(caller, "GET", f"/offboardings/{answer.json()['id']}").json()


@pytest.fixture
def shared(acme: Tenant) -> Connection:
    """A connection of all of acme's that alice has made."""
    return make_connection(acme, owner=OwnerKind.TENANT, granted_by="alice", provider_account_name="Alice of Acme")


def test_all_that_they_have_is_listed(connection: Connection, shared: Connection, backend: Caller) -> None:
    bobs = make_connection(connection.tenant, end_user="bob")
    to_her, by_her = let(bobs, "alice"), let(connection, "bob", granted_by="alice")
    EndUser("alice", backend).invite()
    body = call(backend, "GET", "/end-users/alice").json()
    assert [item["id"] for item in body["connections"]] == [str(connection.id)]
    assert [item["id"] for item in body["answers_for"]] == [str(shared.id)]
    assert [item["id"] for item in body["grants"]] == [str(to_her.id)]
    assert [item["id"] for item in body["given"]] == [str(by_her.id)]
    assert (body["sessions"], body["offboarding"]) == (1, None)
    nobody = call(backend, "GET", "/end-users/nobody/at%2Fall").json()
    assert (nobody["end_user"], nobody["connections"], nobody["sessions"]) == ("nobody/at/all", [], 0)


def test_everything_of_theirs_ends_and_nothing_of_others(connection: Connection, backend: Caller) -> None:
    bobs = make_connection(connection.tenant, end_user="bob")
    to_her, to_bob = let(bobs, "alice"), let(connection, "bob")
    session = EndUser("alice", backend).invite()
    answer = leave(backend)
    body = answer.json()
    assert (answer.status_code, body["state"], body["done_at"]) == (202, "under_way", None)
    assert body["connections"] == [
        {
            "id": str(connection.id),
            "provider": "sandbox",
            "owner": "end_user",
            "act": "disconnected",
            "revocation": "pending",
        }
    ]
    assert body["grants"] == [str(to_her.id)]
    assert body["counts"] == {"connect_sessions_ended": 1}
    assert vend(backend, connection, end_user="alice").json()["code"] == "not_found"
    assert vend(backend, bobs, end_user="alice").json()["code"] == "policy_denied"
    assert vend(backend, bobs, end_user="bob").status_code == 200
    assert ConnectSession.objects.get(id=session.id).state == "failed"
    assert not AccessGrant.objects.standing().filter(id=to_bob.id).exists(), "it was on her connection"
    revocations_end()
    again = leave(backend)
    assert (again.status_code, again.json()["state"]) == (200, "done")
    assert again.json()["connections"][0]["revocation"] == "confirmed"
    assert receipt(backend, again) == again.json()
    assert OutboxEvent.objects.get(type="end_user.offboarded").payload["end_user"] == "alice"


def test_repeating_it_says_the_same_until_there_is_more_to_end(connection: Connection, backend: Caller) -> None:
    first = leave(backend).json()
    assert leave(backend).json() == first
    revocations_end()
    done = leave(backend).json()
    assert (done["id"], done["state"]) == (first["id"], "done")
    assert leave(backend).json() == done
    assert AuditEvent.objects.filter(action="end_user.offboard_ordered").count() == 1
    make_connection(connection.tenant)
    anew = leave(backend)
    assert (anew.status_code, anew.json()["id"] == first["id"]) == (202, False)


def test_who_has_nothing_has_left_at_once(acme: Tenant, backend: Caller) -> None:
    answer = leave(backend, end_user="zoe%40acme.example")
    assert (answer.status_code, answer.json()["state"], answer.json()["end_user"]) == (200, "done", "zoe@acme.example")


# --- What belongs to the whole tenant ---------------------------------------------------------------------------------


def test_shared_connections_are_not_ended_or_kept_by_silence(
    connection: Connection, shared: Connection, backend: Caller
) -> None:
    answer = leave(backend)
    assert (answer.status_code, answer.json()["field"], answer.json()["connections"]) == (
        422,
        "shared",
        [str(shared.id)],
    )
    assert vend(backend, connection, end_user="alice").status_code == 200, "nothing was done"
    assert not Offboarding.objects.exists()


@pytest.mark.parametrize(("query", "answers"), [("&hand_over_to=bob", "bob"), ("", "")])
def test_shared_connections_are_handed_over(shared: Connection, backend: Caller, query: str, answers: str) -> None:
    answer = leave(backend, f"?shared=hand_over{query}")
    body = answer.json()
    assert (answer.status_code, body["handed_over_to"]) == (200, answers or None)
    assert [(item["act"], item["revocation"]) for item in body["connections"]] == [("handed_over", "")]
    shared.refresh_from_db()
    assert (shared.granted_by, shared.status) == (answers, "active")
    assert vend(backend, shared, end_user="bob").status_code == 200
    assert OutboxEvent.objects.get(type="connection.shared").payload["granted_by_before"] == "alice"


@pytest.mark.parametrize(("query", "answers"), [("&hand_over_to=bob", "bob"), ("", "")])
def test_so_are_the_grants_that_they_gave(shared: Connection, backend: Caller, query: str, answers: str) -> None:
    on_it, twice = let(shared, "dora", granted_by="alice"), let(shared, "eve", granted_by="alice")
    wide = let(shared, "dora", provider="sandbox", granted_by="alice")
    stays = let(shared, "eve", granted_by=answers)
    assert leave(backend, f"?shared=hand_over{query}").status_code == 200
    standing = AccessGrant.objects.standing().filter(subject__in=["dora", "eve"])
    assert dict(standing.values_list("id", "granted_by")) == dict.fromkeys((on_it.id, wide.id, stays.id), answers)
    assert Offboarding.objects.get().grants == [str(twice.id)]
    assert AuditEvent.objects.filter(action="access_grant.handed_over").count() == 2
    on_it.refresh_from_db()
    before = bytes(on_it.terms)
    on_it.seal_terms()
    assert on_it.terms == before


def test_or_the_grants_end_too(shared: Connection, backend: Caller) -> None:
    let(shared, "dora", provider="sandbox", granted_by="alice")
    let(shared, "dora", provider="sandbox", granted_by="bob")
    leave(backend, "?shared=end")
    assert [grant.granted_by for grant in AccessGrant.objects.standing()] == ["bob"]


def test_or_they_end(shared: Connection, backend: Caller) -> None:
    answer = leave(backend, "?shared=end")
    assert [(item["act"], item["revocation"]) for item in answer.json()["connections"]] == [("ended", "pending")]
    assert vend(backend, shared, end_user="bob").json()["code"] == "not_found"
    revocations_end()
    assert leave(backend).status_code == 200


@pytest.mark.parametrize(
    "query", ["?hand_over_to=bob", "?shared=end&hand_over_to=bob", "?shared=hand_over&hand_over_to=alice"]
)
def test_a_hand_over_that_makes_no_sense_is_refused(shared: Connection, backend: Caller, query: str) -> None:
    answer = leave(backend, query)
    assert (answer.status_code, answer.json()["field"]) == (422, "hand_over_to")


# --- A killed process -------------------------------------------------------------------------------------------------


def test_what_a_killed_process_did_is_on_the_receipt(connection: Connection, backend: Caller) -> None:
    for name in ("one", "two"):
        make_connection(connection.tenant, account=name)
    with transaction.atomic():
        ordered = Offboarding.objects.create(
            tenant=connection.tenant, end_user="alice", mode="offboard", ordered_at=database_now()
        )
    stopped = continue_offboarding(ordered.id, now=database_now(), give_up_at=time.monotonic())
    assert len(stopped.connections) == 3, "it is written down before it is done"
    assert Connection.objects.filter(status="disconnected").count() == 0
    revocations_end()
    assert continue_ordered(now=database_now()) == 0
    revocations_end()
    assert continue_ordered(now=database_now()) == 1
    done = Offboarding.objects.get(id=ordered.id)
    assert [item["revocation"] for item in done.connections.values()] == ["confirmed"] * 3


def test_a_connection_that_comes_meanwhile_ends_too(connection: Connection, backend: Caller) -> None:
    leave(backend)
    late = make_connection(connection.tenant, account="late")
    assert continue_ordered(now=database_now()) == 0
    late.refresh_from_db()
    assert late.status == "disconnected"
    revocations_end()
    assert continue_ordered(now=database_now()) == 1
    assert set(Offboarding.objects.get().connections) == {str(connection.id), str(late.id)}


# --- Erasure ----------------------------------------------------------------------------------------------------------


def tell_much_of_alice(connection: Connection, backend: Caller) -> None:
    vend(backend, connection, end_user="alice", purpose="report")
    by_browser = audit.Actor(subject="alice", address="192.0.2.7")
    audit.record("connect_session.started", actor=by_browser, connection=connection)
    EndUser("alice", backend).invite()
    let(connection, "bob", granted_by="alice", note="Alice says so")
    let(make_connection(connection.tenant, end_user="bob"), "alice", note="Alice of Acme")
    now = database_now()
    ManagementSession.objects.create(
        tenant=connection.tenant,
        api_client=backend.client,
        end_user="alice",
        return_url="https://app.acme.example/",
        token_hash=b"token",
        expires_at=now,
    )


def everything_stored() -> str:
    """Return every row of every table, as text."""
    rows = []
    with database.cursor() as cursor:
        cursor.execute("SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT to_jsonb("{table}")::text FROM "{table}"')
            rows += [f"{table}: {row}" for (row,) in cursor.fetchall()]
    return "\n".join(rows)


def test_an_erasure_leaves_no_trace_of_them_and_a_readable_trail(connection: Connection, backend: Caller) -> None:
    Connection.objects.filter(id=connection.id).update(label="Alice's", provider_account_name="alice@acme.example")
    tell_much_of_alice(connection, backend)
    act_on_what_is_of_alice(connection)
    before = AuditEvent.objects.count()
    subjects = AuditEvent.objects.filter(subject="alice").count()
    assert subjects >= 2
    answer = leave(backend, "?mode=erase")
    assert (answer.status_code, answer.json()["state"], answer.json()["end_user"]) == (202, "under_way", "alice")
    assert Connection.objects.filter(id=connection.id).exists(), "the provider has to revoke it first"
    revocations_end()
    assert continue_ordered(now=database_now()) == 1
    told = receipt(backend, answer)
    assert (told["state"], told["connections"][0]["revocation"]) == ("done", "confirmed")
    pseudonym = told["end_user"]
    assert pseudonym.startswith("erased-")
    stored = everything_stored()
    for trace in ("alice", "Alice", "192.0.2.7"):
        assert trace not in stored, [line for line in stored.splitlines() if trace in line]
    assert AuditEvent.objects.count() > before
    assert AuditEvent.objects.filter(subject=pseudonym).count() == subjects
    vended = AuditEvent.objects.get(action="credential.vend", decision="allowed")
    assert (vended.subject, vended.purpose, vended.api_client_id) == (pseudonym, "report", backend.client.id)
    assert told["counts"]["connections_deleted"] == 1
    assert told["counts"]["audit_rows_renamed"] > subjects
    assert OutboxEvent.objects.get(type="end_user.offboarded").payload["end_user"] == pseudonym


def test_who_is_named_again_after_an_erasure_is_erased_again(
    connection: Connection, shared: Connection, backend: Caller
) -> None:
    assert leave(backend, "?mode=erase&shared=hand_over").status_code == 202
    revocations_end()
    first = leave(backend, "?mode=erase").json()
    assert first["state"] == "done"
    assert vend(backend, shared, end_user="alice").status_code == 200, "a caller vouches for whom it names"
    assert AuditEvent.objects.filter(subject="alice").exists()
    again = leave(backend, "?mode=erase").json()
    assert (again["state"], again["end_user"] == first["end_user"]) == ("done", False)
    assert "alice" not in everything_stored()


def test_an_erasure_touches_nothing_of_anybody_else(
    connection: Connection, backend: Caller, globex: Tenant, foreign_backend: Caller
) -> None:
    bobs, theirs = make_connection(connection.tenant, end_user="bob"), make_connection(globex, end_user="alice")
    vend(backend, bobs, end_user="bob")
    vend(foreign_backend, theirs, end_user="alice")
    let(theirs, "alice")
    rows = [
        AuditEvent.objects.filter(subject="bob"),
        AuditEvent.objects.filter(tenant_id=globex.id),
        OutboxEvent.objects.filter(tenant_id=globex.id),
        AccessGrant.objects.filter(tenant=globex),
        Connection.objects.filter(id__in=[bobs.id, theirs.id]),
    ]
    before = [str(list(found.order_by("pk").values())) for found in rows]
    leave(backend, "?mode=erase")
    revocations_end()
    assert leave(backend, "?mode=erase").json()["state"] == "done"
    assert [str(list(found.order_by("pk").values())) for found in rows] == before


def test_what_is_handed_over_in_an_erasure_loses_the_name_of_their_account(shared: Connection, backend: Caller) -> None:
    account = shared.provider_account_id
    assert leave(backend, "?mode=erase&shared=hand_over&hand_over_to=bob").json()["state"] == "done"
    shared.refresh_from_db()
    assert (shared.granted_by, shared.provider_account_name, shared.provider_account_id) == ("bob", "", account)
    assert "alice" not in everything_stored().lower()


def test_an_erasure_deepens_an_offboarding_under_way(connection: Connection, backend: Caller) -> None:
    first = leave(backend).json()
    second = leave(backend, "?mode=erase").json()
    assert (second["id"], second["mode"]) == (first["id"], "erase")
    assert leave(backend).json()["mode"] == "erase"
    revocations_end()
    assert continue_ordered(now=database_now()) == 1
    assert "alice" not in everything_stored()


def test_one_who_has_left_can_still_be_erased(connection: Connection, backend: Caller) -> None:
    left = leave(backend).json()
    revocations_end()
    leave(backend)
    erased = leave(backend, "?mode=erase").json()
    assert (erased["state"], erased["id"] == left["id"]) == ("done", False)
    assert receipt(backend, leave(backend, end_user="zoe"))["state"] == "done"
    assert call(backend, "GET", f"/offboardings/{left['id']}").json()["end_user"] == erased["end_user"]
    assert "alice" not in everything_stored()


def test_a_long_trail_is_renamed_window_by_window(
    connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forget, "WINDOW", 2)
    for _ in range(7):
        audit.record("connect_session.started", actor=audit.Actor(subject="alice"), connection=connection)
    leave(backend, "?mode=erase")
    revocations_end()
    (row,) = Offboarding.objects.all()
    assert not forget.forget(row, give_up_at=time.monotonic(), now=database_now())
    assert AuditEvent.objects.filter(subject="alice").count() == 7
    assert continue_ordered(now=database_now()) == 1
    assert not AuditEvent.objects.filter(subject="alice").exists()
    assert AuditEvent.objects.filter(action="end_user.erase").count() == 1


@pytest.mark.parametrize("ordered", ["nothing", "another tenant's", "of something else", "two days ago"])
def test_no_statement_renames_the_trail_without_an_order_that_stays(
    connection: Connection, globex: Tenant, ordered: str
) -> None:
    row = audit.record("credential.vend", actor=audit.Actor(subject="alice"), connection=connection)
    order = AuditEvent.objects.create(
        action="connection.status" if ordered == "of something else" else "end_user.erase",
        decision="allowed",
        tenant_id=globex.id if ordered == "another tenant's" else connection.tenant_id,
        detail={"pseudonym": "erased-1"},
        **({"at": database_now().replace(year=2020)} if ordered == "two days ago" else {}),
    )
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        change(row, None if ordered == "nothing" else order, subject="erased-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "bob"},
        {"subject": "erased-1", "decision": "allowed, really"},
        {"subject": "erased-1", "detail": {"grant": "g-2", "subject": "alice"}},
        {"subject": "erased-1", "detail": {"grant": "g-1", "subject": "bob"}},
        {"subject": "erased-1", "detail": {"grant": "g-1"}},
        {"subject": "erased-1", "detail": {"grant": "g-1", "subject": "alice", "end_user": "erased-1"}},
        {"subject": "erased-1", "address": "192.0.2.8"},
        {"subject": "erased-1", "purpose": ""},
        {"subject": "erased-1", "tenant_id": None},
        {"subject": "erased-1", "at": None},
    ],
)
def test_an_order_lets_nothing_but_the_name_change(connection: Connection, changes: dict[str, Any]) -> None:
    alice = audit.Actor(subject="alice", address="192.0.2.7", purpose="report")
    row = audit.record("x", actor=alice, connection=connection, detail={"grant": "g-1", "subject": "alice"})
    order = audit.record("end_user.erase", tenant_id=connection.tenant_id, detail={"pseudonym": "erased-1"})
    if "at" in changes:
        changes = {**changes, "at": database_now()}
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        change(row, order, **changes)
    others = audit.record("x", actor=audit.Actor(subject="bob"), connection=connection)
    with pytest.raises((ProgrammingError, IntegrityError), match="append-only"):
        change(others, order, subject="erased-1")
    change(row, order, subject="erased-1", address=None, detail={"grant": "g-1", "subject": "erased-1"})


@transaction.atomic
def change(row: AuditEvent, order: AuditEvent | None, **values: Any) -> None:
    """Do what whoever can run statements as Latchkey does."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('latchkey.audit_erasure', %s, true), set_config('latchkey.audit_erased', 'alice', true)",
            [str(order.id) if order is not None else ""],
        )
    AuditEvent.objects.filter(id=row.id).update(**values)


def test_a_receipt_is_read_with_the_right_to_read(connection: Connection, acme: Tenant, backend: Caller) -> None:
    told = leave(backend).json()
    manager = make_caller(acme, "manager", [Permission.MANAGE])
    assert call(manager, "GET", f"/offboardings/{told['id']}").json()["code"] == "permission_denied"
    assert call(backend, "GET", f"/offboardings/{uuid.uuid4()}").status_code == 404


def test_a_grant_to_an_agent_of_the_same_name_stays(connection: Connection, backend: Caller) -> None:
    agents = let(connection, "bob", SubjectKind.AGENT)
    assert leave(backend, end_user="bob").status_code == 200
    assert AccessGrant.objects.standing().get() == agents
