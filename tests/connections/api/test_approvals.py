"""A grant that needs an approval for each thing: asked with a 202, answered by somebody else, done as it was asked."""

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from django.test import Client

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy import approve
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.policy.revoke import revoke_grant
from connections.models import ApiClient, Approval, AuditEvent, Connection, OutboxEvent, OwnerKind, Permission, Tenant
from tests.connections.admin.conftest import messages_of, olga, press_url
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.stored import make_app, make_connection
from tests.connections.api.vending import last_audit, vend
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, upstream

__all__ = ["olga", "upstream"]


@pytest.fixture
def approver(acme: Tenant) -> Caller:
    """A client of acme's that answers."""
    return make_caller(acme, "approver", [Permission.GRANT, Permission.READ])


def asked(answer: Any) -> str:
    """Return the id of the question that an answer tells of."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (202, "approval_required")
    assert (last_audit().decision, last_audit().detail["approval"]) == ("approval_required", body["approval"])
    found: str = body["approval"]
    return found


def answered(caller: Caller, approval_id: str, verdict: str, **members: Any) -> Any:
    return call(caller, "POST", f"/approvals/{approval_id}/{verdict}", {"decided_by": "carol", **members})


def test_what_was_asked_is_done_once_it_is_approved(connection: Connection, backend: Caller, approver: Caller) -> None:
    grant = let(connection, needs_approval=True)
    question = {"end_user": "bob", "purpose": "report", "agent": "crm"}
    first = vend(backend, connection, **question)
    approval_id = asked(first)
    body = first.json()
    assert body["grant"] == str(grant.id)
    assert f"/connect/approve/{approval_id}/" in body["approve_url"]
    assert asked(vend(backend, connection, **question)) == approval_id, "it is asked once"
    told = answered(approver, approval_id, "approve").json()
    assert (told["state"], told["once"], told["decided_by"], told["purpose"]) == ("approved", True, "carol", "report")
    vended = vend(backend, connection, **question)
    assert (vended.status_code, vended.json()["grant"]) == (200, str(grant.id))
    assert last_audit().detail == {"grant": str(grant.id), "approval": approval_id}
    assert call(approver, "GET", f"/approvals/{approval_id}").json()["state"] == "used"
    assert asked(vend(backend, connection, **question)) != approval_id, "one time is one time"
    row = AuditEvent.objects.get(action="approval.decided")
    assert (row.decision, row.detail["decided_by"], row.detail["purpose"]) == ("approved", "carol", "report")
    assert OutboxEvent.objects.filter(type="approval.requested").count() == 2
    assert OutboxEvent.objects.get(type="approval.approved").payload["approval"] == approval_id


@pytest.mark.parametrize(
    "other",
    [
        {"end_user": "bob", "purpose": "another"},
        {"end_user": "bob", "purpose": "report", "agent": "crm"},
        {"end_user": "bob", "purpose": "report", "scopes": ["files.read"]},
    ],
)
def test_and_nothing_else(connection: Connection, backend: Caller, approver: Caller, other: dict[str, Any]) -> None:
    let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob", purpose="report"))
    answered(approver, approval_id, "approve", until=in_seconds(3600).isoformat())
    assert asked(vend(backend, connection, **other)) != approval_id
    another = make_caller(connection.tenant, "another")
    assert asked(vend(another, connection, end_user="bob", purpose="report")) != approval_id
    assert vend(backend, connection, end_user="bob", purpose="report").status_code == 200


def test_until_a_moment_it_may_be_done_again(connection: Connection, backend: Caller, approver: Caller) -> None:
    grant = let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob"))
    answered(approver, approval_id, "approve", until=in_seconds(3600).isoformat())
    assert [vend(backend, connection, end_user="bob").status_code for _ in "123"] == [200] * 3
    Approval.objects.filter(id=approval_id).update(good_until=in_seconds(-60))
    assert asked(vend(backend, connection, end_user="bob")) != approval_id
    revoke_grant(grant.id, now=database_now(), actor=SYSTEM)
    assert vend(backend, connection, end_user="bob").json()["rule"] == "other_user"


def test_what_is_denied_stays_denied_until_the_question_expires(
    connection: Connection, backend: Caller, approver: Caller
) -> None:
    let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob"))
    assert answered(approver, approval_id, "deny").json()["state"] == "denied"
    answer = vend(backend, connection, end_user="bob")
    assert (answer.status_code, answer.json()["rule"], answer.json()["approval"]) == (
        403,
        "approval_denied",
        approval_id,
    )
    late = answered(approver, approval_id, "approve")
    assert (late.status_code, late.json()["field"]) == (422, "approval")
    assert answered(approver, approval_id, "deny").status_code == 200, "the same answer may be repeated"
    Approval.objects.update(expires_at=in_seconds(-60))
    assert asked(vend(backend, connection, end_user="bob")) != approval_id


def test_a_question_and_an_answer_expire(connection: Connection, backend: Caller, approver: Caller) -> None:
    let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob"))
    Approval.objects.filter(id=approval_id).update(expires_at=in_seconds(-60))
    late = answered(approver, approval_id, "approve")
    assert (late.status_code, call(approver, "GET", f"/approvals/{approval_id}").json()["state"]) == (422, "expired")
    anew = asked(vend(backend, connection, end_user="bob"))
    answered(approver, anew, "approve")
    Approval.objects.filter(id=anew).update(good_until=in_seconds(-60))
    assert asked(vend(backend, connection, end_user="bob")) not in (approval_id, anew)


def test_nobody_approves_by_a_client_whose_keys_they_may_issue(acme: Tenant, connection: Connection) -> None:
    asker = make_caller(acme, "asker", [Permission.VEND, Permission.GRANT, Permission.READ, Permission.CALLERS])
    puppet = make_caller(acme, "puppet", [Permission.GRANT, Permission.READ])
    other = make_caller(acme, "other", [Permission.GRANT, Permission.READ, Permission.MANAGE])
    let(connection, needs_approval=True)
    approval_id = asked(vend(asker, connection, end_user="bob"))
    for verdict in ("approve", "deny"):
        answer = answered(puppet, approval_id, verdict)
        assert (answer.status_code, answer.json()["rule"]) == (403, "own_approval")
    assert answered(other, approval_id, "approve").json()["state"] == "approved", "it may do what the asker may not"


def test_nobody_approves_what_they_have_asked_for(connection: Connection, backend: Caller) -> None:
    let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob"))
    assert answered(backend, approval_id, "approve").json()["code"] == "permission_denied"
    permissions = [*backend.client.permissions, Permission.GRANT]
    ApiClient.objects.filter(id=backend.client.id).update(permissions=permissions)
    for verdict in ("approve", "deny"):
        answer = answered(backend, approval_id, verdict)
        assert (answer.status_code, answer.json()["rule"]) == (403, "own_approval")
    assert Approval.objects.get().state(now=database_now()) == "pending"


def test_a_race_for_one_approval_has_one_winner(connection: Connection, backend: Caller) -> None:
    let(connection, needs_approval=True)
    approval_id = asked(vend(backend, connection, end_user="bob"))
    row = Approval.objects.get(id=approval_id)
    decide_approval(row.id, approves=True, by="carol", now=database_now(), actor=SYSTEM)
    now = database_now()
    assert [approve.spend(row.id, now=now) for _ in "123"] == [True, False, False]


def test_a_grant_that_needs_no_approval_comes_first(connection: Connection, backend: Caller) -> None:
    let(connection, needs_approval=True)
    plain = let(connection)
    assert vend(backend, connection, end_user="bob").json()["grant"] == str(plain.id)
    assert not Approval.objects.exists()


def test_questions_do_not_pile_up(connection: Connection, backend: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approve, "MOST_AWAITED", 2)
    let(connection, needs_approval=True)
    for purpose in "12":
        asked(vend(backend, connection, end_user="bob", purpose=purpose))
    answer = vend(backend, connection, end_user="bob", purpose="3")
    assert (answer.status_code, answer.json()["rule"]) == (403, "too_many_approvals")
    Approval.objects.update(expires_at=in_seconds(-60))
    asked(vend(backend, connection, end_user="bob", purpose="3"))


def test_questions_are_listed(connection: Connection, backend: Caller, approver: Caller) -> None:
    grant = let(connection, needs_approval=True)
    ids = [asked(vend(backend, connection, end_user="bob", purpose=purpose)) for purpose in "123"]
    answered(approver, ids[0], "deny")

    def listed(query: str) -> list[str]:
        return [item["id"] for item in call(approver, "GET", f"/approvals?{query}").json()["items"]]

    assert set(listed("")) == set(ids)
    assert set(listed(f"decided=false&grant={grant.id}&connection={connection.id}")) == set(ids[1:])
    assert listed("decided=true") == [ids[0]]


def test_an_operator_approves_where_the_link_leads(acme: Tenant, backend: Caller, olga: Client) -> None:
    connection = make_connection(acme, owner=OwnerKind.TENANT, grants_only=True)
    let(connection, needs_approval=True)
    answer = vend(backend, connection, end_user="bob", purpose="report")
    approval = Approval.objects.get(id=asked(answer))
    page = olga.get(
        answer.json()["approve_url"].removeprefix("http://testserver").partition("/admin/")[2].join(["/admin/", ""])
    )
    for shown in ("bob", "report", "Approve once", "Deny"):
        assert shown in page.content.decode()
    assert "one time" in olga.get(press_url(approval, "approve")).content.decode()
    assert "Approved" in messages_of(olga.post(press_url(approval, "approve"), follow=True))[0]
    assert vend(backend, connection, end_user="bob", purpose="report").status_code == 200
    row = AuditEvent.objects.get(action="approval.decided")
    assert (row.operator, row.detail["decided_by"]) == ("olga", "olga")


# --- Proxied requests -------------------------------------------------------------------------------------------------


@pytest.fixture
def agent(acme: Tenant) -> Caller:
    """A client that may proxy whatever a grant lets it."""
    caller = make_caller(acme, "agent", [Permission.PROXY])
    ApiClient.objects.filter(id=caller.client.id).update(proxy_rules=["* * /**"])
    return caller


def test_a_proxied_request_is_approved_by_method_and_path(
    acme: Tenant, agent: Caller, approver: Caller, upstream: Upstream
) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)

    def send(method: str, path: str) -> Any:
        return proxied(agent, method, address_of(connection, path), end_user="bob")

    first = send("POST", "contacts")
    assert first.refused == (202, "approval_required")
    assert upstream.seen == []
    told = answered(approver, first.json()["approval"], "approve").json()
    assert (told["action"], told["method"], told["path"]) == ("proxy", "POST", "/contacts")
    assert send("POST", "deals").refused == (202, "approval_required")
    assert send("PUT", "contacts").refused == (202, "approval_required")
    assert send("POST", "contacts").status == 200
    assert len(upstream.seen) == 1
    assert send("POST", "contacts").refused == (202, "approval_required")
    row = AuditEvent.objects.filter(action="connection.proxy", decision="allowed").get()
    assert row.detail["approval"] == told["id"]


def test_a_proxied_request_is_approved_with_its_query_and_body(
    acme: Tenant, agent: Caller, approver: Caller, upstream: Upstream
) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)

    def send(body: Any = b'{"amount": 1}', query: str = "to=carol") -> Any:
        return proxied(agent, "POST", address_of(connection, "pay"), end_user="bob", body=body, query=query)

    async def streamed(*parts: bytes) -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    first = send()
    assert first.refused == (202, "approval_required")
    told = answered(approver, first.json()["approval"], "approve").json()
    digest = hashlib.sha256(b'{"amount": 1}').hexdigest()
    assert (told["path"], told["query"], told["body_sha256"]) == ("/pay", "to=carol", digest)
    others = [send(b'{"amount": 1000}'), send(query="to=mallory"), send(None), send(query=""), send(streamed(b"{}"))]
    assert {reply.refused for reply in others} == {(202, "approval_required")}
    assert len({reply.json()["approval"] for reply in others} | {told["id"]}) == 6
    assert upstream.seen == []
    assert send(streamed(b'{"amount"', b": 1}")).status == 200
    assert (upstream.last.target, upstream.last.body) == ("/pay?to=carol", b'{"amount": 1}')
    decided = AuditEvent.objects.get(action="approval.decided")
    assert decided.detail["body_sha256"] == digest
    assert "carol" not in str([row.detail for row in AuditEvent.objects.filter(action="approval.requested")])


def test_a_proxied_request_is_approved_with_the_headers_that_say_what_it_does(
    acme: Tenant, agent: Caller, approver: Caller, upstream: Upstream
) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)
    meant = {"x-amz-target": "Db.DescribeTable", "content-type": "application/json", "x-for": "acct-1"}

    def send(**changes: str | None) -> Any:
        named = {name.replace("_", "-"): value for name, value in changes.items()}
        headers = [(name, value) for name, value in {**meant, **named}.items() if value is not None]
        return proxied(agent, "POST", address_of(connection), end_user="bob", body=b"{}", headers=headers)

    first = send()
    told = answered(approver, first.json()["approval"], "approve").json()
    digest = hashlib.sha256(b"acct-1").hexdigest()
    assert told["headers"] == {**meant, "x-for": f"sha256:{digest}"}
    others = [
        send(x_amz_target="Db.DeleteTable"),
        send(content_type="text/xml"),
        send(x_for="acct-2"),
        send(x_for=None),
        send(if_match='"1"'),
        send(stripe_account="acct_2"),
    ]
    assert {reply.refused for reply in others} == {(202, "approval_required")}
    assert len({reply.json()["approval"] for reply in others} | {told["id"]}) == 7
    assert upstream.seen == []
    unlike = {"user_agent": "another/2", "traceparent": "00-2", "idempotency_key": "k2", "accept": "application/json"}
    assert send(**unlike, cookie="a=b", x_forwarded_for="192.0.2.1").status == 200
    assert upstream.last.one("x-amz-target") == "Db.DescribeTable"
    rows = AuditEvent.objects.filter(action="approval.decided")
    assert [row.detail["headers"] for row in rows] == [told["headers"]]


def test_headers_that_are_no_http_are_refused_and_not_asked_about(
    acme: Tenant, agent: Caller, upstream: Upstream
) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)
    for headers in ([("x-a(b", "1")], [("stripe-account", "x" * 2001)], [(f"x-{n}", "1") for n in range(101)]):
        answer = proxied(agent, "POST", address_of(connection, "pay"), end_user="bob", headers=headers)
        assert (*answer.refused, answer.json()["field"]) == (422, "invalid_request", "headers")
    assert not Approval.objects.exists()


def test_nothing_is_asked_that_the_proxy_rules_refuse_anyway(acme: Tenant, upstream: Upstream) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)
    narrow = make_caller(acme, "narrow", [Permission.PROXY], proxy_rules=["* GET /files/**"])
    answer = proxied(narrow, "POST", address_of(connection, "pay"), end_user="bob")
    assert (answer.refused, answer.json()["rule"]) == ((403, "policy_denied"), "proxy_rules")
    assert not Approval.objects.exists()


def test_what_is_too_large_to_be_approved_is_refused(acme: Tenant, agent: Caller, upstream: Upstream) -> None:
    connection = make_connection(acme, app=make_app(acme, params={"issuer": upstream.url}))
    let(connection, needs_approval=True)
    address = address_of(connection, "pay")
    assert proxied(agent, "POST", address, end_user="bob", body=b"x" * 70_000).refused == (413, "request_too_large")
    assert proxied(agent, "POST", address, end_user="bob", query="x" * 2001).refused == (422, "invalid_request")
    assert not Approval.objects.exists()
    assert upstream.seen == []
