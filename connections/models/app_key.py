"""A key pair of a provider app: with it we prove who we are, or sign what the provider wants signed."""

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from connections.models.fields import SealedField
from connections.models.provider_app import ProviderApp
from providers.vocabulary import SigningAlgorithm


class AppKeyQuerySet(models.QuerySet["AppKey"]):
    """Querysets of key pairs, by the database's clock."""

    def published(self) -> Self:
        """Return the keys whose public half providers may see, the newest first."""
        return self.filter(Q(published_until=None) | Q(published_until__gt=Now())).order_by(
            "-signs_from", "-created_at"
        )

    def signing(self) -> Self:
        """Return the published keys that may sign. The first of an app is the one that does."""
        return self.published().filter(signs_from__lte=Now(), private_key__isnull=False)


class AppKey(models.Model):
    """One key pair. It is published from when it is made, and signs from ``signs_from`` on, until a newer key does.

    So a provider knows the key before it meets a signature by it, and still knows it while the last ones travel:
    ``published_until`` is later than the successor's ``signs_from``. It is null for a key without a successor.
    ``public_key`` and ``certificates`` are PEM; ``private_key`` seals the other half, and is null once it is destroyed.
    ``is_brought``: somebody else has made it. ``certificate_ends_at`` is the end of the key's own certificate.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="keys")
    kid = models.CharField("key id", max_length=200)
    algorithm = models.CharField(
        max_length=10, choices=[(one.value, one.value) for one in SigningAlgorithm if not one.is_symmetric]
    )
    public_key = models.TextField()
    private_key = SealedField(null=True, editable=False)
    certificates = models.TextField(default="", blank=True)
    certificate_ends_at = models.DateTimeField(null=True, blank=True)
    is_brought = models.BooleanField(default=False)
    signs_from = models.DateTimeField()
    published_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AppKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-signs_from"]
        constraints = [models.UniqueConstraint(fields=["provider_app", "kid"], name="one_key_a_kid_and_app")]

    def __str__(self) -> str:
        return self.kid

    def is_published(self, *, now: datetime) -> bool:
        """Whether providers may see the public half. It agrees with ``AppKeyQuerySet.published``."""
        return self.published_until is None or self.published_until > now

    def publish_until(self, moment: datetime | None) -> None:
        """Take the public half back at ``moment``, because a newer key has taken over; for None, not any more."""
        self.published_until = moment
        self.save(update_fields=["published_until"])

    def sign_from(self, moment: datetime) -> None:
        """Have the key take over at ``moment``."""
        self.signs_from = moment
        self.save(update_fields=["signs_from"])

    def withdraw(self, *, now: datetime) -> None:
        """Take the key back at once, and destroy the private half: it is lost, or has been seen."""
        self.published_until = now
        self.private_key = None
        self.save(update_fields=["published_until", "private_key"])

    def certify(self, *, certificates: str, ends_at: datetime) -> None:
        """Put certificates beside the key, in place of those it had."""
        self.certificates = certificates
        self.certificate_ends_at = ends_at
        self.save(update_fields=["certificates", "certificate_ends_at"])
