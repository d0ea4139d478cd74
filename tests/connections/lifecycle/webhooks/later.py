"""Time that has passed for an endpoint: its holds and waits are over, and it has failed for that much longer."""

from datetime import timedelta

from django.db.models import F

from connections.models import WebhookDelivery, WebhookEndpoint


def later(endpoint: WebhookEndpoint, **time: float) -> None:
    """Let this much time pass for ``endpoint`` and its deliveries."""
    passed = timedelta(**time)
    rows = WebhookEndpoint.objects.filter(id=endpoint.id)
    for name in ("held_until", "wake_at", "failing_since", "lease_until", "enqueued_until", "last_success_at"):
        rows.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - passed})
    waiting = WebhookDelivery.objects.filter(endpoint=endpoint)
    for name in ("next_attempt_at", "failing_since", "attempted_at"):
        waiting.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - passed})
