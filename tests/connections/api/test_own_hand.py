"""No API client lets itself in, by itself or by another that it could be; and what of that would break honest use."""

from collections.abc import Callable
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy import give as policy
from connections.lifecycle.policy.give import Terms
from connections.lifecycle.provision.trusted_issuers import Trust, trust_issuer
from connections.models import (
    ApiClient,
    Approval,
    AuditEvent,
    Connection,
    IssuerUse,
    OwnerKind,
    Permission,
    SubjectKind,
    Tenant,
)
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import last_audit, vend
from tests.factories import Caller, make_caller
from tests.flows import call
from tests.issuing import IDP, Issuer

AGENT = {"kind": "agent", "id": "x"}
BOTH = [Permission.VEND, Permission.GRANT, Permission.READ]
RULING = [*BOTH, Permission.CALLERS]


@pytest.fixture
def kept(acme: Tenant) -> Connection:
    """alice's connection, which is used under grants only."""
    return make_connection(acme, grants_only=True)


@pytest.fixture
def both(acme: Tenant) -> Caller:
    """A client of acme's that gives grants, and vends."""
    return make_caller(acme, "both", BOTH)


@pytest.fixture
def ruler(acme: Tenant) -> Caller:
    """A client of acme's that also makes others."""
    return make_caller(acme, "ruler", RULING)


def give(caller: Caller, connection: Connection, subject: dict[str, str] = AGENT, **members: Any) -> Any:
    terms = {"subject": subject, "connection": str(connection.id), "allows_vend": True, **members}
    answer = call(caller, "POST", "/access-grants", terms)
    assert answer.status_code in (200, 201), answer.content
    return answer.json()["id"]


def made_by(caller: Caller, name: str, permissions: list[Permission]) -> Caller:
    """Have ``caller`` make a client, and issue its key."""
    made = call(caller, "POST", "/api-clients", {"name": name, "permissions": permissions}).json()
    key = call(caller, "POST", f"/api-clients/{made['id']}/keys", {}).json()["key"]
    return Caller(ApiClient.objects.get(id=made["id"]), key)


def rule_of(answer: Any) -> str:
    assert (answer.status_code, answer.json()["code"]) == (403, "policy_denied"), answer.content
    assert last_audit().detail["rule"] == answer.json()["rule"]
    rule: str = answer.json()["rule"]
    return rule


# --- Grants -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "asked"),
    [
        (AGENT, {"agent": "x"}),
        (AGENT, {"agent": "x", "end_user": "bob"}),
        ({"kind": "end_user", "id": "bob"}, {"end_user": "bob"}),
        ({"kind": "end_user", "id": "alice"}, {"end_user": "alice"}),
        ({"kind": "group", "id": "sales"}, {"end_user": "bob", "groups": ["sales"]}),
    ],
)
def test_what_is_kept_to_grants_is_not_opened_by_who_uses_it(
    subject: dict[str, str], asked: dict[str, Any], kept: Connection, both: Caller, acme: Tenant
) -> None:
    grant = give(both, kept, subject)
    answer = vend(both, kept, **asked)
    assert (rule_of(answer), answer.json()["grant"]) == ("own_grant", grant)
    assert vend(make_caller(acme, "another"), kept, **asked).status_code == 200


def test_no_user_is_needed_by_a_permission_and_by_no_grant_of_ones_own(connection: Connection, both: Caller) -> None:
    give(both, connection)
    assert rule_of(vend(both, connection, agent="x")) == "own_grant"
    ApiClient.objects.filter(id=both.client.id).update(permissions=[*BOTH, Permission.VEND_WITHOUT_USER])
    assert vend(both, connection, agent="x").status_code == 200


def test_a_backend_shares_an_ordinary_connection_and_vends_for_whom_it_names(
    connection: Connection, both: Caller
) -> None:
    give(both, connection, {"kind": "end_user", "id": "bob"}, granted_by="alice")
    give(both, connection)
    assert vend(both, connection, end_user="bob").status_code == 200
    assert vend(both, connection, end_user="carol", agent="x").status_code == 200


def test_a_grant_of_ones_own_passes_by_no_approval(connection: Connection, both: Caller) -> None:
    let(connection, needs_approval=True)
    give(both, connection, {"kind": "end_user", "id": "bob"})
    answer = vend(both, connection, end_user="bob")
    assert (answer.status_code, answer.json()["code"]) == (202, "approval_required")


def test_a_grant_of_ones_own_counts_where_somebody_approves(kept: Connection, both: Caller, acme: Tenant) -> None:
    give(both, kept, needs_approval=True)
    answer = vend(both, kept, agent="x")
    assert answer.status_code == 202
    approver = make_caller(acme, "approver", [Permission.GRANT, Permission.READ])
    path = f"/approvals/{answer.json()['approval']}/approve"
    assert call(both, "POST", path, {"decided_by": "carol"}).json()["rule"] == "own_approval"
    assert call(approver, "POST", path, {"decided_by": "carol"}).status_code == 200
    assert vend(both, kept, agent="x").status_code == 200


def test_the_same_grant_given_by_an_operator_is_the_operators(kept: Connection, both: Caller) -> None:
    grant = give(both, kept, allows_vend=False)
    assert rule_of(vend(both, kept, agent="x")) == "own_grant"
    terms = Terms(subject_kind=SubjectKind.AGENT, subject="x", connection_id=kept.id)
    same, is_new = policy.give(terms, tenant=kept.tenant, now=database_now(), actor=SYSTEM)
    assert (str(same.id), is_new) == (grant, False)
    assert AuditEvent.objects.filter(action="access_grant.given", detail__again=True).count() == 1
    assert vend(both, kept, agent="x").status_code == 200
    give(both, kept, allows_vend=False)
    assert vend(both, kept, agent="x").status_code == 200, "an operator's stays an operator's"


@pytest.mark.parametrize("use", [IssuerUse.AGENT, IssuerUse.END_USER])
def test_whom_a_token_proves_may_use_what_the_same_client_gave(
    use: IssuerUse, kept: Connection, both: Caller, acme: Tenant
) -> None:
    kind, token, claim = (
        ("agent", "agent_token", "x") if use is IssuerUse.AGENT else ("end_user", "end_user_token", "bob")
    )
    issuer = Issuer(IDP, "idp", "latchkey-acme", {"sub": claim})
    trust_issuer(Trust(use, issuer.url, issuer.audience, keys=issuer.keys), tenant=acme, actor=SYSTEM)
    give(both, kept, {"kind": kind, "id": claim})
    assert vend(both, kept, **{token: issuer.token()}).status_code == 200
    ApiClient.objects.filter(id=both.client.id).update(permissions=RULING)
    assert rule_of(vend(both, kept, **{token: issuer.token()})) == "own_grant", "it could trust an issuer of its own"


def test_nor_does_a_client_that_it_makes_use_or_give_it(kept: Connection, ruler: Caller) -> None:
    user = made_by(ruler, "user", [Permission.VEND])
    give(ruler, kept, {"kind": "api_client", "id": str(user.client.id)})
    assert rule_of(vend(user, kept, end_user="bob")) == "own_grant"
    give(made_by(ruler, "giver", [Permission.GRANT]), kept)
    assert rule_of(vend(ruler, kept, agent="x")) == "own_grant"
    assert rule_of(vend(user, kept, agent="x")) == "own_grant", "one has made both"


def test_who_may_do_less_by_now_is_still_known_to_have_made_it(kept: Connection, ruler: Caller) -> None:
    giver = made_by(ruler, "giver", [Permission.GRANT, Permission.READ])
    ApiClient.objects.filter(id=ruler.client.id).update(permissions=[Permission.VEND])
    give(giver, kept)
    assert rule_of(vend(ruler, kept, agent="x")) == "own_grant"


def test_what_an_operator_wide_client_has_made_may_give_and_use(kept: Connection, acme: Tenant) -> None:
    chief = make_caller(None, "chief", RULING)
    made = []
    for name, permissions in (("giver", [Permission.GRANT]), ("user", [Permission.VEND])):
        body = {"name": name, "permissions": permissions}
        client = call(chief, "POST", "/api-clients?tenant=acme", body).json()["id"]
        key = call(chief, "POST", f"/api-clients/{client}/keys?tenant=acme", {}).json()["key"]
        made.append(Caller(ApiClient.objects.get(id=client), key))
    give(made[0], kept)
    assert vend(made[1], kept, agent="x").status_code == 200


# --- Sharing ----------------------------------------------------------------------------------------------------------


def test_who_uses_a_connection_does_not_open_it(kept: Connection, both: Caller, ruler: Caller, acme: Tenant) -> None:
    path, opened = f"/connections/{kept.id}/sharing", {"grants_only": False}
    puppet = made_by(ruler, "puppet", [Permission.GRANT])
    for caller in (both, puppet):
        answer = call(caller, "PUT", path, opened)
        assert (answer.status_code, answer.json()["rule"]) == (403, "own_grant")
    kept.refresh_from_db()
    assert kept.grants_only
    proves = make_caller(acme, "proves", BOTH)
    ApiClient.objects.filter(id=proves.client.id).update(demands_verified=True)
    for caller in (make_caller(acme, "granter", [Permission.GRANT]), proves):
        call(caller, "PUT", path, {"grants_only": True})
        assert call(caller, "PUT", path, opened).status_code == 200


# --- Approvals --------------------------------------------------------------------------------------------------------


@pytest.fixture
def awaited(acme: Tenant) -> Callable[[Caller], str]:
    """Have a caller ask for bob, under a grant that needs an approval, and return the id of the question."""
    shared = make_connection(acme, owner=OwnerKind.TENANT, grants_only=True)
    let(shared, needs_approval=True)

    def ask(caller: Caller) -> str:
        answer = vend(caller, shared, end_user="bob")
        assert answer.status_code == 202
        found: str = answer.json()["approval"]
        return found

    return ask


def answered(caller: Caller, approval: str) -> tuple[int, str | None]:
    answer = call(caller, "POST", f"/approvals/{approval}/approve", {"decided_by": "carol"})
    return answer.status_code, answer.json().get("rule")


def test_nobody_answers_what_a_client_asked_that_they_have_made(
    awaited: Callable[[Caller], str], ruler: Caller
) -> None:
    puppet = made_by(ruler, "puppet", [Permission.VEND])
    approval = awaited(puppet)
    assert answered(ruler, approval) == (403, "own_approval")
    ApiClient.objects.filter(id=ruler.client.id).update(permissions=[Permission.GRANT])
    assert answered(ruler, approval) == (403, "own_approval"), "it has issued the key"
    assert Approval.objects.get().decided_at is None


def test_nor_whose_keys_they_may_issue_or_have_issued(
    awaited: Callable[[Caller], str], ruler: Caller, acme: Tenant
) -> None:
    asker = make_caller(acme, "asker", [Permission.VEND])
    assert answered(ruler, awaited(asker)) == (403, "own_approval")
    call(ruler, "POST", f"/api-clients/{asker.client.id}/keys", {})
    ApiClient.objects.filter(id=ruler.client.id).update(permissions=[Permission.GRANT])
    assert answered(ruler, awaited(asker)) == (403, "own_approval")


def test_nor_do_two_clients_that_a_third_has_made(
    awaited: Callable[[Caller], str], ruler: Caller, acme: Tenant
) -> None:
    asker, approver = made_by(ruler, "asker", [Permission.VEND]), made_by(ruler, "approver", [Permission.GRANT])
    approval = awaited(asker)
    assert answered(approver, approval) == (403, "own_approval")
    assert answered(make_caller(acme, "other", [Permission.GRANT]), approval) == (200, None)
