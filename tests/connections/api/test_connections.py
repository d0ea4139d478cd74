"""Reading and changing connections: pages that miss nothing and repeat nothing, and one change at a time."""

from typing import Any

import psycopg
import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal import events
from connections.models import AuditEvent, Connection, OutboxEvent, OwnerKind, Reason, Status, Tenant
from tests.connections.api.stored import make_app, make_connection, overwrite
from tests.factories import Caller, make_caller, make_tenant
from tests.flows import call


def rows(tenant: Tenant, count: int, **changes: Any) -> list[str]:
    """Store ``count`` pending connections, all made at the same moment, and return their ids."""
    app = make_app(tenant)
    made = Connection.objects.bulk_create(
        Connection(
            tenant=tenant,
            provider_app=app,
            provider="sandbox",
            owner_kind=OwnerKind.END_USER,
            end_user=f"user-{number}",
            **changes,
        )
        for number in range(count)
    )
    Connection.objects.update(created_at=database_now())
    return [str(connection.id) for connection in made]


def pages(caller: Caller, query: str = "") -> list[list[str]]:
    found, cursor = [], ""
    while True:
        page = call(caller, "GET", f"/connections?limit=3{query}{cursor}").json()
        found.append([item["id"] for item in page["items"]])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize("count", [0, 1, 3, 7, 9])
def test_pages_hold_everything_once_though_all_was_made_at_the_same_moment(
    count: int, acme: Tenant, backend: Caller
) -> None:
    made = rows(acme, count)
    found = pages(backend)
    assert sorted(id_ for page in found for id_ in page) == sorted(made)
    assert all(len(page) == 3 for page in found[:-1])
    assert len(found) == max(1, -(-count // 3))


def test_the_newest_comes_first_and_new_ones_disturb_no_reader(acme: Tenant, backend: Caller) -> None:
    first = [make_connection(acme, end_user=f"user-{number}") for number in range(4)]
    for age, connection in enumerate(reversed(first)):
        Connection.objects.filter(id=connection.id).update(created_at=f"2026-01-01T00:00:{30 - age:02}Z")
    page = call(backend, "GET", "/connections?limit=2").json()
    make_connection(acme, end_user="late")
    rest = call(backend, "GET", f"/connections?limit=2&cursor={page['next']}").json()
    assert [item["id"] for item in page["items"] + rest["items"]] == [str(row.id) for row in reversed(first)]
    assert rest["next"] is None


def test_filters_narrow_the_list(acme: Tenant, backend: Caller) -> None:
    hers = make_connection(acme)
    broken = make_connection(acme, end_user="bob", status=Status.NEEDS_REAUTH, reason=Reason.CREDENTIAL_DEAD)
    for query, expected in (
        ("end_user=alice", {str(hers.id)}),
        ("status=needs_reauth", {str(broken.id)}),
        ("provider=sandbox", {str(hers.id), str(broken.id)}),
        ("provider=oidc", set()),
        ("end_user=bob&status=active", set()),
        ("tenant=acme", {str(hers.id), str(broken.id)}),
    ):
        items = call(backend, "GET", f"/connections?{query}").json()["items"]
        assert {item["id"] for item in items} == expected, query


def test_shows_a_connection_without_any_secret(acme: Tenant, backend: Caller) -> None:
    connection = make_connection(acme, access_token="planted-access-token")
    answer = call(backend, "GET", f"/connections/{connection.id}")
    assert "planted-access-token" not in answer.content.decode()
    shown = answer.json()
    assert shown["scopes"] == {
        "requested": ["files.read", "files.write", "profile.read"],
        "granted": ["files.read", "profile.read"],
        "required": [],
        "observed": None,
        "missing": ["files.write"],
    }
    assert (shown["tenant"], shown["end_user"], shown["status"]) == ("acme", "alice", "active")
    assert shown["connect_url"] is None


def test_says_where_to_mend_it_only_when_it_is_broken(acme: Tenant, connection: Connection, backend: Caller) -> None:
    make_tenant("acme", reconnect_url="https://app.acme.example/mend/{connection}")
    path = f"/connections/{connection.id}"
    assert call(backend, "GET", path).json()["connect_url"] is None
    overwrite(connection, status=Status.NEEDS_REAUTH, reason=Reason.GRANT_REJECTED)
    assert call(backend, "GET", path).json()["connect_url"] == f"https://app.acme.example/mend/{connection.id}"


def test_changes_the_metadata_and_nothing_else(connection: Connection, backend: Caller) -> None:
    before = call(backend, "GET", f"/connections/{connection.id}").json()
    after = call(backend, "PATCH", f"/connections/{connection.id}", {"metadata": {"crm": 7}}).json()
    assert {name for name in before if before[name] != after[name]} == {"metadata", "updated_at"}
    assert AuditEvent.objects.filter(action="connection.described", connection_id=connection.id).count() == 1
    for member in ("status", "end_user", "params", "binding"):
        answer = call(backend, "PATCH", f"/connections/{connection.id}", {"metadata": {}, member: "x"})
        assert (answer.status_code, answer.json()["field"]) == (422, member)


def test_disconnecting_stops_vends_at_once_and_twice_is_once(connection: Connection, backend: Caller) -> None:
    path = f"/connections/{connection.id}"
    first, second = call(backend, "DELETE", path), call(backend, "DELETE", path)
    assert (first.json()["status"], second.json()["status"]) == ("disconnected", "disconnected")
    vended = call(backend, "POST", f"{path}/credential", {"end_user": "alice"})
    assert (vended.status_code, vended.json()["code"]) == (404, "not_found")
    assert AuditEvent.objects.filter(action="connection.disconnect").count() == 1


def test_a_report_of_an_old_version_points_to_the_new_one(connection: Connection, backend: Caller) -> None:
    body = {"version": "00000000-0000-4000-8000-000000000000", "status": 401}
    told = call(backend, "POST", f"/connections/{connection.id}/report", body).json()
    assert told == {"superseded": True, "verdict": None, "status": "active", "reason": "connected"}
    assert AuditEvent.objects.get(action="connection.report").detail == {"status": 401, "superseded": True}


def test_a_page_costs_no_query_a_row(acme: Tenant, backend: Caller, django_assert_max_num_queries: Any) -> None:
    for number in range(6):
        make_connection(acme, end_user=f"user-{number}")
    with django_assert_max_num_queries(6):
        assert len(call(backend, "GET", "/connections").json()["items"]) == 6


@pytest.mark.django_db(transaction=True)
def test_events_are_read_by_cursor_and_by_their_tenant_alone() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    backend = make_caller(acme)
    hers, theirs = make_connection(acme), make_connection(globex)
    OutboxEvent.objects.all().delete()
    for number in range(5):
        events.emit("connection.refreshed", hers, number=number)
        events.emit("connection.refreshed", theirs)

    first = call(backend, "GET", "/events?limit=3").json()
    second = call(backend, "GET", f"/events?limit=3&cursor={first['next']}").json()
    third = call(backend, "GET", f"/events?limit=3&cursor={second['next']}").json()

    items = first["items"] + second["items"]
    assert [item["data"]["number"] for item in items] == [0, 1, 2, 3, 4]
    assert {item["tenant"] for item in items} == {"acme"}
    assert len({item["id"] for item in items}) == 5
    assert (third["items"], third["next"]) == ([], second["next"])
    for cursor in ("x", "-1", "1.5", "9" * 19, "%00", ""):
        answer = call(backend, "GET", f"/events?cursor={cursor}")
        assert (answer.status_code, answer.json()["field"]) == (422, "cursor")
    assert call(backend, "GET", f"/events?cursor={'9' * 18}").json()["items"] == []


@pytest.mark.django_db(transaction=True)
def test_an_event_of_an_open_transaction_is_not_passed_over() -> None:
    """Ids are given before the commit: a later id must not be shown while an earlier one may still appear."""
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    OutboxEvent.objects.all().delete()
    insert = (
        "INSERT INTO connections_outboxevent (event_id, type, tenant_id, payload, created_at) "
        "VALUES (gen_random_uuid(), 'early', %s, '{}', now())"
    )
    with psycopg.connect(**{**database.get_connection_params(), "cursor_factory": psycopg.Cursor}) as slow:
        slow.execute(insert, [acme.id])
        events.emit("late", connection)
        assert call(backend, "GET", "/events").json()["items"] == []
        slow.commit()
    assert [item["type"] for item in call(backend, "GET", "/events").json()["items"]] == ["early", "late"]


@pytest.mark.django_db(transaction=True)
def test_a_long_transaction_elsewhere_on_the_server_holds_back_no_event() -> None:
    acme = make_tenant("acme")
    backend, connection = make_caller(acme), make_connection(acme)
    OutboxEvent.objects.all().delete()
    elsewhere = {**database.get_connection_params(), "cursor_factory": psycopg.Cursor, "dbname": "postgres"}
    with psycopg.connect(**elsewhere) as other_product:
        other_product.execute("SELECT txid_current()")
        events.emit("connection.refreshed", connection)
        assert [item["type"] for item in call(backend, "GET", "/events").json()["items"]] == ["connection.refreshed"]
