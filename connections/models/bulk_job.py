"""One act of an operator on many connections, and what came of each. The workers go on with it."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.mutators import Settable
from connections.models.tenant import Tenant


class BulkAct(models.TextChoices):
    """What is done to each connection."""

    REFRESH = "refresh", "Refresh"
    PROBE = "probe", "Probe"
    PAUSE = "pause", "Pause"
    UNPAUSE = "unpause", "Unpause"
    SUSPEND = "suspend", "Suspend"
    RESUME = "resume", "Resume"
    REVOKE = "revoke", "Revoke"
    DISCONNECT = "disconnect", "Disconnect"
    EXPORT = "export", "Export"
    RELEASE = "release", "Release"


class BulkJob(Settable):
    """One job. ``tenant`` is null where its connections may be of several tenants: no limited account sees it then.

    Either an ``operator`` or an API client has ordered it.

    ``form_key`` tells it from others where a question was asked before it: one question orders one job.
    ``claimed_until`` keeps two workers from going on with it at once; when a worker is killed, another goes on after.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=10, choices=BulkAct)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    operator = models.CharField(max_length=150, default="", blank=True)
    api_client_id = models.UUIDField(null=True, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)
    form_key = models.UUIDField(null=True, blank=True, unique=True, editable=False)
    total = models.PositiveIntegerField(default=0)
    ordered_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-ordered_at", "id"]
        verbose_name = "background job"
        indexes = [
            models.Index(fields=["ordered_at"], condition=Q(finished_at=None), name="bulk_job_under_way"),
            models.Index(fields=["tenant", "-ordered_at", "id"], name="bulk_job_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.get_act_display()} {self.total:,} connections"

    def take(self, *, total: int) -> None:
        """Record how many connections it is about."""
        self._set(total=total)

    def cancel(self, *, at: datetime) -> None:
        """Do nothing more of it. Rows that are under way end as they would."""
        self._set(cancelled_at=at)

    def finish(self, *, at: datetime) -> None:
        """Record that nothing is left to do."""
        self._set(finished_at=at, claimed_until=None)


class BulkRow(models.Model):
    """One connection of a job. ``code`` is "" until it was its turn, then the stable outcome; ``detail`` a sentence.

    ``begun_at`` is when a worker last began with it. ``facts`` are what an export has noted of the connection.
    """

    id = models.BigAutoField(primary_key=True)
    job = models.ForeignKey(BulkJob, on_delete=models.CASCADE, related_name="rows", db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    begun_at = models.DateTimeField(null=True, blank=True)
    is_success = models.BooleanField(null=True, blank=True)
    code = models.CharField(max_length=40, default="", blank=True)
    detail = models.CharField(max_length=300, default="", blank=True)
    facts = models.JSONField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = "row of a background job"
        verbose_name_plural = "rows of background jobs"
        constraints = [models.UniqueConstraint(fields=["job", "connection"], name="bulk_row_once_a_connection")]
        indexes = [
            models.Index(fields=["job", "id"], name="bulk_row_of_job"),
            models.Index(fields=["job", "id"], condition=Q(code=""), name="bulk_row_to_do"),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.code or 'to do'}"
