"""Figures for the first page of the admin, counted now and then by ``lifecycle.figures``, so that no page counts rows.

Each is counted for one tenant and provider app, for a tenant with all apps, for an app with all tenants, and for all of
both: ``ALL`` stands for all. There are no foreign keys: what is gone is gone at the next count.
"""

import uuid

from django.db import models

ALL = uuid.UUID(int=0)
HOUR_SECONDS = 3600
MINUTE_SECONDS = 60


class ConnectionFigures(models.Model):
    """How many connections of a tenant and a provider app are in what condition (``lifecycle.figures.CONDITIONS``).

    The ``noticed_…`` columns count the grants that were found dead in the last week, by how long before that they had
    been proved alive for the last time.
    """

    tenant_id = models.UUIDField()
    provider_app_id = models.UUIDField()
    pending = models.PositiveIntegerField(default=0)
    active = models.PositiveIntegerField(default=0)
    suspect = models.PositiveIntegerField(default=0)
    needs_reauth = models.PositiveIntegerField(default=0)
    revoked = models.PositiveIntegerField(default=0)
    disconnected = models.PositiveIntegerField(default=0)
    failing = models.PositiveIntegerField(default=0)
    overdue = models.PositiveIntegerField(default=0)
    due_soon = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    undecryptable = models.PositiveIntegerField(default=0)
    revoking = models.PositiveIntegerField(default=0)
    ending = models.PositiveIntegerField(default=0)
    noticed_minutes = models.PositiveIntegerField(default=0)
    noticed_hour = models.PositiveIntegerField(default=0)
    noticed_six_hours = models.PositiveIntegerField(default=0)
    noticed_day = models.PositiveIntegerField(default=0)
    noticed_later = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant_id", "provider_app_id"], name="figures_once_a_tenant_and_app")
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.provider_app_id}"


class ActivityFigures(models.Model):
    """What was done in one minute or hour, for a tenant, or for all (``ALL``). ``at`` is when that began."""

    at = models.DateTimeField()
    width_seconds = models.PositiveSmallIntegerField()
    tenant_id = models.UUIDField()
    vended = models.PositiveIntegerField(default=0)
    vend_refused = models.PositiveIntegerField(default=0)
    refreshed = models.PositiveIntegerField(default=0)
    refresh_failed = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant_id", "width_seconds", "at"], name="activity_once_a_tenant_and_moment"
            )
        ]
        indexes = [models.Index(fields=["width_seconds", "at"], name="activity_oldest")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.at}"


class FiguresTaken(models.Model):
    """When the figures were last counted, in the one row that there is.

    ``audit_seen_to`` is the id of an audit row before which no row is young enough to be counted again.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    taken_at = models.DateTimeField()
    took_seconds = models.FloatField(default=0.0)
    audit_seen_to = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="figures_are_taken_once")]

    def __str__(self) -> str:
        return f"{self.taken_at}"
