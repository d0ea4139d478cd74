"""One immutable, encrypted set of secrets of a connection. At most one is current."""

from collections.abc import Iterable

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.data_key import DataKey
from connections.models.fields import SealedField, remembered


class Stage(models.TextChoices):
    """What a version is to its connection."""

    RECEIVED = "received", "Received"
    CURRENT = "current", "Current"
    PREVIOUS = "previous", "Previous"
    ORPHAN = "orphan", "Orphan"


class CredentialVersion(models.Model):
    """One version. Its id is made before it is sealed, because the ciphertext is bound to the id.

    ``grant_id`` changes with each authorization; ``parent`` is the version whose refresh token was spent for this one;
    ``attempt`` is the refresh that received it. Only four things ever change: ``stage``, a lifetime that became known
    later, the scopes of one that a consent has overtaken (``promote``), and the party to which the secrets are bound,
    when an operator says that the provider has moved (``steer.rebind``).
    ``refresh_lifetime_seconds`` is how long its refresh token may lie idle; ``refresh_expires_at`` and
    ``grant_expires_at`` are what the provider announced with this version or an earlier one of the grant
    (``credentials.grant_end``).
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # No index of its own: ``version_of_connection`` begins with it.
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="versions", db_index=False)
    grant_id = models.UUIDField()
    parent = remembered("connections.CredentialVersion", null=True)
    attempt = remembered("connections.RefreshAttempt", null=True, unique=True)
    stage = models.CharField(max_length=8, choices=Stage, default=Stage.RECEIVED)
    secrets = SealedField()
    data_key = models.ForeignKey(DataKey, on_delete=models.CASCADE, related_name="+")
    fingerprint = models.BinaryField()
    scopes = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    is_refreshable = models.BooleanField(default=False)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    lifetime_seconds = models.PositiveIntegerField(null=True, blank=True)
    refresh_lifetime_seconds = models.PositiveIntegerField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    grant_expires_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()

    class Meta:
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(fields=["connection"], condition=Q(stage=Stage.CURRENT), name="one_current_version")
        ]
        indexes = [
            models.Index(fields=["connection", "stage"], name="version_of_connection"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def grant(self, scopes: Iterable[str]) -> None:
        """Count ``scopes`` as granted, and no others."""
        self.scopes = list(scopes)
        self.save(update_fields=["scopes"])
