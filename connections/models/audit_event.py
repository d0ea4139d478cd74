"""What happened, who asked and what was decided. Append-only: a trigger refuses every change of a row.

There are no foreign keys: an audit row outlives the rows to which it refers.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models.functions import Now


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

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["tenant_id", "-id"], name="audit_of_tenant"),
            models.Index(fields=["connection_id", "-id"], name="audit_of_connection"),
            BrinIndex(fields=["at"], name="audit_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.decision}"
