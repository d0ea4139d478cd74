"""ETags: nothing that has changed is called unchanged, and no update is lost."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.http import HttpResponse

from connections.api.document import CONDITIONAL
from connections.database.locks import lock_connection
from connections.models import AccessGrant, Connection, Permission, Revocation, Tenant
from tests.connections.api.described import DESCRIBED, Described
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection, overwrite
from tests.connections.api.test_matrix import victims
from tests.connections.api.test_problems import assert_problem
from tests.connections.api.victim import make_victim
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call

_LEFT_OUT = ("proxy", "{own_slug}")  # the provider's own answers; and an entry that nobody has added
GETS = [one for one in DESCRIBED if one.method == "GET" and not any(part in one.path for part in _LEFT_OUT)]
CHANGES = [operation for operation in DESCRIBED if operation.method in ("PUT", "PATCH", "DELETE")]
CHANGES = [operation for operation in CHANGES if "proxy" not in operation.path]


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
    heeds = operation.told["operationId"] in CONDITIONAL
    assert ("If-Match" in {parameter["name"] for parameter in operation.told["parameters"]}) == heeds
    named = victims(operation, victim)
    answer = operation.call(manager, named, tenant=victim.tenant.slug, headers={"If-Match": '"another"'})
    if heeds:
        assert_problem(answer, 412, "precondition_failed")
    else:
        assert assert_problem(answer, 422, "invalid_request")["field"] == "If-Match"


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


@pytest.mark.django_db(transaction=True)
def test_the_condition_is_checked_once_the_row_is_locked() -> None:
    connection = make_connection(make_tenant("acme"))
    backend, path = make_caller(connection.tenant), f"/connections/{connection.id}"
    tag = call(backend, "GET", path)["ETag"]

    def write() -> int:
        answer = send(backend, "PATCH", path, tag, {"metadata": {"mine": True}})
        database.close()
        return answer.status_code

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # somebody who names no condition is in the middle of a change
            locked = lock_connection(connection.id)
            assert locked is not None
            late = pool.submit(write)
            while not late.done() and not _somebody_waits():
                time.sleep(0.01)
            assert not late.done()
            locked.describe({"theirs": True})
        assert late.result() == 412
    connection.refresh_from_db()
    assert connection.metadata == {"theirs": True}


def _somebody_waits() -> bool:
    with database.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])
