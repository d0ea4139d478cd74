"""The tools that read: who sees which connections, and which link heals what. Nobody sees another tenant's things."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from connections.models import (
    AuditEvent,
    Connection,
    ConnectSession,
    ManagementSession,
    OwnerKind,
    Permission,
    Reason,
    Status,
    SubjectKind,
    Tenant,
)
from tests.connections.api.grants import in_seconds, let
from tests.connections.api.mcp.conftest import SECRET, make_agent
from tests.connections.api.mcp.speaking import Returned, use
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.factories import Caller, make_caller
from tests.upstream import Upstream

OPERATOR_WIDE = (Permission.TENANTS, Permission.CATALOGUE)
BOB = {"latchkey-end-user": "bob"}


def listed(caller: Caller, end_user: str = "alice", headers: Any = None, **arguments: Any) -> list[str]:
    answer = use(caller, "list_connections", said={"latchkey-end-user": end_user, **(headers or {})}, **arguments)
    assert not answer.is_error, answer.structured
    return [item["id"] for item in answer.structured["connections"]]


def test_a_connection_is_told_with_what_it_is_for(agent: Caller, connection: Connection) -> None:
    overwrite(connection, label="work", provider_account_name="alice@example.com")
    answer = use(agent, "list_connections")
    [told] = answer.structured["connections"]
    assert told == {
        "id": str(connection.id),
        "provider": "sandbox",
        "name": told["name"],
        "category": told["category"],
        "label": "work",
        "account": "alice@example.com",
        "shared": False,
        "works": True,
        "status": "active",
        "reason": "connected",
        "connect_url": None,
        "base_url": told["base_url"],
        "docs_url": told["docs_url"],
        "may_call": [
            {
                "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
                "path": "/**",
                "needs_approval": False,
                "until": None,
            }
        ],
    }
    assert json.loads(answer.text) == answer.structured
    assert SECRET not in str(answer)


def test_an_end_user_sees_their_own_and_the_tenant_s(agent: Caller, acme: Tenant, connection: Connection) -> None:
    shared = make_connection(acme, owner=OwnerKind.TENANT)
    bobs = make_connection(acme, end_user="bob")
    assert set(listed(agent)) == {str(connection.id), str(shared.id)}
    assert set(listed(agent, "bob")) == {str(bobs.id), str(shared.id)}
    assert set(listed(agent, "Alice")) == {str(shared.id)}


@pytest.mark.parametrize("status", [Status.DISCONNECTED, Status.PENDING])
def test_what_is_gone_or_not_confirmed_is_not_there(status: Status, agent: Caller, connection: Connection) -> None:
    reason = {Status.DISCONNECTED: Reason.DISCONNECTED_BY_REQUEST, Status.PENDING: Reason.AWAITING_CONFIRMATION}[status]
    overwrite(connection, status=status, reason=reason)
    assert listed(agent) == []


def test_nobody_sees_another_tenant_s(
    connection: Connection, globex: Tenant, agent: Caller, upstream: Upstream
) -> None:
    theirs = make_connection(globex, app=make_app(globex, params={"issuer": upstream.url}))
    stranger = make_agent(globex, "* * /**", name="stranger")
    assert listed(stranger) == [str(theirs.id)]
    assert listed(agent) == [str(connection.id)]
    for id_ in (str(theirs.id), "00000000-0000-4000-8000-000000000007"):
        foreign = use(agent, "get_connect_link", connection=id_)
        assert (foreign.code, foreign.structured) == (
            "not_found",
            {"code": "not_found", "detail": "There is no such connection."},
        )
        assert use(agent, "call_provider", connection=id_, path="a").code == "not_found"
    assert upstream.seen == []


def test_acting_without_a_user_is_a_permission_of_its_own(acme: Tenant, connection: Connection, agent: Caller) -> None:
    shared = make_connection(acme, owner=OwnerKind.TENANT)
    trusted = make_agent(acme, "* * /**", name="trusted", further=(Permission.VEND_WITHOUT_USER,))

    def without_user(caller: Caller) -> set[str]:
        told = use(caller, "list_connections", said=_nobody()).structured
        return {item["id"] for item in told["connections"]}

    assert without_user(agent) == set()
    assert without_user(trusted) == {str(connection.id), str(shared.id)}


def _nobody() -> Any:
    """Headers without an end user. The client of the tests names alice where nothing else is said."""
    return {"latchkey-end-user": None}


@pytest.mark.parametrize(
    ("kind", "subject", "headers"),
    [
        (SubjectKind.END_USER, "bob", {}),
        (SubjectKind.GROUP, "sales", {"latchkey-groups": "eu, sales"}),
        (SubjectKind.AGENT, "crm", {"latchkey-agent": "crm"}),
    ],
)
def test_a_grant_shows_whom_it_names_what_it_allows(
    kind: SubjectKind, subject: str, headers: Any, acme: Tenant, agent: Caller, connection: Connection
) -> None:
    assert listed(agent, "bob", headers) == []
    let(connection, subject, kind, methods=["GET"], paths=["/crm/**"], needs_approval=True, expires_at=in_seconds(60))
    answer = use(agent, "list_connections", said={"latchkey-end-user": "bob", **headers})
    [told] = answer.structured["connections"]
    [way] = told["may_call"]
    assert (told["shared"], way["methods"], way["path"], way["needs_approval"]) == (True, ["GET"], "/crm/**", True)
    assert way["until"]
    assert listed(agent, "carol") == []


@pytest.mark.parametrize(
    ("limits", "rules", "ways"),
    [
        ({"paths": ["/a/*"]}, [], [(["*"], "/a/*")]),
        ({"paths": ["/a/*"]}, ["* * /**"], [(["*"], "/a/*")]),
        ({"paths": ["/**"], "methods": ["GET", "POST"]}, ["sandbox readonly /b/**"], [(["GET"], "/b/**")]),
        ({}, ["sandbox GET /b"], [(["GET"], "/b")]),
        ({}, [], []),
        ({"paths": ["/a"]}, ["sandbox GET /b"], []),
        ({"paths": ["/a"]}, ["hubspot GET /a"], []),
        ({"methods": ["POST"]}, ["sandbox readonly /**"], []),
        ({"paths": []}, ["* * /**"], []),
        ({"scopes": ["files.read"]}, ["* * /**"], []),
        ({"scopes": ["files.read"], "paths": ["/a"]}, ["* GET /**"], [(["GET"], "/a")]),
    ],
)
def test_what_a_grant_allows_is_narrowed_by_the_client_s_rules(
    limits: Any, rules: list[str], ways: Any, acme: Tenant, connection: Connection
) -> None:
    agent = make_agent(acme, *rules)
    let(connection, "bob", **limits)
    told = use(agent, "list_connections", said=BOB).structured["connections"]
    found = [(way["methods"], way["path"]) for item in told for way in item["may_call"]]
    every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    assert found == [(every if methods == ["*"] else methods, path) for methods, path in ways]


def test_a_grant_that_ended_shows_nothing(agent: Caller, connection: Connection) -> None:
    grant = let(connection, "bob", expires_at=in_seconds(60))
    assert listed(agent, "bob")
    grant.created_at, grant.expires_at = in_seconds(-60), in_seconds(-1)
    grant.save()
    assert listed(agent, "bob") == []


def test_its_own_connection_is_hidden_where_it_is_used_under_grants_only(agent: Caller, connection: Connection) -> None:
    overwrite(connection, grants_only=True)
    assert listed(agent) == []
    let(connection, "alice", paths=["/**"])
    assert listed(agent) == [str(connection.id)]


def test_pages_follow_on_each_other(agent: Caller, acme: Tenant, connection: Connection) -> None:
    made = {str(make_connection(acme).id) for _ in range(4)} | {str(connection.id)}
    seen: list[str] = []
    cursor = None
    for _ in range(3):
        told = use(agent, "list_connections", limit=2, **({} if cursor is None else {"cursor": cursor})).structured
        seen += [item["id"] for item in told["connections"]]
        cursor = told["next"]
    assert (set(seen), len(seen), cursor) == (made, 5, None)
    assert use(agent, "list_connections", cursor="x").code == "invalid_request"
    assert listed(agent, provider="hubspot") == []


def test_one_that_is_switched_off_does_not_work(
    agent: Caller, connection: Connection, switch_off: Callable[[Any], None]
) -> None:
    switch_off(connection)
    [told] = use(agent, "list_connections").structured["connections"]
    assert (told["works"], told["reason"]) == (False, "switched_off")


def break_(connection: Connection) -> None:
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)


def test_a_broken_one_has_the_link_that_mends_it(agent: Caller, acme: Tenant, connection: Connection) -> None:
    break_(connection)
    [told] = use(agent, "list_connections").structured["connections"]
    assert told["works"] is False
    assert told["connect_url"].startswith(f"http://testserver/connect/mend/{connection.id}/")
    link = use(agent, "get_connect_link", connection=str(connection.id)).structured
    assert (link["connect_url"], link["leads_to"]) == (told["connect_url"], "latchkey")
    acme.reconnect_url = "https://app.acme.example/c?c={connection}&p={provider}&u={end_user}"
    acme.save()
    link = use(agent, "get_connect_link", connection=str(connection.id)).structured
    assert link["connect_url"] == f"https://app.acme.example/c?c={connection.id}&p=sandbox&u=alice"
    assert link["leads_to"] == "product"


def test_a_call_on_a_broken_one_is_refused_with_that_link(agent: Caller, connection: Connection) -> None:
    break_(connection)
    refused = use(agent, "call_provider", connection=str(connection.id), path="a")
    assert refused.code == "reauthorization_required"
    assert refused.structured["connect_url"] in refused.text


def test_a_new_account_is_connected_on_the_product_s_page(agent: Caller, acme: Tenant, connection: Connection) -> None:
    link = use(agent, "get_connect_link", provider="sandbox").structured
    assert (link["connect_url"], link["leads_to"]) == ("https://app.acme.example/", "product")
    acme.reconnect_url = "https://app.acme.example/c?c={connection}&p={provider}&u={end_user}"
    acme.save()
    link = use(agent, "get_connect_link", provider="sandbox").structured
    assert link["connect_url"] == "https://app.acme.example/c?c=&p=sandbox&u=alice"


def test_a_link_gives_nobody_a_way_to_plant_an_account(acme: Tenant, connection: Connection) -> None:
    """Whoever holds a session's link could begin what another person then finishes. So no tool makes one."""
    everything = [permission for permission in Permission if permission not in OPERATOR_WIDE]
    mighty = make_caller(acme, "mighty", everything, allows_unbound=True, proxy_rules=["* * /**"])
    for arguments in ({"provider": "sandbox"}, {"connection": str(connection.id)}):
        assert not use(mighty, "get_connect_link", **arguments).is_error
    assert not ConnectSession.objects.exists()
    assert not ManagementSession.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"provider": "sandbox", "connection": "00000000-0000-4000-8000-000000000007"},
        {"provider": "hubspot"},
        {"provider": "nobody"},
        {"provider": ""},
        {"provider": "sandbox", "return_url": "https://evil.example/"},
        {"provider": "sandbox", "end_user": "bob"},
        {"connection": "nope"},
    ],
)
def test_a_link_to_nowhere_is_refused(arguments: Any, agent: Caller, connection: Connection) -> None:
    assert use(agent, "get_connect_link", **arguments).code == "invalid_request"


def test_the_providers_are_those_of_the_tenant(
    agent: Caller, acme: Tenant, globex: Tenant, connection: Connection
) -> None:
    make_app(globex, provider="hubspot", params={})
    told = use(agent, "list_providers").structured["providers"]
    assert [(item["provider"], item["connected"]) for item in told] == [("sandbox", True)]
    assert use(agent, "list_providers", said=BOB).structured["providers"][0]["connected"] is False
    assert use(agent, "list_providers", query="no such thing").structured == {"providers": []}


def asked_for(agent: Caller, connection: Connection, **more: Any) -> Returned:
    return use(agent, "call_provider", said=BOB, connection=str(connection.id), path="a", **more)


def test_an_approval_is_asked_for_and_looked_at(
    agent: Caller, acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    from tests.flows import call

    let(connection, "bob", needs_approval=True)
    refused = asked_for(agent, connection)
    assert (refused.code, refused.is_error) == ("approval_required", True)
    assert refused.structured["approve_url"] in refused.text
    id_ = refused.structured["approval"]
    assert upstream.seen == []
    state = use(agent, "get_approval", said=BOB, approval=id_).structured
    assert (state["state"], state["approve_url"]) == ("pending", refused.structured["approve_url"])
    # Neither another end user nor another client learns of it.
    assert use(agent, "get_approval", approval=id_).code == "not_found"
    other = make_agent(acme, "* * /**", name="other")
    assert use(other, "get_approval", said=BOB, approval=id_).code == "not_found"

    backend = make_caller(acme, "approver", [Permission.GRANT, Permission.READ])
    assert call(backend, "POST", f"/approvals/{id_}/approve", {"decided_by": "alice"}).status_code == 200
    assert use(agent, "get_approval", said=BOB, approval=id_).structured["state"] == "approved"
    assert asked_for(agent, connection, purpose="something else").code == "approval_required"
    assert not asked_for(agent, connection).is_error
    assert len(upstream.seen) == 1
    assert use(agent, "get_approval", said=BOB, approval=id_).structured["state"] == "used"


def test_reading_leaves_nothing_behind(agent: Caller, connection: Connection) -> None:
    before = AuditEvent.objects.count()
    listed(agent)
    use(agent, "list_providers")
    assert AuditEvent.objects.count() == before
