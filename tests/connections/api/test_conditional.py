"""ETags: nothing that has changed is called unchanged, and no update is lost."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse

from connections.api.document import UNCONDITIONAL, UNTAGGED
from connections.models import (
    AccessGrant,
    ApiClient,
    ApiKey,
    AppKey,
    CallerRule,
    Connection,
    ManagementSession,
    Permission,
    ProviderApp,
    Revocation,
    Tenant,
    TenantDomain,
    TrustedIssuer,
    WebhookEndpoint,
)
from providers.sandbox.waiting import until
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.grants import let
from tests.connections.api.own_entries import ENTRY
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.api.test_matrix import victims
from tests.connections.api.test_problems import assert_problem
from tests.connections.api.victim import SLUG, make_victim
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call

_LEFT_OUT = ("{own_slug}",)  # an entry that nobody has added
GETS = [one for one in DESCRIBED if one.method == "GET" and not any(part in one.path for part in _LEFT_OUT)]
GETS = [operation for operation in GETS if operation.told["operationId"] not in UNTAGGED]
CHANGES = [operation for operation in DESCRIBED if operation.method in ("PUT", "PATCH", "DELETE")]
CHANGES = [operation for operation in CHANGES if "proxy" not in operation.path]
# Bodies that need more than their schemas say, to be refused for the condition alone.
_APP = {"auth_style": "api_key", "params": {"issuer": "http://127.0.0.1:9"}}
MEMBERS = {
    "put_provider_app": _APP,
    "put_shared_provider_app": _APP,
    "put_webhook_endpoint": {"url": "http://127.0.0.1:9/x"},
    "put_own_provider": {"toml": ENTRY},
}


@pytest.fixture
def manager(db: None) -> Caller:
    return make_caller(None, "manager", list(Permission))


def send(caller: Caller, method: str, path: str, tag: str, body: Any = None) -> HttpResponse:
    name = "If-None-Match" if method == "GET" else "If-Match"
    return call(caller, method, path, body, headers={name: tag})


@pytest.mark.parametrize("operation", GETS, ids=str)
def test_every_read_has_a_tag_and_is_not_sent_twice(operation: Described, manager: Caller) -> None:
    victim = make_victim()
    named, tenant = victims(operation, victim), victim.tenant.slug
    first = operation.call(manager, named, tenant=tenant)
    assert first.status_code == 200
    assert first["ETag"].startswith('"')
    assert operation.call(manager, named, tenant=tenant)["ETag"] == first["ETag"]
    for condition in (first["ETag"], f'"x", {first["ETag"]}', f"W/{first['ETag']}", "*"):
        same = operation.call(manager, named, tenant=tenant, headers={"If-None-Match": condition})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    for condition in ('"x"', first["ETag"].strip('"'), ""):
        assert operation.call(manager, named, tenant=tenant, headers={"If-None-Match": condition}).content


@pytest.mark.parametrize("operation", CHANGES, ids=str)
def test_every_change_heeds_a_condition_or_refuses_it(operation: Described, manager: Caller) -> None:
    victim = make_victim()
    heeds = operation.told["operationId"] not in UNCONDITIONAL
    assert ("If-Match" in {parameter["name"] for parameter in operation.told["parameters"]}) == heeds
    named = victims(operation, victim)
    members = MEMBERS.get(operation.told["operationId"])
    condition = {"If-Match": '"another"'}
    answer = operation.call(manager, named, tenant=victim.tenant.slug, members=members, headers=condition)
    if heeds and "{own_slug}" in operation.path and operation.method == "DELETE":
        assert_problem(answer, 404, "not_found")  # nobody has added one
    elif heeds:
        assert_problem(answer, 412, "precondition_failed")
    else:
        assert assert_problem(answer, 422, "invalid_request")["field"] == "If-Match"
    condition = {"If-None-Match": "*"}
    answer = operation.call(manager, named, tenant=victim.tenant.slug, members=members, headers=condition)
    assert assert_problem(answer, 422, "invalid_request")["field"] == "If-None-Match"


def test_a_tag_changes_with_whatever_the_answer_says(connection: Connection, backend: Caller) -> None:
    path, tags = f"/connections/{connection.id}", set()
    for changes in ({}, {"failures": 3}, {"provider_account_name": "Bob"}, {"evidence": {"a": 1}}):
        overwrite(connection, **changes)
        tags.add(call(backend, "GET", path)["ETag"])
    connection.scopes.filter(name="files.read").update(is_granted=False)
    tags.add(call(backend, "GET", path)["ETag"])
    assert len(tags) == 5


def test_a_change_answers_with_the_tag_of_what_a_read_shows(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}"
    changed = send(backend, "PATCH", path, call(backend, "GET", path)["ETag"], {"metadata": {"a": 1}})
    assert changed.status_code == 200
    assert changed["ETag"] == call(backend, "GET", path)["ETag"]
    assert send(backend, "PATCH", path, changed["ETag"], {"metadata": {"a": 2}}).status_code == 200


def test_a_client_that_may_not_read_gets_no_tag(connection: Connection) -> None:
    blind = make_caller(connection.tenant, "blind", [Permission.MANAGE])
    assert "ETag" not in call(blind, "PATCH", f"/connections/{connection.id}", {"metadata": {}})


def test_a_weak_tag_is_not_enough_for_a_change(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}"
    tag = call(backend, "GET", path)["ETag"]
    assert_problem(send(backend, "PATCH", path, f"W/{tag}", {"metadata": {}}), 412, "precondition_failed")
    assert send(backend, "PATCH", path, "*", {"metadata": {}}).status_code == 200


def test_nothing_is_ended_that_has_changed(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}"
    tag = call(backend, "GET", path)["ETag"]
    call(backend, "PATCH", path, {"label": "work"})
    assert_problem(send(backend, "DELETE", path, tag), 412, "precondition_failed")
    connection.refresh_from_db()
    assert connection.revocation == Revocation.NOT_ASKED
    assert send(backend, "DELETE", path, call(backend, "GET", path)["ETag"]).status_code == 200


def test_who_may_use_a_connection_is_changed_as_seen(connection: Connection) -> None:
    granter = make_caller(connection.tenant, "granter", [Permission.GRANT, Permission.READ])
    path = f"/connections/{connection.id}"
    tag = call(granter, "GET", path)["ETag"]
    assert send(granter, "PUT", f"{path}/sharing", tag, {"grants_only": True}).status_code == 200
    assert_problem(send(granter, "PUT", f"{path}/sharing", tag, {"grants_only": False}), 412, "precondition_failed")


def test_a_grant_is_revoked_as_seen(connection: Connection) -> None:
    granter = make_caller(connection.tenant, "granter", [Permission.GRANT, Permission.READ])
    path = f"/access-grants/{let(connection).id}"
    tag = call(granter, "GET", path)["ETag"]
    assert send(granter, "DELETE", path, tag).status_code == 200
    assert AccessGrant.objects.get().revoked_at
    assert_problem(send(granter, "DELETE", path, tag), 412, "precondition_failed")


def test_a_tenant_is_changed_as_seen(acme: Tenant, manager: Caller) -> None:
    tag = call(manager, "GET", "/tenants/acme")["ETag"]
    changed = send(manager, "PUT", "/tenants/acme", tag, {"name": "Acme Inc.", "branding": {"radius": 3}})
    assert (changed.status_code, changed["ETag"]) == (200, call(manager, "GET", "/tenants/acme")["ETag"])
    assert_problem(send(manager, "PUT", "/tenants/acme", tag, {"name": "Taken"}), 412, "precondition_failed")
    assert_problem(send(manager, "PUT", "/tenants/initech", "*", {"name": "Initech"}), 412, "precondition_failed")
    assert list(Tenant.objects.values_list("name", flat=True)) == ["Acme Inc."]


def test_the_operators_brand_is_changed_as_seen(manager: Caller) -> None:
    tag = call(manager, "GET", "/branding")["ETag"]
    changed = send(manager, "PUT", "/branding", tag, {"radius": 3})
    assert (changed.status_code, changed["ETag"]) == (200, call(manager, "GET", "/branding")["ETag"])
    assert_problem(send(manager, "PUT", "/branding", tag, {"radius": 4}), 412, "precondition_failed")


def test_an_unknown_one_is_unknown_and_not_changed(backend: Caller) -> None:
    answer = send(backend, "PATCH", f"/connections/{uuid.uuid4()}", '"x"', {"metadata": {}})
    assert_problem(answer, 404, "not_found")


def test_a_change_that_says_more_than_a_read_has_the_tag_of_the_read(manager: Caller) -> None:
    victim = make_victim()
    hook = f"/webhook-endpoints/{victim.ids['hook']}"
    switched = call(manager, "PUT", f"{hook}/switches?tenant={SLUG}", {"enabled": False})
    assert switched["ETag"] == call(manager, "GET", f"{hook}?tenant={SLUG}")["ETag"]
    app = {"client_id": "x", "client_secrets": ["secret-of-it"]}
    saved = call(manager, "PUT", f"/tenants/{SLUG}/provider-apps/hubspot", app)
    path = f"/provider-apps/{saved.json()['id']}?tenant={SLUG}"
    assert saved["ETag"] == call(manager, "GET", path)["ETag"]
    again = send(manager, "PUT", f"/tenants/{SLUG}/provider-apps/hubspot", saved["ETag"], app | {"name": "Ours"})
    assert (again.status_code, again["ETag"]) == (200, call(manager, "GET", path)["ETag"])


def test_an_entry_of_ones_own_is_changed_as_seen(editor: Caller) -> None:
    path = "/own-providers/acme-erp"
    assert_problem(send(editor, "PUT", path, "*", {"toml": ENTRY}), 412, "precondition_failed")
    made = call(editor, "PUT", path, {"toml": ENTRY})
    other = {"toml": ENTRY.replace("Acme ERP", "Acme ERP 2")}
    changed = send(editor, "PUT", path, made["ETag"], other)
    assert (changed.status_code, changed["ETag"]) == (200, call(editor, "GET", path)["ETag"])
    assert_problem(send(editor, "PUT", path, made["ETag"], {"toml": ENTRY}), 412, "precondition_failed")
    assert_problem(send(editor, "DELETE", path, made["ETag"]), 412, "precondition_failed")
    assert call(editor, "GET", path).json()["toml"] == other["toml"]
    assert send(editor, "DELETE", path, changed["ETag"]).status_code == 204


def test_switches_that_stand_as_asked_are_compared_as_well(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}/switches"
    for body in ({"suspended": False}, {"paused": False}, {}):
        assert_problem(send(backend, "PUT", path, '"x"', body), 412, "precondition_failed")
    tag = call(backend, "GET", f"/connections/{connection.id}")["ETag"]
    assert send(backend, "PUT", path, tag, {"suspended": True, "paused": True}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_two_writers_that_saw_the_same_one_writes() -> None:
    connection = make_connection(make_tenant("acme"))
    backend, path = make_caller(connection.tenant), f"/connections/{connection.id}"
    tag, begin = call(backend, "GET", path)["ETag"], threading.Barrier(6)

    def write(number: int) -> int:
        begin.wait()
        answer = send(backend, "PATCH", path, tag, {"metadata": {"writer": number}})
        database.close()
        return answer.status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(write, range(6))) == [200] + [412] * 5


@dataclass(frozen=True)
class Race:
    """A change of one kind of thing, and what somebody else does to its row meanwhile."""

    method: str
    path: str
    read: str
    rows: type[Model]
    named: str
    meanwhile: dict[str, Any]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


_LATER = datetime(2030, 1, 1, tzinfo=UTC)
_CLIENT, _KEY = "/api-clients/{api_client}", "/api-clients/{api_client}/keys/{key}"
_REGISTRATION, _PAIR = "/provider-apps/{own_app}", "/provider-apps/{own_app}/keys/{key}"
_ISSUER, _HOOK, _DOMAIN = "/trusted-issuers/{issuer}", "/webhook-endpoints/{hook}", "/tenants/{slug}/domains/{host}"
_CONNECTION, _VISIT, _GRANT = "/connections/{connection}", "/management-sessions/{visit}", "/access-grants/{grant}"
_RULE = _ISSUER + "/rules/{rule}"
_TENANT = "/tenants/{slug}"
_OFF, _TERMS = (
    {"suspended": True},
    {"auth_style": "oauth2_authorization_code", "client_id": "x", "client_secrets": ["s3cret"]},
)
RACES = [
    Race("PATCH", _CONNECTION, _CONNECTION, Connection, "connection", {"label": "theirs 1"}, {"metadata": {"a": 1}}),
    Race("PUT", _CONNECTION + "/switches", _CONNECTION, Connection, "connection", {"failures": 7}, _OFF),
    Race("DELETE", _GRANT, _GRANT, AccessGrant, "grant", {"note": "theirs 2"}),
    Race("PUT", _CLIENT, _CLIENT, ApiClient, "api_client", {"networks": ["10.1.0.0/16"]}, {"permissions": ["read"]}),
    Race("PUT", _CLIENT + "/assertion-keys", _CLIENT, ApiClient, "api_client", {"networks": ["10.2.0.0/16"]}, {}),
    Race("PUT", _CLIENT + "/switches", _CLIENT, ApiClient, "api_client", {"networks": ["10.3.0.0/16"]}, _OFF),
    Race("PUT", _KEY, _KEY, ApiKey, "key", {"expires_at": _LATER}, {"expires_at": "2029-01-01T00:00:00Z"}),
    Race("DELETE", _KEY, _KEY, ApiKey, "key", {"expires_at": _LATER + timedelta(days=1)}),
    Race("PUT", _ISSUER, _ISSUER, TrustedIssuer, "issuer", {"claim": "email"}, {"leeway_seconds": 5}),
    Race("DELETE", _ISSUER, _ISSUER, TrustedIssuer, "issuer", {"claim": "upn"}),
    Race("DELETE", _RULE, _RULE, CallerRule, "rule", {"conditions": [{"claim": "sub", "equals": "x"}]}),
    Race(
        "PUT", _TENANT + "/provider-apps/hubspot", _REGISTRATION, ProviderApp, "own_app", {"name": "theirs 3"}, _TERMS
    ),
    Race(
        "PUT",
        _REGISTRATION + "/switches",
        _REGISTRATION,
        ProviderApp,
        "own_app",
        {"name": "theirs 4"},
        {"paused": True},
    ),
    Race("DELETE", _PAIR, _PAIR, AppKey, "key", {"kid": "theirs 5"}),
    Race("PUT", _HOOK, _HOOK, WebhookEndpoint, "hook", {"description": "theirs 6"}, {"url": "http://127.0.0.1:9/x"}),
    Race("PUT", _HOOK + "/switches", _HOOK, WebhookEndpoint, "hook", {"description": "theirs 7"}, {"enabled": False}),
    Race("DELETE", _HOOK, _HOOK, WebhookEndpoint, "hook", {"description": "theirs 8"}),
    Race("PUT", _TENANT + "/switches", _TENANT, Tenant, "tenant", {"name": "theirs 9"}, _OFF),
    Race("DELETE", _TENANT, _TENANT, Tenant, "tenant", {"name": "theirs 10"}),
    Race("DELETE", _DOMAIN, _DOMAIN, TenantDomain, "domain", {"failure": "theirs 11"}),
    Race("DELETE", _VISIT, _VISIT, ManagementSession, "visit", {"end_user": "theirs 12"}),
]


@pytest.mark.django_db(transaction=True)
def test_the_condition_is_checked_once_the_row_is_locked() -> None:
    """Somebody who names no condition is in the middle of a change of the same thing, whatever kind of thing it is."""
    victim = make_victim()
    manager = make_caller(None, "manager", list(Permission))
    domain = TenantDomain.objects.get(tenant=victim.tenant)
    ids = victim.ids | {"tenant": str(victim.tenant.id), "domain": str(domain.id)}
    with ThreadPoolExecutor(1) as pool:
        for race in RACES:
            owner = "" if race.path.startswith("/tenants/") else f"?tenant={SLUG}"
            path, read = (one.format(slug=SLUG, **ids) for one in (race.path, race.read))
            in_body = isinstance(race.body, dict) and race.method == "PATCH"
            body = race.body | {"tenant": SLUG} if in_body else race.body
            tag = call(manager, "GET", read + ("" if read.startswith("/tenants/") else f"?tenant={SLUG}"))["ETag"]
            with transaction.atomic():
                row = race.rows._default_manager.filter(pk=ids[race.named])
                assert row.update(**race.meanwhile) == 1
                late = pool.submit(_sent, manager, race.method, path + ("" if in_body else owner), tag, body)
                until(lambda late=late: late.done() or _somebody_waits(), f"late one of {race}", pause=0.01)
                assert not late.done(), (race, late.result())
            assert late.result() == 412, race
            stored = row.values(*race.meanwhile).get()
            assert stored == race.meanwhile, race
            fresh = call(manager, "GET", read + ("" if read.startswith("/tenants/") else f"?tenant={SLUG}"))["ETag"]
            assert fresh != tag, race


def _sent(caller: Caller, method: str, path: str, tag: str, body: Any) -> int:
    try:
        return send(caller, method, path, tag, body).status_code
    finally:
        database.close()


def _somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database())"
        )
        return bool(cursor.fetchone()[0])
