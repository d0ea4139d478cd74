"""Exit bundles: a tenant that has left for another installation or come from one, and the key that signs here."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from connections.models.fields import SealedField


class BundleWay(models.TextChoices):
    """Which way a bundle went."""

    OUT = "out", "Exported"
    IN = "in", "Imported"


class Bundle(models.Model):
    """One bundle, by the id that is in it: so that none is imported twice, and a tenant that has moved stays still.

    There is no foreign key: the row outlives the tenant. ``signer`` is the public key that signed it, in base64.
    ``is_move``: the source stands still from then on, so that two houses never refresh one grant; ``taken_back_at`` is
    when an operator has set it going again all the same. ``done_at`` of an import is when all of it was stored.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    way = models.CharField(max_length=3, choices=BundleWay)
    tenant_id = models.UUIDField(db_index=True)
    slug = models.CharField(max_length=64)
    signer = models.CharField(max_length=64)
    is_move = models.BooleanField(default=False)
    made_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    taken_back_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "id"]
        verbose_name = "exit bundle"

    def __str__(self) -> str:
        return f"{self.slug} {self.get_way_display().lower()}"

    def finish(self, at: datetime) -> None:
        """Record that all of it is stored."""
        self.done_at = at
        self.save(update_fields=["done_at"])


def has_moved(tenant_id: uuid.UUID) -> bool:
    """Whether a tenant was exported as a move and not taken back. One query."""
    return moves_of(tenant_id).exists()


def moves_of(tenant_id: uuid.UUID) -> "models.QuerySet[Bundle]":
    """Return the moves by which a tenant has left and that were not taken back."""
    return Bundle.objects.filter(Q(taken_back_at=None), way=BundleWay.OUT, is_move=True, tenant_id=tenant_id)


class InstallationKey(models.Model):
    """The Ed25519 key pair that signs for this installation. There is one. ``private_key`` seals the 32 raw bytes."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    public_key = models.CharField(max_length=64, unique=True)
    private_key = SealedField(editable=False)
    only = models.BooleanField(default=True, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.public_key
