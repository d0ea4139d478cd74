"""Webhook endpoints: where events are delivered, and the secrets by which receivers know that they come from us."""

import uuid
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.fields import SealedField
from connections.models.mutators import Mutable
from connections.models.tenant import Tenant


class DisabledReason(models.TextChoices):
    """Why nothing is delivered to an endpoint."""

    OPERATOR = "operator", "Somebody disabled it"
    GONE = "gone", "It answered 410 Gone"
    FAILING = "failing", "It took nothing for three days"


def switched_on() -> Q:
    """Return the condition that ``WebhookEndpoint.is_on``, for a queryset."""
    return Q(Q(tenant=None) | Q(tenant__suspended_at=None), disabled_at=None)


class WebhookEndpoint(Mutable):
    """One address, of one tenant or, without one, of the operator, who is told the events of all tenants.

    ``event_types`` are those it is told; None is every type. ``position`` is the id of the event up to which
    everything it is told has its ``WebhookDelivery``. ``failures`` counts failed attempts since the last success, and
    ``failing_since`` is when the first of them was; ``held_until`` is when an endpoint that fails as a whole is tried
    again. ``wake_at`` is when there is something to send, besides new events: None where all has been sent.

    A worker delivers to an endpoint alone: ``lease_id`` is its claim, until ``lease_until``. ``enqueued_until`` keeps a
    sweep from sending a second task; ``attended_at`` is when the last run began. ``missed_events`` counts events that
    the outbox no longer keeps and that were never delivered.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="webhook_endpoints"
    )
    url = models.CharField(max_length=1000)
    description = models.CharField(max_length=200, default="", blank=True)
    event_types = ArrayField(models.CharField(max_length=60), null=True, blank=True)
    position = models.BigIntegerField()
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason, default="", blank=True)
    failures = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    enqueued_until = models.DateTimeField(null=True, blank=True)
    lease_id = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    attended_at = models.DateTimeField(null=True, blank=True)
    last_success_at = models.DateTimeField(null=True, blank=True)
    missed_events = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(disabled_at=None, disabled_reason="")
                | Q(disabled_at__isnull=False, disabled_reason__in=DisabledReason.values),
                name="webhook_endpoint_says_why_it_is_disabled",
            ),
            models.CheckConstraint(
                condition=Q(failures=0, failing_since=None) | Q(failures__gt=0, failing_since__isnull=False),
                name="webhook_endpoint_fails_since_a_moment",
            ),
            models.CheckConstraint(
                condition=Q(event_types=None) | Q(event_types__len__gt=0), name="webhook_endpoint_is_told_something"
            ),
        ]

    def __str__(self) -> str:
        return self.url

    @property
    def is_suspended(self) -> bool:
        """Whether the kill switch of its tenant is thrown. No I/O if the tenant is loaded."""
        return self.tenant is not None and self.tenant.suspended_at is not None

    @property
    def is_on(self) -> bool:
        """Whether events are delivered to it: it is not disabled, and its tenant is not suspended."""
        return self.disabled_at is None and not self.is_suspended

    def change(self, *, url: str, description: str, event_types: list[str] | None) -> None:
        """Take new terms. Another address is tried at once."""
        if url != self.url:
            self._set(held_until=None)
        self._set(url=url, description=description, event_types=event_types)

    def disable(self, reason: DisabledReason, *, now: datetime) -> None:
        """Deliver nothing more, until ``enable``."""
        self._set(disabled_at=now, disabled_reason=reason)

    def enable(self, *, now: datetime) -> None:
        """Go on where it stood, at once, and forget that it failed."""
        self._set(
            disabled_at=None,
            disabled_reason="",
            failures=0,
            failing_since=None,
            held_until=None,
            wake_at=now,
            missed_events=0,
        )

    def lease(self, lease_id: uuid.UUID, *, until: datetime, now: datetime) -> None:
        """Let one run deliver. Should it die, the next one finds ``wake_at`` past."""
        self._set(lease_id=lease_id, lease_until=until, enqueued_until=None, attended_at=now, wake_at=now)

    def release(self, *, wake_at: datetime | None) -> None:
        """End the run."""
        self._set(lease_id=None, lease_until=None, wake_at=wake_at)

    def advance(self, position: int) -> None:
        """Note up to which event everything has its delivery."""
        self._set(position=position)

    def rewind(self, position: int, *, now: datetime) -> None:
        """Deliver everything after ``position`` once more."""
        self._set(position=min(position, self.position), wake_at=now)

    def miss(self, count: int, *, up_to: int) -> None:
        """Note that ``count`` events up to ``up_to`` are kept no longer, and were never delivered."""
        self._set(missed_events=self.missed_events + count, position=max(self.position, up_to))

    def wake(self, *, now: datetime) -> None:
        """Have a run look at it at once."""
        self._set(wake_at=now, held_until=None)

    def take(self, *, now: datetime) -> None:
        """Note that it took an event."""
        self._set(failures=0, failing_since=None, held_until=None, last_success_at=now)

    def fail(self, *, now: datetime) -> None:
        """Note that an attempt failed."""
        self._set(failures=self.failures + 1, failing_since=self.failing_since or now)

    def hold(self, until: datetime) -> None:
        """Try nothing before ``until``."""
        self._set(held_until=until)


class WebhookSecret(models.Model):
    """One signing secret of an endpoint, sealed. The current one has no ``ends_at``; a rotation lets it overlap."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="secrets")
    secret = SealedField()
    ends_at = models.DateTimeField(null=True, blank=True, db_index=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ends_at=None), name="webhook_endpoint_has_one_current_secret"
            )
        ]

    def __str__(self) -> str:
        return f"{self.id}"
