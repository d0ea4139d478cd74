"""One step of a connect session, as operators see it: what was sent and what came back, redacted."""

from django.db import models
from django.db.models.functions import Now

from connections.models.connect_session import ConnectSession


class ConnectStep(models.Model):
    """One step. ``outcome`` is "done" or the stable code of what stopped it; it goes with its session.

    ``exchanges`` are those of ``providers.recording``, or one with the key ``came``: what the browser brought.
    """

    session = models.ForeignKey(ConnectSession, on_delete=models.CASCADE, related_name="steps")
    at = models.DateTimeField(db_default=Now())
    step = models.CharField(max_length=20)
    outcome = models.CharField(max_length=60)
    milliseconds = models.PositiveIntegerField(default=0)
    exchanges = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"
