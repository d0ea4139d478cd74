"""The search of the header: finds what names a thing, leads to the page of an id, and shows no more than the lists."""

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import ApiKey, ConnectSession, Incident, OutboxEvent, RefreshAttempt, StaffLimit
from tests.connections.admin.conftest import World, logged_in, make_app, make_connection, operator_with, page_url
from tests.connections.api.stored import overwrite
from tests.factories import make_caller, make_tenant


def found(browser: Client, term: str) -> dict[str, list[str]]:
    """Return the labels of what was found, by kind."""
    answer = browser.get(reverse("search"), {"q": term})
    assert answer.status_code == 200
    groups: Any = answer.context["groups"]
    return {group.title: [hit.label for hit in group.hits] for group in groups}


def test_an_id_leads_to_the_page_of_its_row(olga: Client, world: World) -> None:
    rows: list[Any] = [world.connection, world.tenant, world.app, world.client]
    rows += [model._default_manager.first() for model in (ConnectSession, Incident, RefreshAttempt)]
    for row in rows:
        for spelled in (str(row.pk), f" {str(row.pk).upper()} "):
            assert olga.get(reverse("search"), {"q": spelled})["Location"] == page_url(row)
    event = OutboxEvent.objects.latest("id")
    assert olga.get(reverse("search"), {"q": str(event.event_id)})["Location"] == page_url(event)
    assert found(olga, str(uuid.uuid4())) == {}


def test_names_are_found_by_their_beginning(olga: Client, world: World) -> None:
    overwrite(world.connection, label="Quarterly", provider_account_name="Alice Adams")
    assert found(olga, "acm")["Tenants"] == [world.tenant.name]
    assert found(olga, "ALI")["End users"] == ["alice"]
    assert found(olga, "quart")["Connections"] == ["sandbox · Quarterly"]
    assert found(olga, "Alice A")["Connections"] == ["sandbox · Quarterly"]
    assert found(olga, "hubspot")["Providers"][0] == "HubSpot"
    assert found(olga, "sandbox")["Provider apps"] == [world.app.name]
    assert found(olga, world.client.name[:4])["API clients"] == [world.client.name]
    for term in ("lice", "%%", "__", "'"):
        assert not {"Tenants", "End users", "Connections"} & found(olga, term).keys(), term


def test_an_end_user_with_an_id_of_their_own_is_found_by_it(olga: Client, world: World) -> None:
    person = str(uuid.uuid4())
    make_connection(world.app, world.tenant, person)
    assert found(olga, person)["End users"] == [person]


def test_an_end_user_is_told_once_for_each_tenant(olga: Client, world: World) -> None:
    globex = make_tenant("globex")
    make_connection(make_app(globex), globex, "alice")
    hits = olga.get(reverse("search"), {"q": "alice"}).context["groups"][0].hits
    assert [(hit.label, hit.note) for hit in hits] == [("alice", "acme"), ("alice", "globex")]
    assert olga.get(hits[1].url).context["cl"].result_list[0].tenant == globex


def test_a_key_is_found_by_its_beginning_and_never_shown(olga: Client, world: World) -> None:
    caller = make_caller(world.tenant, "nightly")
    prefix = ApiKey.objects.get(client=caller.client).prefix
    assert found(olga, prefix)["API clients"] == ["nightly"]
    page = olga.get(reverse("search"), {"q": caller.key}).content.decode()
    assert "whole API key" in page
    assert caller.key not in page


def test_staff_find_what_they_may_see_and_nothing_else(olga: Client, world: World) -> None:
    globex = make_tenant("globex")
    theirs = make_connection(make_app(globex), globex, "gustav")
    user = User.objects.create_user("lena", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    limit = StaffLimit.objects.create(user=user)
    limit.tenants.add(world.tenant)
    lena = logged_in(user)
    assert found(lena, "alice")["End users"] == ["alice"]
    for term in ("gustav", "globex", str(theirs.id), str(globex.id)):
        assert found(lena, term) == {}, term
    blind = operator_with("bruno", "view_tenant")
    assert found(blind, "alice") == {}
    assert found(blind, "globex")["Tenants"]
    assert found(blind, str(theirs.id)) == {}


def test_needs_a_login(client: Client) -> None:
    assert "/admin/login/" in client.get(reverse("search"), {"q": "acme"})["Location"]


@pytest.mark.parametrize("term", ["alice", "acme", "hubspot"])
def test_costs_the_same_few_queries_by_index_however_many_rows_there_are(olga: Client, world: World, term: str) -> None:
    def asked() -> list[str]:
        with CaptureQueriesContext(database) as queries:
            found(olga, term)
        return [query["sql"] for query in queries]

    few = len(asked())
    for number in range(6):
        make_connection(world.app, world.tenant, f"alice-{number}")
    statements = asked()
    assert len(statements) == few <= 12
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off; SET LOCAL enable_seqscan = off")
        for statement in statements:
            if 'FROM "connections_connection"' in statement:
                cursor.execute("EXPLAIN " + statement.replace("%", "%%"))
                plan = "\n".join(row[0] for row in cursor.fetchall())
                assert "Seq Scan on connections_connection" not in plan, plan
