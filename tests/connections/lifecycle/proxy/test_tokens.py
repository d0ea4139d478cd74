"""Proxied calls of callers that bring a token in the place of a key, and for end users who are verified."""

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, distrust_issuer, trust_issuer
from connections.lifecycle.proxy.permit import ACTION
from connections.lifecycle.proxy.watch import still_on
from connections.models import (
    ApiClient,
    Approval,
    AuditEvent,
    Connection,
    IssuerUse,
    ProvenToken,
    Tenant,
    TrustedIssuer,
)
from tests.connections.api.grants import let
from tests.factories import Caller
from tests.issuing import IDP, Issuer
from tests.proxied import address_of, proxied
from tests.upstream import Upstream

IDENTITY = Issuer(IDP, "idp", "latchkey-acme", {"sub": "alice"})
CLUSTER = Issuer()


@pytest.fixture
def trusted(agent: Caller, acme: Tenant) -> TrustedIssuer:
    """acme's identity provider, and the operator's cluster, whose deployer is the agent."""
    user = Trust(IssuerUse.END_USER, IDENTITY.url, IDENTITY.audience, keys=IDENTITY.keys)
    trust_issuer(user, tenant=acme, actor=SYSTEM)
    caller = Trust(IssuerUse.CALLER, CLUSTER.url, CLUSTER.audience, keys=CLUSTER.keys)
    issuer = trust_issuer(caller, tenant=None, actor=SYSTEM)
    add_caller_rule(issuer, agent.client, [{"claim": "sub", "equals": CLUSTER.claims["sub"]}], actor=SYSTEM)
    return issuer


def rows() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=ACTION).order_by("id"))


@pytest.mark.usefixtures("trusted")
def test_a_token_proxies_as_its_client_for_a_verified_end_user(
    connection: Connection, agent: Caller, upstream: Upstream
) -> None:
    ApiClient.objects.update(demands_verified=True)
    who = Caller(agent.client, CLUSTER.token())
    proof = [("latchkey-end-user-token", IDENTITY.token())]
    answer = proxied(who, "GET", address_of(connection, "things"), end_user=None, headers=proof)
    assert answer.status == 200, answer.body
    (row,) = rows()
    assert (row.subject, row.detail["verified"]) == ("alice", {"end_user": IDP})
    assert row.detail["caller"] == {"issuer": CLUSTER.url, "subject": CLUSTER.claims["sub"]}
    sent = str(upstream.last)
    assert proof[0][1] not in sent
    assert who.key not in sent


@pytest.mark.usefixtures("trusted")
def test_a_word_is_not_enough_where_proof_is_demanded(
    connection: Connection, agent: Caller, upstream: Upstream
) -> None:
    ApiClient.objects.update(demands_verified=True)
    answer = proxied(agent, "GET", address_of(connection, "things"))
    assert (answer.status, answer.json()["rule"]) == (403, "unverified")
    assert upstream.seen == []


@pytest.mark.usefixtures("trusted")
def test_nor_is_it_enough_for_a_question_and_that_says_who_was_proven(
    connection: Connection, agent: Caller, upstream: Upstream
) -> None:
    let(connection, "bob", needs_approval=True)
    ApiClient.objects.update(demands_verified=True)
    answer = proxied(agent, "POST", address_of(connection, "pay"), end_user="bob")
    assert (answer.status, answer.json()["rule"]) == (403, "unverified")
    assert not Approval.objects.exists()
    proof = [("latchkey-end-user-token", IDENTITY.token(sub="bob"))]
    assert proxied(agent, "POST", address_of(connection, "pay"), end_user=None, headers=proof).status == 202
    proven = Approval.objects.get()
    assert (proven.end_user, proven.verified) == ("bob", {"end_user": IDP})
    assert proven.told()["verified"] == {"end_user": IDP}
    ApiClient.objects.update(demands_verified=False)
    decide_approval(proven.id, approves=True, by="carol", now=database_now(), actor=SYSTEM)
    named = proxied(agent, "POST", address_of(connection, "pay"), end_user="bob")
    assert named.refused == (202, "approval_required"), "what was approved for a proven bob is for no named one"
    assert upstream.seen == []


@pytest.mark.usefixtures("trusted")
def test_a_forged_token_reaches_nobody(connection: Connection, agent: Caller, upstream: Upstream) -> None:
    forged = Caller(agent.client, CLUSTER.token(key="stranger", header={"kid": CLUSTER.key}))
    assert proxied(forged, "GET", address_of(connection, "things")).status == 401
    spoilt = [("latchkey-end-user-token", IDENTITY.token(key="stranger", header={"kid": IDENTITY.key}))]
    answer = proxied(agent, "GET", address_of(connection, "things"), headers=spoilt, end_user=None)
    assert (answer.status, answer.json()["code"]) == (403, "identity_token_refused")
    assert upstream.seen == []


def test_a_call_under_way_ends_with_what_its_token_stood_on(
    connection: Connection, agent: Caller, trusted: TrustedIssuer
) -> None:
    proxied(Caller(agent.client, CLUSTER.token()), "GET", address_of(connection, "things"))
    passed = {bytes(token.token_hash) for token in ProvenToken.objects.all()}

    def goes_on() -> bool:
        on = still_on({connection.id}, passed, set())
        assert on is not None
        return set(on.keys) == passed

    assert goes_on()
    distrust_issuer(trusted, actor=SYSTEM)
    assert not goes_on()
