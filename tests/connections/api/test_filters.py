"""Filters of lists: tags that must all hold, several statuses, and a span of time."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connections.api.filters import has_tags
from connections.database.clock import database_now
from connections.models import Connection, Reason, Status, Tenant
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.api.test_problems import assert_problem
from tests.factories import Caller
from tests.flows import call

TAGGED: dict[str, dict[str, Any]] = {
    "none": {},
    "prod": {"env": "prod", "team": "a"},
    "both": {"env": ["prod", "test"], "team": "a", "tier": 3},
    "other": {"env": "test", "team": "b", "tier": "3", "url": "https://a.example:8443", "gone": False},
    "deep": {"crm": {"env": "prod"}, "team": ["b", 7]},
}


@pytest.fixture
def tagged(acme: Tenant) -> None:
    for name, metadata in TAGGED.items():
        make_connection(acme, end_user=name, metadata=metadata)


def found(caller: Caller, query: str) -> set[str]:
    answer = call(caller, "GET", f"/connections?{query}")
    assert answer.status_code == 200, answer.content
    return {item["end_user"] for item in answer.json()["items"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {*TAGGED}),
        ("tag=env:prod", {"prod", "both"}),
        ("tag=env:prod&tag=team:a", {"prod", "both"}),
        ("tag=env:prod&tag=env:test", {"both"}),
        ("tag=env:test&tag=team:a", {"both"}),
        ("tag=env:prod&tag=team:b", set()),
        ("tag=tier:3", {"both", "other"}),
        ("tag=team:7", {"deep"}),
        ("tag=gone:false", {"other"}),
        ("tag=url:https://a.example:8443", {"other"}),
        ("tag=tier:Infinity&tag=tier:NaN", set()),
        ("tag=tier:1e999", set()),
        ("tag=crm:{%22env%22:%22prod%22}", set()),
        ("tag=team:a&end_user=prod", {"prod"}),
    ],
)
@pytest.mark.usefixtures("tagged")
def test_every_tag_has_to_hold(query: str, expected: set[str], backend: Caller) -> None:
    assert found(backend, query) == expected


@pytest.mark.parametrize("tag", ["", "env", "env:", ":prod", "a%00:b", "a:" + "b" * 300, "a:b&" + "tag=a:b&" * 10])
def test_what_is_no_tag_is_refused_by_name(tag: str, acme: Tenant, backend: Caller) -> None:
    assert assert_problem(call(backend, "GET", f"/connections?tag={tag}"), 422, "invalid_request")["field"] == "tag"


def test_any_of_several_statuses(acme: Tenant, backend: Caller) -> None:
    make_connection(acme)
    make_connection(acme, end_user="bob", status=Status.NEEDS_REAUTH, reason=Reason.CREDENTIAL_DEAD)
    make_connection(acme, end_user="eve", status=Status.SUSPECT, reason=Reason.REFRESH_FAILING)
    assert found(backend, "status=needs_reauth&status=suspect") == {"bob", "eve"}
    assert found(backend, "status=needs_reauth") == {"bob"}


def test_a_span_of_time_leaves_out_its_ends(connection: Connection, backend: Caller) -> None:
    later = make_connection(connection.tenant, end_user="bob")
    moment = database_now() - timedelta(days=7)
    Connection.objects.filter(id=later.id).update(created_at=moment)
    at = f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"
    hour = timedelta(hours=1)
    before, after = (f"{when:%Y-%m-%dT%H:%M:%SZ}" for when in (moment - hour, moment + hour))
    assert found(backend, f"created_after={before}&created_before={after}") == {"bob"}
    assert found(backend, f"created_after={at}") == {"alice"}
    assert found(backend, f"created_before={at}") == set()
    refused = call(backend, "GET", "/connections?created_after=2026-01-01T00:00:00")
    assert assert_problem(refused, 422, "invalid_request")["field"] == "created_after"


def test_grants_and_approvals_are_found_by_time(connection: Connection, backend: Caller) -> None:
    let(connection)
    for path, count in (("/access-grants", 1), ("/approvals", 0)):
        assert len(call(backend, "GET", f"{path}?created_after=2026-01-01T00:00:00Z").json()["items"]) == count
        assert call(backend, "GET", f"{path}?created_before=2026-01-01T00:00:00Z").json()["items"] == []


def test_an_index_finds_the_tags_of_few_among_many(connection: Connection) -> None:
    columns = [column.column for column in Connection._meta.concrete_fields if column.column not in ("id", "metadata")]
    other = {"end_user": "'user-' || n", "current_version_id": "NULL", "status": "'disconnected'"}
    other["reason"] = f"'{Reason.DISCONNECTED_BY_REQUEST}'"
    kept = ", ".join(other.get(name, f'"{name}"') for name in columns)
    with database.cursor() as cursor:
        cursor.execute("UPDATE connections_connection SET provider_account_id = '', label = '', is_default = false")
        cursor.execute(
            f"INSERT INTO connections_connection (id, metadata, {', '.join(columns)})"
            " SELECT gen_random_uuid(), jsonb_build_object('env', 'test', 'team', 'team-' || n),"
            f" {kept} FROM connections_connection, generate_series(1, 5000) AS n"
        )
        cursor.execute("ANALYZE connections_connection")
    rows = Connection.objects.for_tenant(connection.tenant_id).filter(has_tags(["env:test", "team:team-77"]))
    assert rows.count() == 1
    assert "connection_metadata" in rows.explain()


@pytest.mark.parametrize("moment", ["2026-01-01T00:00:00%2B23:59", "2026-01-01T00:00:00-16:00"])
def test_an_offset_that_the_database_does_not_know_is_no_crash(
    moment: str, connection: Connection, backend: Caller
) -> None:
    assert found(backend, f"created_after={moment}") == {"alice"}


@pytest.mark.parametrize("moment", ["0.5", "1767225600", "0001-01-01T00:00:00%2B10:00", "9999-12-31T23:59:59-10:00"])
def test_what_is_no_moment_is_refused_by_name(moment: str, connection: Connection, backend: Caller) -> None:
    answer = call(backend, "GET", f"/connections?created_after={moment}")
    assert assert_problem(answer, 422, "invalid_request")["field"] == "created_after"
