"""``/metrics``: off without a token, shut without it, and true."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from connections.api.problems import answer_error
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.figures import take_figures
from connections.lifecycle.quarantine.begin import begin_quarantine
from connections.models import (
    Connection,
    CredentialVersion,
    HeldConnection,
    Incident,
    IncidentKind,
    Installation,
    RewindCause,
    Status,
)
from connections.refusals import (
    AppMisconfigured,
    Busy,
    CredentialUnreadable,
    ProviderDown,
    RefreshInProgress,
    Refusal,
)
from tests.asgi_client import AsgiClient
from tests.connections.api.stored import make_connection
from tests.factories import make_caller, make_tenant

TOKEN = "a-token-of-the-scraper"
MOST_QUERIES = 16
ID = "6f805d0b-5b38-4576-a2ca-263c0631c1b6"


@pytest.fixture
def scraper(settings: Any) -> AsgiClient:
    settings.METRICS_TOKEN = TOKEN
    return AsgiClient(HTTP_AUTHORIZATION=f"Bearer {TOKEN}")


def values(client: AsgiClient, **headers: Any) -> dict[tuple[str, ...], float]:
    """Scrape, and return each sample's value by its name and the values of its labels."""
    answer = client.get("/metrics", HTTP_HOST="10.1.2.3", **headers)
    assert answer.status_code == 200, answer.content
    assert answer["Cache-Control"] == "no-store"
    families = text_string_to_metric_families(answer.content.decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


@pytest.mark.django_db
def test_without_a_token_in_the_settings_there_is_no_such_page() -> None:
    assert AsgiClient(HTTP_AUTHORIZATION="Bearer ").get("/metrics").status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", f"Bearer {TOKEN}x", TOKEN, f"bearer {TOKEN}", "Bearer é"]
)
def test_whoever_does_not_bring_the_token_learns_nothing(scraper: AsgiClient, authorization: str) -> None:
    answer = scraper.get("/metrics", HTTP_AUTHORIZATION=authorization)
    assert (answer.status_code, answer.content) == (401, b"")
    assert answer["WWW-Authenticate"] == "Bearer"


@pytest.mark.django_db
def test_a_key_of_the_api_does_not_open_it(scraper: AsgiClient) -> None:
    caller = make_caller(make_tenant())
    assert scraper.get("/metrics", HTTP_AUTHORIZATION=f"Bearer {caller.key}").status_code == 401


@pytest.mark.django_db
def test_the_gauges_say_what_was_counted(scraper: AsgiClient) -> None:
    tenant = make_tenant()
    connections = [make_connection(tenant, end_user=f"user-{number}") for number in range(3)]
    Connection.objects.filter(id=connections[0].id).update(undecryptable_at=database_now())
    now = database_now()
    Incident.objects.create(
        provider_app=connections[0].provider_app,
        kind=IncidentKind.CLIENT_REJECTED,
        opened_at=now,
        last_seen_at=now,
    )
    assert take_figures(now=now - timedelta(seconds=30))
    seen = values(scraper)
    assert seen["latchkey_connections", Status.ACTIVE] == 3
    assert seen["latchkey_connections", Status.REVOKED] == 0
    assert seen["latchkey_connections_in_condition", "undecryptable"] == 1
    assert seen["latchkey_open_incidents", "client_rejected"] == 1
    assert seen["latchkey_open_incidents", "many_failures"] == 0
    assert 30 <= seen["latchkey_figures_age_seconds",] < 300
    assert seen["latchkey_unread_metrics",] == 0
    assert ("latchkey_queue_age_seconds", "refresh") in seen


@pytest.mark.django_db
def test_what_a_quarantine_holds_is_counted(scraper: AsgiClient) -> None:
    rows = [make_connection(make_tenant(f"tenant-{number}"), end_user="alice") for number in range(4)]

    def stands() -> tuple[float, ...]:
        seen = values(scraper)
        by_verdict = [seen["latchkey_held_connections", verdict] for verdict in ("unknown", "used")]
        return (seen["latchkey_refresh_quarantine",], *by_verdict)

    assert stands() == (0, 0, 0)
    begin_quarantine(RewindCause.ORDERED, rewound_to=None, actor=SYSTEM, now=database_now())
    assert stands() == (1, 0, 0)
    Installation.objects.update(sorted_at=database_now())
    assert stands() == (0, 0, 0), "nothing was found that has to wait"
    for row, verdict in zip(rows, ["used", "unknown", "unknown", "used"], strict=True):
        HeldConnection.objects.create(connection=row, verdict=verdict, held_at=database_now())
    CredentialVersion.objects.filter(connection=rows[3]).update(received_at=database_now())
    assert stands() == (1, 2, 1), "a newer credential has come for the last one"


@pytest.mark.django_db
def test_providers_are_named_only_where_that_is_wanted(scraper: AsgiClient, settings: Any) -> None:
    connection = make_connection(make_tenant(), end_user="alice")
    take_figures(now=database_now())
    provider = connection.provider_app.provider
    assert not [name for name in values(scraper) if provider in name]
    settings.METRICS_BY_PROVIDER = True
    assert values(scraper)["latchkey_provider_connections", provider, Status.ACTIVE] == 1


@pytest.mark.django_db
def test_nobody_is_named(scraper: AsgiClient, settings: Any) -> None:
    settings.METRICS_BY_PROVIDER = True
    tenant = make_tenant()
    connection = make_connection(tenant, end_user="alice@example.com")
    take_figures(now=database_now())
    text = scraper.get("/metrics").content.decode()
    for word in (
        tenant.slug,
        tenant.name,
        str(tenant.id),
        "alice",
        str(connection.id),
        str(connection.provider_app_id),
    ):
        assert word not in text


@pytest.mark.django_db
def test_a_scrape_reads_little_however_many_tenants_there_are(scraper: AsgiClient, settings: Any) -> None:
    settings.METRICS_BY_PROVIDER = True

    def count() -> int:
        with CaptureQueriesContext(database) as queries:
            values(scraper)
        return len(queries)

    make_connection(make_tenant(), end_user="alice")
    take_figures(now=database_now())
    before = count()
    for number in range(3):
        make_connection(make_tenant(f"tenant-{number}"), end_user="alice")
    take_figures(now=database_now() + timedelta(hours=1))
    assert count() == before <= MOST_QUERIES


@pytest.mark.django_db
def test_a_database_that_is_away_costs_its_figures_and_not_the_scrape(scraper: AsgiClient) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError("gone")

    with database.execute_wrapper(refuse):
        seen = values(scraper)
    assert seen["latchkey_unread_metrics",] == 6
    assert seen["latchkey_broker_answers",] == 1


@pytest.mark.django_db
def test_requests_are_timed_by_their_kind(scraper: AsgiClient) -> None:
    before = values(scraper)
    scraper.get("/api/v1/connections")
    scraper.get("/connect/nothing")
    scraper.post("/api/v1/credentials", data="{}", content_type="application/json")
    after = values(scraper)

    def rise(kind: str) -> float:
        return sum(
            after[name] - before.get(name, 0.0)
            for name in after
            if name[0] == "latchkey_request_seconds_count" and name[1] == kind
        )

    assert {kind: rise(kind) for kind in ("api", "widget", "vend", "proxy")} == {
        "api": 1,
        "widget": 1,
        "vend": 1,
        "proxy": 0,
    }


@pytest.mark.parametrize(
    ("path", "error", "counts"),
    [
        ("/api/v1/credentials", ProviderDown("It does not answer."), 1),
        (f"/api/v1/connections/{ID}/credential", RefreshInProgress("It is under way."), 1),
        ("/api/v1/credentials", AppMisconfigured("It refuses us."), 1),
        ("/api/v1/credentials", CredentialUnreadable("It does not open."), 0),
        ("/api/v1/credentials", Busy("Come again."), 0),
        (f"/api/v1/connections/{ID}/refresh", ProviderDown("It does not answer."), 0),
    ],
    ids=str,
)
def test_a_vend_that_fails_for_a_provider_is_no_error_of_ours(
    settings: Any, path: str, error: Refusal, counts: int
) -> None:
    """The alert on failing vends takes these off."""
    settings.METRICS_TOKEN = TOKEN
    counted = ("latchkey_vend_refusals_total", {"code": error.code})
    before = REGISTRY.get_sample_value(*counted) or 0.0
    assert answer_error(error, path=path).status_code >= 500
    assert (REGISTRY.get_sample_value(*counted) or 0.0) - before == counts
