"""A host for which a tenant's pages vouch: one that its owner has said to be the tenant's."""

import uuid
from datetime import datetime

from django.db import models

from connections.models.tenant import Tenant


class TenantDomain(models.Model):
    """One host of one tenant's, with its port if it has one.

    ``challenge`` is what a file at the host must hold. ``verified_until`` is null while it is not verified; each look
    that finds the file moves it on. ``failure`` says in words why the last look found nothing; "" if it did.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    host = models.CharField(max_length=255)
    challenge = models.CharField(max_length=64)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_until = models.DateTimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=200, default="", blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["tenant", "host"]
        verbose_name = "domain"
        constraints = [models.UniqueConstraint(fields=["tenant", "host"], name="domain_once_a_tenant")]

    def __str__(self) -> str:
        return self.host

    def is_verified(self, *, now: datetime) -> bool:
        """Whether pages may vouch for it."""
        return self.verified_until is not None and self.verified_until > now

    def note_found(self, *, now: datetime, until: datetime) -> None:
        """Record that the file was found."""
        self._note(now, failure="", verified_at=self.verified_at or now, verified_until=until)

    def note_absent(self, failure: str, *, now: datetime) -> None:
        """Record that the host answered without the file: pages vouch for it no longer."""
        self._note(now, failure=failure, verified_at=None, verified_until=None)

    def note_unreachable(self, failure: str, *, now: datetime) -> None:
        """Record that the host did not answer. What was verified stays so until its time is over."""
        self._note(now, failure=failure)

    def _note(self, now: datetime, **values: object) -> None:
        values["looked_at"] = now
        for name, value in values.items():
            setattr(self, name, value)
        type(self).objects.filter(id=self.id).update(**values)  # which may have been removed meanwhile
