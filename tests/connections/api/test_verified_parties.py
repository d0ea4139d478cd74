"""For whom a client calls: what it says itself, and what the tokens of an identity provider prove."""

from typing import Any

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.models import (
    ApiClient,
    AuditEvent,
    Connection,
    IssuerUse,
    OwnerKind,
    SubjectKind,
    Tenant,
    TrustedIssuer,
)
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import last_audit, vend, vend_by_owner
from tests.factories import Caller, make_caller
from tests.issuing import IDP, Issuer

NOT_BELIEVED = (
    "The token is not believed: its issuer, audience, lifetime and signature have to be those that are trusted for this"
    " tenant."
)
AGENTS = "https://agents.acme.example"


@pytest.fixture
def idp() -> Issuer:
    """acme's identity provider, and alice who is logged in there."""
    return Issuer(IDP, "idp", "latchkey-acme", {"sub": "idp|1", "uid": "alice", "groups": ["sales", "eu"]})


@pytest.fixture
def agents() -> Issuer:
    return Issuer(AGENTS, "agents", "latchkey-acme", {"sub": "crm-agent"})


def trust(issuer: Issuer, tenant: Tenant | None, use: IssuerUse = IssuerUse.END_USER, **changes: Any) -> TrustedIssuer:
    terms = {"use": use, "issuer": issuer.url, "audience": issuer.audience, "keys": issuer.keys, **changes}
    return trust_issuer(Trust(**terms), tenant=tenant, actor=SYSTEM)


@pytest.fixture(autouse=True)
def _trusted(idp: Issuer, agents: Issuer, acme: Tenant) -> None:
    trust(idp, acme, claim="uid", groups_claim="groups")
    trust(agents, acme, IssuerUse.AGENT)


@pytest.fixture
def demanding(backend: Caller) -> Caller:
    ApiClient.objects.filter(id=backend.client.id).update(demands_verified=True)
    return backend


def assert_denied(answer: Any, *, rule: str = "unverified") -> None:
    assert (answer.status_code, answer.json()["code"], answer.json()["rule"]) == (403, "policy_denied", rule)
    row = last_audit()
    assert (row.decision, row.detail.get("rule")) == ("policy_denied", rule)


def assert_disbelieved(answer: Any, why: str, field: str = "end_user_token") -> None:
    told = answer.json()
    assert (answer.status_code, told["code"], told["field"]) == (403, "identity_token_refused", field)
    row = last_audit()
    assert (row.decision, row.detail) == ("identity_token_refused", {"why": why, "token": field})
    assert told["detail"] == NOT_BELIEVED


def test_a_token_says_who_the_end_user_and_the_agent_are(
    connection: Connection, demanding: Caller, idp: Issuer, agents: Issuer
) -> None:
    tokens = {"end_user_token": idp.token(), "agent_token": agents.token()}
    for answer in (vend(demanding, connection, **tokens), vend_by_owner(demanding, **tokens)):
        assert answer.status_code == 200, answer.content
        row = last_audit()
        assert (row.subject, row.agent) == ("alice", "crm-agent")
        assert row.detail == {"verified": {"end_user": IDP, "agent": AGENTS}}
        assert idp.token() not in str(AuditEvent.objects.values_list())


def test_the_trail_tells_apart_what_was_proven_and_what_was_said(
    connection: Connection, backend: Caller, idp: Issuer
) -> None:
    assert vend(backend, connection, end_user="alice", agent="crm-agent").status_code == 200
    assert last_audit().detail == {}
    assert vend(backend, connection, end_user_token=idp.token(), agent="crm-agent").status_code == 200
    assert (last_audit().agent, last_audit().detail) == ("crm-agent", {"verified": {"end_user": IDP}})


def test_where_proof_is_demanded_a_word_is_not_enough(
    connection: Connection, demanding: Caller, idp: Issuer, agents: Issuer
) -> None:
    shared = make_connection(connection.tenant, owner=OwnerKind.TENANT)
    ApiClient.objects.update(permissions=["vend", "vend_without_user"])
    for body in (
        {"end_user": "alice"},
        {},
        {"agent_token": agents.token()},
        {"end_user": "alice", "agent_token": agents.token()},
        {"end_user_token": idp.token(), "agent": "crm-agent"},
    ):
        assert_denied(vend(demanding, connection, **body))
        assert_denied(vend(demanding, shared, **body))
    assert_denied(vend_by_owner(demanding, end_user="alice"))


def test_what_is_said_beside_a_token_is_the_same(connection: Connection, backend: Caller, idp: Issuer) -> None:
    assert vend(backend, connection, end_user="alice", end_user_token=idp.token()).status_code == 200
    for further in ({"end_user": "bob"}, {"groups": ["admins"]}):
        answer = vend(backend, connection, end_user_token=idp.token(), **further)
        assert (answer.status_code, answer.json()["field"]) == (422, next(iter(further)))


def test_another_end_users_token_opens_only_theirs(connection: Connection, demanding: Caller, idp: Issuer) -> None:
    assert_denied(vend(demanding, connection, end_user_token=idp.token(uid="bob")), rule="other_user")
    assert last_audit().detail["verified"] == {"end_user": IDP}


def test_groups_of_a_token_count_for_access_grants(connection: Connection, demanding: Caller, idp: Issuer) -> None:
    grant = let(connection, "sales", SubjectKind.GROUP, allows_vend=True)
    answer = vend(demanding, connection, end_user_token=idp.token(uid="bob"))
    assert answer.json()["grant"] == str(grant.id)
    assert last_audit().detail == {"grant": str(grant.id), "verified": {"end_user": IDP}}
    assert_denied(vend(demanding, connection, end_user_token=idp.token(uid="bob", groups=["eu"])), rule="other_user")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"key": "stranger", "header": {"kid": "idp"}}, "signature"),
        ({"iss": "https://login.globex.example"}, "unknown"),
        ({"iss": f"{IDP}/"}, "unknown"),
        ({"aud": "latchkey-globex"}, "unknown"),
        ({"exp": 1}, "expired"),
        ({"uid": None}, "claim"),
        ({"uid": ""}, "claim"),
        ({"uid": 7}, "claim"),
        ({"uid": ["alice"]}, "claim"),
        ({"uid": "x" * 256}, "claim"),
        ({"uid": "alice\n"}, "claim"),
        ({"header": {"typ": "logout+jwt"}}, "type"),
    ],
)
def test_a_token_that_is_not_believed_says_not_why(
    connection: Connection, demanding: Caller, idp: Issuer, changes: dict[str, Any], why: str
) -> None:
    assert_disbelieved(vend(demanding, connection, end_user_token=idp.token(**changes)), why)


def test_an_issuer_serves_the_use_it_is_trusted_for(
    connection: Connection, demanding: Caller, idp: Issuer, agents: Issuer
) -> None:
    assert_disbelieved(vend(demanding, connection, end_user_token=agents.token()), "unknown")
    tokens = {"end_user_token": idp.token(), "agent_token": idp.token()}
    assert_disbelieved(vend(demanding, connection, **tokens), "unknown", "agent_token")
    answer = vend(Caller(demanding.client, idp.token()), connection)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")


def test_what_acme_trusts_names_nobody_at_globex(connection: Connection, globex: Tenant, idp: Issuer) -> None:
    theirs = make_connection(globex, end_user="alice")
    assert_disbelieved(vend(make_caller(globex), theirs, end_user_token=idp.token()), "unknown")
    operator = make_caller(None, "operator")
    assert_disbelieved(vend(operator, theirs, tenant="globex", end_user_token=idp.token()), "unknown")
    assert vend(operator, connection, tenant="acme", end_user_token=idp.token()).status_code == 200
    assert vend(make_caller(globex, "other"), connection, tenant="acme", end_user_token=idp.token()).status_code == 404


def test_the_operators_issuer_names_the_tenant(connection: Connection, globex: Tenant) -> None:
    everybodys = Issuer("https://login.operator.example", "operator", "latchkey", {"sub": "alice", "org": "acme"})
    trust(everybodys, None, tenant_claim="org")
    assert vend(make_caller(connection.tenant), connection, end_user_token=everybodys.token()).status_code == 200
    shared = make_connection(globex, owner=OwnerKind.TENANT)
    stranger = make_caller(globex)
    assert_disbelieved(vend(stranger, shared, end_user_token=everybodys.token()), "tenant")
    assert_disbelieved(vend(stranger, shared, end_user_token=everybodys.token(org=None)), "tenant")
    assert vend(stranger, shared, end_user_token=everybodys.token(org="globex")).status_code == 200


def test_a_tenants_own_issuer_takes_the_place_of_the_operators(
    connection: Connection, demanding: Caller, idp: Issuer
) -> None:
    other = Issuer(IDP, "other", idp.audience, {"sub": "bob", "org": "acme"})
    trust(other, None, tenant_claim="org")
    assert_disbelieved(vend(demanding, connection, end_user_token=other.token()), "signature")
    assert vend(demanding, connection, end_user_token=idp.token()).status_code == 200


def test_and_does_so_for_an_audience_that_the_tenant_does_not_name(
    connection: Connection, demanding: Caller, idp: Issuer
) -> None:
    other = Issuer(IDP, "other", "latchkey", {"sub": "alice", "org": "acme"})
    trust(other, None, tenant_claim="org")
    assert_disbelieved(vend(demanding, connection, end_user_token=other.token()), "unknown")


def test_a_token_to_be_exchanged_is_something_else(connection: Connection, demanding: Caller, idp: Issuer) -> None:
    answer = vend(demanding, connection, subject_token=idp.token())
    assert_denied(answer)
    answer = vend(demanding, connection, subject_token=idp.token(), end_user_token=idp.token())
    assert (answer.status_code, answer.json()["field"]) == (422, "subject_token")


OPAQUE = "an-opaque-token-of-somebody"


def test_what_is_exchanged_is_of_the_end_user_who_is_verified(
    connection: Connection, demanding: Caller, idp: Issuer, acme: Tenant
) -> None:
    proof = idp.token()

    def refused(exchanged: str, caller: Caller = demanding) -> tuple[int, str, str]:
        body = vend(caller, connection, end_user_token=proof, subject_token=exchanged).json()
        return body["status"], body["field"], body["detail"]

    another = (422, "subject_token", "This token is of another end user than the one who is verified.")
    unwanted = (422, "subject_token", "This connection has a credential of its own: vend without subject_token.")
    assert refused(idp.token(uid="bob")) == another
    assert (last_audit().action, last_audit().decision) == ("credential.vend", "invalid_request")
    assert refused(OPAQUE)[:2] == (403, "subject_token")
    assert last_audit().detail["token"] == "subject_token"
    assert {refused(proof), refused(idp.token(jti="2"))} == {unwanted}
    assert refused(OPAQUE, make_caller(acme, "trusted")) == unwanted, "who vouches for names vouches for that too"


def test_a_caller_and_an_end_user_are_verified_at_once(connection: Connection, demanding: Caller, idp: Issuer) -> None:
    cluster = Issuer()
    add_caller_rule(
        trust(cluster, None, IssuerUse.CALLER),
        demanding.client,
        [{"claim": "sub", "matches": "**:deployer"}],
        actor=SYSTEM,
    )
    assert vend(Caller(demanding.client, cluster.token()), connection, end_user_token=idp.token()).status_code == 200
    assert last_audit().detail == {
        "caller": {"issuer": cluster.url, "subject": cluster.claims["sub"]},
        "verified": {"end_user": IDP},
    }
