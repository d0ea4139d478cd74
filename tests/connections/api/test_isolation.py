"""Nobody sees another tenant's things: for every operation of the OpenAPI document, whatever the key."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal import events
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.api_clients import issue_key
from connections.lifecycle.steer.switches import Suspendable
from connections.models import (
    AccessGrant,
    ApiClient,
    ApiKey,
    Approval,
    BulkJob,
    Connection,
    ConnectSession,
    CredentialVersion,
    ImportRow,
    ImportRun,
    ManagementSession,
    Offboarding,
    Permission,
    ProviderApp,
    Tenant,
    TrustedIssuer,
    WebhookEndpoint,
)
from tests.connections.api.grants import let
from tests.connections.api.operations import DOCUMENT, OPERATIONS, Operation, documented
from tests.connections.api.stored import make_connection, rows_as_text, rows_of
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import EndUser, call

PERMISSIONS = list(Permission)
OWN = [permission for permission in PERMISSIONS if permission not in (Permission.TENANTS, Permission.CATALOGUE)]
of_operations = pytest.mark.parametrize("operation", OPERATIONS, ids=str)
RESOURCES = (
    *("connection", "session", "grant", "approval", "offboarding", "import", "client", "issuer", "app", "incident"),
    *("shown_session", "visit", "hook", "job"),
)
of_resources = pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.resource in RESOURCES], ids=str
)
of_tenants = pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.finds_tenant], ids=str
)


TABLES = (
    Connection,
    CredentialVersion,
    ConnectSession,
    AccessGrant,
    Approval,
    Offboarding,
    ImportRun,
    ImportRow,
    TrustedIssuer,
    WebhookEndpoint,
)


def everything() -> list[tuple[str, str]]:
    """Return all that is stored, to see that nothing changed."""
    return rows_of(map(rows_as_text, TABLES))


# --- What every test begins with is made once -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def acme(module_db: None) -> Tenant:
    return make_tenant("acme")


@pytest.fixture(scope="module")
def globex(module_db: None) -> Tenant:
    return make_tenant("globex")


@pytest.fixture(scope="module")
def connection(acme: Tenant) -> Connection:
    return make_connection(acme)


@pytest.fixture(scope="module")
def backend(acme: Tenant) -> Caller:
    return make_caller(acme)


@pytest.fixture(scope="module")
def stranger(globex: Tenant) -> Caller:
    """A client of globex's that may do everything at globex."""
    make_connection(globex, end_user="alice")
    return make_caller(globex, "stranger", OWN)


@pytest.fixture(scope="module")
def named(acme: Tenant, backend: Caller, connection: Connection) -> dict[str, object]:
    """One of each thing of acme's that a path can name."""
    session = EndUser("alice", backend).invite()
    grant, now = let(connection), database_now()
    own_app = ProviderApp.objects.create(tenant=acme, provider="hubspot", auth_style="oauth2_code", name="own")
    offboarding = Offboarding.objects.create(tenant=acme, end_user="zoe", mode="offboard", ordered_at=now, done_at=now)
    approval = Approval.objects.create(
        tenant=acme,
        grant=grant,
        connection=connection,
        api_client_id=backend.client.id,
        action="vend",
        asked=b"asked",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return {
        "connection": connection.id,
        "session": session.id,
        "shown_session": session.id,
        "visit": ManagementSession.objects.create(
            tenant=acme, api_client=backend.client, end_user="alice", token_hash=b"visit", expires_at=now
        ).id,
        "grant": grant.id,
        "approval": approval.id,
        "offboarding": offboarding.id,
        "import": ImportRun.objects.create(tenant=acme, created_at=now, parts=1, options={"dry_run": True}).id,
        "client": backend.client.id,
        "app": own_app.id,
        "incident": own_app.incidents.create(kind="many_failures", opened_at=now, last_seen_at=now).id,
        "issuer": TrustedIssuer.objects.create(
            tenant=acme, use="end_user", issuer="https://idp.acme.example", audience="acme", algorithms=["RS256"]
        ).id,
        "hook": WebhookEndpoint.objects.create(tenant=acme, url="https://hooks.acme.example", position=0).id,
        "job": BulkJob.objects.create(act="probe", tenant=acme, operator="olga", total=0, ordered_at=now).id,
        "end_user": "alice",
        "tenant": "acme",
        "provider": "sandbox",
    }


@pytest.fixture(autouse=True)
def _all_is_there(named: dict[str, object], stranger: Caller, db: None) -> None:
    """Let each test begin with the same rows, whichever comes first."""


def test_every_operation_is_covered_here() -> None:
    assert {str(operation) for operation in OPERATIONS} == documented()
    for operation in OPERATIONS:
        described = DOCUMENT["paths"][operation.path][operation.method.lower()]
        in_query = any(parameter["name"] == "tenant" for parameter in described.get("parameters", ()))
        schema = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        body = DOCUMENT["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], {})
        in_body = "tenant" in body.get("properties", {})
        in_header = any(parameter["name"] == "Latchkey-Tenant" for parameter in described.get("parameters", ()))
        where = "query" if in_query else "body" if in_body else "header" if in_header else ""
        assert operation.names_tenant == where, operation


@of_resources
def test_another_tenants_id_is_as_unknown_as_one_that_does_not_exist(
    operation: Operation, named: dict[str, object], stranger: Caller
) -> None:
    before = everything()
    foreign = operation.call(stranger, id_=named[operation.resource])
    unknown = operation.call(stranger)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert foreign.content == unknown.content
    assert dict(foreign.headers) == dict(unknown.headers)
    assert everything() == before


@of_tenants
def test_another_tenants_name_is_as_unknown_as_one_that_does_not_exist(
    operation: Operation, named: dict[str, object], stranger: Caller
) -> None:
    before = everything()
    id_ = named.get(operation.resource)
    foreign = operation.call(stranger, tenant="acme", id_=id_)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "not_found")
    assert foreign.content == operation.call(stranger, tenant="initech", id_=id_).content
    assert everything() == before


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.is_owned and operation.resource], ids=str
)
def test_what_is_a_tenants_is_none_of_the_operators_own(operation: Operation, named: dict[str, object]) -> None:
    operator = make_caller(None, "operator", PERMISSIONS)
    before = everything()
    answer = operation.call(operator, id_=named[operation.resource])
    assert (answer.status_code, answer.content) == (404, operation.call(operator).content)
    assert everything() == before


@pytest.mark.parametrize(
    "operation", [operation for operation in OPERATIONS if operation.finds_tenant and not operation.is_owned], ids=str
)
def test_an_operator_wide_key_has_to_name_the_tenant(operation: Operation, named: dict[str, object]) -> None:
    operator = make_caller(None, "operator", PERMISSIONS)
    before = everything()
    answer = operation.call(operator, id_=named.get(operation.resource))
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_request", "tenant")
    assert everything() == before


@of_tenants
def test_an_operator_wide_key_gets_nothing_of_a_tenant_but_the_one_it_names(
    operation: Operation, named: dict[str, object], connection: Connection, globex: Tenant
) -> None:
    operator = make_caller(None, "operator", PERMISSIONS)
    before = everything()
    assert operation.call(operator, tenant="initech", id_=named.get(operation.resource)).status_code == 404
    if operation.resource == "connection":
        elsewhere = operation.call(operator, tenant="globex", id_=connection.id)
        assert elsewhere.content == operation.call(operator, tenant="globex").content
        assert elsewhere.status_code == 404
    assert everything() == before


def test_a_session_is_completed_by_nobody_but_the_client_that_made_it(named: dict[str, object], acme: Tenant) -> None:
    (complete,) = [operation for operation in OPERATIONS if operation.resource == "session"]
    for other in (make_caller(acme, "other"), make_caller(None, "operator")):
        foreign = complete.call(other, id_=named["session"], tenant="acme")
        assert (foreign.status_code, foreign.content) == (404, complete.call(other, tenant="acme").content)


def test_lists_hold_nothing_of_another_tenant(connection: Connection, stranger: Caller) -> None:
    let(connection, "carol")
    events.emit("connection.connected", connection)
    events.emit("connection.connected", Connection.objects.exclude(id=connection.id).get())
    for path in (
        "/connections?limit=200",
        "/access-grants",
        "/approvals",
        "/tenants",
        "/providers",
        "/providers/sandbox",
    ):
        answer = call(stranger, "GET", path)
        assert answer.status_code == 200
        name = [] if path == "/providers" else ['"acme"']  # entries of the catalogue have it as an example
        for secret in (str(connection.id), str(connection.tenant_id), *name):
            assert secret not in answer.content.decode(), path
    assert [item["tenant"] for item in call(stranger, "GET", "/connections").json()["items"]] == ["globex"]
    assert call(stranger, "GET", "/connections?end_user=alice").json()["items"][0]["tenant"] == "globex"


def test_a_list_begins_at_no_cursor_of_another_tenant(
    connection: Connection, backend: Caller, stranger: Caller
) -> None:
    make_connection(connection.tenant, app=connection.provider_app, end_user="bob")
    cursor = call(backend, "GET", "/connections?limit=1").json()["next"]
    answer = call(stranger, "GET", f"/connections?cursor={cursor}")
    assert (answer.status_code, answer.json()["field"]) == (422, "cursor")


def test_a_tenants_client_manages_no_tenants_not_even_its_own(acme: Tenant, backend: Caller) -> None:
    ApiClient.objects.filter(id=backend.client.id).update(permissions=PERMISSIONS)
    for slug in ("acme", "globex", "initech"):
        answer = call(backend, "PUT", f"/tenants/{slug}", {"name": "Taken"})
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert set(Tenant.objects.values_list("slug", "name")) == {("acme", "Acme"), ("globex", "Globex")}


def test_a_vend_by_owner_finds_nothing_of_another_tenant(
    connection: Connection, backend: Caller, foreign_backend: Caller
) -> None:
    make_connection(connection.tenant, app=connection.provider_app, end_user="dave")
    body = {"provider": "sandbox", "end_user": "dave"}
    assert call(foreign_backend, "POST", "/credentials", body).status_code == 404
    assert call(backend, "POST", "/credentials", body).status_code == 200


# --- Keys -------------------------------------------------------------------------------------------------------------


@of_operations
def test_no_operation_answers_without_a_good_key(operation: Operation, named: dict[str, object], acme: Tenant) -> None:
    id_ = named.get(operation.resource)
    revoked, expired = make_caller(acme, "revoked", OWN), make_caller(acme, "expired", OWN)
    ApiKey.objects.filter(client=revoked.client).update(revoked_at=database_now())
    ApiKey.objects.filter(client=expired.client).update(expires_at=database_now() - timedelta(hours=1))
    nearly = make_caller(acme, "nearly", OWN)
    callers = [None, revoked, expired, Caller(nearly.client, nearly.key[:-1]), Caller(nearly.client, "lk_é")]
    bodies = set()
    for caller in callers:
        answer = operation.call(caller, id_=id_)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
        assert answer["WWW-Authenticate"].startswith("Bearer")
        bodies.add(answer.json()["code"])
    assert len(bodies) == 1


@of_operations
def test_a_suspended_client_may_do_nothing(
    operation: Operation, named: dict[str, object], backend: Caller, switch_off: Callable[[Suspendable], None]
) -> None:
    switch_off(backend.client)
    for id_ in (named.get(operation.resource), None):
        answer = operation.call(backend, id_=id_)
        assert (answer.status_code, answer.json()["code"]) == (operation.status(423), "suspended")


@of_operations
def test_an_operation_needs_its_permission_and_no_other(
    operation: Operation, named: dict[str, object], acme: Tenant
) -> None:
    id_ = named.get(operation.resource)
    others = [permission for permission in OWN if permission is not operation.permission]
    without = operation.call(make_caller(acme, "without", others), id_=id_)
    assert (without.status_code, without.json()["code"]) == (operation.status(403), "permission_denied")
    assert operation.call(make_caller(acme, "none", []), id_=id_).status_code == operation.status(403)


def test_two_keys_of_a_client_overlap(backend: Caller) -> None:
    second = Caller(backend.client, issue_key(backend.client, now=database_now(), actor=SYSTEM).key)
    assert {call(key, "GET", "/connections").status_code for key in (backend, second)} == {200}
    ApiKey.objects.filter(key_hash__isnull=False, prefix=backend.key[:10]).update(revoked_at=database_now())
    assert call(backend, "GET", "/connections").status_code == 401
    assert call(second, "GET", "/connections").status_code == 200


def test_a_key_is_stored_as_a_hash_and_ends_by_itself(backend: Caller) -> None:
    key = ApiKey.objects.get(client=backend.client)
    row = str([bytes(value) if isinstance(value, memoryview) else value for value in key.__dict__.values()])
    assert backend.key not in row
    assert backend.key.startswith(key.prefix)
    assert len(backend.key) - len("lk_") == 43  # 256 bits
    assert key.expires_at - database_now() < timedelta(days=366)
