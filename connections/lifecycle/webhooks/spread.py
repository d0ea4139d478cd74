"""Spread: makes the deliveries of new events to one endpoint."""

import uuid

from django.db.models import Q

from connections.database.locks import lock_webhook_endpoint
from connections.database.pool import short_transaction
from connections.journal.event_types import EventType
from connections.journal.events import read_settled
from connections.models import DeliveryState, OutboxEvent, WebhookDelivery, WebhookEndpoint

BATCH = 500
_NO_LANE = uuid.UUID(int=0)


def told_to(endpoint: WebhookEndpoint) -> Q:
    """Return the condition for the events that ``endpoint`` is told: of its tenant, and of the types it has chosen.

    Who has chosen none is told all but what providers push, which only those get who ask for it by name. The operator's
    own endpoint is told of every tenant and of what is the operator's, but of no trial: those that it serves know none.
    """
    of_no_trial = Q(tenant_id__isnull=False) | Q(connection_id=None)
    whose = of_no_trial if endpoint.tenant_id is None else Q(tenant_id=endpoint.tenant_id)
    if endpoint.event_types is None:
        return whose & ~Q(type=EventType.PROVIDER_EVENT)
    return whose & Q(type__in=endpoint.event_types)


def spread(endpoint_id: uuid.UUID, lease_id: uuid.UUID) -> bool:
    """Make the deliveries of up to 500 events behind the endpoint's position, and move that.

    Return False if there may be more. An event that has a delivery already is delivered once more, which is what a
    position that was moved back is for. A few queries outside, then one short transaction; does nothing without the
    lease, or where the position has been moved meanwhile.
    """
    endpoint = WebhookEndpoint.objects.filter(id=endpoint_id, lease_id=lease_id).first()
    if endpoint is None:
        return True
    settled = read_settled(told_to(endpoint), after=endpoint.position, limit=BATCH)
    if settled.to == endpoint.position:
        return True
    with short_transaction():
        locked = lock_webhook_endpoint(endpoint_id)
        if locked is None or locked.lease_id != lease_id or locked.position != endpoint.position:
            return True
        kept = set(
            OutboxEvent.objects.filter(id__in=[event.id for event in settled.events]).values_list("id", flat=True)
        )
        WebhookDelivery.objects.bulk_create(
            [
                WebhookDelivery(
                    endpoint=locked,
                    event=event,
                    lane=event.connection_id or event.tenant_id or _NO_LANE,
                    state=DeliveryState.PENDING,
                )
                for event in settled.events
                if event.id in kept
            ],
            update_conflicts=True,
            unique_fields=["event", "endpoint"],
            update_fields=["state", "attempts", "failing_since", "next_attempt_at", "ended_at"],
        )
        locked.advance(settled.to)
    return len(settled.events) < BATCH
