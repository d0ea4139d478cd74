"""Callers that bring the token of a workload in the place of a key, and those who pretend to."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest

from connections.access.secrets import digest
from connections.database.clock import database_now
from connections.journal import flood
from connections.journal.audit import SYSTEM
from connections.lifecycle.identify import callers
from connections.lifecycle.provision.trusted_issuers import (
    Trust,
    add_caller_rule,
    distrust_issuer,
    remove_caller_rule,
    trust_issuer,
)
from connections.models import (
    ApiClient,
    AuditEvent,
    CallerRule,
    Connection,
    IssuerUse,
    ProvenToken,
    Tenant,
    TrustedIssuer,
)
from tests.connections.api.stored import make_connection
from tests.connections.api.vending import last_audit, vend, vend_by_owner
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call
from tests.issuing import (
    AUDIENCE,
    CLUSTER,
    DEPLOYER,
    ODD_CLAIMS,
    Issuer,
    key_of,
    sign,
    signed_with_the_public_key,
    unsigned,
)

IS_DEPLOYER = [{"claim": "sub", "equals": DEPLOYER}]
VENDS = {"end_user": "alice"}


def trust(issuer: Issuer, tenant: Tenant | None = None, **changes: Any) -> TrustedIssuer:
    """Have the issuer's tokens believed of callers."""
    terms = {"use": IssuerUse.CALLER, "issuer": issuer.url, "audience": AUDIENCE, "keys": issuer.keys, **changes}
    return trust_issuer(Trust(**terms), tenant=tenant, actor=SYSTEM)


def let(issuer: TrustedIssuer, caller: Caller, conditions: Any = IS_DEPLOYER) -> CallerRule:
    return add_caller_rule(issuer, caller.client, conditions, actor=SYSTEM)


@pytest.fixture
def cluster() -> Issuer:
    return Issuer()


@pytest.fixture
def trusted(cluster: Issuer, backend: Caller) -> TrustedIssuer:
    """The operator trusts the cluster, whose deployer is acme's backend."""
    issuer = trust(cluster)
    let(issuer, backend)
    return issuer


def bearing(token: str, caller: Caller) -> Caller:
    """Return ``caller`` with a token in the place of its key."""
    return Caller(caller.client, token)


def refusals() -> list[tuple[str, dict[str, Any]]]:
    rows = AuditEvent.objects.filter(action="caller_token.refused").order_by("id")
    return [(row.decision, row.detail) for row in rows]


def assert_refused(token: str, caller: Caller, connection: Connection, why: str) -> None:
    """Check that a token opens no entrance, in the same words at each, and that the trail says why."""
    who = bearing(token, caller)
    answers = []
    for answer in (
        call(who, "GET", "/connections"),
        vend(who, connection, **VENDS),
        vend_by_owner(who, **VENDS),
    ):
        assert answer.status_code == 401, answer.content
        assert answer["WWW-Authenticate"].startswith("Bearer")
        answers.append(answer.content)
    assert len(set(answers)) == 1
    assert json.loads(answers[0])["code"] == "unauthorized"
    assert "token is not one" in json.loads(answers[0])["detail"]
    (told,) = refusals()
    assert told[0] == why
    assert token not in str(AuditEvent.objects.values_list())
    assert not ProvenToken.objects.exists()


# --- Whoever is who they say ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["cluster", "ec-cluster", "ed-cluster"])
def test_a_token_opens_every_entrance_as_its_client(
    connection: Connection, backend: Caller, cluster: Issuer, key: str
) -> None:
    cluster.key = key
    let(trust(cluster), backend)
    who = bearing(cluster.token(), backend)
    assert call(who, "GET", "/connections").json()["items"][0]["id"] == str(connection.id)
    for answer in (vend(who, connection, **VENDS), vend_by_owner(who, **VENDS)):
        assert answer.status_code == 200, answer.content
        row = last_audit()
        assert (row.decision, row.api_client_id, row.subject) == ("allowed", backend.client.id, "alice")
        assert row.detail == {"caller": {"issuer": CLUSTER, "subject": DEPLOYER}}


def test_the_trail_names_the_issuer_and_subject_of_every_act(
    connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer
) -> None:
    who = bearing(cluster.token(), backend)
    assert call(who, "PATCH", f"/connections/{connection.id}", {"metadata": {"a": 1}}).status_code == 200
    assert vend(who, connection, end_user="bob").status_code == 403
    assert vend_by_owner(who, end_user="bob").status_code == 404
    acts = AuditEvent.objects.filter(api_client_id=backend.client.id)
    assert len({row.action for row in acts}) == 2
    for row in acts:
        assert row.detail["caller"] == {"issuer": CLUSTER, "subject": DEPLOYER}, row.action


def test_a_key_leaves_no_word_of_an_issuer(connection: Connection, backend: Caller, trusted: TrustedIssuer) -> None:
    assert vend(backend, connection, **VENDS).status_code == 200
    assert last_audit().detail == {}


def test_permissions_and_tenants_are_those_of_a_key(
    connection: Connection, cluster: Issuer, trusted: TrustedIssuer, backend: Caller, globex: Tenant
) -> None:
    who = bearing(cluster.token(), backend)
    theirs = make_connection(globex, end_user="alice")
    assert vend(who, theirs, **VENDS).status_code == 404
    assert call(who, "GET", "/connections?tenant=globex").status_code == 404
    ApiClient.objects.update(permissions=["read"])
    assert vend(who, connection, **VENDS).json()["code"] == "permission_denied"
    ApiClient.objects.update(suspended_at=database_now())
    assert vend(who, connection, **VENDS).status_code == call(who, "GET", "/connections").status_code == 423


def test_an_operator_wide_client_names_the_tenant(connection: Connection, cluster: Issuer) -> None:
    wide = make_caller(None, "operator")
    let(trust(cluster), wide)
    who = bearing(cluster.token(), wide)
    answer = vend(who, connection, **VENDS)
    assert (answer.status_code, answer.json()["field"]) == (422, "tenant")
    assert vend(who, connection, tenant="acme", **VENDS).status_code == 200


def test_a_token_is_verified_once_in_a_while(
    connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer
) -> None:
    token = cluster.token()
    for _ in range(3):
        assert vend(bearing(token, backend), connection, **VENDS).status_code == 200
    (proven,) = ProvenToken.objects.all()
    assert bytes(proven.token_hash) == digest(token)
    assert timedelta(minutes=4) < proven.expires_at - database_now() <= timedelta(minutes=5)
    assert token not in str(ProvenToken.objects.values_list())


def test_what_was_proven_ends_with_its_token(
    connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer
) -> None:
    now = int(database_now().timestamp())
    token = cluster.token(exp=now + 60)
    assert vend(bearing(token, backend), connection, **VENDS).status_code == 200
    assert ProvenToken.objects.get().expires_at - database_now() <= timedelta(seconds=60)
    ProvenToken.objects.update(expires_at=database_now() - timedelta(seconds=1))
    late = cluster.token(iat=now - 900, nbf=now - 900, exp=now - 300)
    ProvenToken.objects.update(token_hash=digest(late))
    assert vend(bearing(late, backend), connection, **VENDS).status_code == 401


@pytest.mark.parametrize("end", ["rule", "issuer", "terms", "client"])
def test_what_was_proven_ends_with_what_it_stands_on(
    connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer, end: str
) -> None:
    who = bearing(cluster.token(), backend)
    assert vend(who, connection, **VENDS).status_code == 200
    if end == "rule":
        remove_caller_rule(trusted.rules.get(), actor=SYSTEM)
    elif end == "issuer":
        distrust_issuer(trusted, actor=SYSTEM)
    elif end == "terms":
        trust(cluster, algorithms=["ES256"])
    else:
        backend.client.delete()
    for answer in (vend(who, connection, **VENDS), call(who, "GET", "/connections")):
        assert answer.status_code == 401


# --- Conditions -------------------------------------------------------------------------------------------------------


def test_all_conditions_have_to_hold(connection: Connection, backend: Caller, cluster: Issuer) -> None:
    rule = [
        {"claim": "sub", "matches": "system:serviceaccount:prod:*"},
        {"claim": "/kubernetes.io/namespace", "equals": "prod"},
    ]
    let(trust(cluster), backend, rule)
    good = {"kubernetes.io": {"namespace": "prod"}}
    assert vend(bearing(cluster.token(**good), backend), connection, **VENDS).status_code == 200
    for spoilt in (
        {},
        {"kubernetes.io": {"namespace": "test"}},
        {"kubernetes.io": "prod"},
        good | {"sub": "system:serviceaccount:test:deployer"},
        good | {"sub": "system:serviceaccount:prod:a:b"},
    ):
        assert vend(bearing(cluster.token(**spoilt), backend), connection, **VENDS).status_code == 401


def test_a_token_of_two_clients_is_neither(connection: Connection, backend: Caller, cluster: Issuer) -> None:
    issuer = trust(cluster)
    let(issuer, backend)
    let(issuer, make_caller(connection.tenant, "other"), [{"claim": "sub", "matches": "system:**"}])
    assert_refused(cluster.token(), backend, connection, "ambiguous")


def test_two_rules_of_one_client_are_no_contradiction(connection: Connection, backend: Caller, cluster: Issuer) -> None:
    issuer = trust(cluster)
    let(issuer, backend)
    let(issuer, backend, [{"claim": "sub", "matches": "system:**"}])
    assert vend(bearing(cluster.token(), backend), connection, **VENDS).status_code == 200


def test_a_spiffe_id_names_its_trust_domain(connection: Connection, backend: Caller) -> None:
    spire = Issuer("spiffe://prod.acme.example", claims={"sub": "spiffe://prod.acme.example/ns/prod/sa/agent"})
    keys = [{**key, "use": "jwt-svid"} for key in spire.keys]
    let(trust(spire, keys=keys), backend, [{"claim": "sub", "matches": "spiffe://prod.acme.example/ns/prod/sa/*"}])
    for issuer in (None, "https://spire.example"):
        token = spire.token(iss=issuer, iat=None, nbf=None, header={"typ": "JOSE"})
        assert vend(bearing(token, backend), connection, **VENDS).status_code == 200
    elsewhere = spire.token(iss=None, sub="spiffe://test.acme.example/ns/prod/sa/agent")
    assert vend(bearing(elsewhere, backend), connection, **VENDS).status_code == 401


# --- Those who pretend ------------------------------------------------------------------------------------------------


def now_() -> int:
    return int(database_now().timestamp())


def swapped(issuer: Issuer) -> str:
    head, _, mark = issuer.token().split(".")
    return ".".join([head, issuer.token(sub=DEPLOYER, extra="more").split(".")[1], mark])


def deep(issuer: Issuer) -> str:
    text = '{"a":' * 4000 + "1" + "}" * 4000
    return ".".join([issuer.token().split(".")[0], jwt.utils.base64url_encode(text.encode()).decode()[:15_000], "AA"])


FORGED: dict[str, tuple[Callable[[Issuer], str], str]] = {
    "unsigned": (lambda it: unsigned(it.said(), {"alg": "none"}), "signature"),
    "unsigned, in other letters": (lambda it: unsigned(it.said(), {"alg": "nOnE", "kid": it.key}), "signature"),
    "signed with the public key": (lambda it: signed_with_the_public_key(it.said(), it.key), "signature"),
    "signed by a stranger": (lambda it: it.token(key="stranger", header={"kid": it.key}), "signature"),
    "with the stranger's key in it": (
        lambda it: sign(it.said(), "stranger", header={"kid": it.key, "jwk": it.keys[0]}),
        "signature",
    ),
    "with its signature cut off": (lambda it: it.token().rpartition(".")[0] + ".", "signature"),
    "with another's claims": (swapped, "signature"),
    "by an algorithm that is not allowed": (
        lambda it: jwt.encode(it.said(), key_of(it.key), algorithm="PS512", headers={"kid": it.key}),
        "signature",
    ),
    "with a critical header": (
        lambda it: unsigned(it.said(), {"alg": "RS256", "kid": it.key, "crit": ["exp"]}, "AAAA"),
        "malformed",
    ),
    "of another issuer": (lambda it: it.token(iss="https://evil.example"), "unknown"),
    "of an issuer with a slash more": (lambda it: it.token(iss=f"{it.url}/"), "unknown"),
    "of an issuer in capitals": (lambda it: it.token(iss=it.url.upper()), "unknown"),
    "of no issuer": (lambda it: it.token(iss=None), "unknown"),
    "of a list of issuers": (lambda it: it.token(iss=[it.url]), "unknown"),
    "for another audience": (lambda it: it.token(aud="https://other.example"), "unknown"),
    "for an audience with a slash more": (lambda it: it.token(aud=f"{AUDIENCE}/"), "unknown"),
    "for nobody": (lambda it: it.token(aud=None), "audience"),
    "for an odd audience": (lambda it: it.token(aud={"a": AUDIENCE}), "audience"),
    "for everybody": (lambda it: it.token(aud=[AUDIENCE, *map(str, range(1000))]), "audience"),
    "expired": (lambda it: it.token(iat=now_() - 900, exp=now_() - 31), "expired"),
    "not valid yet": (lambda it: it.token(nbf=now_() + 60), "not_yet_valid"),
    "issued tomorrow": (lambda it: it.token(iat=now_() + 86_400, exp=now_() + 86_500), "not_yet_valid"),
    "without an end": (lambda it: it.token(exp=None), "lifetime"),
    "that lives too long": (lambda it: it.token(exp=now_() + 86_400), "lifetime"),
    "that lives too long, and does not say since when": (
        lambda it: it.token(iat=None, nbf=None, exp=now_() + 86_400),
        "lifetime",
    ),
    "that ends never": (lambda it: it.token(exp=float("inf")), "lifetime"),
    "that ends at no number": (lambda it: it.token(exp=True), "lifetime"),
    "that ends beyond all calendars": (lambda it: it.token(exp=10**30), "lifetime"),
    "of another subject": (lambda it: it.token(sub="system:serviceaccount:prod:other"), "unknown"),
    "of another kind": (lambda it: it.token(header={"typ": "logout+jwt"}), "type"),
    "in a token": (lambda it: it.token(header={"cty": "JWT"}), "type"),
    "encrypted": (lambda it: it.token() + ".AAAA.AAAA", "malformed"),
    "very long": (lambda it: it.token(filler="x" * 20_000), "malformed"),
    "very deep": (deep, "malformed"),
    "no token at all": (lambda it: "eyJ.eyJ.eyJ", "malformed"),
    "a list": (lambda it: unsigned([], {"alg": "RS256"}, "AAAA"), "malformed"),  # type: ignore[arg-type]
    "of a key that is a path": (lambda it: it.token(key="stranger", header={"kid": "../../../dev/null"}), "signature"),
    "of a key that is a statement": (lambda it: it.token(key="stranger", header={"kid": "' OR 1=1"}), "signature"),
    "of a key with a very long name": (lambda it: it.token(key="stranger", header={"kid": "k" * 9000}), "signature"),
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_token_is_refused(
    connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer, kind: str
) -> None:
    forge, why = FORGED[kind]
    assert_refused(forge(cluster), backend, connection, why)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "iat", "nbf", "jti"])
def test_whatever_a_claim_holds_a_token_is_believed_or_refused_and_nothing_breaks(
    claim: str, connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer
) -> None:
    for odd in ODD_CLAIMS:
        claims = {**cluster.said(), claim: odd}
        for token in (sign(claims, cluster.key), unsigned(claims, {"alg": "RS256", "kid": cluster.key}, "c2ln")):
            answer = call(bearing(token, backend), "GET", "/connections")
            assert answer.status_code in (200, 401), (odd, answer.content)


@pytest.mark.parametrize("member", ["alg", "typ", "kid", "crit", "jwk", "jku", "x5u", "x5c", "b64", "zip", "cty"])
def test_whatever_a_header_holds_a_token_is_believed_or_refused_and_nothing_breaks(
    member: str, connection: Connection, backend: Caller, cluster: Issuer, trusted: TrustedIssuer
) -> None:
    for odd in ODD_CLAIMS:
        header = {"alg": "RS256", "kid": cluster.key, member: odd}
        answer = call(bearing(unsigned(cluster.said(), header, "c2ln"), backend), "GET", "/connections")
        assert answer.status_code == 401, (odd, answer.content)


def test_what_one_tenant_trusts_is_nobody_in_another(
    connection: Connection, backend: Caller, cluster: Issuer, globex: Tenant
) -> None:
    theirs = Issuer(cluster.url, key="globex")
    stranger = make_caller(globex, "stranger")
    let(trust(theirs, globex), stranger)
    let(trust(cluster, connection.tenant), backend)
    assert vend(bearing(cluster.token(), backend), connection, **VENDS).status_code == 200
    assert vend(bearing(theirs.token(), stranger), connection, **VENDS).status_code == 404
    # One that globex signs with its own key is globex's, although it says what acme's tokens say.
    assert last_audit().api_client_id == stranger.client.id
    CallerRule.objects.filter(client=stranger.client).update(client=backend.client)  # past every rule
    ProvenToken.objects.all().delete()
    assert vend(bearing(theirs.token(), backend), connection, **VENDS).status_code == 401


def test_many_bad_tokens_make_one_row_a_minute(
    backend: Caller, cluster: Issuer, trusted: TrustedIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(20):
        call(bearing(cluster.token(key="stranger", jti=str(number)), backend), "GET", "/connections")
    assert len(refusals()) == 1
    monkeypatch.setattr(flood, "PER_SECONDS", 0.0)
    call(bearing("a.b.c", backend), "GET", "/connections")
    assert refusals()[-1] == ("malformed", {"left_out": 19})


def test_a_key_is_never_taken_for_a_token() -> None:
    assert not callers.is_token("lk_a.b.c")
    assert not callers.is_token("abc")
    assert callers.is_token("ey.ey.x")


# --- Networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["key", "token"])
@pytest.mark.parametrize(
    ("networks", "may"),
    [
        ([], True),
        (["127.0.0.0/8"], True),
        (["10.0.0.0/8", "127.0.0.1/32"], True),
        (["10.0.0.0/8"], False),
        (["2001:db8::/32"], False),
        (["::/0"], False),
    ],
)
def test_a_client_calls_from_its_networks_only(
    connection: Connection,
    backend: Caller,
    cluster: Issuer,
    trusted: TrustedIssuer,
    way: str,
    networks: list[str],
    may: bool,
) -> None:
    ApiClient.objects.update(networks=networks)
    who = bearing(cluster.token(), backend) if way == "token" else backend
    answers = (call(who, "GET", "/connections"), vend(who, connection, **VENDS), vend_by_owner(who, **VENDS))
    assert {answer.status_code for answer in answers} == {200 if may else 401}
    if not may:
        row = AuditEvent.objects.filter(action__in=["api_key.refused", "caller_token.refused"]).get()
        assert row.decision == ("network" if way == "key" else "client")
        assert row.api_client_id == backend.client.id


def test_tenants_issuers_and_what_was_proven_end_with_the_tenant(db: None, cluster: Issuer) -> None:
    initech = make_tenant("initech")
    caller = make_caller(initech)
    let(trust(cluster, initech), caller)
    call(bearing(cluster.token(), caller), "GET", "/connections")
    assert ProvenToken.objects.exists()
    initech.delete()
    assert not TrustedIssuer.objects.exists()
    assert not ProvenToken.objects.exists()
