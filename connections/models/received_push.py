"""A push that a provider has sent by itself: that it came, what it said in a word, and what came of it."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.fields import SealedField
from connections.models.mutators import Mutable
from connections.models.outbox_event import OutboxEvent
from connections.models.provider_app import ProviderApp
from connections.models.tenant import Tenant


class PushState(models.TextChoices):
    """What came of a push."""

    WAITING = "waiting", "Being acted on"
    DONE = "done", "Acted on"
    REFUSED = "refused", "Refused"


class ReceivedPush(Mutable):
    """One push to the address of one provider app. Its body is never kept.

    ``delivery`` is the digest by which the same delivery is known again, ``proof`` that of what was signed; both are
    null for one that was refused. ``is_echo``: the same signature had come before, under another delivery.
    ``is_dated``: what was signed says when. ``orders`` is what is still to be done: for each event its type, what it
    means, whose accounts it names and when it happened. ``connections`` counts those that it was about, ``ended``
    those that it ended, and ``forwarded`` the events that were written of what is about no grant.

    ``why`` is the code of a refusal, and ``count`` how many of the kind one row stands for: refused pushes prove
    nothing, so they get few rows. ``repeats`` counts the deliveries that came once more.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="pushes", db_index=False)
    state = models.CharField(max_length=8, choices=PushState)
    why = models.CharField(max_length=20, default="", blank=True)
    event_types = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    delivery = models.BinaryField(null=True)
    proof = models.BinaryField(null=True)
    is_echo = models.BooleanField(default=False)
    is_dated = models.BooleanField(default=True)
    orders = models.JSONField(default=list, blank=True)
    connections = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    forwarded = models.PositiveIntegerField(default=0)
    count = models.PositiveIntegerField(default=1)
    repeats = models.PositiveIntegerField(default=0)
    received_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "received pushes"
        ordering = ["-received_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_app", "delivery"], condition=Q(delivery__isnull=False), name="push_once_a_delivery"
            ),
            # Of two copies under different deliveries, which arrive at once, one alone is believed.
            models.UniqueConstraint(
                fields=["provider_app", "proof"],
                condition=Q(proof__isnull=False, is_echo=False),
                name="push_believed_once_a_proof",
            ),
            models.CheckConstraint(
                condition=(Q(state=PushState.REFUSED) & ~Q(why="")) | (~Q(state=PushState.REFUSED) & Q(why="")),
                name="push_refused_for_a_reason",
            ),
            models.CheckConstraint(
                condition=Q(state=PushState.WAITING) | Q(orders=[]), name="push_orders_only_while_it_waits"
            ),
        ]
        indexes = [
            models.Index(fields=["provider_app", "-received_at"], name="push_of_app"),
            models.Index(fields=["-received_at", "id"], name="push_newest"),
            models.Index(fields=["provider_app", "proof"], condition=Q(proof__isnull=False), name="push_proof"),
            models.Index(fields=["received_at"], condition=Q(state=PushState.WAITING), name="push_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.id}"

    def go_on(self, orders: list[dict[str, Any]], *, connections: int, ended: int) -> None:
        """Note how far it has come: what is left to do, and how many connections were concerned and ended."""
        self._set(orders=orders, connections=self.connections + connections, ended=self.ended + ended)

    def note_forwarded(self, count: int) -> None:
        """Note how many events were written of what it says of anything but grants."""
        if count:
            self._set(forwarded=count)

    def finish(self, *, now: datetime) -> None:
        """Note that all has been done."""
        self._set(state=PushState.DONE, orders=[], done_at=now)


class PushContent(models.Model):
    """What a pushed event says, for the endpoints that are told it: sealed, and gone once they have it."""

    event = models.OneToOneField(OutboxEvent, primary_key=True, on_delete=models.CASCADE, related_name="push_content")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="push_contents")
    content = SealedField()
    created_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.pk}"
