"""One try to refresh one credential version: the record that makes a refresh exclusive and its loss visible."""

import uuid
from enum import StrEnum
from typing import Self

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.fields import remembered


class AttemptState(models.TextChoices):
    """How far an attempt has come. ``sent`` and ``in_doubt`` are open: the database allows one of them a connection."""

    SENT = "sent", "Sent"
    RECEIVED = "received", "Received"
    PROMOTED = "promoted", "Promoted"
    REJECTED = "rejected", "Rejected"
    IN_DOUBT = "in_doubt", "In doubt"
    SUPERSEDED = "superseded", "Superseded"
    ABORTED = "aborted", "Aborted"


OPEN_STATES = (AttemptState.SENT, AttemptState.IN_DOUBT)
# An attempt that ended so has not used up the refresh token that it sent. Of an open one the answer is lost.
HARMLESS_STATES = (AttemptState.REJECTED, AttemptState.ABORTED)


class RefreshAttemptQuerySet(models.QuerySet["RefreshAttempt"]):
    """Querysets of attempts."""

    def refused(self) -> Self:
        """Return the attempts that the provider refused without blaming the grant, outages left out."""
        is_page = Q(error="malformed_response", evidence__status__gte=400, evidence__status__lt=500)
        return self.filter(Q(error__in=["request_rejected", "client_rejected"]) | is_page)


class Trigger(StrEnum):
    """What made a refresh or a probe begin. Only for SWEEP does no caller wait."""

    SWEEP = "sweep"
    VEND = "vend"
    REPORT = "report"
    API = "api"
    OPERATOR = "operator"
    DRILL = "drill"


class RefreshAttempt(models.Model):
    """One attempt. ``follows_doubt`` says that an earlier one of this version may have consumed its refresh token.

    ``claimant_key`` is the key of the advisory lock that the claiming process holds while it lives (null: no lock, only
    the lease counts). ``absent_since`` is when that lock was first seen to be free. Both belong to
    ``refresh.presence``. ``evidence`` has the keys of ``providers.errors.Evidence`` after a failure, else it is empty.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: ``attempt_history`` begins with it.
    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="refresh_attempts", db_index=False
    )
    parent_version = remembered("connections.CredentialVersion")
    state = models.CharField(max_length=10, choices=AttemptState, default=AttemptState.SENT)
    trigger = models.CharField(max_length=12, default=Trigger.SWEEP)
    claimed_by = models.CharField(max_length=120, default="")
    claimant_key = models.BigIntegerField(null=True, blank=True)
    claimed_at = models.DateTimeField()
    deadline_at = models.DateTimeField()
    absent_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    follows_doubt = models.BooleanField(default=False)
    error = models.CharField(max_length=40, default="", blank=True)
    evidence = models.JSONField(default=dict, blank=True)

    objects = RefreshAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["-claimed_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="one_attempt_in_flight",
            )
        ]
        indexes = [
            models.Index(fields=["connection", "-claimed_at"], name="attempt_history"),
            models.Index(fields=["-claimed_at", "id"], name="attempt_newest"),
            # Few refreshes go wrong, or are asked for: the others write none of these two.
            models.Index(
                fields=["state", "-claimed_at", "id"],
                condition=Q(state__in=["rejected", "in_doubt", "superseded", "aborted"]),
                name="attempt_gone_wrong",
            ),
            models.Index(
                fields=["trigger", "-claimed_at", "id"], condition=~Q(trigger=Trigger.SWEEP), name="attempt_asked_for"
            ),
            models.Index(
                fields=["deadline_at"],
                condition=Q(state__in=["sent", "received"]),
                name="attempt_under_way",
            ),
            models.Index(
                fields=["parent_version"],
                condition=Q(state=AttemptState.SUPERSEDED),
                name="attempt_superseded",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)
