"""Above the form of a provider app: what is left to set up, and how its connections do, as it was counted."""

from django.contrib.auth.models import User
from django.test import Client

from connections.access.targets import redirect_uri
from connections.admin.provider_app_page import AppPage, app_page
from connections.database.clock import database_now
from connections.lifecycle.figures import take_figures
from connections.models import FiguresTaken, ProviderApp
from tests.connections.admin.conftest import World, make_app, make_connection, page_url
from tests.connections.api.stored import overwrite
from tests.factories import make_tenant


def shown(app: ProviderApp) -> AppPage:
    now = database_now()
    FiguresTaken.objects.update(took_seconds=0)
    take_figures(now=now)
    return app_page(
        app, has_secrets=app.secrets is not None, has_push_secret=False, user=User(is_superuser=True), now=now
    )


def state(app: ProviderApp) -> list[bool | None]:
    return [step.is_done for step in shown(app).steps]


def test_says_what_is_left_and_ticks_what_is_done(olga: Client, db: None) -> None:
    app = make_app(make_tenant("acme"))
    ProviderApp.objects.filter(id=app.id).update(client_id="", secrets=None)
    app.refresh_from_db()
    assert state(app) == [None, None, False, None, False]
    assert not shown(app).is_set_up
    page = olga.get(page_url(app)).content.decode()
    assert "What is left to set up" in page
    assert redirect_uri(app.id) in page
    ProviderApp.objects.filter(id=app.id).update(client_id="client-1")
    app.refresh_from_db()
    assert app.tenant is not None
    make_connection(app, app.tenant, "alice")
    assert state(app) == [None, None, True, None, True]
    assert shown(app).is_set_up


def test_an_app_that_registers_itself_asks_for_nothing_by_hand(db: None) -> None:
    app = make_app(make_tenant("acme"))
    ProviderApp.objects.filter(id=app.id).update(client_id="", secrets=None, registers_itself=True)
    app.refresh_from_db()
    assert "by itself" in shown(app).steps[0].text
    assert not any("client ID" in step.text for step in shown(app).steps)


def test_counts_its_connections_and_lists_its_incidents(olga: Client, world: World) -> None:
    overwrite(make_connection(world.app, world.tenant, "bob"), status="needs_reauth", reason="grant_rejected")
    health = shown(world.app).health
    counted = {label: count for label, count, _, _ in health.counts}
    assert (counted["Active"], counted["Needs re-authorization"]) == (1, 1)
    for label, count, url, _ in health.counts:
        assert len(olga.get(url).context["cl"].result_list) == count, label
    assert [incident.provider_app_id for incident in health.incidents] == [world.app.id]
    page = olga.get(page_url(world.app)).content.decode()
    assert page_url(health.incidents[0]) in page
