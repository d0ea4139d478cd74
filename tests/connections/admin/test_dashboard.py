"""The first page: how things are, and what to do about it."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.test import Client

from connections.admin.dashboard import overview
from connections.database.clock import database_now
from connections.lifecycle.figures import take_figures
from connections.models import Connection, FiguresTaken, Incident
from tests.connections.admin.conftest import World, make_connection, page_url, press_url
from tests.connections.api.stored import overwrite


def count() -> None:
    """Have the figures counted, without a wait."""
    FiguresTaken.objects.update(took_seconds=0)
    assert take_figures(now=database_now())


def figures(name: str) -> int:
    """Return one figure of the overview."""
    count()
    shown = overview(user=User(is_superuser=True), now=database_now())
    return next(figure.count for figure in [*shown.statuses, *shown.figures] if figure.label == name)


def test_counts_connections_by_status(world: World) -> None:
    overwrite(make_connection(world.app, world.tenant, "bob"), status="needs_reauth", reason="grant_rejected")
    assert (figures("Active"), figures("Needs re-authorization"), figures("Suspect")) == (1, 1, 0)
    assert overview(user=User(is_superuser=True), now=database_now()).total == 2


def test_counts_what_is_overdue_but_not_what_is_held_back(world: World) -> None:
    now = database_now()
    late, held, paused = (make_connection(world.app, world.tenant, name) for name in ("late", "held", "paused"))
    for connection in (late, held, paused):
        overwrite(connection, refresh_due_at=now - timedelta(minutes=5))
    overwrite(held, next_attempt_at=now + timedelta(minutes=5), failures=3)
    overwrite(paused, paused_at=now)
    assert figures("Refreshes overdue") == 1
    assert figures("Refreshes failing") == 1


def test_shows_open_incidents_until_somebody_closes_them(olga: Client, world: World) -> None:
    incident = Incident.objects.get()
    assert "Open incidents" in olga.get("/admin/").content.decode()
    olga.post(press_url(incident, "close"))
    assert "Open incidents" not in olga.get("/admin/").content.decode()
    assert figures("Incidents open") == 0
    incident.refresh_from_db()
    assert incident.closed_at is not None


def test_lists_connections_in_trouble_newest_first(olga: Client, world: World) -> None:
    for number in range(10):
        connection = make_connection(world.app, world.tenant, f"user-{number}")
        overwrite(
            connection,
            status="suspect",
            reason="probe_refused",
            status_changed_at=database_now() - timedelta(minutes=number),
        )
    shown = overview(user=User(is_superuser=True), now=database_now()).in_trouble
    assert [row.end_user for row in shown] == [f"user-{number}" for number in range(8)]
    page = olga.get("/admin/").content.decode()
    assert page_url(Connection.objects.get(end_user="user-0")) in page


def test_tells_of_what_does_not_open(olga: Client, world: World) -> None:
    assert "does not open" not in olga.get("/admin/").content.decode()
    now = database_now()
    overwrite(world.connection, undecryptable_at=now, status_changed_at=now - timedelta(days=9))
    count()
    page = olga.get("/admin/").content.decode()
    assert "Connections whose stored credential does not open: 1" in page
    assert "The stored credential does not open" in page
    assert overview(user=User(is_superuser=True), now=now).in_trouble[0] == world.connection
    listed = olga.get("/admin/connections/connection/?health=undecryptable").content.decode()
    assert page_url(world.connection) in listed
    assert "Undecryptable" in olga.get(page_url(world.connection)).content.decode()


def test_says_what_is_not_set_up(olga: Client, db: None) -> None:
    page = olga.get("/admin/").content.decode()
    assert "Tenants: add the first one" in page
    assert "Provider apps: add the first one" in page
    assert "There are no connections yet" in page


def test_an_action_of_mine_is_listed(olga: Client, world: World) -> None:
    olga.post(press_url(world.tenant, "suspend"))
    assert "Suspended: in force from the next vend on." in olga.get("/admin/").content.decode()
