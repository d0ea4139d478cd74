"""A push ends the grant that it is about, and no later one; where that is not sure, the provider is asked."""

import os
import subprocess
import sys
import time
import uuid
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.dispatch import Task
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.pushes import act as acting
from connections.lifecycle.pushes.act import send_waiting
from connections.models import AuditEvent, Connection, OutboxEvent, ProviderApp, PushState, ReceivedPush, Tenant
from connections.tasks import act_on_pushes
from tests.broker import taken_messages
from tests.connections.api.stored import overwrite
from tests.connections.lifecycle.observed import reload
from tests.pushing import BY_SLUG, SANDBOX, act_on_all, app_of, connection_at, post, push, sent_to, statuses

pytestmark = pytest.mark.django_db(transaction=True)

MOST_STATEMENTS = 40  # more than acting on a push for two connections takes


@pytest.fixture
def app(acme: Tenant) -> ProviderApp:
    return app_of(SANDBOX, acme)


def gone(**changes: Any) -> dict[str, Any]:
    return {"id": uuid.uuid4().hex, "type": "grant.revoked", "account": SANDBOX.account, **changes}


def is_asked_about(connection: Connection) -> bool:
    """Whether its provider is asked now."""
    due = reload(connection).probe_due_at
    return due is not None and due <= database_now()


def test_a_grant_that_was_given_after_what_the_push_tells_of_lives_on(app: ProviderApp, acme: Tenant) -> None:
    connection = connection_at(app, SANDBOX, acme)
    overwrite(connection, authorized_at=database_now())
    push(app, SANDBOX, gone(occurred_at=time.time() - 60))
    assert statuses(connection) == ["active"]
    assert is_asked_about(connection)


def test_a_push_that_says_only_when_it_was_signed_ends_no_grant_from_just_before(
    app: ProviderApp, acme: Tenant
) -> None:
    """A provider writes down what has ended some seconds later: by then the end user may have connected again."""
    young, old = (connection_at(app, SANDBOX, acme) for _ in range(2))
    overwrite(young, authorized_at=database_now() - timedelta(minutes=4))
    overwrite(old, authorized_at=database_now() - timedelta(minutes=6))
    push(app, SANDBOX, gone())
    assert statuses(young, old) == ["active", "revoked"]
    assert is_asked_about(young)


@pytest.mark.parametrize("slug", ["github", "shopify"])
def test_a_push_that_does_not_say_when_ends_no_young_grant(slug: str, acme: Tenant) -> None:
    """It may have been on its way for days: what it tells of may be the grant before."""
    vendor = BY_SLUG[slug]
    at = app_of(vendor, acme)
    young, old = connection_at(at, vendor, acme), connection_at(at, vendor, acme)
    overwrite(young, authorized_at=database_now() - timedelta(days=2, hours=23))
    overwrite(old, authorized_at=database_now() - timedelta(days=3, hours=1))
    assert vendor.ended is not None
    push(at, vendor, vendor.ended(time.time()))
    assert statuses(young, old) == ["active", "revoked"]
    assert is_asked_about(young)


def test_what_may_be_our_own_doing_ends_nobody_else(app: ProviderApp, acme: Tenant, globex: Tenant) -> None:
    """A provider tells of the revocation that one connection's end has ordered, and means that grant alone."""
    leaves, stays = connection_at(app, SANDBOX, acme), connection_at(app, SANDBOX, globex)
    disconnect(leaves.id, now=database_now(), actor=SYSTEM)
    push(app, SANDBOX, gone(occurred_at=time.time()))
    assert statuses(leaves, stays) == ["disconnected", "active"]
    assert is_asked_about(stays)
    overwrite(leaves, status_changed_at=database_now() - timedelta(hours=2))
    push(app, SANDBOX, gone(occurred_at=time.time()))
    assert statuses(stays) == ["revoked"]


def test_a_push_of_last_week_ends_nothing(app: ProviderApp, acme: Tenant) -> None:
    connection = connection_at(app, SANDBOX, acme)
    overwrite(connection, authorized_at=database_now() - timedelta(days=30))
    push(app, SANDBOX, gone(occurred_at=time.time() - 8 * 86_400))
    assert statuses(connection) == ["active"]
    assert is_asked_about(connection)


def test_what_leaves_room_for_doubt_is_asked_about(app: ProviderApp, acme: Tenant) -> None:
    connection, other = connection_at(app, SANDBOX, acme), connection_at(app, SANDBOX, acme, account="person-1002")
    for each in (connection, other):
        overwrite(each, probe_due_at=database_now() + timedelta(hours=1))
    push(app, SANDBOX, gone(type="account.locked"))
    assert statuses(connection) == ["active"]
    assert [is_asked_about(each) for each in (connection, other)] == [True, False]


def test_whoever_has_to_connect_anew_is_told_that_the_grant_is_gone(app: ProviderApp, acme: Tenant) -> None:
    connection = connection_at(app, SANDBOX, acme)
    overwrite(connection, status="needs_reauth", reason="expired")
    push(app, SANDBOX, gone())
    assert (reload(connection).status, reload(connection).reason) == ("revoked", "provider_notified")


def test_the_trail_says_what_ended_it(app: ProviderApp, acme: Tenant) -> None:
    connection = connection_at(app, SANDBOX, acme)
    push(app, SANDBOX, gone())
    row = AuditEvent.objects.get(connection_id=connection.id, action="connection.status")
    assert row.decision == "revoked"
    assert row.detail["reason"] == "provider_notified"
    assert row.detail["evidence"]["push"] == str(ReceivedPush.objects.get().id)
    assert reload(connection).revocation == "confirmed"


def test_very_many_connections_end_batch_by_batch(
    app: ProviderApp, acme: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "BATCH", 2)
    connections = [connection_at(app, SANDBOX, acme) for _ in range(5)]
    kept = connection_at(app, SANDBOX, acme)
    overwrite(kept, authorized_at=database_now() + timedelta(hours=1))
    push(app, SANDBOX, gone())
    assert statuses(*connections, kept) == ["revoked"] * 5 + ["active"]
    row = ReceivedPush.objects.get()
    assert (row.state, row.connections, row.ended, row.orders) == ("done", 6, 5, [])


def test_a_push_whose_task_was_lost_is_found_and_acted_on_once(app: ProviderApp, acme: Tenant) -> None:
    connection = connection_at(app, SANDBOX, acme)
    taken_messages()
    post(app.id, sent_to(app, SANDBOX, gone()))
    row = ReceivedPush.objects.get()
    assert row.state == PushState.WAITING
    ordered = [(Task.ACT_ON_PUSH, [str(row.id)])]
    assert taken_messages() == ordered
    send_waiting(now=database_now())
    assert taken_messages() == []
    send_waiting(now=database_now() + timedelta(minutes=1))
    assert taken_messages() == ordered
    for _ in range(2):
        act_on_pushes(str(row.id))
    assert statuses(connection) == ["revoked"]
    assert AuditEvent.objects.filter(connection_id=connection.id, action="connection.status").count() == 1


def test_whenever_a_worker_is_killed_the_push_is_acted_on_once(app: ProviderApp, acme: Tenant) -> None:
    connections = [
        (
            connection_at(app, SANDBOX, acme, account=f"person-{number}"),
            connection_at(app, SANDBOX, acme, account=f"person-{number}"),
        )
        for number in range(MOST_STATEMENTS)
    ]
    for number in range(MOST_STATEMENTS):
        post(app.id, sent_to(app, SANDBOX, gone(account=f"person-{number}")))
    waiting = [str(one) for one in ReceivedPush.objects.order_by("received_at").values_list("id", flat=True)]
    killed = acted_by_killed_workers(waiting)
    assert killed == sorted(killed, reverse=True)
    assert 5 < sum(killed) < MOST_STATEMENTS
    left = ReceivedPush.objects.filter(state=PushState.WAITING)
    assert left.exists()
    taken_messages()
    send_waiting(now=database_now() + timedelta(minutes=1))
    assert sorted(ids for _, (ids,) in taken_messages()) == sorted(str(row.id) for row in left)
    act_on_all()
    both = [one for pair in connections for one in pair]
    assert statuses(*both) == ["revoked"] * len(both)
    told = OutboxEvent.objects.filter(type="connection.revoked").values_list("connection_id", flat=True)
    assert sorted(told) == sorted(one.id for one in both)
    assert {(row.state, row.ended) for row in ReceivedPush.objects.all()} == {("done", 2)}


def acted_by_killed_workers(push_ids: list[str]) -> list[bool]:
    """Have each acted on by a process that is killed before one statement more, and return which were killed."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.connections.lifecycle.pushes.killed", *push_ids]
    ended = subprocess.run(
        command,
        cwd=PROJECT_ROOT,
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return [line == b"killed" for line in ended.stdout.split()]


def test_what_many_connections_cost_is_a_few_statements_each(app: ProviderApp, acme: Tenant) -> None:
    """They become known together, so the last of many is not to be long after the push."""

    def statements(count: int) -> int:
        for _ in range(count):
            connection_at(app, SANDBOX, acme)
        post(app.id, sent_to(app, SANDBOX, gone()))
        with CaptureQueriesContext(database) as captured:
            act_on_all()
        return len(captured)

    few, many = statements(1), statements(21)
    assert ReceivedPush.objects.filter(ended=21).exists()
    assert (many - few) / 20 <= 3  # its row, its event, its line in the audit trail


def test_slack_ends_everybody_of_a_workspace_that_uninstalled_the_app(acme: Tenant) -> None:
    slack = BY_SLUG["slack-user"]
    app = app_of(slack, acme)
    ended = [connection_at(app, slack, acme, account=f"T061EG9R6:U{number}") for number in range(3)]
    spared = connection_at(app, slack, acme, account="T999:U1")
    assert slack.ended is not None
    push(app, slack, slack.ended(time.time()) | {"event": {"type": "app_uninstalled"}})
    assert statuses(*ended, spared) == ["revoked"] * 3 + ["active"]
