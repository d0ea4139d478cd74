"""The leaving of one end user: what was done with all that they had, kept as its receipt."""

import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from connections.models.mutators import Settable
from connections.models.tenant import Tenant


class OffboardingMode(models.TextChoices):
    """How much of somebody goes."""

    OFFBOARD = "offboard", "Disconnected and revoked"
    ERASE = "erase", "Disconnected, revoked and forgotten"


class SharedFate(models.TextChoices):
    """What becomes of the whole tenant's connections that the end user answers for."""

    NOT_SAID = "", "Not said"
    HAND_OVER = "hand_over", "Handed over"
    END = "end", "Ended"


class Offboarding(Settable):
    """One offboarding. ``lifecycle.end.offboard`` takes it as far as it can, again and again, until ``done_at``.

    ``hand_over_to`` is the end user who answers for shared connections from then on, "" for the tenant itself.
    An erasure puts ``pseudonym`` in place of the end user's id: in the audit trail, in events, and at last here.

    What the receipt says is written down before it is done, so that nothing which a killed process did is missing:
    ``connections`` maps the id of each connection to ``provider``, ``owner`` ("end_user" or "tenant"), ``act``
    ("disconnected", "ended" or "handed_over") and ``revocation`` (of ``Connection``; "" where none was asked for).
    ``grants`` lists the ids of the access grants that were revoked, ``counts`` says how many rows of a kind ended or
    were forgotten. ``audit_seen_to`` and ``events_seen_to`` are how far the erasure has come in those tables, and
    ``order_id`` is the audit row without which the database lets no audit row be changed.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="offboardings", db_index=False)
    end_user = models.CharField(max_length=255)
    mode = models.CharField(max_length=8, choices=OffboardingMode)
    shared = models.CharField(max_length=9, choices=SharedFate, default=SharedFate.NOT_SAID, blank=True)
    hand_over_to = models.CharField(max_length=255, default="", blank=True)
    pseudonym = models.CharField(max_length=40, default="", blank=True)
    connections = models.JSONField(default=dict, blank=True)
    grants = models.JSONField(default=list, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    audit_seen_to = models.BigIntegerField(default=0, editable=False)
    events_seen_to = models.BigIntegerField(default=0, editable=False)
    order_id = models.BigIntegerField(null=True, blank=True, editable=False)
    ordered_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-ordered_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(end_user=""), name="offboarding_names_its_end_user"),
            models.CheckConstraint(
                condition=~Q(mode=OffboardingMode.ERASE) | ~Q(pseudonym=""), name="offboarding_erases_to_a_pseudonym"
            ),
            models.UniqueConstraint(
                fields=["tenant", "end_user"], condition=Q(done_at=None), name="one_offboarding_under_way"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "end_user"], name="offboarding_of_end_user"),
            models.Index(fields=["ordered_at"], condition=Q(done_at=None), name="offboarding_under_way"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_erasure(self) -> bool:
        """Whether the end user is forgotten too."""
        return self.mode == OffboardingMode.ERASE

    def deepen(self, *, mode: str, pseudonym: str, shared: str, hand_over_to: str) -> None:
        """Ask for more than was ordered: an erasure, or what becomes of shared connections. Call it locked."""
        self._set(mode=mode, pseudonym=pseudonym, shared=shared, hand_over_to=hand_over_to)

    def note(self, **values: Any) -> None:
        """Write down what is about to be done, or has come of it. Call it with the row locked."""
        self._set(**values)

    def count(self, kind: str, number: int) -> None:
        """Add to how many rows of a kind ended or were forgotten. Call it with the row locked."""
        if number:
            self._set(counts=self.counts | {kind: self.counts.get(kind, 0) + number})

    def finish(self, *, end_user: str, at: datetime) -> None:
        """Record that nothing is left to do; ``end_user`` is the pseudonym after an erasure."""
        self._set(end_user=end_user, done_at=at)
