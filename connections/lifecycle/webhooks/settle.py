"""Settle: what the outcomes of requests mean for their deliveries, and for the endpoint."""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from connections.database.locks import lock_webhook_endpoint
from connections.database.pool import short_transaction
from connections.journal.event_types import EventType
from connections.lifecycle.webhooks.content import forget_delivered
from connections.lifecycle.webhooks.endpoints import disable, tell
from connections.lifecycle.webhooks.post import Outcome
from connections.lifecycle.webhooks.schedule import fails_as_a_whole, is_over, wait_seconds
from connections.models import DeliveryState, DisabledReason, WebhookDelivery, WebhookEndpoint

_dice = secrets.SystemRandom()


@dataclass(frozen=True, slots=True)
class Attempted:
    """One delivery that was attempted, and what came of it."""

    delivery_id: uuid.UUID
    outcome: Outcome


def settle(endpoint_id: uuid.UUID, lease_id: uuid.UUID, attempted: Sequence[Attempted], *, now: datetime) -> bool:
    """Store what came of requests, in the order in which they ended. Return whether the run may go on.

    One short transaction. Without the lease nothing is stored: another run has sent the same again.
    """
    with short_transaction():
        endpoint = lock_webhook_endpoint(endpoint_id)
        if endpoint is None or endpoint.lease_id != lease_id:
            return False
        with endpoint.saved_once():
            _note_taken(endpoint, [one for one in attempted if one.outcome.is_taken], now=now)
            for one in attempted:
                if one.outcome.is_taken:
                    _note_success(endpoint, now=now)
                elif endpoint.disabled_at is None:
                    _fail(endpoint, one, now=now)
        forget_delivered(one.delivery_id for one in attempted)
        return endpoint.is_on and endpoint.held_until is None


def _note_taken(endpoint: WebhookEndpoint, taken: Iterable[Attempted], *, now: datetime) -> None:
    by_status: defaultdict[int | None, list[uuid.UUID]] = defaultdict(list)
    for one in taken:
        by_status[one.outcome.status].append(one.delivery_id)
    for status, ids in by_status.items():
        endpoint.deliveries.filter(id__in=ids).update(
            state=DeliveryState.DELIVERED,
            attempts=F("attempts") + 1,
            answer_status=status,
            error="",
            attempted_at=now,
            failing_since=None,
            next_attempt_at=None,
            ended_at=now,
        )


def _note_success(endpoint: WebhookEndpoint, *, now: datetime) -> None:
    if endpoint.held_until is not None:  # it is back: whatever failed while it was away is due at once
        endpoint.deliveries.filter(next_attempt_at__isnull=False).update(next_attempt_at=None)
    endpoint.take(now=now)


def _fail(endpoint: WebhookEndpoint, one: Attempted, *, now: datetime) -> None:
    delivery = endpoint.deliveries.filter(id=one.delivery_id).first()
    if delivery is None:
        return
    outcome = one.outcome
    endpoint.fail(now=now)
    delivery.attempts += 1
    delivery.answer_status, delivery.error, delivery.attempted_at = outcome.status, outcome.error, now
    delivery.failing_since = delivery.failing_since or now
    delivery.next_attempt_at = None
    if outcome.is_gone:
        disable(endpoint, DisabledReason.GONE, now=now)
    elif is_over(endpoint.failing_since, now=now):
        failing_since = endpoint.failing_since.isoformat() if endpoint.failing_since else None
        disable(endpoint, DisabledReason.FAILING, now=now, failing_since=failing_since, status=outcome.status)
    elif is_over(delivery.failing_since, now=now):
        _give_up(endpoint, delivery, now=now)
    elif fails_as_a_whole(outcome.status, failures=endpoint.failures):
        endpoint.hold(now + _wait(endpoint.failures, outcome))
    else:
        delivery.next_attempt_at = now + _wait(delivery.attempts, outcome)
    delivery.save(
        update_fields=[
            "state",
            "attempts",
            "answer_status",
            "error",
            "attempted_at",
            "failing_since",
            "next_attempt_at",
            "ended_at",
        ]
    )


def _give_up(endpoint: WebhookEndpoint, delivery: WebhookDelivery, *, now: datetime) -> None:
    """End a delivery that has failed for three days while the endpoint took others, so that its lane goes on."""
    delivery.state, delivery.ended_at = DeliveryState.FAILED, now
    tell(
        EventType.WEBHOOK_DELIVERY_FAILED,
        endpoint,
        delivery=str(delivery.id),
        event=str(delivery.event.event_id),
        event_type=delivery.event.type,
        status=delivery.answer_status,
    )


def _wait(failures: int, outcome: Outcome) -> timedelta:
    spread = _dice.random()
    seconds = wait_seconds(failures, spread=spread, retry_after_seconds=outcome.retry_after_seconds)
    return timedelta(seconds=seconds)
