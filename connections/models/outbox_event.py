"""Events for the operator's systems, each written in the transaction of the change that it reports."""

import uuid

from django.db import models


class OutboxEvent(models.Model):
    """One event. ``id`` is its place in the stream; receivers recognise a repeated event by ``event_id``.

    An event without a tenant is about something of the operator's: operator-wide webhook endpoints alone are told it.

    Ids are assigned before the commit, so a reader of all visible events would miss what is committed late.
    ``journal.events.read_settled`` reads without a gap.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=60)
    tenant_id = models.UUIDField(null=True)
    connection_id = models.UUIDField(null=True)
    payload = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["tenant_id", "id"], name="outbox_of_tenant")]

    def __str__(self) -> str:
        return f"{self.id} {self.type}"
