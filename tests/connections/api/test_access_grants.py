"""Access grants over the API: given once, listed, revoked; and terms that contradict themselves."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.models import AccessGrant, AuditEvent, Connection, OutboxEvent, OwnerKind, Permission, Tenant
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import vend
from tests.factories import Caller, make_caller
from tests.flows import call

BOB = {"kind": "end_user", "id": "bob"}


@pytest.fixture
def granter(acme: Tenant) -> Caller:
    """A client of acme's that gives grants."""
    return make_caller(acme, "granter", [Permission.GRANT, Permission.READ])


def give(caller: Caller, **members: Any) -> Any:
    return call(caller, "POST", "/access-grants", {"subject": BOB, **members})


def listed(caller: Caller, query: str = "") -> list[str]:
    answer = call(caller, "GET", f"/access-grants{query}")
    assert answer.status_code == 200
    return [item["id"] for item in answer.json()["items"]]


def test_a_grant_says_who_may_do_what(connection: Connection, granter: Caller) -> None:
    until = (database_now() + timedelta(days=30)).isoformat()
    answer = give(
        granter,
        connection=str(connection.id),
        scopes=["files.read", "files.read"],
        readonly=True,
        paths=["/files/**"],
        expires_at=until,
        granted_by="alice",
        note="for the audit",
    )
    assert answer.status_code == 201
    body = answer.json()
    assert body == {
        "id": body["id"],
        "tenant": "acme",
        "subject": BOB,
        "connection": str(connection.id),
        "provider": None,
        "scopes": ["files.read"],
        "methods": ["GET", "HEAD"],
        "paths": ["/files/**"],
        "allows_vend": False,
        "needs_approval": False,
        "granted_by": "alice",
        "note": "for the audit",
        "state": "standing",
        "expires_at": body["expires_at"],
        "created_at": body["created_at"],
        "revoked_at": None,
    }
    assert call(granter, "GET", f"/access-grants/{body['id']}").json() == body
    row = AuditEvent.objects.get(action="access_grant.given")
    assert (row.api_client_id, row.connection_id, row.detail["grant"]) == (
        granter.client.id,
        connection.id,
        body["id"],
    )
    event = OutboxEvent.objects.get(type="access_grant.given")
    assert (event.connection_id, event.payload["subject"], event.payload["paths"]) == (
        connection.id,
        "bob",
        ["/files/**"],
    )


def test_no_limit_and_an_empty_limit_are_two_things(connection: Connection, granter: Caller) -> None:
    for limit in (None, []):
        body = give(granter, connection=str(connection.id), scopes=limit, methods=limit, paths=limit).json()
        assert [body[name] for name in ("scopes", "methods", "paths")] == [limit] * 3
    assert AccessGrant.objects.count() == 2


def test_the_same_terms_are_given_once(connection: Connection, granter: Caller) -> None:
    first = give(granter, provider="sandbox", methods=["GET", "POST"])
    again = give(granter, provider="sandbox", methods=["POST", "GET", "GET"], note="once more")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert give(granter, provider="sandbox", methods=["GET"]).status_code == 201
    assert AuditEvent.objects.filter(action="access_grant.given").count() == 2
    call(granter, "DELETE", f"/access-grants/{first.json()['id']}")
    anew = give(granter, provider="sandbox", methods=["GET", "POST"])
    assert (anew.status_code, anew.json()["id"] == first.json()["id"]) == (201, False)


def test_a_revoked_grant_stays_to_be_read(connection: Connection, granter: Caller) -> None:
    grant_id = give(granter, connection=str(connection.id)).json()["id"]
    for _ in "12":
        answer = call(granter, "DELETE", f"/access-grants/{grant_id}")
        assert (answer.status_code, answer.json()["state"]) == (200, "revoked")
    assert call(granter, "GET", f"/access-grants/{grant_id}").json() == answer.json()
    assert AuditEvent.objects.filter(action="access_grant.revoked").count() == 1
    assert OutboxEvent.objects.get(type="access_grant.revoked").payload["why"] == "by_request"


def test_grants_are_found_by_what_they_say(connection: Connection, granter: Caller, acme: Tenant) -> None:
    other = make_connection(acme, end_user="carol")
    ids = [
        give(granter, connection=str(connection.id)).json()["id"],
        give(granter, connection=str(other.id), granted_by="carol").json()["id"],
        give(granter, provider="sandbox", subject={"kind": "agent", "id": "bob"}).json()["id"],
    ]
    call(granter, "DELETE", f"/access-grants/{ids[1]}")
    assert listed(granter) == ids[::-1]
    assert listed(granter, "?subject=bob&subject_kind=agent") == [ids[2]]
    assert listed(granter, f"?connection={connection.id}") == [ids[0]]
    assert listed(granter, "?provider=sandbox") == [ids[2]]
    assert listed(granter, "?granted_by=carol") == [ids[1]]
    assert listed(granter, "?revoked=true") == [ids[1]]
    assert listed(granter, "?revoked=false") == [ids[2], ids[0]]


def test_pages_of_grants_miss_and_repeat_none(connection: Connection, granter: Caller) -> None:
    ids = {
        give(granter, provider="sandbox", subject={**BOB, "id": f"user-{number}"}).json()["id"] for number in "12345"
    }
    seen, cursor = [], ""
    while True:
        body = call(granter, "GET", f"/access-grants?limit=2{cursor}").json()
        seen += [item["id"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert (len(seen), set(seen)) == (5, ids)
    assert call(granter, "GET", "/access-grants?cursor=x").json()["field"] == "cursor"


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({}, "connection"),
        ({"connection": "{connection}", "provider": "sandbox"}, "connection"),
        ({"provider": "unheard-of"}, "provider"),
        ({"provider": "sandbox", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"provider": "sandbox", "expires_at": "2099-01-01T00:00:00"}, "expires_at"),
        ({"provider": "sandbox", "methods": ["get"]}, "methods.0"),
        ({"provider": "sandbox", "methods": ["TRACE"]}, "methods"),
        ({"provider": "sandbox", "methods": ["GET"], "readonly": True}, "readonly"),
        ({"provider": "sandbox", "paths": ["contacts"]}, "paths"),
        ({"provider": "sandbox", "paths": ["/a/../b"]}, "paths"),
        ({"provider": "sandbox", "scopes": ["two words"]}, "scopes.0"),
        ({"provider": "sandbox", "subject": {"kind": "api_client", "id": "backend"}}, "subject"),
        ({"provider": "sandbox", "subject": {"kind": "api_client", "id": uuid.uuid4().hex}}, "subject"),
        ({"provider": "sandbox", "subject": {"kind": "agent", "id": "a\u200bb"}}, "subject"),
        ({"provider": "sandbox", "subject": {"kind": "nobody", "id": "bob"}}, "subject.kind"),
    ],
)
def test_terms_that_cannot_be_met_are_refused(
    members: dict[str, Any], field: str, connection: Connection, granter: Caller
) -> None:
    told = {name: str(connection.id) if value == "{connection}" else value for name, value in members.items()}
    answer = give(granter, **told)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert not AccessGrant.objects.exists()


def test_a_client_gives_no_grant_to_itself(connection: Connection, granter: Caller, acme: Tenant) -> None:
    answer = give(granter, provider="sandbox", subject={"kind": "api_client", "id": str(granter.client.id)})
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (403, "policy_denied", "own_grant")
    another = {"kind": "api_client", "id": str(make_caller(acme, "another").client.id)}
    assert give(granter, provider="sandbox", subject=another).status_code == 201


def test_grants_name_nothing_of_another_tenant(granter: Caller, globex: Tenant, operator: Caller) -> None:
    theirs, client = make_connection(globex), make_caller(globex)
    for members in (
        {"connection": str(theirs.id)},
        {"connection": str(uuid.uuid4())},
        {"provider": "sandbox", "subject": {"kind": "api_client", "id": str(client.client.id)}},
        {"provider": "sandbox", "subject": {"kind": "api_client", "id": str(uuid.uuid4())}},
    ):
        assert (give(granter, **members).status_code, AccessGrant.objects.count()) == (404, 0)
    wide = {"kind": "api_client", "id": str(operator.client.id)}
    assert give(granter, provider="sandbox", subject=wide).status_code == 201


def test_no_grant_is_given_on_what_has_ended(connection: Connection, granter: Caller) -> None:
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    assert give(granter, connection=str(connection.id)).status_code == 404


# --- Sharing ----------------------------------------------------------------------------------------------------------


def test_who_answers_for_a_shared_connection_can_change(acme: Tenant, granter: Caller) -> None:
    shared = make_connection(acme, owner=OwnerKind.TENANT, granted_by="alice")
    for _ in "12":
        answer = call(granter, "PUT", f"/connections/{shared.id}/sharing", {"granted_by": "bob"})
        assert (answer.status_code, answer.json()["granted_by"]) == (200, "bob")
    event = OutboxEvent.objects.get(type="connection.shared")
    assert (event.payload["granted_by"], event.payload["granted_by_before"]) == ("bob", "alice")
    assert call(granter, "PUT", f"/connections/{shared.id}/sharing", {"granted_by": ""}).json()["granted_by"] is None


def test_nobody_answers_for_an_end_users_own_but_they(connection: Connection, granter: Caller) -> None:
    answer = call(granter, "PUT", f"/connections/{connection.id}/sharing", {"granted_by": "bob"})
    assert (answer.status_code, answer.json()["field"]) == (422, "granted_by")


def test_a_connection_can_be_kept_to_grants(connection: Connection, granter: Caller, backend: Caller) -> None:
    answer = call(granter, "PUT", f"/connections/{connection.id}/sharing", {"grants_only": True})
    assert answer.json()["grants_only"] is True
    assert vend(backend, connection, end_user="alice").json()["rule"] == "grant_needed"
    call(granter, "PUT", f"/connections/{connection.id}/sharing", {"grants_only": False})
    assert vend(backend, connection, end_user="alice").status_code == 200
    assert AuditEvent.objects.filter(action="connection.shared").count() == 2
