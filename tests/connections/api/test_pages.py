"""Every list of the OpenAPI document is read in pages, the same way: a new one is tried by itself."""

import base64
from contextlib import suppress
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from connections.api.pages import page_of, read_cursor, write_cursor
from connections.models import Connection, Permission, Tenant, TenantDomain
from connections.refusals import InvalidRequest
from tests.connections.api.described import DESCRIBED, Described, resolved
from tests.connections.api.stored import make_app, make_connection
from tests.connections.api.test_matrix import victims
from tests.connections.api.test_problems import assert_problem
from tests.connections.api.victim import make_victim
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call


def answered(operation: Described) -> dict[str, Any]:
    """Return the schema of what an operation answers when all is well."""
    content = operation.told["responses"].get("200", {}).get("content", {})
    return resolved(content.get("application/json", {}).get("schema", {}))


READS = [operation for operation in DESCRIBED if operation.method == "GET" and "{path}" not in operation.path]
LISTS = [operation for operation in READS if "items" in answered(operation).get("properties", {})]
of_lists = pytest.mark.parametrize("operation", LISTS, ids=str)


@pytest.fixture
def manager(db: None) -> Caller:
    return make_caller(None, "manager", list(Permission))


def test_no_answer_is_a_bare_list() -> None:
    assert len(LISTS) > 5
    for operation in READS:
        schema = answered(operation)
        assert schema.get("type") != "array", operation
        if operation in LISTS:
            assert {"items", "next"} == set(schema["required"]), operation


@of_lists
def test_a_list_tells_its_limits_and_keeps_them(operation: Described, manager: Caller) -> None:
    told = {one["name"]: resolved(one["schema"]) for one in operation.told["parameters"]}
    assert "cursor" in told
    least, most = told["limit"]["minimum"], told["limit"]["maximum"]
    victim = make_victim()
    named, tenant = victims(operation, victim), victim.tenant.slug
    for limit in (least, most):
        assert operation.call(manager, named, tenant=tenant, query={"limit": str(limit)}).status_code == 200
    for wrong in (least - 1, most + 1, "many", ""):
        answer = operation.call(manager, named, tenant=tenant, query={"limit": str(wrong)})
        assert assert_problem(answer, 422, "invalid_request")["field"] == "limit"


@of_lists
def test_a_list_takes_no_cursor_of_another(operation: Described, manager: Caller) -> None:
    victim = make_victim()
    named, tenant = victims(operation, victim), victim.tenant.slug
    strange = write_cursor("2026-01-01T00:00:00+00:00|00000000-0000-4000-8000-000000000000", of="another")
    for cursor in ("x", "\x00", "A" * 900, strange, base64.urlsafe_b64encode(b"abc").decode()):
        answer = operation.call(manager, named, tenant=tenant, query={"cursor": cursor})
        assert assert_problem(answer, 422, "invalid_request")["field"] == "cursor"


def test_a_cursor_goes_with_its_filters(connection: Connection, backend: Caller) -> None:
    for label in ("a", "b", "c"):
        make_connection(connection.tenant, end_user="alice", label=label)
    first = call(backend, "GET", "/connections?limit=2&end_user=alice").json()
    rest = call(backend, "GET", f"/connections?limit=9&end_user=alice&cursor={first['next']}").json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 2, None)
    for others in ("end_user=bob", "", "end_user=alice&status=active"):
        refused = call(backend, "GET", f"/connections?{others}&cursor={first['next']}")
        assert "other filters" in assert_problem(refused, 422, "invalid_request")["detail"]


def test_each_row_is_on_one_page_whatever_the_order(acme: Tenant, manager: Caller) -> None:
    for slug in ("globex", "initech", "umbrella", "hooli"):
        make_tenant(slug)
    for host in ("c.example", "a.example", "b.example"):
        TenantDomain.objects.create(tenant=acme, host=host)
    apps = [
        make_app(acme, name=f"app {number}", params={"issuer": f"http://127.0.0.1:{number + 10}"}).name
        for number in range(1)
    ]
    for path, name, expected in (
        ("/tenants", "slug", ["acme", "globex", "hooli", "initech", "umbrella"]),
        ("/tenants/acme/domains", "host", ["a.example", "b.example", "c.example"]),
        ("/tenants/acme/provider-apps", "name", apps),
    ):
        found, cursor = [], ""
        while True:
            page = call(manager, "GET", f"{path}?limit=1{cursor}").json()
            found += [item[name] for item in page["items"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert found == expected


def test_filters_that_contradict_each_other_find_nothing_without_a_query(
    acme: Tenant, django_assert_num_queries: type[CaptureQueriesContext]
) -> None:
    with django_assert_num_queries(0):  # type: ignore[call-arg]
        assert page_of(Connection.objects.filter(status__in=[]), None, limit=5) == ([], None)


def cursor_at(position: str, rows: "QuerySet[Connection]") -> str:
    """Return a cursor of these rows that no page of theirs ended with."""
    return write_cursor(position, of=str(rows.order_by().values("pk").query.sql_with_params()))


@pytest.mark.parametrize(
    "position",
    [
        "|",
        "\x00|\x00",
        "2026-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00+00:00|me",
        "never|00000000-0000-4000-8000-000000000000",
        "2026-01-01|00000000-0000-4000-8000-000000000000",
    ],
)
def test_a_position_that_no_page_ends_at_is_refused(position: str, acme: Tenant) -> None:
    rows = Connection.objects.for_tenant(acme.id)
    with pytest.raises(InvalidRequest):
        page_of(rows, cursor_at(position, rows), limit=5)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "0001-01-01T00:00:00+00:00"]
)
def test_a_cursor_at_the_end_of_time_is_no_crash(moment: str, acme: Tenant, connection: Connection) -> None:
    rows = Connection.objects.for_tenant(acme.id)
    with suppress(InvalidRequest):
        page_of(rows, cursor_at(f"{moment}|00000000-0000-4000-8000-000000000000", rows), limit=5)


def test_a_cursor_leads_back_to_its_position() -> None:
    assert read_cursor(write_cursor("ünï|x", of="a"), of="a") == "ünï|x"
