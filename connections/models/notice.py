"""What the operator's people are told by mail: one notice for one cause."""

import uuid

from django.db import models
from django.db.models import Q


class NoticeState(models.TextChoices):
    """How far the mail has come."""

    WAITING = "waiting", "Waiting"
    HANDING = "handing", "Being handed to the mail server"
    SENT = "sent", "Sent"
    UNKNOWN = "unknown", "Perhaps sent"
    FAILED = "failed", "Not sent"
    OFF = "off", "Not sent: mail is off"


ENDED = (NoticeState.SENT, NoticeState.UNKNOWN, NoticeState.FAILED, NoticeState.OFF)


class Notice(models.Model):
    """One notice. Neither ``subject`` nor ``body`` holds a secret, or says who an end user is.

    ``due_at`` is when it is looked at next: tried, or found to have been left by a process that died. ``claim_id``
    names the attempt to which it belongs. ``error`` says what came of the last attempt, without the server's words.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    cause = models.CharField(max_length=200, unique=True)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    state = models.CharField(max_length=10, choices=NoticeState, default=NoticeState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    claim_id = models.UUIDField(null=True, blank=True, editable=False)
    due_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=100, default="", blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=(NoticeState.WAITING, NoticeState.HANDING), due_at__isnull=False, ended_at=None)
                | Q(state__in=ENDED, due_at=None, ended_at__isnull=False),
                name="notice_is_due_or_has_ended",
            )
        ]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(due_at__isnull=False), name="notice_due"),
            models.Index(fields=["-created_at", "id"], name="notice_newest"),
            models.Index(fields=["ended_at"], condition=Q(ended_at__isnull=False), name="notice_ended"),
        ]

    def __str__(self) -> str:
        return self.subject
