"""Resend: deliver once more, one event or all from a moment on."""

import uuid
from datetime import datetime

from connections.database.locks import lock_webhook_endpoint
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.webhooks.spread import told_to
from connections.models import DeliveryState, OutboxEvent, WebhookDelivery, WebhookEndpoint
from connections.refusals import InvalidRequest, NotFound


def resend_one(endpoint_id: uuid.UUID, delivery_id: uuid.UUID, *, now: datetime, actor: audit.Actor) -> WebhookDelivery:
    """Have one event delivered once more, at once if it is pending already; ahead of its connection's later ones.

    One short transaction. Raises ``NotFound``, and ``InvalidRequest`` for a disabled endpoint.
    """
    with short_transaction():
        endpoint = _enabled(endpoint_id)
        delivery = endpoint.deliveries.filter(id=delivery_id).first()
        if delivery is None:
            raise NotFound("There is no such delivery.")
        endpoint.deliveries.filter(id=delivery.id).update(
            state=DeliveryState.PENDING, failing_since=None, next_attempt_at=None, ended_at=None
        )
        endpoint.wake(now=now)
        _record("webhook_delivery.resent", endpoint, actor=actor, delivery=str(delivery.id))
        delivery.refresh_from_db()
    return delivery


def resend_from(endpoint_id: uuid.UUID, moment: datetime, *, now: datetime, actor: audit.Actor) -> int:
    """Have everything delivered once more that an endpoint is told and that was written at ``moment`` or later.

    Also what was written before the endpoint was added, or while it was not told that type. Returns how many events
    that are, those under way now aside. One short transaction. Raises ``NotFound``, and ``InvalidRequest`` for a
    disabled endpoint.
    """
    with short_transaction():
        endpoint = _enabled(endpoint_id)
        again = OutboxEvent.objects.filter(told_to(endpoint), created_at__gte=moment, created_at__lte=now)
        first = again.order_by("id").values_list("id", flat=True).first()
        count = 0
        if first is not None:
            count = again.count()
            endpoint.rewind(first - 1, now=now)
        _record("webhook_endpoint.replayed", endpoint, actor=actor, since=moment.isoformat(), events=count)
    return count


def _enabled(endpoint_id: uuid.UUID) -> WebhookEndpoint:
    endpoint = lock_webhook_endpoint(endpoint_id)
    if endpoint is None:
        raise NotFound("There is no such webhook endpoint.")
    if endpoint.disabled_at is not None:
        raise InvalidRequest("The endpoint is disabled: enable it first.")
    return endpoint


def _record(action: str, endpoint: WebhookEndpoint, *, actor: audit.Actor, **detail: object) -> None:
    audit.record(
        action,
        actor=actor,
        tenant_id=endpoint.tenant_id,
        detail={"webhook_endpoint": str(endpoint.id), **detail},
    )
