"""Missed: counts what falls out of the outbox before an endpoint has taken it, so that its owner is told."""

from collections.abc import Sequence

from connections.database.locks import lock_webhook_endpoints_behind
from connections.lifecycle.webhooks.spread import told_to
from connections.models import DeliveryState, OutboxEvent


def note_missed(event_ids: Sequence[int]) -> None:
    """Count for each endpoint which of these events, the oldest of the outbox, it has not taken. Call before they go.

    Locks the endpoints that lag behind, in the caller's transaction.
    """
    last = max(event_ids)
    for endpoint in lock_webhook_endpoints_behind(last):
        untold = OutboxEvent.objects.filter(told_to(endpoint), id__in=event_ids, id__gt=endpoint.position)
        waiting = endpoint.deliveries.filter(event_id__in=event_ids, state=DeliveryState.PENDING)
        endpoint.miss(untold.count() + waiting.count(), up_to=last)
