"""Sweeps: what is due is sent once, however many sweep at once; what is switched off is left alone."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.conf import settings
from django.db import connection as database

from connections import dispatch
from connections.lifecycle.clock import database_now
from connections.lifecycle.locking import lock_connection, short_transaction
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes, sweep_revocations
from connections.models import Connection, ProviderApp, Tenant
from tests.connections.lifecycle.clockwork import age


@pytest.fixture
def queued() -> Iterator[Any]:
    """Read what was sent to the broker: (task, connection id) pairs, taken off the queues."""

    def read() -> list[tuple[str, str]]:
        messages = []
        with redis.Redis.from_url(settings.REDIS_URL) as broker:
            for queue in ("refresh", "probe", "celery"):
                for raw in broker.lrange(queue, 0, -1):
                    message = json.loads(raw)
                    (argument,), *_ = json.loads(base64.b64decode(message["body"]))
                    messages.append((message["headers"]["task"], argument))
                broker.delete(queue)
        return messages

    read()
    yield read
    read()


def test_sends_a_due_refresh_once(connection: Connection, queued: Any) -> None:
    assert sweep_refreshes(now=database_now()) == 0
    age(connection.id, hours=1)
    assert sweep_refreshes(now=database_now()) == 1
    assert sweep_refreshes(now=database_now()) == 0
    assert queued() == [(dispatch.REFRESH, str(connection.id))]


def test_sends_it_again_when_the_task_was_lost(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    sweep_refreshes(now=database_now())
    assert sweep_refreshes(now=database_now() + timedelta(seconds=61)) == 1
    assert len(queued()) == 2


def test_two_sweeps_at_once_send_each_task_once(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    ready = threading.Barrier(4)

    def run() -> None:
        ready.wait()
        sweep_refreshes(now=database_now())
        database.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(queued()) == 1


def test_passes_over_a_locked_row_without_waiting(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    swept: list[int] = []

    def run() -> None:
        swept.append(sweep_refreshes(now=database_now()))
        database.close()

    with short_transaction():
        lock_connection(connection.id)
        thread = threading.Thread(target=run)
        thread.start()
        thread.join(timeout=4)
        assert swept == [0]


def test_waits_out_a_backoff(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    now = database_now()
    Connection.objects.update(next_attempt_at=now + timedelta(seconds=30))
    assert sweep_refreshes(now=now) == 0
    assert sweep_refreshes(now=now + timedelta(seconds=31)) == 1


@pytest.mark.parametrize(
    ("model", "switch"),
    [(Connection, "paused_at"), (Connection, "suspended_at"), (Tenant, "suspended_at"), (ProviderApp, "paused_at")],
)
def test_leaves_alone_what_is_switched_off(
    connection: Connection, queued: Any, model: type[Connection], switch: str
) -> None:
    age(connection.id, hours=24)
    model.objects.update(**{switch: connection.created_at})
    assert sweep_refreshes(now=database_now()) == 0
    assert sweep_probes(now=database_now()) == 0
    assert queued() == []


@pytest.mark.parametrize("status", ["needs_reauth", "revoked", "disconnected"])
def test_leaves_alone_what_is_over(connection: Connection, queued: Any, status: str) -> None:
    reasons = {
        "needs_reauth": "grant_rejected",
        "revoked": "revoked_by_operator",
        "disconnected": "disconnected_by_request",
    }
    age(connection.id, hours=24)
    Connection.objects.update(status=status, reason=reasons[status])
    assert sweep_refreshes(now=database_now()) == 0
    assert sweep_probes(now=database_now()) == 0
    assert sweep_revocations(now=database_now()) == 0


def test_sends_a_due_probe_once(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=24)
    Connection.objects.update(refresh_due_at=None)
    assert sweep_probes(now=database_now()) == 1
    assert sweep_probes(now=database_now()) == 0
    assert queued() == [(dispatch.PROBE, str(connection.id))]


def test_sends_nothing_but_ids(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    sweep_refreshes(now=database_now())
    ((_, argument),) = queued()
    assert argument == str(connection.id)


def test_a_broker_that_is_down_loses_nothing(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    age(connection.id, hours=1)
    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(current_app, "_pool", None)
    current_app.amqp._producer_pool = None
    try:
        assert sweep_refreshes(now=database_now()) == 1
    finally:
        current_app.amqp._producer_pool = None
    row = Connection.objects.get(id=connection.id)
    assert row.refresh_due_at is not None and row.refresh_due_at < database_now()
