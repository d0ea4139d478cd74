"""Events for the operator's systems, each written in the transaction of the change that it reports."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Func


class OutboxEventQuerySet(models.QuerySet["OutboxEvent"]):
    """Querysets of events."""

    def settled(self) -> Self:
        """Return the events before which no further event can appear any more."""
        horizon = Func(Func(function="txid_current_snapshot"), function="txid_snapshot_xmin")
        return self.filter(transaction_id__lt=horizon)


class OutboxEvent(models.Model):
    """One event. ``id`` is its place in the stream; receivers recognise a repeated event by ``event_id``.

    ``transaction_id`` lets a reader stop before transactions that are still open. Ids are assigned before the commit,
    so a reader of all visible events would otherwise miss those that are committed late.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=60)
    tenant_id = models.UUIDField()
    connection_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    transaction_id = models.BigIntegerField(db_default=Func(function="txid_current"), editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OutboxEventQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["tenant_id", "id"], name="outbox_of_tenant")]

    def __str__(self) -> str:
        return f"{self.id} {self.type}"
