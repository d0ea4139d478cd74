"""Sweeps: what is due is sent once, however many sweep at once; what is switched off is left alone."""

import base64
import json
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection as database

from config.celery import app
from connections import dispatch
from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.lifecycle import sweep
from connections.lifecycle.refresh.refresh import postpone_refresh
from connections.lifecycle.sweep import sweep_probes, sweep_refreshes, sweep_revocations
from connections.lifecycle.throttle import admission
from connections.models import Connection, ProviderApp, Tenant
from providers.errors import Evidence, ProviderUnavailable
from tests.broker import forget_broker, taken_messages
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.throttle.outages import later


@pytest.fixture
def queued() -> Iterator[Any]:
    """Read what was sent to the broker, taken off the queues: pairs of a task and a connection's id."""

    def read() -> list[tuple[str, str]]:
        return [(task, connection_id) for task, connection_ids in taken_messages() for connection_id in connection_ids]

    read()
    yield read
    read()


def test_sends_a_due_refresh_once(connection: Connection, queued: Any) -> None:
    assert sweep_refreshes(now=database_now()) == 0
    age(connection.id, hours=1)
    assert sweep_refreshes(now=database_now()) == 1
    assert sweep_refreshes(now=database_now()) == 0
    assert queued() == [(dispatch.Task.REFRESH, str(connection.id))]


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
        thread.join(timeout=60)
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
    assert queued() == [(dispatch.Task.PROBE, str(connection.id))]


def test_sends_nothing_but_ids(connection: Connection, queued: Any) -> None:
    age(connection.id, hours=1)
    sweep_refreshes(now=database_now())
    assert queued() == [(dispatch.Task.REFRESH, str(connection.id))]


def test_a_broker_that_is_down_loses_nothing_and_keeps_nobody_waiting(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(connection.id, hours=1)
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    slept: list[float] = []
    monkeypatch.setattr("kombu.utils.functional.sleep", slept.append)
    forget_broker()
    try:
        assert sweep_refreshes(now=database_now(), seconds=5) == 1
        assert sum(slept) < 4, "kombu's own patience is 6 s"
    finally:
        monkeypatch.undo()
        forget_broker()
    assert sweep_refreshes(now=database_now() + timedelta(seconds=61)) == 1, "it is still due"


@pytest.fixture
def due(acme: Tenant, globex: Tenant) -> dict[str, list[str]]:
    """Five due connections of acme's, each longer so than the two of globex's."""
    ids: dict[str, list[str]] = {"acme": [], "globex": []}
    for tenant, count, seconds in ((acme, 5, 600), (globex, 2, 60)):
        for number in range(count):
            made = make_connection(tenant, end_user=f"user-{number}")
            moment = database_now() - timedelta(seconds=seconds - number)
            Connection.objects.filter(id=made.id).update(refresh_due_at=moment, probe_due_at=moment)
            ids[tenant.slug].append(str(made.id))
    return ids


def app_of(tenant: Tenant) -> ProviderApp:
    return ProviderApp.objects.get(tenant=tenant)


def told_to_wait(app: ProviderApp, seconds: float) -> None:
    failure = ProviderUnavailable(Evidence("busy", status=429), retry_after_seconds=seconds)
    admission.note(app.id, connection_id=app.id, failure=failure)


def test_leaves_out_an_app_that_was_told_to_wait_until_that_is_over(
    due: dict[str, list[str]], acme: Tenant, queued: Any
) -> None:
    told_to_wait(app_of(acme), 600)
    assert sweep_refreshes(now=database_now()) == 2
    assert sweep_probes(now=database_now()) == 2
    assert sorted(queued()) == sorted(
        (task, connection_id)
        for task in (dispatch.Task.REFRESH, dispatch.Task.PROBE)
        for connection_id in due["globex"]
    )
    later(app_of(acme).id, 601)
    assert sweep_refreshes(now=database_now()) == 5
    assert sorted(connection_id for _, connection_id in queued()) == sorted(due["acme"])


def test_sends_one_trial_of_an_app_whose_breaker_is_half_open(
    due: dict[str, list[str]], acme: Tenant, queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission.random, "random", lambda: 0.999)
    monkeypatch.setattr(admission, "OPEN_BASE_SECONDS", 100.0)
    for connection_id in due["acme"]:
        failure = ProviderUnavailable(Evidence("down", status=503))
        admission.note(app_of(acme).id, connection_id=uuid.UUID(connection_id), failure=failure)
    assert sweep_refreshes(now=database_now()) == 2
    assert sweep_probes(now=database_now()) == 7, "the other server answers"
    later(app_of(acme).id, admission.OPEN_BASE_SECONDS)
    queued()
    assert sweep_refreshes(now=database_now()) == 1
    assert queued() == [(dispatch.Task.REFRESH, due["acme"][0])]


def test_an_app_with_much_to_do_keeps_nobody_else_waiting(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 4)
    monkeypatch.setattr(admission, "BURST", 2 / 60_000)  # the sandbox has 60,000 requests a minute
    assert sweep_refreshes(now=database_now()) == 4
    assert {connection_id for _, connection_id in queued()} == {*due["acme"][:2], *due["globex"]}
    assert sweep_refreshes(now=database_now()) == 2
    assert {connection_id for _, connection_id in queued()} == set(due["acme"][2:4])
    assert sweep_probes(now=database_now()) == 2, "a part of the budget is left to refreshes"


def test_where_very_many_are_due_those_of_one_app_share_tasks(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "TASKS_APART", 2)
    assert sweep_refreshes(now=database_now()) == 7
    assert sorted(ids for _, ids in taken_messages()) == sorted([due["acme"][:4], due["acme"][4:], due["globex"]])


def test_what_was_held_back_is_passed_over_for_so_long(due: dict[str, list[str]], queued: Any) -> None:
    now = database_now()
    postpone_refresh(uuid.UUID(due["globex"][0]), seconds=5)
    assert sweep_refreshes(now=now) == 6
    queued()
    assert sweep_refreshes(now=now + timedelta(seconds=6)) == 1
    assert queued() == [(dispatch.Task.REFRESH, due["globex"][0])]


def test_sweeps_without_redis_to_ask(due: dict[str, list[str]], settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # the throttle's: Celery has read its own
    assert sweep_refreshes(now=database_now()) == 7
    assert sweep_probes(now=database_now()) == 7


def test_goes_on_within_one_beat_while_batches_are_full(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    assert sweep_refreshes(now=database_now()) == 2, "without time, one batch"
    assert sweep_refreshes(now=database_now(), seconds=5) == 5
    assert sweep_probes(now=database_now(), seconds=5) == 7
    sent = [connection_id for task, connection_id in queued() if task == dispatch.Task.REFRESH]
    assert sent[::-1] == [*due["acme"], *due["globex"]], "the longest due first, each once"


def queue_up(count: int) -> None:
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.lpush("refresh", *[json.dumps({"number": number}) for number in range(count)])


def test_sends_nothing_while_many_tasks_wait_for_a_worker(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue_up(sweep.LONG_QUEUE)
    assert sweep_refreshes(now=database_now()) == 0
    assert sweep_probes(now=database_now()) == 7, "another queue"
    monkeypatch.setattr(sweep, "STALLED_SECONDS", 0.3)
    began = time.monotonic()
    assert sweep_refreshes(now=database_now(), seconds=30) == 0
    assert time.monotonic() - began < 25, "it keeps no thread from the work for which it would wait"
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("refresh")
    assert sweep_refreshes(now=database_now()) == 7, "none had been marked as sent"


def test_follows_the_workers_and_never_fills_the_queue(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BATCH", 2), ("LONG_QUEUE", 2), ("LOOK_AGAIN_SECONDS", 0.01)):
        monkeypatch.setattr(sweep, name, value)
    longest, done = 0, threading.Event()

    def work() -> None:
        nonlocal longest
        with redis.Redis.from_url(settings.REDIS_URL) as broker:
            while not done.is_set():
                longest = max(longest, broker.llen("refresh"))
                if message := broker.rpop("refresh"):
                    taken.append(json.loads(base64.b64decode(json.loads(message)["body"]))[0])
                time.sleep(0.05)

    taken: list[list[str]] = []
    worker = threading.Thread(target=work)
    worker.start()
    try:
        assert sweep_refreshes(now=database_now(), seconds=20) == 7
    finally:
        done.set()
        worker.join()
    rest = [connection_id for _, connection_id in queued()][::-1]
    assert [connection_id for ids in taken for connection_id in ids] + rest == [*due["acme"], *due["globex"]]
    assert longest < sweep.LONG_QUEUE + sweep.BATCH


def test_two_sweeps_that_go_on_at_once_send_each_connection_once(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 2)
    ready = threading.Barrier(3)

    def run() -> None:
        ready.wait()
        sweep_refreshes(now=database_now(), seconds=5)
        database.close()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sent = [connection_id for _, connection_id in queued()]
    sweep_refreshes(now=database_now(), seconds=5)  # what all three had locked and left to each other
    assert sorted(sent + [connection_id for _, connection_id in queued()]) == sorted([*due["acme"], *due["globex"]])


def test_sends_no_more_of_an_app_than_its_budget_until_the_next_beat(
    due: dict[str, list[str]], queued: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "BATCH", 1)
    monkeypatch.setattr(sweep, "budget_of", lambda provider: 36)  # six at once, and three in five seconds
    assert sweep_refreshes(now=database_now(), seconds=5) == 5
    assert {connection_id for _, connection_id in queued()} == {*due["acme"][:3], *due["globex"]}
