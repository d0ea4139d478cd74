"""Who may use the endpoint, and for whom: the rules are the proxy's, and what they refuse is told to nobody else."""

from collections.abc import Callable
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.models import ApiClient, ApiKey, AuditEvent, Connection, IssuerUse, Permission, Restriction, Tenant
from tests.connections.api.mcp.conftest import make_agent
from tests.connections.api.mcp.speaking import ask, post, request, use
from tests.connections.api.vending import vend
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.issuing import CLUSTER, IDP, Issuer
from tests.proxied import address_of, proxied
from tests.upstream import Upstream, ok


@pytest.mark.parametrize("method", ["initialize", "ping", "tools/list", "tools/call", "notifications/initialized"])
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer lk_nobody", "Basic bGs6eA==", "lk_x", "Bearer a.b.c"]
)
def test_nobody_gets_a_word_without_a_key(authorization: str, method: str, acme: Tenant) -> None:
    message = request(method, {"name": "list_connections"})
    answer = post(None, message, headers={"authorization": authorization} if authorization else {})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer["WWW-Authenticate"] == 'Bearer realm="latchkey"'


def test_a_key_that_has_ended_is_refused_and_the_trail_says_so(agent: Caller) -> None:
    assert ask(agent, "ping")["result"] == {}
    ApiKey.objects.update(revoked_at=database_now())
    assert post(agent, request("ping")).status_code == 401
    assert AuditEvent.objects.filter(action="api_key.refused", decision="revoked").exists()


def test_the_right_to_proxy_is_what_it_takes(acme: Tenant) -> None:
    every = [permission for permission in Permission if permission is not Permission.PROXY]
    for message in (request("ping"), request("tools/list"), request("initialize")):
        answer = post(make_caller(None, f"x{message['method']}", every), message)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


def test_a_suspended_client_is_refused(agent: Caller, switch_off: Callable[[Any], None]) -> None:
    switch_off(agent.client)
    answer = post(agent, request("ping"))
    assert (answer.status_code, answer.json()["code"]) == (423, "suspended")


def test_a_client_calls_from_its_networks_alone(agent: Caller) -> None:
    ApiClient.objects.update(networks=["10.0.0.0/8"])
    assert post(agent, request("ping")).status_code == 401


TOOLS = [
    ("list_connections", {}),
    ("list_providers", {}),
    ("get_connect_link", {"provider": "sandbox"}),
    ("get_approval", {"approval": "00000000-0000-4000-8000-000000000007"}),
]


@pytest.mark.parametrize("name", ["call_provider", *(tool for tool, _ in TOOLS)])
def test_a_client_that_is_slowed_down_uses_tools_at_its_pace(
    agent: Caller, connection: Connection, upstream: Upstream, settings: Any, name: str
) -> None:
    """Each use counts once, also where the proxy makes a call of it."""
    settings.THROTTLED_USES_PER_MINUTE = 2
    agent.client.restrict(Restriction.THROTTLED)
    upstream.answers(ok(b"{}", "Content-Type: application/json"))
    arguments = {"connection": str(connection.id), "path": "a"} if name == "call_provider" else dict(TOOLS)[name]
    for _ in range(2):
        used = use(agent, name, **arguments)
        assert not used.is_error or used.code != "throttled", used.structured
    assert use(agent, name, **arguments).code == "throttled"


@pytest.mark.parametrize(("tool", "arguments"), [*TOOLS, ("call_provider", {"path": "a"})])
def test_a_client_s_own_tenant_is_the_only_one(
    tool: str, arguments: dict[str, Any], agent: Caller, globex: Tenant, connection: Connection, upstream: Upstream
) -> None:
    if tool == "call_provider":
        arguments = {**arguments, "connection": str(connection.id)}
    theirs = use(agent, tool, said={"latchkey-tenant": "globex"}, **arguments)
    nobodys = use(agent, tool, said={"latchkey-tenant": "initech"}, **arguments)
    assert theirs.code == "not_found"
    assert theirs == nobodys
    assert upstream.seen == []


@pytest.mark.parametrize(("tool", "arguments"), [*TOOLS, ("call_provider", {"path": "a"})])
def test_an_operator_wide_client_names_the_tenant(
    tool: str, arguments: dict[str, Any], acme: Tenant, connection: Connection, upstream: Upstream
) -> None:
    if tool == "call_provider":
        arguments = {**arguments, "connection": str(connection.id)}
    wide = make_agent(None, "* * /**", name="wide")
    refused = use(wide, tool, **arguments)
    assert (refused.code, refused.structured["field"]) == ("invalid_request", "tenant")
    assert upstream.seen == []
    named = use(wide, tool, said={"latchkey-tenant": "acme"}, **arguments)
    assert named.is_error is (tool == "get_approval")


@pytest.mark.parametrize(("tool", "arguments"), TOOLS)
def test_a_suspended_tenant_has_nothing(
    tool: str, arguments: dict[str, Any], agent: Caller, acme: Tenant, switch_off: Callable[[Any], None]
) -> None:
    switch_off(acme)
    assert use(agent, tool, **arguments).code == "suspended"


@pytest.fixture
def idp(acme: Tenant) -> Issuer:
    issuer = Issuer(IDP, "idp", "latchkey-acme", {"sub": "idp|1", "uid": "alice", "groups": ["sales"]})
    terms = Trust(
        use=IssuerUse.END_USER,
        issuer=issuer.url,
        audience=issuer.audience,
        keys=issuer.keys,
        claim="uid",
        groups_claim="groups",
    )
    trust_issuer(terms, tenant=acme, actor=SYSTEM)
    return issuer


@pytest.mark.parametrize("tool", ["list_connections", "call_provider"])
def test_where_proof_is_demanded_a_word_is_not_enough(
    tool: str, agent: Caller, connection: Connection, idp: Issuer, upstream: Upstream
) -> None:
    ApiClient.objects.update(demands_verified=True)
    arguments = {} if tool == "list_connections" else {"connection": str(connection.id), "path": "a"}
    said = use(agent, tool, **arguments)
    assert (said.code, said.structured["rule"]) == ("policy_denied", "unverified")
    assert upstream.seen == []
    proven = use(agent, tool, said={"latchkey-end-user-token": idp.token()}, **arguments)
    assert not proven.is_error
    assert idp.token() not in str(AuditEvent.objects.values_list())


def test_a_token_that_is_not_believed_leads_nowhere(agent: Caller, connection: Connection, idp: Issuer) -> None:
    token = idp.token(aud="somebody else")
    refused = use(agent, "list_connections", said={"latchkey-end-user-token": token})
    assert refused.code == "identity_token_refused"
    row = AuditEvent.objects.get(action="mcp.call")
    assert (row.decision, row.detail["why"]) == ("identity_token_refused", "unknown")
    other = use(agent, "list_connections", said={"latchkey-end-user-token": idp.token(), "latchkey-end-user": "bob"})
    assert (other.code, other.structured["field"]) == ("invalid_request", "end_user")


def test_a_token_for_this_endpoint_is_good_for_no_other(
    agent: Caller, connection: Connection, upstream: Upstream, settings: Any
) -> None:
    cluster, permissions = Issuer(), [*Permission]
    ApiClient.objects.filter(id=agent.client.id).update(permissions=permissions)
    for audience in (here := f"{settings.API_URL}/mcp", "latchkey"):
        terms = Trust(use=IssuerUse.CALLER, issuer=CLUSTER, audience=audience, keys=cluster.keys)
        issuer = trust_issuer(terms, tenant=None, actor=SYSTEM)
        add_caller_rule(issuer, agent.client, [{"claim": "sub", "equals": cluster.claims["sub"]}], actor=SYSTEM)

    def codes(token: str) -> list[int]:
        who = Caller(agent.client, token)
        return [
            proxied(who, "GET", address_of(connection, "a")).status,
            vend(who, connection, end_user="alice").status_code,
            call(who, "GET", "/connections").status_code,
            call(who, "POST", "/access-grants", {}).status_code,
        ]

    of_this = cluster.token(aud=here)
    assert ask(Caller(agent.client, of_this), "ping")["result"] == {}
    assert not use(Caller(agent.client, of_this), "call_provider", connection=str(connection.id), path="a").is_error
    assert codes(of_this) == [401] * 4, "although it was proven a moment ago"
    assert codes(cluster.token(aud=["latchkey", here])) == [200, 200, 200, 422]
    assert ask(Caller(agent.client, cluster.token(aud="latchkey")), "ping")["result"] == {}


def test_a_workload_s_token_does_for_a_key(agent: Caller, connection: Connection, upstream: Upstream) -> None:
    cluster = Issuer()
    terms = Trust(use=IssuerUse.CALLER, issuer=CLUSTER, audience=cluster.audience, keys=cluster.keys)
    issuer = trust_issuer(terms, tenant=None, actor=SYSTEM)
    add_caller_rule(issuer, agent.client, [{"claim": "sub", "equals": cluster.claims["sub"]}], actor=SYSTEM)
    workload = Caller(agent.client, cluster.token())
    assert ask(workload, "ping")["result"] == {}
    assert not use(workload, "call_provider", connection=str(connection.id), path="a").is_error
    assert AuditEvent.objects.get(action="connection.proxy").detail["caller"]["issuer"] == CLUSTER
