"""Long lists: every row once and in order, at a cost that does not grow, and found by an index."""

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection as database
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from connections.admin.long_list import LongListAdmin
from connections.database.clock import database_now
from connections.models import AuditEvent, Connection, ConnectSession, OutboxEvent, RefreshAttempt
from tests.connections.admin.conftest import World, list_url, make_connection, make_world
from tests.connections.api.stored import overwrite

LONG = tuple(model for model, page in admin.site._registry.items() if isinstance(page, LongListAdmin))


def listed(browser: Client, model: type[Model], **query: str) -> Any:
    answer = browser.get(list_url(model), query)
    assert answer.status_code == 200, answer
    return answer.context["cl"]


def pages_of(browser: Client, model: type[Model], word: str = "next", **query: str) -> list[list[Any]]:
    """Return the keys of the rows of each page, reached by its link to the next one."""
    url, found = list_url(model) + "?" + "&".join(f"{name}={value}" for name, value in query.items()), []
    while url:
        answer = browser.get(url)
        changes = answer.context["cl"]
        found.append([row.pk for row in changes.result_list])
        onward = changes.next_url if word == "next" else changes.previous_url
        url = f"{list_url(model)}{onward}" if onward else ""
    return found


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    return make_world("acme")


@pytest.fixture
def many(world: World) -> None:
    """So many rows that each list has several pages."""
    for number in range(3):
        make_connection(world.app, world.tenant, f"user-{number}")
    pending = {"status": "'pending'", "reason": "'awaiting_confirmation'", "current_version_id": "NULL"}
    accounts = {"provider_account_id": "''", "label": "''", "is_default": "false"}
    clone(Connection, 120, id="gen_random_uuid()", created_at="{ago}", **pending, **accounts)
    clone(AuditEvent, 120, id="10000 + number", at="{ago}")
    clone(OutboxEvent, 70, id="10000 + number", event_id="gen_random_uuid()")
    clone(RefreshAttempt, 70, id="gen_random_uuid()", claimed_at="{ago}", state="'promoted'")


def clone(model: type[Model], count: int, **columns: str) -> None:
    """Add ``count`` copies of a row of ``model``, with other values (SQL) in some columns; two each have one moment."""
    names = [str(field.column) for field in model._meta.concrete_fields]
    ago = "now() - (number / 2) * interval '1 minute'"
    values = ", ".join(columns[name].format(ago=ago) if name in columns else f"origin.{name}" for name in names)
    key = model._meta.pk
    assert key is not None
    with database.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {model._meta.db_table} ({', '.join(names)}) SELECT {values} FROM generate_series(1, %s) AS"
            f" number, (SELECT * FROM {model._meta.db_table} ORDER BY {key.column} LIMIT 1) AS origin",
            [count],
        )


def test_pages_have_every_row_once_in_order_and_lead_back(olga: Client, many: None) -> None:
    for model in (Connection, AuditEvent, RefreshAttempt, OutboxEvent):
        keys = list(model._default_manager.order_by(*ordering(model)).values_list("pk", flat=True))
        pages = pages_of(olga, model)
        assert len(pages) >= 2
        assert [key for page in pages for key in page] == keys, model
        turned = pages_of(olga, model, oldest="1")
        assert [key for page in turned for key in page] == keys[::-1]
        last = olga.get(list_url(model))
        while last.context["cl"].next_url:
            last = olga.get(list_url(model) + last.context["cl"].next_url)
        back = [[row.pk for row in last.context["cl"].result_list]]
        while last.context["cl"].previous_url:
            last = olga.get(list_url(model) + last.context["cl"].previous_url)
            back.append([row.pk for row in last.context["cl"].result_list])
        assert [key for page in reversed(back) for key in page][-len(keys) :] == keys


def ordering(model: type[Model]) -> list[str]:
    page: Any = admin.site._registry[model]
    return [str(name) for name in page.ordering or model._meta.ordering or ()]


def test_rows_of_one_moment_are_all_shown(olga: Client, many: None) -> None:
    Connection.objects.update(created_at=database_now())
    found = [key for page in pages_of(olga, Connection) for key in page]
    assert len(found) == len(set(found)) == Connection.objects.count() > 100


def test_filters_and_searches_stay_while_one_goes_on(olga: Client, many: None) -> None:
    for query in ({"status__exact": "pending"}, {"q": "acme"}):
        pages = pages_of(olga, Connection, **query)
        assert sum(map(len, pages)) == len(listed(olga, Connection, **query).queryset) > 0
        assert len({key for page in pages for key in page}) == sum(map(len, pages))


def test_nothing_is_counted_and_an_estimate_says_so(olga: Client, many: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for model in LONG:
        with CaptureQueriesContext(database) as queries:
            olga.get(list_url(model))
        counted = [query["sql"] for query in queries if re.search(r"count\(", query["sql"], re.IGNORECASE)]
        assert counted == [], model
    with monkeypatch.context() as patch:  # an ANALYZE of another test outlives the rows that it saw
        patch.setattr("connections.admin.long_list.estimated_rows", lambda model: 0)
        assert listed(olga, Connection).how_many == "more than 50 connections"
    with database.cursor() as cursor:
        cursor.execute("ANALYZE connections_connection")
    assert listed(olga, Connection).how_many == "about 124 connections"
    assert listed(olga, Connection, status__exact="pending").how_many == "more than 50 connections"
    one = Connection.objects.first()
    assert one is not None
    assert listed(olga, Connection, q=str(one.id)).how_many == "1 connection"


@pytest.mark.parametrize("position", ["x", "2026-01-01~x", "~", "2026-01-01T00:00:00~" + str(uuid.UUID(int=1))])
def test_a_position_that_is_none_leads_to_the_first_page(olga: Client, world: World, position: str) -> None:
    answer = olga.get(list_url(Connection), {"after": position})
    assert (answer.status_code, answer["Location"]) == (302, f"{list_url(Connection)}?e=1")


SEARCHES = ("alic", "ALICE", "acme", "Acme", "sandbox", "account-alice", "work", "Alice A")


def test_a_search_finds_by_the_beginning_of_what_names_a_connection(olga: Client, world: World) -> None:
    make_connection(world.app, world.tenant, "bob")
    overwrite(world.connection, label="work", provider_account_name="Alice Adams")
    for term in SEARCHES:
        assert world.connection.id in {row.pk for row in listed(olga, Connection, q=term).result_list}, term
    assert [row.pk for row in listed(olga, Connection, q="alice").result_list] == [world.connection.id]
    for term in ("lice", "%", "_", "nobody"):
        assert not listed(olga, Connection, q=term).result_list, term


def test_a_search_that_many_match_finds_the_newest_of_them_all(
    olga: Client, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = [key for page in pages_of(olga, Connection, q="acme") for key in page]
    monkeypatch.setattr("connections.admin.long_list._MOST_CONNECTIONS", 10)
    assert [key for page in pages_of(olga, Connection, q="acme") for key in page] == everything
    assert len(everything) > 100


QUESTIONS: tuple[tuple[type[Model], dict[str, str]], ...] = (
    *((model, {}) for model in LONG),
    *((Connection, {"q": term}) for term in ("alice", "work", "sandbox", "acme")),
    *((Connection, {"status__exact": status}) for status in ("suspect", "needs_reauth", "disconnected")),
    *((Connection, {"health": health}) for health in ("failing", "overdue", "refused", "ending", "unrenewable")),
    *(
        (Connection, {"health": health})
        for health in ("undecryptable", "unproven", "paused", "suspended", "due", "canary")
    ),
    *((Connection, {name: value}) for name, value in (("tenant", "acme"), ("provider", "sandbox"))),
    *((Connection, {name: value}) for name, value in (("reason", "expired"), ("owner_kind__exact", "tenant"))),
    (Connection, {"binding__exact": "none"}),
    (ConnectSession, {"q": "alice"}),
    (ConnectSession, {"state__exact": "failed"}),
    (ConnectSession, {"tenant": "acme"}),
    (RefreshAttempt, {"q": "alice"}),
    (RefreshAttempt, {"age": "day"}),
    (RefreshAttempt, {"state__exact": "rejected"}),
    (RefreshAttempt, {"trigger": "vend"}),
)


@pytest.mark.parametrize(("model", "query"), QUESTIONS, ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_index_leads_to_every_page(olga: Client, world: World, model: type[Model], query: dict[str, str]) -> None:
    with CaptureQueriesContext(database) as queries:
        listed(olga, model, **query)
    table = model._meta.db_table
    shown = [query["sql"] for query in queries]
    asked = [sql for sql in shown if f'FROM "{table}"' in sql]
    assert asked
    with database.cursor() as cursor:
        cursor.execute(
            "SET LOCAL jit = off; SET LOCAL enable_seqscan = off"
        )  # on few rows PostgreSQL would rather read them all
        for statement in asked:
            cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert f"Seq Scan on {table}" not in plan, plan


def test_the_second_page_is_read_from_where_it_begins(olga: Client, many: None) -> None:
    changes = listed(olga, Connection)
    with CaptureQueriesContext(database) as queries:
        olga.get(list_url(Connection) + changes.next_url)
    asked = next(query["sql"] for query in queries if 'created_at" <= ' in query["sql"])
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + asked.replace("%", "%%"))
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert re.search(r"Index Scan using connection_newest.*\n\s+Index Cond: \(created_at <=", plan), plan
    assert "OFFSET" not in asked


def test_what_has_no_index_is_looked_for_among_the_newest(
    olga: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connections.admin.long_list.NEWEST_ROWS", 3)
    for number in range(5):
        AuditEvent.objects.create(action=f"thing.{number}", decision="allowed", at=database_now() - timedelta(days=1))
    assert [row.action for row in listed(olga, AuditEvent, q="thing").result_list] == ["thing.4", "thing.3", "thing.2"]
