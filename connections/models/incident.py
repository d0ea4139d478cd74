"""Something wrong with a provider app rather than with one connection: one notice instead of a thousand."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from connections.models.connection import Connection
from connections.models.provider_app import ProviderApp

_MOST_STEPS = 50


class IncidentKind(models.TextChoices):
    """What is wrong."""

    CLIENT_REJECTED = "client_rejected", "The provider refuses our client registration"
    MANY_FAILURES = "many_failures", "Many connections fail at once"
    UNAVAILABLE = "unavailable", "The provider does not answer"
    ADDRESS_REFUSED = "address_refused", "The provider takes no calls from our addresses"


class IncidentCause(models.TextChoices):
    """What it probably comes from (``lifecycle.health.causes``)."""

    WRONG_SECRET = "wrong_secret", "Wrong client secret"
    CLIENT_ENDED = "client_ended", "The client or its secret ended at the provider"
    APP_GONE = "app_gone", "The app was deleted or disabled at the provider"
    GRANTS_ENDED = "grants_ended", "Many grants ended at the provider"
    REQUESTS_REFUSED = "requests_refused", "The provider refuses our requests"
    OUTAGE = "outage", "The provider is down"
    UNREACHABLE = "unreachable", "The provider's host is not reached"
    OUR_EGRESS = "our_egress", "Our calls do not get out"
    RATE_LIMITED = "rate_limited", "The provider limits our rate"
    ADDRESS_NOT_LISTED = "address_not_listed", "Our address is not listed at the provider"


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Querysets of incidents."""

    def concerning(self, connection: Connection) -> Self:
        """Return the open incidents that concern ``connection``: those of its provider app where it leads."""
        return self.filter(provider_app=connection.provider_app_id, party=connection.party, closed_at=None)


class Incident(models.Model):
    """One incident. While it is open, no connection of the provider app is downgraded, save for one of addresses.

    With a ``party`` it concerns only the connections that lead there (``access.parties``); ``at`` is that one's host.

    ``evidence`` has the key ``refused`` (a number), or the keys of ``providers.errors.Evidence``, ``failures`` and
    ``connection``. ``facts`` is what is counted of it while it is open (``lifecycle.health.facts``), ``spared`` how
    many connections were not downgraded because of it, and ``timeline`` its steps, with ``at`` (ISO) and ``what``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=20, choices=IncidentKind)
    cause = models.CharField(max_length=20, choices=IncidentCause, default="", blank=True)
    party = models.UUIDField(null=True, blank=True, editable=False)
    at = models.CharField(max_length=200, default="", blank=True)
    evidence = models.JSONField(default=dict, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    spared = models.PositiveIntegerField(default=0)
    timeline = models.JSONField(default=list, blank=True)
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

    def learn(self, cause: IncidentCause, facts: dict[str, Any], *, now: datetime) -> None:
        """Take in what is counted of it, and what it comes from by that. Does nothing once it is closed."""
        if cause != self.cause:
            self.cause = cause
            self.step(cause.label, now=now)
        self.facts = facts
        still_open = Incident.objects.filter(id=self.id, closed_at=None)  # somebody may have closed it meanwhile
        still_open.update(cause=self.cause, facts=self.facts, timeline=self.timeline)

    def step(self, what: str, *, now: datetime) -> None:
        """Add a step to the timeline, without saving it. Of very many the first and the newest are kept."""
        steps = [*self.timeline, {"at": now.isoformat(timespec="seconds"), "what": what}]
        self.timeline = steps if len(steps) <= _MOST_STEPS else [steps[0], *steps[2:]]
