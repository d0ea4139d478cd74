"""Issuers and rules that cannot be trusted are not stored."""

from typing import Any

import pytest

from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import check_networks, register_assertion_keys
from connections.lifecycle.provision.trusted_issuers import (
    Trust,
    add_caller_rule,
    distrust_issuer,
    remove_caller_rule,
    trust_issuer,
)
from connections.models import AuditEvent, CallerRule, IssuerUse, Tenant, TrustedIssuer
from connections.refusals import InvalidRequest, NotFound
from tests.factories import make_caller, make_tenant
from tests.issuing import public_jwk

pytestmark = pytest.mark.django_db
RULE = [{"claim": "sub", "equals": "x"}]


@pytest.fixture
def acme(db: None) -> Tenant:
    return make_tenant("acme")


def trust(tenant: Tenant | None = None, **changes: Any) -> TrustedIssuer:
    terms = {"use": IssuerUse.CALLER, "issuer": "https://i.example", "audience": "us", **changes}
    return trust_issuer(Trust(**terms), tenant=tenant, actor=SYSTEM)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"issuer": ""}, "issuer"),
        ({"issuer": "i.example"}, "issuer"),
        ({"issuer": "https://u:p@i.example"}, "issuer"),
        ({"issuer": "https://i.example?x=1"}, "issuer"),
        ({"issuer": "https://169.254.169.254"}, "issuer"),
        ({"issuer": "http://i.example"}, "issuer"),
        ({"issuer": "spiffe://prod.example"}, "jwks_url"),
        ({"jwks_url": "https://169.254.169.254/keys"}, "jwks_url"),
        ({"jwks_url": "file:///etc/passwd"}, "jwks_url"),
        ({"jwks_url": "https://i.example/keys", "keys": [public_jwk("one")]}, "keys"),
        ({"keys": []}, "keys"),
        ({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, "keys"),
        ({"keys": [public_jwk("one") | {"d": "AA"}]}, "keys"),
        ({"keys": [public_jwk("one") | {"n": "AQ"}]}, "keys"),
        ({"audience": ""}, "audience"),
        ({"audience": "x" * 501}, "audience"),
        ({"algorithms": []}, "algorithms"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"algorithms": ["none"]}, "algorithms"),
        ({"max_lifetime_seconds": 59}, "max_lifetime_seconds"),
        ({"max_lifetime_seconds": 86_401}, "max_lifetime_seconds"),
        ({"leeway_seconds": 301}, "leeway_seconds"),
        ({"claim": ""}, "claim"),
        ({"groups_claim": "x" * 201}, "groups_claim"),
        ({"use": IssuerUse.END_USER}, "tenant_claim"),
    ],
)
def test_an_issuer_that_cannot_be_trusted_is_not_stored(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        trust(**changes)
    assert caught.value.extra["field"] == field
    assert not TrustedIssuer.objects.exists()


def test_trusting_it_again_changes_the_terms(acme: Tenant) -> None:
    first = trust(acme)
    again = trust(acme, algorithms=["ES256"])
    assert (again.id, again.algorithms) == (first.id, ["ES256"])
    distrust_issuer(again, actor=SYSTEM)
    assert not TrustedIssuer.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="issuer.").order_by("id")
    assert list(told.values_list("action", "tenant_id", "detail__issuer")) == [
        ("issuer.trusted", acme.id, "https://i.example"),
        ("issuer.trusted", acme.id, "https://i.example"),
        ("issuer.distrusted", acme.id, "https://i.example"),
    ]


def test_a_tenants_issuer_makes_no_client_of_anybody_elses(acme: Tenant) -> None:
    issuer = trust(acme)
    for stranger in (make_caller(None), make_caller(make_tenant("globex"))):
        with pytest.raises(NotFound):
            add_caller_rule(issuer, stranger.client, RULE, actor=SYSTEM)
    with pytest.raises(InvalidRequest):
        add_caller_rule(trust(acme, use=IssuerUse.END_USER), make_caller(acme).client, RULE, actor=SYSTEM)
    assert not CallerRule.objects.exists()


def test_a_rule_is_made_once_and_removed(acme: Tenant) -> None:
    client = make_caller(acme).client
    issuer = trust()
    rule = add_caller_rule(issuer, client, RULE, actor=SYSTEM)
    assert add_caller_rule(issuer, client, RULE, actor=SYSTEM).id == rule.id
    remove_caller_rule(rule, actor=SYSTEM)
    assert not CallerRule.objects.exists()
    told = AuditEvent.objects.filter(action__startswith="caller_rule").order_by("id")
    assert [(row.action, row.tenant_id, row.detail["api_client"]) for row in told] == [
        ("caller_rule.added", acme.id, str(client.id)),
        ("caller_rule.removed", acme.id, str(client.id)),
    ]


@pytest.mark.parametrize("network", ["", "10.0.0.1/8", "10.0.0.0/33", "example.com", "::ffff:10.0.0.0/104", "*"])
def test_what_is_no_network_is_not_stored(network: str) -> None:
    with pytest.raises(InvalidRequest):
        check_networks([network])


def test_a_client_registers_public_keys_only(acme: Tenant) -> None:
    client = make_caller(acme).client
    for keys in ([], [public_jwk("one") | {"d": "AA"}], [{"kty": "oct", "k": "AA"}]):
        with pytest.raises(InvalidRequest):
            register_assertion_keys(client, keys=keys, actor=SYSTEM)
    with pytest.raises(InvalidRequest):
        register_assertion_keys(client, keys=None, jwks_url="https://10.0.0.1/keys", actor=SYSTEM)
    register_assertion_keys(client, keys=[public_jwk("one")], actor=SYSTEM)
    client.refresh_from_db()
    assert client.assertion_keys == [public_jwk("one")]
