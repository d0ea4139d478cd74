"""What an operator does by the API beside: to one connection and to sessions, in the catalogue, in the audit trail."""

from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.models import REASONS_OF, AuditEvent, Connection, Permission, Status, Tenant
from tests.connections.api.own_entries import ENTRY
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.factories import BACKEND, Caller, make_caller
from tests.flows import EndUser, call

# --- One connection ---------------------------------------------------------------------------------------------------


def test_a_connection_is_paused_and_stopped_and_started_operator_wide(connection: Connection, backend: Caller) -> None:
    path, chief = f"/connections/{connection.id}/switches", make_caller(None, "chief", BACKEND)
    shown = call(backend, "PUT", path, {"paused": True, "suspended": True}).json()
    assert (shown["paused"], shown["suspended"]) == (True, True)
    vend = call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice"})
    assert vend.status_code == 423
    traces = AuditEvent.objects.count()
    assert call(backend, "PUT", path, {"paused": True, "suspended": True}).status_code == 200
    assert AuditEvent.objects.count() == traces
    assert call(backend, "PUT", path, {"suspended": False}).status_code == 403
    shown = call(chief, "PUT", f"{path}?tenant=acme", {"suspended": False, "paused": False}).json()
    assert (shown["paused"], shown["suspended"]) == (False, False)


def test_a_revoked_connection_can_be_connected_anew(connection: Connection, backend: Caller) -> None:
    done = call(backend, "POST", f"/connections/{connection.id}/revoke").json()
    assert (done["outcome"], done["connection"]["status"]) == ("revoked", "revoked")
    assert call(backend, "POST", f"/connections/{connection.id}/revoke").json()["outcome"] == "nothing_changed"
    assert EndUser("alice", backend).invite(connection=str(connection.id)).token


_ACTS = [
    ("POST", "revoke", {}),
    ("POST", "reread", {}),
    ("POST", "discard-answer", {}),
    ("POST", "release", {}),
    ("PUT", "switches", {"paused": True}),
    ("PUT", "switches", {"suspended": True}),
    ("DELETE", "", {}),
]


@pytest.mark.parametrize(("method", "act", "body"), _ACTS)
@pytest.mark.parametrize("status", Status)
def test_an_act_on_a_connection_in_any_status_is_done_or_refused(
    method: str, act: str, body: dict[str, bool], status: Status, acme: Tenant, backend: Caller
) -> None:
    row = make_connection(acme)
    overwrite(row, status=status, reason=REASONS_OF[status][0])
    answer = call(backend, method, f"/connections/{row.id}/{act}".rstrip("/"), body)
    is_refused = (status, act) == (Status.PENDING, "revoke")
    assert (answer.status_code == 409) is is_refused
    assert answer.status_code < 500
    if is_refused:
        assert answer.json()["code"] == "pending"


def test_there_may_be_no_kept_answer(connection: Connection, backend: Caller) -> None:
    for act in ("reread", "discard-answer"):
        assert call(backend, "POST", f"/connections/{connection.id}/{act}").json()["outcome"] == "nothing"


# --- Sessions ---------------------------------------------------------------------------------------------------------


def test_sessions_are_shown_without_their_tokens(acme: Tenant, backend: Caller) -> None:
    make_app(acme)
    invited = EndUser("alice", backend).invite()
    EndUser("bob", backend).invite()
    (shown,) = call(backend, "GET", "/connect-sessions?end_user=alice&state=created").json()["items"]
    assert (shown["id"], shown["state"], shown["end_user"]) == (invited.id, "created", "alice")
    one = call(backend, "GET", f"/connect-sessions/{invited.id}")
    assert one.json() == shown
    assert invited.token not in one.content.decode()
    assert call(backend, "GET", "/connect-sessions?state=completed").json()["items"] == []


def test_a_visit_is_shown_and_ended(acme: Tenant, backend: Caller) -> None:
    body = {"end_user": "alice", "return_url": "https://app.acme.example/connected"}
    begun = call(backend, "POST", "/management-sessions", body).json()
    (shown,) = call(backend, "GET", "/management-sessions?end_user=alice").json()["items"]
    assert (shown["id"], shown["state"]) == (begun["id"], "invited")
    assert begun["token"] not in str(shown)
    for _ in range(2):
        assert call(backend, "DELETE", f"/management-sessions/{begun['id']}").json()["state"] == "ended"
    assert AuditEvent.objects.filter(action="management_session.ended").count() == 1
    assert call(backend, "GET", "/management-sessions?end_user=bob").json()["items"] == []


# --- The audit trail --------------------------------------------------------------------------------------------------


def test_a_tenant_reads_its_own_rows_and_an_operator_all(acme: Tenant, globex: Tenant) -> None:
    auditor = make_caller(acme, "auditor", [Permission.AUDIT])
    chief = make_caller(None, "chief", [Permission.AUDIT])
    mine = call(auditor, "GET", "/audit-events").json()["items"]
    assert mine
    assert {row["tenant"] for row in mine} == {str(acme.id)}
    everything = call(chief, "GET", "/audit-events").json()["items"]
    assert {row["tenant"] for row in everything} == {str(acme.id), str(globex.id), None}
    assert call(chief, "GET", "/audit-events?tenant=acme").json()["items"] == mine
    assert call(make_caller(acme, "reader", [Permission.READ]), "GET", "/audit-events").status_code == 403


def test_rows_are_found_by_what_they_say_and_read_in_pages(connection: Connection, backend: Caller) -> None:
    auditor = make_caller(connection.tenant, "auditor", [Permission.AUDIT])
    make_connection(connection.tenant, end_user="bob")
    for _ in range(3):
        call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "alice", "agent": "robot"})
    call(backend, "POST", f"/connections/{connection.id}/credential", {"end_user": "mallory"})
    path = f"/audit-events?connection={connection.id}&action=credential.vend"
    rows = call(auditor, "GET", path).json()["items"]
    assert [row["decision"] == "allowed" for row in rows] == [False, True, True, True]
    assert (rows[1]["agent"], rows[1]["client"]) == ("robot", str(backend.client.id))
    now = database_now()
    for more, count in (
        ("&decision=allowed", 3),
        ("&subject=mallory", 1),
        (f"&client={backend.client.id}", 4),
        ("&operator=olga", 0),
    ):
        assert len(call(auditor, "GET", path + more).json()["items"]) == count, more
    later = (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert call(auditor, "GET", f"{path}&since={later}").json()["items"] == []
    assert len(call(auditor, "GET", f"{path}&until={later}").json()["items"]) == 4
    first = call(auditor, "GET", f"{path}&limit=3").json()
    rest = call(auditor, "GET", f"{path}&limit=3&cursor={first['next']}").json()
    assert (first["items"] + rest["items"], rest["next"]) == (rows, None)
    assert call(auditor, "GET", f"/audit-events?cursor={first['next']}").json()["field"] == "cursor"


# --- Entries of the operator's own ------------------------------------------------------------------------------------


def test_an_entry_is_described_changed_and_removed(editor: Caller, acme: Tenant) -> None:
    made = call(editor, "PUT", "/own-providers/acme-erp", {"toml": ENTRY})
    assert made.status_code == 200, made.content
    assert made.json()["toml"].strip() == ENTRY.strip()
    assert call(editor, "GET", "/providers/acme-erp?tenant=acme").json()["name"] == "Acme ERP"
    traces = AuditEvent.objects.count()
    assert call(editor, "PUT", "/own-providers/acme-erp", {"toml": ENTRY}).json() == made.json()
    assert AuditEvent.objects.count() == traces
    assert call(editor, "GET", "/own-providers").json()["items"] == [made.json()]
    call(editor, "PUT", "/own-providers/acme-erp", {"toml": ENTRY.replace("Acme ERP", "Acme ERP 2")})
    assert call(editor, "GET", "/providers/acme-erp?tenant=acme").json()["name"] == "Acme ERP 2"
    assert call(editor, "DELETE", "/own-providers/acme-erp").status_code == 204
    assert call(editor, "DELETE", "/own-providers/acme-erp").status_code == 404
    assert [row.action for row in AuditEvent.objects.filter(action__startswith="own_provider").order_by("id")] == [
        "own_provider.added",
        "own_provider.changed",
        "own_provider.removed",
    ]


def test_an_entry_with_mistakes_is_refused_in_the_command_s_words(editor: Caller) -> None:
    answer = call(editor, "PUT", "/own-providers/acme-erp", {"toml": ENTRY.replace("website", "web")})
    assert (answer.status_code, answer.json()["field"]) == (422, "toml")
    assert any("web" in problem for problem in answer.json()["problems"])
    assert call(editor, "GET", "/own-providers").json()["items"] == []


def test_an_entry_that_hides_a_built_in_one_takes_a_word(editor: Caller) -> None:
    refused = call(editor, "PUT", "/own-providers/hubspot", {"toml": ENTRY})
    assert (refused.status_code, refused.json()["field"]) == (422, "confirm")
    assert call(editor, "PUT", "/own-providers/hubspot", {"toml": ENTRY, "confirm": True}).status_code == 200


def test_an_entry_in_use_stays(editor: Caller, acme: Tenant) -> None:
    call(editor, "PUT", "/own-providers/acme-erp", {"toml": ENTRY})
    assert call(editor, "PUT", "/shared-provider-apps/acme-erp", {}).status_code == 200
    assert call(editor, "GET", "/own-providers/acme-erp").json()["used_by"]["provider_apps"] == 1
    refused = call(editor, "DELETE", "/own-providers/acme-erp")
    assert (refused.status_code, refused.json()["field"]) == (422, "slug")


def test_only_operator_wide_clients_describe_providers(acme: Tenant, editor: Caller) -> None:
    own = make_caller(acme, "own", [Permission.READ])
    for method, path, body in (("GET", "/own-providers", None), ("PUT", "/own-providers/x", {"toml": ENTRY})):
        assert call(own, method, path, body).status_code == 403
    assert call(editor, "GET", "/own-providers/..").status_code == 404
