"""What happened, who asked and what was decided. Append-only: a trigger refuses every change of a row.

There are no foreign keys: an audit row outlives the rows to which it refers.

Each vend adds a row here, so no index may cost it more as the table grows. By id, by tenant and by time, rows go to an
index's end, or to one of a few places. By connection they would go anywhere, with a million connections each to a page
that must be read first and is then written whole to the log; at 20 million rows each vend wrote 5 to 7 kB to the log
instead of 0.5. So that index begins with the part of the table, of 2^18 rows each: only the newest part is written,
and a search, which looks into each part, has 77 of them in 20 million rows (``of_connection``).
"""

import uuid
from collections.abc import Collection, Iterator
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Max, Min, Q
from django.db.models.functions import Now

PART_BITS = 18
# The actions of nearly all rows. One who looks for them finds them at the end of the table.
USES = ("credential.vend", "connection.proxy", "connection.proxied")
_PART = F("id").bitrightshift(PART_BITS)


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    """Querysets of audit rows."""

    def of_connection(self, connection_id: uuid.UUID) -> Self:
        """Return the rows about one connection, by the index that only this filter uses. One query to find its ends."""
        return self._in_parts(_parts(), connection_id)

    def of_connections(self, connection_ids: Collection[uuid.UUID], *, after: int = 0, to: int | None = None) -> Self:
        """Return the rows about these connections, likewise, with ids above ``after`` and up to ``to`` (None: all)."""
        parts = _parts()
        parts = range(max(parts.start, after >> PART_BITS), parts.stop if to is None else (to >> PART_BITS) + 1)
        rows = self.alias(part=_PART).filter(part__in=parts, connection_id__in=connection_ids, id__gt=after)
        return rows if to is None else rows.filter(id__lte=to)

    def of_connection_by_parts(self, connection_id: uuid.UUID, *, before: int | None) -> Iterator[Self]:
        """Yield the same rows, those with an id less than ``before`` (None: all), in portions to read one by one.

        The first portion is the newest part of the table; each further one is twice as many older parts. So whoever
        wants only the newest rows seldom reads the others.
        """
        parts = _parts()
        if before is not None:
            parts = range(parts.start, min(parts.stop, (before >> PART_BITS) + 1))
        size = 1
        while parts:
            rows = self._in_parts(parts[-size:], connection_id)
            yield rows if before is None else rows.filter(id__lt=before)
            parts, size = parts[:-size], size * 2

    def _in_parts(self, parts: range, connection_id: uuid.UUID) -> Self:
        return self.alias(part=_PART).filter(part__in=parts, connection_id=connection_id)


def _parts() -> range:
    """Return the numbers of the parts that the table has."""
    ends = AuditEvent.objects.aggregate(first=Min("id"), last=Max("id"))
    return range(0) if ends["first"] is None else range(ends["first"] >> PART_BITS, (ends["last"] >> PART_BITS) + 1)


class AuditEvent(models.Model):
    """One event. ``decision`` is "allowed", an outcome, or the stable code of the refusal.

    ``fingerprint`` is an HMAC of the token. ``detail`` holds further facts by name (``journal.audit.record``).
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    action = models.CharField(max_length=40)
    decision = models.CharField(max_length=40)
    tenant_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    credential_version_id = models.UUIDField(null=True)
    api_client_id = models.UUIDField(null=True)
    operator = models.CharField(max_length=150, db_default="")
    subject = models.CharField(max_length=255, db_default="")
    agent = models.CharField(max_length=255, db_default="")
    purpose = models.CharField(max_length=255, db_default="")
    scopes = ArrayField(models.CharField(max_length=255), db_default=[])
    address = models.GenericIPAddressField(null=True)
    fingerprint = models.BinaryField(null=True)
    detail = models.JSONField(db_default={})

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant_id", "id"], name="audit_by_tenant"),
            models.Index(_PART, F("connection_id"), name="audit_by_part_and_connection"),
            BrinIndex(fields=["at"], name="audit_by_time"),
            # Vends and proxied calls are in neither of these, so they cost nothing there.
            models.Index(fields=["operator", "id"], condition=~Q(operator=""), name="audit_by_operator"),
            models.Index(fields=["action", "id"], condition=~Q(action__in=USES), name="audit_by_action"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.decision}"
