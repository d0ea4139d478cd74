"""Resend: one event, or all from a moment on, in the order of their connections."""

import uuid
from datetime import timedelta

import pytest

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.webhooks.deliver import deliver
from connections.lifecycle.webhooks.endpoints import disable_endpoint
from connections.lifecycle.webhooks.resend import resend_from, resend_one
from connections.models import AuditEvent, OutboxEvent, Tenant, WebhookDelivery
from connections.refusals import InvalidRequest, NotFound
from tests.receiver import Receiver, add, emit

ONE = uuid.UUID(int=1)


def test_one_event_is_sent_again_under_the_same_id(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1, 2, connection=ONE)
    deliver(endpoint.id)
    first = endpoint.deliveries.order_by("event_id")[0]
    resend_one(endpoint.id, first.id, now=database_now(), actor=SYSTEM)
    assert deliver(endpoint.id) == 1
    assert receiver.numbers() == [1, 2, 1]
    assert receiver.came[0]["id"] == receiver.came[2]["id"]
    first.refresh_from_db()
    assert (first.state, first.attempts) == ("delivered", 2)


def test_everything_from_a_moment_on_is_sent_again_in_order_and_what_was_never_sent_too(
    receiver: Receiver, acme: Tenant, globex: Tenant
) -> None:
    emit(acme, 0, connection=ONE)
    OutboxEvent.objects.update(created_at=database_now() - timedelta(hours=2))
    emit(acme, 1, connection=ONE)
    emit(globex, 9)
    endpoint = add(receiver, acme)
    emit(acme, 2, 3, connection=ONE)
    deliver(endpoint.id)
    WebhookDelivery.objects.filter(event__payload__number=3).delete()
    now = database_now()
    assert resend_from(endpoint.id, now - timedelta(hours=1), now=now, actor=SYSTEM) == 3
    receiver.came.clear()
    assert deliver(endpoint.id) == 3
    assert receiver.numbers() == [1, 2, 3]
    assert AuditEvent.objects.get(action="webhook_endpoint.replayed").detail["events"] == 3


def test_a_moment_without_events_sends_nothing(receiver: Receiver, acme: Tenant) -> None:
    endpoint = add(receiver, acme)
    now = database_now()
    assert resend_from(endpoint.id, now - timedelta(hours=1), now=now, actor=SYSTEM) == 0


def test_nothing_is_sent_again_to_who_is_disabled_or_of_another_endpoint(receiver: Receiver, acme: Tenant) -> None:
    endpoint, other = add(receiver, acme), add(receiver, acme)
    emit(acme, 1)
    deliver(endpoint.id)
    delivery, now = endpoint.deliveries.get(), database_now()
    with pytest.raises(NotFound):
        resend_one(other.id, delivery.id, now=now, actor=SYSTEM)
    disable_endpoint(endpoint.id, now=now, actor=SYSTEM)
    with pytest.raises(InvalidRequest):
        resend_one(endpoint.id, delivery.id, now=now, actor=SYSTEM)
    with pytest.raises(InvalidRequest):
        resend_from(endpoint.id, now, now=now, actor=SYSTEM)
