"""Missed: what falls out of the outbox before it was taken is counted, and told when the endpoint is enabled."""

from datetime import timedelta
from typing import Any

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.housekeeping import sweep_old
from connections.lifecycle.webhooks.deliver import deliver
from connections.lifecycle.webhooks.endpoints import disable_endpoint, enable_endpoint
from connections.models import OutboxEvent, Tenant, WebhookDelivery
from tests.connections.lifecycle.webhooks.later import later
from tests.receiver import Receiver, add, emit


def grow_old() -> None:
    OutboxEvent.objects.update(created_at=database_now() - timedelta(days=91))


def test_what_a_disabled_endpoint_has_missed_is_counted_and_the_rest_is_delivered(
    receiver: Receiver, acme: Tenant, globex: Tenant
) -> None:
    endpoint = add(receiver, acme, event_types=["connection.refreshed"])
    taken = add(receiver, acme)
    receiver.answers("503 Away")
    emit(acme, 1)
    deliver(endpoint.id)
    disable_endpoint(endpoint.id, now=database_now(), actor=SYSTEM)
    emit(acme, 2, 3)
    emit(acme, 4, type_="connection.revoked")
    emit(globex, 5)
    receiver.answers("200 OK")
    deliver(taken.id)
    grow_old()
    emit(acme, 6)
    sweep_old(now=database_now())
    taken.refresh_from_db()
    assert taken.missed_events == 0
    assert enable_endpoint(endpoint.id, now=database_now(), actor=SYSTEM)[1] == 3
    assert OutboxEvent.objects.get(type="webhook_endpoint.enabled").payload["missed_events"] == 3
    receiver.came.clear()
    deliver(endpoint.id)
    assert receiver.numbers() == [6]


def test_old_deliveries_and_ended_secrets_go_and_waiting_ones_stay(
    receiver: Receiver, acme: Tenant, settings: Any
) -> None:
    endpoint = add(receiver, acme)
    emit(acme, 1)
    deliver(endpoint.id)
    receiver.answers("500 Oops")
    emit(acme, 2)
    deliver(endpoint.id)
    WebhookDelivery.objects.filter(ended_at__isnull=False).update(ended_at=database_now() - timedelta(days=31))
    gone = sweep_old(now=database_now())
    assert (gone["webhook_deliveries"], gone["webhook secrets"]) == (1, 0)
    assert endpoint.deliveries.get().state == "pending"
    later(endpoint, days=1)
    receiver.answers("200 OK")
    assert deliver(endpoint.id) == 1
