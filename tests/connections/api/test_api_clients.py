"""API clients and trusted issuers by the API: no client gives more than it has, and a key is shown once."""

from datetime import timedelta
from typing import Any

import pytest

from connections.database.clock import database_now
from connections.models import ApiClient, ApiKey, AuditEvent, CallerRule, Permission, Tenant, TrustedIssuer
from tests.factories import Caller, make_caller
from tests.flows import call

RULED = [Permission.CALLERS, Permission.READ, Permission.PROXY]
WORKER = {"name": "worker", "permissions": ["read", "proxy"], "proxy_rules": ["hubspot readonly /crm/v3/**"]}
ISSUER = {"use": "caller", "issuer": "https://ci.example.com", "audience": "latchkey"}
IDP = {"use": "end_user", "issuer": "https://idp.acme.example", "audience": "latchkey"}
CONDITIONS = [{"claim": "sub", "matches": "repo:acme/*"}]


@pytest.fixture
def head(acme: Tenant) -> Caller:
    """acme's client that makes acme's other clients."""
    return make_caller(acme, "head", RULED, proxy_rules=["hubspot * /crm/**"])


@pytest.fixture
def chief(db: None) -> Caller:
    """The operator-wide client that makes clients."""
    return make_caller(None, "chief", RULED, proxy_rules=["* * /**"])


def make(caller: Caller, **changes: Any) -> dict[str, Any]:
    answer = call(caller, "POST", "/api-clients", WORKER | changes)
    assert answer.status_code == 201, answer.content
    made: dict[str, Any] = answer.json()
    return made


def audited() -> int:
    return AuditEvent.objects.count()


def test_a_client_is_made_with_its_bounds_and_found_again(acme: Tenant, head: Caller) -> None:
    made = make(head, networks=["10.0.0.0/8"], demands_verified=True)
    assert (made["tenant"], made["permissions"], made["networks"]) == ("acme", ["read", "proxy"], ["10.0.0.0/8"])
    assert call(head, "GET", f"/api-clients/{made['id']}").json() == made
    assert [item["name"] for item in call(head, "GET", "/api-clients").json()["items"]] == ["worker", "head"]
    row = AuditEvent.objects.get(action="api_client.saved", detail__api_client=made["id"])
    assert (row.api_client_id, row.tenant_id) == (head.client.id, acme.id)


def test_an_operator_wide_client_means_its_own_kind_unless_it_names_a_tenant(acme: Tenant, chief: Caller) -> None:
    wide = make(chief)
    own = call(chief, "POST", "/api-clients?tenant=acme", WORKER).json()
    assert (wide["tenant"], own["tenant"]) == (None, "acme")
    names = {path: {item["id"] for item in call(chief, "GET", path).json()["items"]} for path in ("/api-clients",)}
    assert names["/api-clients"] == {wide["id"], str(chief.client.id)}
    assert call(chief, "GET", f"/api-clients/{own['id']}").status_code == 404
    assert call(chief, "GET", f"/api-clients/{own['id']}?tenant=acme").json()["id"] == own["id"]


def test_a_repeat_changes_nothing_and_leaves_no_trace(head: Caller) -> None:
    made = make(head)
    before = audited()
    again = call(head, "POST", "/api-clients", WORKER)
    assert (again.status_code, again.json()) == (200, made)
    terms = {name: value for name, value in WORKER.items() if name != "name"}
    for _ in range(2):
        assert call(head, "PUT", f"/api-clients/{made['id']}", terms).json() == made
        assert call(head, "PUT", f"/api-clients/{made['id']}/assertion-keys", {}).json() == made
        assert call(head, "PUT", f"/api-clients/{made['id']}/switches", {"suspended": False}).json() == made
    assert audited() == before
    other = call(head, "POST", "/api-clients", WORKER | {"permissions": ["read"]})
    assert (other.status_code, other.json()["field"]) == (422, "name")
    assert call(head, "PUT", f"/api-clients/{made['id']}", {"permissions": ["read"]}).json()["proxy_rules"] == []
    assert audited() == before + 1


@pytest.mark.parametrize(
    ("beyond", "said"),
    [
        ({"permissions": ["vend"]}, "vend"),
        ({"permissions": ["read", "grant", "manage"]}, "grant, manage"),
        ({"allows_unbound": True}, "completion"),
        ({"proxy_rules": ["* readonly /crm/v3/**"]}, "proxy rules"),
        ({"proxy_rules": ["hubspot GET /oauth/**"]}, "proxy rules"),
        ({"proxy_rules": ["hubspot GET /**"]}, "proxy rules"),
        ({"proxy_rules": ["hubspot GET /*/v3"]}, "proxy rules"),
    ],
)
def test_no_client_gives_more_than_it_has(beyond: dict[str, Any], said: str, head: Caller) -> None:
    answer = call(head, "POST", "/api-clients", WORKER | beyond)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert said in answer.json()["detail"]
    assert not ApiClient.objects.filter(name="worker").exists()
    made = make(head)
    changed = call(
        head, "PUT", f"/api-clients/{made['id']}", {k: v for k, v in (WORKER | beyond).items() if k != "name"}
    )
    assert changed.status_code == 403
    assert call(head, "GET", f"/api-clients/{made['id']}").json() == made


def test_a_client_of_bounded_networks_makes_none_without(acme: Tenant, head: Caller) -> None:
    ApiClient.objects.filter(id=head.client.id).update(networks=["127.0.0.0/8", "2001:db8::/32"])
    for networks in ([], ["0.0.0.0/0"], ["127.0.0.0/8", "10.0.0.0/8"], ["::/0"]):
        assert call(head, "POST", "/api-clients", WORKER | {"networks": networks}).status_code == 403
    assert make(head, networks=["127.1.0.0/16", "2001:db8:1::/48"])["networks"]


def test_a_client_that_proves_for_whom_it_calls_makes_none_that_does_not(acme: Tenant, head: Caller) -> None:
    ApiClient.objects.filter(id=head.client.id).update(demands_verified=True)
    assert call(head, "POST", "/api-clients", WORKER).status_code == 403
    assert make(head, demands_verified=True)["demands_verified"]
    refused = call(head, "POST", "/trusted-issuers", IDP)
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_a_stronger_client_is_nobodys_to_steer_but_may_be_stopped(acme: Tenant, head: Caller) -> None:
    strong = make_caller(acme, "strong", [Permission.READ, Permission.VEND])
    path = f"/api-clients/{strong.client.id}"
    key = ApiKey.objects.get(client=strong.client)
    for method, at, body in (
        ("PUT", path, {"permissions": ["read"]}),
        ("POST", f"{path}/keys", {}),
        ("POST", f"{path}/keys", {"earlier_keys_end_after_seconds": 0}),
        ("PUT", f"{path}/assertion-keys", {"jwks_url": "https://keys.example.com/jwks"}),
    ):
        answer = call(head, method, at, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), at
    strong.client.refresh_from_db()
    assert (strong.client.permissions, strong.client.assertion_jwks_url) == (["read", "vend"], "")
    key.refresh_from_db()
    assert key.expires_at > database_now() + timedelta(days=300)
    assert call(head, "PUT", f"{path}/switches", {"suspended": True}).json()["suspended"] is True
    assert call(strong, "GET", "/connections").status_code == 423
    assert call(head, "DELETE", f"{path}/keys/{key.id}").json()["usable"] is False


def test_only_an_operator_wide_client_takes_a_kill_switch_back(acme: Tenant, head: Caller, chief: Caller) -> None:
    path = f"/api-clients/{make(head)['id']}/switches"
    assert call(head, "PUT", path, {"suspended": True}).json()["suspended"] is True
    refused = call(head, "PUT", path, {"suspended": False})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")
    assert call(chief, "PUT", f"{path}?tenant=acme", {"suspended": False}).json()["suspended"] is False


def test_a_key_is_shown_by_its_making_and_never_again(head: Caller) -> None:
    path = f"/api-clients/{make(head)['id']}"
    answer = call(head, "POST", f"{path}/keys", {"lifetime_days": 30})
    issued = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert call(Caller(ApiClient(), issued["key"]), "GET", "/connections").status_code == 200
    shown = call(head, "GET", f"{path}/keys")
    assert [item["prefix"] for item in shown.json()["items"]] == [issued["prefix"]]
    for text in (
        shown.content.decode(),
        call(head, "GET", path).content.decode(),
        str(list(AuditEvent.objects.values())),
    ):
        assert issued["key"][10:] not in text
    assert ApiKey.objects.get(id=issued["id"]).expires_at < database_now() + timedelta(days=31)


def test_not_even_a_repeated_call_shows_a_key_again(head: Caller) -> None:
    path = f"/api-clients/{make(head)['id']}/keys"
    once = {"Idempotency-Key": "the-same"}
    first, second = (call(head, "POST", path, {}, headers=once) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json() | {"key": None}
    assert len(call(head, "GET", path).json()["items"]) == 1


def test_keys_are_rotated_shortened_and_revoked(head: Caller) -> None:
    path = f"/api-clients/{make(head)['id']}/keys"
    first = call(head, "POST", path, {}).json()
    second = call(head, "POST", path, {"earlier_keys_end_after_seconds": 3600}).json()
    ends = {row["id"]: row for row in call(head, "GET", path).json()["items"]}
    assert ApiKey.objects.get(id=first["id"]).expires_at <= database_now() + timedelta(hours=1)
    assert ends[second["id"]]["usable"]
    soon = (database_now() + timedelta(minutes=5)).isoformat()
    shortened = call(head, "PUT", f"{path}/{second['id']}", {"expires_at": soon}).json()
    before = audited()
    late = {"expires_at": "2199-01-01T00:00:00Z"}
    assert call(head, "PUT", f"{path}/{second['id']}", late).json() == shortened, "no key is prolonged"
    naive = call(head, "PUT", f"{path}/{second['id']}", {"expires_at": "2030-01-01T00:00:00"})
    assert (naive.status_code, naive.json()["field"]) == (422, "expires_at")
    assert audited() == before
    for _ in range(2):
        assert call(head, "DELETE", f"{path}/{second['id']}").json()["usable"] is False
    assert AuditEvent.objects.filter(action="api_key.revoked").count() == 1
    assert call(head, "DELETE", f"{path}/{head.client.id}").status_code == 404


def test_an_issuer_of_callers_is_trusted_by_operator_wide_clients_alone(
    acme: Tenant, head: Caller, chief: Caller
) -> None:
    assert call(head, "POST", "/trusted-issuers", ISSUER).status_code == 403
    made = call(chief, "POST", "/trusted-issuers", ISSUER)
    assert made.status_code == 201, made.content
    before = audited()
    assert call(chief, "POST", "/trusted-issuers", ISSUER).status_code == 200
    path = f"/trusted-issuers/{made.json()['id']}"
    assert call(chief, "PUT", path, {}).json() == made.json()
    assert audited() == before
    other = call(chief, "POST", "/trusted-issuers", ISSUER | {"leeway_seconds": 5})
    assert (other.status_code, other.json()["field"]) == (422, "issuer")
    assert call(chief, "PUT", path, {"leeway_seconds": 5}).json()["leeway_seconds"] == 5
    assert [item["issuer"] for item in call(chief, "GET", "/trusted-issuers?use=caller").json()["items"]]
    assert call(chief, "GET", "/trusted-issuers?use=agent").json()["items"] == []
    assert call(chief, "DELETE", path).status_code == 204
    assert not TrustedIssuer.objects.exists()


def test_a_rule_makes_nobody_a_client_beyond_its_makers_reach(acme: Tenant, chief: Caller) -> None:
    issuer = call(chief, "POST", "/trusted-issuers", ISSUER).json()
    path = f"/trusted-issuers/{issuer['id']}"
    strong = make_caller(acme, "strong", [Permission.VEND]).client
    body = {"client": str(strong.id), "conditions": CONDITIONS}
    assert call(chief, "POST", f"{path}/rules", body).status_code == 403
    worker = make(chief)
    body["client"] = worker["id"]
    made = call(chief, "POST", f"{path}/rules", body).json()
    assert call(chief, "POST", f"{path}/rules", body).json() == made, "a rule is not made twice"
    assert call(chief, "GET", f"{path}/rules").json()["items"] == [made]
    # Whoever changes the keys of an issuer becomes the clients of its rules.
    CallerRule.objects.update(client=strong)
    taken = call(chief, "PUT", path, {"jwks_url": "https://keys.example.com/jwks"})
    assert (taken.status_code, TrustedIssuer.objects.get().jwks_url) == (403, "")
    assert call(chief, "DELETE", f"{path}/rules/{made['id']}").status_code == 204
    assert call(chief, "DELETE", f"{path}/rules/{made['id']}").status_code == 404


def test_a_rule_tells_a_tenant_s_client_nothing_of_others(acme: Tenant, globex: Tenant, head: Caller) -> None:
    issuer = TrustedIssuer.objects.create(
        tenant=acme, use="caller", issuer="https://ci.example.com", audience="latchkey", algorithms=["RS256"]
    )
    answers = [
        call(head, "POST", f"/trusted-issuers/{issuer.id}/rules", {"client": str(client), "conditions": CONDITIONS})
        for client in (make_caller(globex).client.id, issuer.id)
    ]
    assert answers[0].status_code == 404
    assert answers[0].content == answers[1].content
    own = {"client": str(head.client.id), "conditions": CONDITIONS}
    assert call(head, "POST", f"/trusted-issuers/{issuer.id}/rules", own).status_code == 403


def test_a_condition_is_a_claim_and_one_comparison(chief: Caller) -> None:
    path = f"/trusted-issuers/{call(chief, 'POST', '/trusted-issuers', ISSUER).json()['id']}/rules"
    client = make(chief)["id"]
    for condition in (
        {"claim": "sub"},
        {"claim": "sub", "equals": "a", "matches": "b"},
        {"claim": "sub", "matches": "*"},
    ):
        answer = call(chief, "POST", path, {"client": client, "conditions": [condition]})
        assert (answer.status_code, answer.json()["field"]) == (422, "conditions")


def test_a_tenant_trusts_issuers_of_its_own_end_users(acme: Tenant, globex: Tenant, head: Caller) -> None:
    made = call(head, "POST", "/trusted-issuers", IDP)
    assert (made.status_code, made.json()["tenant"]) == (201, "acme")
    stranger = make_caller(globex, "theirs", RULED)
    assert call(stranger, "GET", "/trusted-issuers").json()["items"] == []
    assert call(stranger, "DELETE", f"/trusted-issuers/{made.json()['id']}").status_code == 404
    private = call(head, "PUT", f"/trusted-issuers/{made.json()['id']}", {"keys": [{"kty": "oct", "k": "AAAA"}]})
    assert (private.status_code, private.json()["field"]) == (422, "keys")
    assert "AAAA" not in private.content.decode()
