"""Every page of the admin opens, runs no inline code, shows no secret, and costs as much for many rows as for few."""

import re
import uuid
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.checks import check_admin_app
from django.db import connection as database
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.admin.base import CappedPaginator, hidden_columns
from connections.journal import audit
from connections.models import (
    ActivityFigures,
    ApiClient,
    ApiKey,
    AuditEvent,
    AuditPruning,
    AuditRedaction,
    Brand,
    BurntCode,
    CallerRule,
    ClientUse,
    Connection,
    ConnectionFigures,
    ConnectStep,
    CredentialVersion,
    DataKey,
    FiguresTaken,
    GuessCount,
    Installation,
    InstallationKey,
    KeptAnswer,
    KnownNetwork,
    ProvenToken,
    ProviderApp,
    PushContent,
    StaffIdentity,
    StaffLimit,
    SubjectToken,
    Tenant,
    UnreadAnswer,
    UsedAssertion,
    WatchPosition,
    WebhookSecret,
)
from tests.connections.admin.conftest import (
    MODELS,
    World,
    list_url,
    make_connection,
    make_world,
    one_of,
    page_url,
    press_url,
)

EDITABLE = (Tenant, Brand, ProviderApp, ApiClient)


@pytest.fixture(scope="module")
def world(module_db: None) -> World:
    return make_world("acme")


class _Inline(HTMLParser):
    """Collects what a policy of 'self' forbids: inline scripts and styles, handlers, and foreign resources."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or given.get("type") == "application/json"):
            self.found.append("inline script")
        if tag == "style" or "style" in given:
            self.found.append(f"inline style on {tag}")
        self.found += [f"{name} on {tag}" for name in given if name.startswith("on")]
        for name in ("src", "href"):
            value = given.get(name) or ""
            if tag in ("script", "link", "img", "image") and value.startswith(("http:", "https:", "//")):
                self.found.append(f"foreign {tag}")


def pages_of(world: World) -> list[str]:
    """Return the address of every page that shows something of the world."""
    pages = [reverse("admin:index"), reverse("admin:app_list", args=["connections"])]
    for model in MODELS:
        row = one_of(model)
        history = reverse(f"admin:connections_{model.__name__.lower()}_history", args=[row.pk])
        pages += [list_url(model), page_url(row), history]
    pages += [reverse(f"admin:connections_{model.__name__.lower()}_add") for model in EDITABLE]
    pages.append(reverse("admin:connections_accessgrant_add"))
    pages.remove(reverse("admin:connections_providerapp_add"))  # it leads to the catalogue
    pages.append(reverse("admin:connections_providerapp_add") + "?provider=sandbox")
    pages += [reverse("catalogue:list"), reverse("catalogue:entry", args=["sandbox"])]
    pages += [reverse("catalogue:addresses"), reverse("catalogue:describe") + "?from=hubspot"]
    pages += [
        f"{page_url(world.connection).removesuffix('change/')}press/{verb}/"
        for verb in ("suspend", "revoke", "disconnect")
    ]
    pages += [f"{page_url(world.client).removesuffix('change/')}press/{verb}/" for verb in ("issue-key", "rotate-keys")]
    return pages


def test_every_model_of_ours_is_registered() -> None:
    from django.apps import apps

    # Of a burnt code there is a hash and nothing to see; what happened is in the audit. An unread answer is sealed: its
    # connection's page tells of it, and has the buttons. What acts for a subject is sealed and gone within the hour,
    # and the audit has each exchange. The page of an issuer shows its rules. A proven token and a used assertion are
    # digests that are gone in minutes. A kept answer is sealed, and gone in a day.
    # Figures are what the first page shows.
    # The page of an account has its limit, and who it is at the identity provider; of wrong guesses there are digests.
    # What was redacted and pruned is told by the audit rows that ordered it.
    # The page of a connect session shows its steps.
    # A finding says what was usual of its client; how far the trail is watched is nothing to act on.
    # The page of a webhook endpoint says when its secrets end. A command
    # shows the public half of the installation key. What waits after a restore has a page for each that waits.
    unseen = {
        AuditPruning,
        AuditRedaction,
        BurntCode,
        ConnectStep,
        GuessCount,
        Installation,
        InstallationKey,
        PushContent,
        KeptAnswer,
        StaffIdentity,
        StaffLimit,
        SubjectToken,
        UnreadAnswer,
        CallerRule,
        ProvenToken,
        UsedAssertion,
        WebhookSecret,
        ConnectionFigures,
        ActivityFigures,
        FiguresTaken,
        ClientUse,
        KnownNetwork,
        WatchPosition,
    }
    assert set(apps.get_app_config("connections").get_models()) == {*MODELS} | unseen


def test_every_page_opens_under_the_policy_with_no_inline_code_and_no_secret(olga: Client, world: World) -> None:
    digests = [bytes(key.key_hash).hex() for key in ApiKey.objects.all()]
    digests += [bytes(key.wrapped).hex() for key in DataKey.objects.all()]
    for url in pages_of(world):
        answer = olga.get(url)
        assert answer.status_code == 200, url
        policy = answer["Content-Security-Policy"]
        assert "script-src 'self'" in policy, url
        assert "unsafe" not in policy
        html = answer.content.decode()
        inline = _Inline()
        inline.feed(html)
        assert inline.found == [], url
        for secret in (*world.secrets, *digests):
            assert secret not in html, url
        assert not re.search(r"gAAAAA[\w-]{20}", html), f"a Fernet token on {url}"


def test_no_page_reads_a_column_that_holds_a_secret(olga: Client, world: World) -> None:
    hidden = [f'"{model._meta.db_table}"."{name}"' for model in MODELS for name in hidden_columns(model)]
    assert len(hidden) >= 10
    for url in pages_of(world):
        with CaptureQueriesContext(database) as queries:
            olga.get(url)
        for query in queries:
            statement = query["sql"].replace("IS NOT NULL", "")
            read = [column for column in hidden if f"{column}," in statement or f"{column} FROM" in statement]
            assert read == [], url


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_list_costs_as_many_queries_for_many_rows_as_for_few(olga: Client, world: World, model: type) -> None:
    few = _queries(olga, list_url(model))
    for number in range(6):
        make_connection(world.app, world.tenant, f"user-{number}")
    assert _queries(olga, list_url(model)) == few


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_link_of_a_list_lies_in_another(olga: Client, world: World, model: type) -> None:
    """A browser takes them apart: an empty link stays, which says nothing to whoever cannot see."""
    rows = olga.get(list_url(model)).content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    assert "<a " in rows
    assert not re.search(r"<a\b[^>]*>(?:(?!</a>).)*<a\b", rows, re.DOTALL)
    assert not re.search(r"<a\b[^>]*>\s*</a>", rows)


def test_a_connection_page_costs_as_many_queries_after_a_long_history(olga: Client, world: World) -> None:
    few = _queries(olga, page_url(world.connection))
    for _ in range(6):
        _repeat_history(world.connection)
    assert _queries(olga, page_url(world.connection)) == few
    assert few <= 20


def test_the_first_page_costs_as_many_queries_for_many_connections(olga: Client, world: World) -> None:
    few = _queries(olga, reverse("admin:index"))
    for number in range(6):
        make_connection(world.app, world.tenant, f"user-{number}")
    assert _queries(olga, reverse("admin:index")) == few
    assert few <= 28


# What each of the newest pages may ask the database at the most: session, account, rights, and its own rows.
MOST_QUERIES = {
    "forecast": 17,
    "finding list": 12,
    "finding": 12,
    "receivedpush list": 12,
    "receivedpush": 12,
    "notice list": 12,
    "notice": 12,
    "bulkjob list": 12,
    "bulkjob": 12,
    "incident list": 12,
    "incident": 12,
    "connectsession": 14,
    "watchsetting": 12,
    "providerapp try": 12,
    "providerapp rotate-secret": 12,
    "providerapp push-secret": 12,
    "providerapp preview": 12,
}


@pytest.mark.parametrize("named", MOST_QUERIES)
def test_the_newest_pages_ask_no_more_than_so_often(olga: Client, world: World, named: str) -> None:
    kind, _, what = named.partition(" ")
    models = {model.__name__.lower(): model for model in MODELS}
    if kind == "forecast":
        url = reverse("forecast")
    elif what == "list":
        url = list_url(models[kind])
    else:
        url = press_url(one_of(models[kind]), what) if what else page_url(one_of(models[kind]))
    assert _queries(olga, url) <= MOST_QUERIES[named]


def _queries(browser: Client, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(database) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)


def _repeat_history(connection: Connection) -> None:
    from connections.models import RefreshAttempt

    for event in AuditEvent.objects.filter(connection_id=connection.id)[:3]:
        event.pk = None
        event.save(force_insert=True)
    attempt = RefreshAttempt.objects.filter(connection=connection).first()
    assert attempt is not None
    RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=attempt.parent_version_id,
        state="aborted",
        claimed_at=attempt.claimed_at,
        deadline_at=attempt.deadline_at,
    )


def test_a_search_for_an_id_finds_its_row(olga: Client, world: World) -> None:
    make_connection(world.app, world.tenant, "bob")
    answer = olga.get(list_url(Connection), {"q": str(world.connection.id)})
    assert [row.pk for row in answer.context["cl"].result_list] == [world.connection.id]
    assert "alice" in olga.get(list_url(Connection), {"q": "alic"}).content.decode()


def test_a_search_for_an_end_user_whose_id_is_a_uuid_finds_them(olga: Client, world: World) -> None:
    person = str(uuid.uuid4())
    theirs = make_connection(world.app, world.tenant, person)
    audit.record("connection.seen", actor=audit.Actor(subject=person), connection=theirs)
    for spelled in (person, f" {person.upper()} ", person[:13]):
        assert [row.pk for row in found(olga, Connection, spelled)] == [theirs.id]
    assert [row.subject for row in found(olga, AuditEvent, person)] == [person]
    assert not found(olga, Connection, str(uuid.uuid4()))


def test_a_search_of_the_audit_trail_for_an_id_reads_it_by_an_index(olga: Client, world: World) -> None:
    version = CredentialVersion.objects.get(connection=world.connection)
    AuditEvent.objects.create(action="x", decision="y", api_client_id=world.client.id)
    gone = uuid.uuid4()  # of a connection that is no more
    for column, wanted in (
        ("connection_id", world.connection.id),
        ("connection_id", gone),
        ("tenant_id", world.tenant.id),
        ("credential_version_id", version.id),
        ("api_client_id", world.client.id),
    ):
        AuditEvent.objects.create(
            **{"action": "x", "decision": "y", "connection_id": world.connection.id, column: wanted}
        )
        with CaptureQueriesContext(database) as queries:
            rows = found(olga, AuditEvent, str(wanted))
        assert rows, column
        assert {getattr(row, column) for row in rows} == {wanted}
        ors = [query["sql"] for query in queries if " OR " in query["sql"] and "connections_auditevent" in query["sql"]]
        assert bool(ors) is (column == "api_client_id"), f"{column}: an OR reads the whole trail"


def found(olga: Client, model: type[Model], wanted: str) -> list[Any]:
    return list(olga.get(list_url(model), {"q": wanted}).context["cl"].result_list)


def test_a_list_cannot_be_filtered_by_a_digest(olga: Client, world: World) -> None:
    for model, column in ((ApiKey, "key_hash"), (CredentialVersion, "secrets"), (CredentialVersion, "fingerprint")):
        assert olga.get(list_url(model), {f"{column}__isnull": "False"}).status_code == 400


@pytest.mark.parametrize(
    "health", ["failing", "overdue", "refused", "scopes", "unproven", "revoking", "paused", "suspended"]
)
def test_every_health_filter_works(olga: Client, world: World, health: str) -> None:
    rows = olga.get(list_url(Connection), {"health": health}).context["cl"].result_list
    assert len(rows) == (1 if health in ("scopes", "unproven") else 0)


def test_links_from_other_pages_filter_the_lists(olga: Client, world: World) -> None:
    other = make_connection(world.app, world.tenant, "bob")
    for model in MODELS:
        for name in ("connection", "app", "client", "tenant"):
            value = {
                "connection": str(other.id),
                "app": str(world.app.id),
                "client": str(world.client.id),
                "tenant": world.tenant.slug,
            }[name]
            assert olga.get(list_url(model), {name: value}).status_code in (200, 302)
    attempts = olga.get(reverse("admin:connections_refreshattempt_changelist"), {"connection": str(other.id)})
    assert {row.connection_id for row in attempts.context["cl"].result_list} == {other.id}


def test_a_count_stops_where_it_would_read_too_much(olga: Client, world: World) -> None:
    most = CappedPaginator.MOST
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO connections_auditevent (action, decision)"
            " SELECT 'connection.connected', 'allowed' FROM generate_series(1, %s)",
            [most],
        )
    paginator = CappedPaginator(AuditEvent.objects.all(), 50)
    assert AuditEvent.objects.count() > most == paginator.count


def test_the_pages_pass_django_s_own_checks() -> None:
    """`manage.py check` alone does not see to it: it need not have imported the pages."""
    assert set(MODELS) <= set(site._registry)
    assert check_admin_app(None) == []
