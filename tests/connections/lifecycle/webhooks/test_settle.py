"""Settle: an endpoint that is gone or dead is disabled and told of, and one event that nobody takes stops no lane."""

import uuid
from itertools import pairwise

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.webhooks.deliver import deliver
from connections.lifecycle.webhooks.endpoints import enable_endpoint
from connections.models import AuditEvent, Notice, OutboxEvent, Tenant, WebhookEndpoint
from tests.connections.lifecycle.webhooks.later import later
from tests.receiver import Receiver, add, emit
from tests.upstream import ok

ONE = uuid.UUID(int=1)


def told(type_: str) -> list[OutboxEvent]:
    return list(OutboxEvent.objects.filter(type=type_))


def test_an_endpoint_that_is_gone_is_disabled_at_once_and_told_of(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("410 Gone")
    emit(acme, 1, 2, connection=ONE)
    deliver(endpoint.id)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "gone"
    assert receiver.numbers() == [1]
    (event,) = told("webhook_endpoint.disabled")
    host = receiver.url.split("/")[2]
    assert event.payload == {"webhook_endpoint": str(endpoint.id), "host": host, "reason": "gone"}
    assert event.tenant_id == acme.id
    assert AuditEvent.objects.get(action="webhook_endpoint.disabled").decision == "gone"
    notice = Notice.objects.get()
    assert notice.cause.startswith(f"webhook_endpoint.disabled:{endpoint.id}:")
    assert "It answered 410" in notice.body and str(endpoint.id) in notice.body
    assert "/hooks" not in notice.subject + notice.body, "the path may be a secret of the receiver's"
    later(endpoint, hours=1)
    assert deliver(endpoint.id) == 0
    assert receiver.numbers() == [1]


def test_what_waited_for_a_disabled_endpoint_goes_on_where_it_stood_when_it_is_enabled(
    receiver: Receiver, acme: Tenant
) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("410 Gone")
    emit(acme, 1, 2, connection=ONE)
    deliver(endpoint.id)
    emit(acme, 3, connection=ONE)
    receiver.answers("200 OK")
    receiver.came.clear()
    assert enable_endpoint(endpoint.id, now=database_now(), actor=SYSTEM)[1] == 0
    deliver(endpoint.id)
    assert [event["data"].get("number") for event in receiver.came if event["connection"]] == [1, 2, 3]
    assert {event["type"] for event in receiver.came if not event["connection"]} == {
        "webhook_endpoint.disabled",
        "webhook_endpoint.enabled",
    }


def test_an_endpoint_that_takes_nothing_for_three_days_is_disabled_and_loses_nothing(
    receiver: Receiver, acme: Tenant
) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("500 Oops")
    emit(acme, 1, connection=ONE)
    deliver(endpoint.id)
    later(endpoint, hours=71)
    deliver(endpoint.id)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None
    later(endpoint, hours=2)
    deliver(endpoint.id)
    endpoint.refresh_from_db()
    assert endpoint.disabled_reason == "failing"
    assert endpoint.deliveries.get().state == "pending"
    (event,) = told("webhook_endpoint.disabled")
    assert (event.payload["reason"], event.payload["status"]) == ("failing", 500)


def test_the_end_of_an_endpoint_of_the_operator_is_told_to_the_operator_alone(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, None)
    receiver.answers("410 Gone")
    emit(acme, 1)
    deliver(endpoint.id)
    (event,) = told("webhook_endpoint.disabled")
    assert event.tenant_id is None


def test_one_event_that_nobody_takes_is_given_up_after_three_days_and_its_lane_goes_on(
    receiver: Receiver, acme: Tenant
) -> None:
    endpoint = add(receiver, acme)
    receiver.answer = lambda event: ok(status="422 No" if event["data"].get("number") == 1 else "200 OK")
    emit(acme, 1, 2, connection=ONE)
    deliver(endpoint.id)
    later(endpoint, hours=73)
    emit(acme, 3, connection=uuid.UUID(int=2))
    # What the endpoint has taken meanwhile shows that it lives.
    WebhookEndpoint.objects.filter(id=endpoint.id).update(failures=0, failing_since=None)
    deliver(endpoint.id)
    assert receiver.numbers(ONE) == [1, 1, 2]
    first = endpoint.deliveries.order_by("event_id")[0]
    assert (first.state, first.answer_status, first.attempts) == ("failed", 422, 2)
    (event,) = told("webhook_delivery.failed")
    assert event.payload["delivery"] == str(first.id)
    endpoint.refresh_from_db()
    assert endpoint.disabled_at is None


def test_a_receiver_says_when_to_come_again(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("429 Slow down", "Retry-After: 7200")
    emit(acme, 1)
    began = database_now()
    deliver(endpoint.id)
    endpoint.refresh_from_db()
    assert endpoint.held_until is not None
    assert 7190 < (endpoint.held_until - began).total_seconds() < 7260


def test_waits_grow_and_differ(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    receiver.answers("503 Away")
    emit(acme, 1)
    waits = []
    for _ in range(4):
        deliver(endpoint.id)
        endpoint.refresh_from_db()
        assert endpoint.held_until is not None
        waits.append((endpoint.held_until - database_now()).total_seconds())
        later(endpoint, hours=7)
    assert all(two > one for one, two in pairwise(waits))
    assert 60 < waits[3] < 136
