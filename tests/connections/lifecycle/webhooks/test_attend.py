"""Attend: an endpoint with something to send is sent to a worker once, and those that fail take few places."""

import base64
import json
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.webhooks import attend
from connections.lifecycle.webhooks.attend import sweep_webhooks
from connections.lifecycle.webhooks.endpoints import disable_endpoint
from connections.models import Tenant, WebhookEndpoint
from connections.tasks import deliver_to_endpoint, sweep_waiting_webhooks
from tests.receiver import Receiver, add, emit

Sent = Callable[[], list[str]]


@pytest.fixture
def sent() -> Iterator[Sent]:
    """Take the ids of endpoints off the queue."""

    def read() -> list[str]:
        with redis.Redis.from_url(settings.REDIS_URL) as broker:
            raw = broker.lrange("webhooks", 0, -1)
            broker.delete("webhooks")
        arguments = [json.loads(base64.b64decode(json.loads(message)["body"]))[0] for message in raw]
        return [id_ for ids in arguments for id_ in ids]

    read()
    yield read
    read()


def sweep(**later: float) -> int:
    return sweep_webhooks(now=database_now() + timedelta(**later))


def test_an_endpoint_with_news_is_sent_once_and_again_if_the_task_was_lost(
    receiver: Receiver, acme: Tenant, sent: Sent
) -> None:
    endpoint = add(receiver, acme)
    assert sweep() == 0
    emit(acme, 1)
    assert (sweep(), sweep()) == (1, 0)
    assert sweep(seconds=16) == 1
    assert sent() == [str(endpoint.id)] * 2


def test_from_an_event_to_its_receiver_by_beat_and_worker(receiver: Receiver, acme: Tenant, sent: Sent) -> None:
    add(receiver, acme)
    emit(acme, 1, 2)
    sweep_waiting_webhooks()
    deliver_to_endpoint(*sent())
    assert receiver.numbers() == [1, 2]
    assert sweep() == 0


def test_news_of_other_tenants_wake_no_endpoint_but_the_operators(
    receiver: Receiver, acme: Tenant, globex: Tenant, sent: Sent
) -> None:
    add(receiver, acme)
    operators = add(receiver, None)
    emit(globex, 1)
    assert sweep() == 1
    assert sent() == [str(operators.id)]


@pytest.mark.usefixtures("sent")
def test_nobody_is_sent_who_is_off_held_or_attended_to(receiver: Receiver, acme: Tenant, globex: Tenant) -> None:
    now, ahead = database_now(), database_now() + timedelta(minutes=1)
    emit(acme, 0)
    off, held, leased = (add(receiver, acme) for _ in range(3))
    of_suspended = add(receiver, globex)
    emit(acme, 1)
    emit(globex, 2)
    disable_endpoint(off.id, now=now, actor=SYSTEM)
    WebhookEndpoint.objects.filter(id=held.id).update(held_until=ahead)
    WebhookEndpoint.objects.filter(id=leased.id).update(lease_until=ahead)
    Tenant.objects.filter(id=of_suspended.tenant_id).update(suspended_at=now)
    assert sweep() == 0
    assert sweep(minutes=2) == 2


def test_a_wait_that_is_over_wakes_an_endpoint_without_news(receiver: Receiver, acme: Tenant, sent: Sent) -> None:
    add(receiver, acme)
    receiver.answers("500 Oops")
    emit(acme, 1)
    sweep()
    deliver_to_endpoint(*sent())
    assert sweep() == 0
    assert sweep(seconds=6) == 1


@pytest.mark.usefixtures("sent")
def test_failing_endpoints_leave_most_places_to_the_others(
    receiver: Receiver, acme: Tenant, globex: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attend, "MOST_RUNS", 4)
    monkeypatch.setattr(attend, "MOST_TRIALS", 1)
    failing = [add(receiver, acme).id for _ in range(5)]
    for _ in range(5):
        add(receiver, globex)
    WebhookEndpoint.objects.filter(id__in=failing).update(failures=3, failing_since=database_now())
    emit(acme, 1)
    assert (sweep(), sweep()) == (1, 0)
    emit(globex, 1)
    assert (sweep(), sweep()) == (3, 0)
