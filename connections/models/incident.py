"""Something wrong with a provider app rather than with one connection: one notice instead of a thousand."""

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.provider_app import ProviderApp


class IncidentKind(models.TextChoices):
    """What is wrong."""

    CLIENT_REJECTED = "client_rejected", "The provider refuses our client registration"
    MANY_FAILURES = "many_failures", "Many connections fail at once"
    ADDRESS_REFUSED = "address_refused", "The provider takes no calls from our addresses"


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Querysets of incidents."""

    def concerning(self, connection: Connection) -> Self:
        """Return the open incidents that concern ``connection``: those of its provider app where it leads."""
        return self.filter(provider_app=connection.provider_app_id, party=connection.party, closed_at=None)


class Incident(models.Model):
    """One incident. While it is open, no connection of the provider app is downgraded, save for one of addresses.

    With a ``party`` it concerns only the connections that lead there (``access.parties``); ``at`` is that one's host.

    ``evidence`` has the key ``refused`` (a number), or the keys of ``providers.errors.Evidence``, ``failures`` and
    ``connection``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=20, choices=IncidentKind)
    party = models.UUIDField(null=True, blank=True, editable=False)
    at = models.CharField(max_length=200, default="", blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_app", "kind", "party"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="one_open_incident_a_kind_and_party",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.provider_app}{f' ({self.at})' if self.at else ''}"
