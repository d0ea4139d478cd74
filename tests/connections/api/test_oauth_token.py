"""The token endpoint: RFC 8693 outside, the vend inside."""

import base64
import time
import uuid
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.policy.approve import decide_approval
from connections.lifecycle.provision.api_clients import register_assertion_keys
from connections.lifecycle.provision.trusted_issuers import Trust, add_caller_rule, trust_issuer
from connections.models import ApiClient, AuditEvent, Connection, IssuerUse, Reason, Status, Tenant
from tests.asgi_client import AsgiClient
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.api.vending import last_audit
from tests.factories import Caller, make_caller
from tests.flows import post_form
from tests.issuing import IDP, Issuer, public_jwk, sign

JWT = "urn:ietf:params:oauth:token-type:jwt"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LOGIN = Issuer(IDP, "idp", "latchkey-acme", {"sub": "alice", "groups": ["sales"]})
AGENTS = Issuer("https://agents.acme.example", "agents", "latchkey-acme", {"sub": "crm-agent"})


@pytest.fixture(autouse=True)
def _trusted(acme: Tenant) -> None:
    for issuer, use in ((LOGIN, IssuerUse.END_USER), (AGENTS, IssuerUse.AGENT)):
        trust = Trust(use, issuer.url, issuer.audience, keys=issuer.keys, groups_claim="groups")
        trust_issuer(trust, tenant=acme, actor=SYSTEM)


def form(**changes: Any) -> dict[str, str]:
    made = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": LOGIN.token(),
        "subject_token_type": JWT,
        "audience": "sandbox",
        **changes,
    }
    return {name: value for name, value in made.items() if value is not None}


def exchange(caller: Caller | None, **changes: Any) -> Any:
    return post_form(caller, "/oauth/token", form(**changes))


def assert_error(answer: Any, error: str, code: str, status: int = 400) -> dict[str, Any]:
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["error"], told["code"]) == (status, error, code), told
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"].startswith("application/json")
    assert told["error_description"].isascii()
    return told


def test_a_token_of_an_end_users_brings_their_credential(connection: Connection, backend: Caller) -> None:
    overwrite(connection, end_user="alice")
    answer = exchange(backend, scope="files.read profile.read", actor_token=AGENTS.token(), actor_token_type=JWT)
    told = answer.json()
    assert answer.status_code == 200, told
    assert told["access_token"].startswith("at-")
    assert (told["issued_token_type"], told["token_type"]) == (ACCESS_TOKEN, "Bearer")
    assert 3500 < told["expires_in"] <= 3600
    assert set(told["scope"].split()) == {"files.read", "profile.read"}
    assert told["connection"] == str(connection.id)
    assert answer["Cache-Control"] == "no-store"
    row = last_audit()
    assert (row.decision, row.subject, row.agent) == ("allowed", "alice", "crm-agent")
    assert row.detail == {"verified": {"end_user": IDP, "agent": AGENTS.url}}


@pytest.mark.parametrize("kind", ["id", "connections", "providers"])
def test_a_target_is_named_by_id_or_address(connection: Connection, backend: Caller, kind: str) -> None:
    root = f"{settings.PUBLIC_URL}/api/v1"
    targets = {
        "id": {"audience": str(connection.id)},
        "connections": {"audience": None, "resource": f"{root}/connections/{connection.id}"},
        "providers": {"audience": None, "resource": f"{root}/providers/sandbox"},
    }
    assert exchange(backend, **targets[kind]).json()["connection"] == str(connection.id)


def test_a_workload_exchanges_too(connection: Connection, backend: Caller) -> None:
    cluster = Issuer()
    trust = Trust(IssuerUse.CALLER, cluster.url, cluster.audience, keys=cluster.keys)
    rule = [{"claim": "sub", "equals": cluster.claims["sub"]}]
    add_caller_rule(trust_issuer(trust, tenant=None, actor=SYSTEM), backend.client, rule, actor=SYSTEM)
    assert exchange(Caller(backend.client, cluster.token())).status_code == 200
    assert last_audit().detail["caller"]["issuer"] == cluster.url
    assert_error(exchange(Caller(backend.client, cluster.token(exp=1))), "invalid_client", "unauthorized", 401)


def test_a_client_signs_for_itself_and_an_assertion_serves_once(connection: Connection, backend: Caller) -> None:
    register_assertion_keys(backend.client, keys=[public_jwk("client")], actor=SYSTEM)
    now, name = int(time.time()), str(backend.client.id)
    said = {"iss": name, "sub": name, "aud": f"{settings.PUBLIC_URL}/api/v1/oauth/token", "jti": "1", "exp": now + 60}
    proof = {"client_id": name, "client_assertion": sign(said, "client"), "client_assertion_type": ASSERTION}
    assert exchange(None, **proof).status_code == 200
    assert last_audit().detail["caller"] == {"issuer": name, "subject": name}
    assert_error(exchange(None, **proof), "invalid_client", "unauthorized", 401)
    # As a bearer, an assertion is nothing.
    bearer = Caller(backend.client, sign({**said, "jti": "2"}, "client"))
    assert_error(exchange(bearer), "invalid_client", "unauthorized", 401)
    assert_error(exchange(backend, **proof), "invalid_request", "invalid_request")


def basic(name: object, secret: str) -> str:
    """Return HTTP Basic as RFC 6749 §2.3.1 has it."""
    return f"Basic {base64.b64encode(f'{quote(str(name))}:{quote(secret)}'.encode()).decode()}"


def exchange_as(authorization: str, **changes: Any) -> Any:
    kind = "application/x-www-form-urlencoded"
    headers = {"Authorization": authorization}
    return AsgiClient().generic("POST", "/api/v1/oauth/token", urlencode(form(**changes)), kind, headers=headers)


def test_a_client_says_its_name_beside_its_key(connection: Connection, backend: Caller, globex: Tenant) -> None:
    name, stranger = str(backend.client.id), make_caller(globex, "stranger")
    assert exchange_as(basic(name, backend.key)).status_code == 200
    assert exchange_as(basic(name, backend.key), client_id=name).status_code == 200
    assert exchange(None, client_id=name, client_secret=backend.key).status_code == 200
    assert exchange(backend, client_id=name).status_code == 200
    refused = [
        *(
            exchange_as(basic(*pair))
            for pair in ((name, "lk_x"), (stranger.client.id, backend.key), ("x", backend.key))
        ),
        exchange(None, client_id=str(stranger.client.id), client_secret=backend.key),
        exchange(None, client_secret=backend.key),
        exchange(backend, client_id=str(stranger.client.id)),
        *(exchange_as(f"Basic {raw}") for raw in ("", "!!!", "YQ==", "Og==", "/////w==")),
    ]
    for answer in refused:
        assert_error(answer, "invalid_client", "unauthorized", 401)
    assert refused[0]["WWW-Authenticate"].startswith("Basic ")
    assert refused[3]["WWW-Authenticate"].startswith("Bearer ")
    for answer in (
        exchange_as(basic(name, backend.key), client_id=str(stranger.client.id)),
        exchange_as(basic(name, backend.key), client_secret=backend.key),
        exchange(backend, client_id=name, client_secret=backend.key),
    ):
        assert_error(answer, "invalid_request", "invalid_request")
    assert backend.key not in str(AuditEvent.objects.values_list())


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type", "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request", "invalid_request"),
        ({"subject_token": None}, "invalid_request", "invalid_request"),
        ({"subject_token_type": None}, "invalid_request", "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request", "invalid_request"),
        ({"actor_token_type": JWT}, "invalid_request", "invalid_request"),
        ({"actor_token": "a.b.c"}, "invalid_request", "invalid_request"),
        ({"requested_token_type": JWT}, "invalid_request", "invalid_request"),
        ({"client_assertion": "a.b.c"}, "invalid_request", "invalid_request"),
        ({"subject_token": "a.b.c"}, "invalid_request", "identity_token_refused"),
        ({"subject_token": LOGIN.token(aud="x")}, "invalid_request", "identity_token_refused"),
        ({"actor_token": LOGIN.token(), "actor_token_type": JWT}, "invalid_request", "identity_token_refused"),
        ({"audience": None}, "invalid_target", "invalid_request"),
        ({"audience": "nothing-like-it"}, "invalid_target", "invalid_request"),
        ({"resource": "https://api.example/"}, "invalid_target", "invalid_request"),
        ({"audience": None, "resource": "https://api.example/"}, "invalid_target", "invalid_request"),
        ({"audience": "hubspot"}, "invalid_target", "not_found"),
        ({"audience": "00000000-0000-4000-8000-000000000000"}, "invalid_target", "not_found"),
        ({"scope": "files.write"}, "invalid_scope", "insufficient_scope"),
        ({"scope": "a  b"}, "invalid_scope", "invalid_request"),
        ({"scope": 'a"b'}, "invalid_scope", "invalid_request"),
        ({"tenant": "globex"}, "invalid_target", "not_found"),
        ({"purpose": "x" * 256}, "invalid_request", "invalid_request"),
    ],
)
def test_errors_are_those_of_the_standards(
    connection: Connection, backend: Caller, changes: dict[str, Any], error: str, code: str
) -> None:
    told = assert_error(exchange(backend, **changes), error, code)
    assert "access_token" not in told


def test_a_parameter_that_comes_twice_is_refused(connection: Connection, backend: Caller) -> None:
    for name in ("subject_token", "audience", "scope", "resource"):
        twice = urlencode({**form(), name: form().get(name, "x")}) + f"&{name}=more"
        error = "invalid_target" if name in ("audience", "resource") else "invalid_request"
        error = "invalid_scope" if name == "scope" else error
        assert_error(post_form(backend, "/oauth/token", twice), error, "invalid_request")
    assert exchange(backend, unknown="ignored").status_code == 200


def test_who_has_no_connection_is_told_where_to_connect(connection: Connection, backend: Caller) -> None:
    Tenant.objects.update(reconnect_url="https://app.acme.example/connect?p={provider}&u={end_user}&c={connection}")
    told = assert_error(exchange(backend, subject_token=LOGIN.token(sub="b b")), "invalid_target", "not_found")
    assert told["connect_url"] == "https://app.acme.example/connect?p=sandbox&u=b%20b&c="


def test_whose_grant_is_gone_is_told_where_to_mend_it(connection: Connection, backend: Caller) -> None:
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    told = assert_error(exchange(backend), "interaction_required", "reauthorization_required")
    assert told["connect_url"].startswith(settings.PUBLIC_URL)


def test_another_end_user_needs_an_access_grant(connection: Connection, backend: Caller) -> None:
    asked = {"subject_token": LOGIN.token(sub="bob"), "audience": str(connection.id)}
    told = assert_error(exchange(backend, **asked), "invalid_target", "policy_denied")
    assert told["rule"] == "other_user"
    let(connection, allows_vend=True)
    assert exchange(backend, **asked).status_code == 200


def test_what_needs_an_approval_is_told_where_it_is_given(connection: Connection, backend: Caller) -> None:
    let(connection, needs_approval=True)
    asked = {"subject_token": LOGIN.token(sub="bob"), "audience": str(connection.id)}
    told = assert_error(exchange(backend, **asked), "authorization_pending", "approval_required")
    assert told["approve_url"].startswith(settings.PUBLIC_URL)
    approval = uuid.UUID(told["approval"])
    decide_approval(approval, approves=True, by="carol", now=database_now(), actor=SYSTEM)
    assert exchange(backend, **asked).status_code == 200
    assert_error(exchange(backend, **asked), "authorization_pending", "approval_required")


def test_nobody_gets_another_tenants(connection: Connection, globex: Tenant) -> None:
    stranger, operator = make_caller(globex), make_caller(None, "operator")
    for audience in (str(connection.id), "sandbox"):
        assert_error(exchange(stranger, audience=audience), "invalid_request", "identity_token_refused")
        assert_error(exchange(stranger, audience=audience, tenant="acme"), "invalid_target", "not_found")
        assert_error(exchange(operator, audience=audience), "invalid_request", "invalid_request")
    trust = Trust(IssuerUse.END_USER, LOGIN.url, LOGIN.audience, keys=LOGIN.keys)
    trust_issuer(trust, tenant=globex, actor=SYSTEM)
    make_connection(globex, end_user="bob")
    foreign = assert_error(exchange(stranger, audience=str(connection.id)), "invalid_target", "not_found")
    unknown = exchange(stranger, audience="00000000-0000-4000-8000-000000000000").json()
    assert foreign == unknown
    assert exchange(operator, tenant="acme").json()["connection"] == str(connection.id)


def test_the_permission_and_the_kill_switch_are_the_vends(connection: Connection, backend: Caller) -> None:
    ApiClient.objects.update(permissions=["read"])
    assert_error(exchange(backend), "unauthorized_client", "permission_denied")
    assert_error(exchange(None), "invalid_client", "unauthorized", 401)
    assert_error(post_form(backend, "/oauth/token", ""), "invalid_request", "invalid_request")


def test_no_token_is_left_in_the_trail(connection: Connection, backend: Caller) -> None:
    asked = form()
    answer = post_form(backend, "/oauth/token", asked)
    trail = str(AuditEvent.objects.values_list())
    assert answer.json()["access_token"] not in trail
    assert asked["subject_token"] not in trail
