"""Expire: what cannot be refreshed ends when it runs out, and everybody says the same of it."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction

from connections.admin.dashboard import overview
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.lifecycle.figures import take_figures
from connections.lifecycle.health.expire import end_expired
from connections.models import AuditEvent, Connection, CredentialVersion, FiguresTaken, OutboxEvent, ProviderApp
from providers.sandbox.client import SandboxProcess
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.factories import Caller
from tests.flows import EndUser, call


@pytest.fixture
def lasting(connection: Connection) -> Connection:
    """A connection whose provider gave nothing to refresh it with, and no call to prove it with."""
    CredentialVersion.objects.filter(connection=connection).update(is_refreshable=False)
    Connection.objects.filter(id=connection.id).update(refresh_due_at=None, probe_due_at=None)
    return reload(connection)


def test_a_credential_that_ran_out_ends_everywhere(lasting: Connection, alice: EndUser, backend: Caller) -> None:
    assert end_expired(now=database_now()) == 0, "it is valid for a minute yet"
    age(lasting.id, hours=1)
    assert end_expired(now=database_now()) == 1
    row = reload(lasting)
    assert (row.status, row.reason) == ("needs_reauth", "expired")
    assert row.evidence["expired_at"]
    shown = call(backend, "GET", f"/connections/{lasting.id}").json()
    assert (shown["status"], shown["reason"]) == ("needs_reauth", "expired")
    refused = alice.vend(str(lasting.id))
    assert (refused.status_code, refused.json()["reason"]) == (409, "expired")
    assert OutboxEvent.objects.filter(type="connection.needs_reauth", connection_id=lasting.id).count() == 1
    assert AuditEvent.objects.filter(action="connection.status", decision="needs_reauth").count() == 1
    FiguresTaken.objects.update(took_seconds=0)
    take_figures(now=database_now())
    shown = overview(user=User(is_superuser=True), now=database_now())
    figures = {figure.label: figure.count for figure in shown.statuses}
    assert figures["Needs re-authorization"] == 1
    assert end_expired(now=database_now()) == 0


def test_what_can_be_refreshed_or_never_expires_is_left_alone(connection: Connection) -> None:
    age(connection.id, hours=1)
    assert end_expired(now=database_now()) == 0
    CredentialVersion.objects.filter(connection=connection).update(is_refreshable=False)
    Connection.objects.filter(id=connection.id).update(refresh_due_at=None, access_expires_at=None)
    assert end_expired(now=database_now()) == 0
    assert reload(connection).status == "active"


def test_a_probe_is_waited_for_where_there_is_one(connection: Connection) -> None:
    CredentialVersion.objects.filter(connection=connection).update(is_refreshable=False)
    ran_out = database_now() - timedelta(minutes=1)
    Connection.objects.filter(id=connection.id).update(refresh_due_at=None, access_expires_at=ran_out)
    assert end_expired(now=database_now()) == 0
    age(connection.id, minutes=5)
    assert end_expired(now=database_now()) == 1


def test_one_that_is_locked_waits_for_the_next_run(lasting: Connection) -> None:
    age(lasting.id, hours=1)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_connection(lasting.id)
            locked.set()
            done.wait(60)
        database.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(60)
    assert end_expired(now=database_now()) == 0
    done.set()
    thread.join()
    assert end_expired(now=database_now()) == 1


def test_a_reconnect_mends_it(lasting: Connection, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> None:
    age(lasting.id, hours=1)
    end_expired(now=database_now())
    again = alice.connect(connection=str(lasting.id))
    assert (again["id"], again["status"], again["reason"]) == (str(lasting.id), "active", "reconnected")


@pytest.mark.parametrize("column", ["access_expires_at", "refresh_due_at"])
def test_what_changed_while_its_lock_was_waited_for_is_looked_at_again(lasting: Connection, column: str) -> None:
    age(lasting.id, hours=1)
    later = database_now() + timedelta(hours=1)
    locked = threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_connection(lasting.id)
            Connection.objects.filter(id=lasting.id).update(**{column: later})
            locked.set()
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.5)")
        database.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(60)
    assert end_expired(now=database_now()) == 0
    thread.join()
    assert reload(lasting).status == "active"
