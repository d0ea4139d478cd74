"""The delivery of one event to one webhook endpoint."""

import uuid

from django.db import models
from django.db.models import Q

from connections.models.outbox_event import OutboxEvent
from connections.models.webhook_endpoint import WebhookEndpoint


class DeliveryState(models.TextChoices):
    """How far a delivery has come."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    FAILED = "failed", "Given up"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint. Nothing of an answer is kept but its status.

    Deliveries of one ``lane`` are made in the order of their events, and none before the one ahead of it has ended: it
    is the connection that an event is about, or else the tenant. ``next_attempt_at`` is when the first of a lane is
    tried again. ``answer_status`` is that of the last answer, None if none came; ``error`` says in our words what was
    wrong.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(OutboxEvent, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    lane = models.UUIDField()
    state = models.CharField(max_length=10, choices=DeliveryState, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    answer_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=200, default="", blank=True)
    attempted_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "webhook deliveries"
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="webhook_delivery_once"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.PENDING, ended_at=None)
                | Q(state__in=(DeliveryState.DELIVERED, DeliveryState.FAILED), ended_at__isnull=False),
                name="webhook_delivery_ends_at_a_moment",
            ),
        ]
        indexes = [
            models.Index(fields=["endpoint", "event"], condition=Q(state="pending"), name="webhook_pending"),
            models.Index(
                fields=["endpoint", "lane"],
                condition=Q(state="pending", next_attempt_at__isnull=False),
                name="webhook_held_lane",
            ),
            models.Index(fields=["endpoint", "-created_at"], name="webhook_of_endpoint"),
            models.Index(fields=["-created_at", "id"], name="webhook_newest"),
            models.Index(
                fields=["state", "-created_at", "id"],
                condition=~Q(state=DeliveryState.DELIVERED),
                name="webhook_not_delivered",
            ),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="webhook_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.id}"
