"""Wrapped data keys: one current key for each tenant, one for the operator's own secrets.

Deleting a row shreds everything that was sealed under its key.
"""

from datetime import datetime

from django.db import models
from django.db.models import Q

from connections.models.tenant import Tenant

SHREDDED = b""  # in place of a wrapped key that was destroyed before its row could go


class DataKey(models.Model):
    """A data key, wrapped under a KEK. ``tenant`` is null for the operator's own (shared provider apps)."""

    id = models.UUIDField(primary_key=True, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, on_delete=models.CASCADE, related_name="data_keys")
    kek_id = models.CharField(max_length=32)
    wrapped = models.BinaryField()
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    wrapped_at = models.DateTimeField(null=True, editable=False)  # null: when it was made

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant"], condition=Q(is_current=True), nulls_distinct=False, name="one_current_data_key"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def give_way(self) -> None:
        """Seal nothing new: a newer key takes over. What it has sealed it still opens."""
        self.is_current = False
        self.save(update_fields=["is_current"])

    def rewrap(self, kek_id: str, wrapped: bytes, *, now: datetime) -> None:
        """Keep the same key, wrapped under another KEK."""
        self.kek_id, self.wrapped, self.wrapped_at = kek_id, wrapped, now
        self.save(update_fields=["kek_id", "wrapped", "wrapped_at"])
