"""Attend: finds the endpoints that need a run, and sends each to a worker once, however many beats there are.

A bound holds on runs at the same time, so that endpoints that answer slowly leave the workers to other tasks; a lower
one holds on those of endpoints that fail. The longest unattended come first.
"""

from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from connections import dispatch
from connections.database.locks import lock_due_endpoints
from connections.database.pool import short_transaction
from connections.models import OutboxEvent, WebhookEndpoint
from connections.models.webhook_endpoint import switched_on

MOST_RUNS = 24
MOST_TRIALS = 8
RESEND_AFTER = timedelta(seconds=15)


def sweep_webhooks(*, now: datetime) -> int:
    """Send the endpoints that have something to deliver to the workers, and return how many. One short transaction."""
    if not WebhookEndpoint.objects.filter(disabled_at=None).exists():
        return 0
    with short_transaction():
        busy = WebhookEndpoint.objects.filter(Q(lease_until__gt=now) | Q(enqueued_until__gt=now))
        trials = busy.filter(failures__gt=0).count()
        room = MOST_RUNS - busy.count()
        due = _due(now)
        found = lock_due_endpoints(due.filter(failures=0), limit=max(0, room))
        found += lock_due_endpoints(
            due.filter(failures__gt=0), limit=max(0, min(room - len(found), MOST_TRIALS - trials))
        )
        ids = [endpoint.id for endpoint in found]
        WebhookEndpoint.objects.filter(id__in=ids).update(enqueued_until=now + RESEND_AFTER)
        for endpoint_id in ids:
            dispatch.deliver_later(endpoint_id)
    return len(ids)


def _due(now: datetime) -> "QuerySet[WebhookEndpoint]":
    """Return the endpoints that may have something to send now, and that nobody attends to."""
    news = OutboxEvent.objects.filter(id__gt=OuterRef("position"))
    has_news = Exists(news.filter(tenant_id=OuterRef("tenant_id"))) | (Q(tenant=None) & Exists(news))
    return (
        WebhookEndpoint.objects.filter(
            switched_on(),
            Q(held_until=None) | Q(held_until__lte=now),
            Q(lease_until=None) | Q(lease_until__lte=now),
            Q(enqueued_until=None) | Q(enqueued_until__lte=now),
        )
        .filter(Q(wake_at__lte=now) | has_news)
        .order_by(F("attended_at").asc(nulls_first=True), "id")
    )
