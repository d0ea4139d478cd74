"""What watching use keeps: the rules as an operator has set them, what is usual of a caller, and what was found."""

import uuid
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import Q

from connections.models.api_client import ApiClient


class WatchRule(models.TextChoices):
    """What is looked for in the use of an API client."""

    NEW_NETWORK = "new_network", "Used from a network that is new"
    WIDE_USE = "wide_use", "Touches far more connections than ever"
    MANY_DENIALS = "many_denials", "Denied on many different ids"
    AWAKENED = "awakened", "Long unused, then many connections"
    CANARY_USED = "canary_used", "A canary was touched"


class Step(models.IntegerChoices):
    """What is done about suspicious use, the mildest first. Each also does what those before it do."""

    ALERT = 0, "Told"
    THROTTLE = 1, "Slowed down"
    HOLD = 2, "Held until somebody vouches for it"
    KILL = 3, "Suspended"


class Verdict(models.TextChoices):
    """What an operator says of a finding."""

    EXPECTED = "expected", "It was us: expect it from now on"
    HARMFUL = "harmful", "It was not us"


class WatchSetting(models.Model):
    """How one rule is set.

    ``least`` is the number below which it never fires. A step is taken once what was found has lasted for so many
    minutes: 0 is at once, and null never.
    """

    rule = models.CharField(max_length=20, choices=WatchRule, primary_key=True)
    is_on = models.BooleanField("on", default=True)
    least = models.PositiveIntegerField(
        "least number", default=1, help_text="It never fires below this number. Only numbers of connections or ids."
    )
    throttle_after = models.PositiveIntegerField(
        "slow down after", null=True, blank=True, help_text="Minutes for which it has lasted. 0: at once; empty: never."
    )
    hold_after = models.PositiveIntegerField("hold after", null=True, blank=True, help_text="Likewise.")
    kill_after = models.PositiveIntegerField("suspend after", null=True, blank=True, help_text="Likewise.")

    class Meta:
        verbose_name = "watch rule"
        ordering = ["rule"]

    def __str__(self) -> str:
        return WatchRule(self.rule).label


class ClientUse(models.Model):
    """What is usual of one API client, in one small row.

    ``day`` is the last one on which it was used, with ``today`` different connections and ``denied_today`` different
    ids that it was denied; of each, ``forgiven`` are those that an operator has settled. ``highest`` and
    ``highest_denied`` are the most on any day before, and ``highest_day`` is the last with at least half of
    ``highest``. ``slept_days`` is for how long it was unused before ``woke_at``, and ``usual_sleep_days`` a pause that
    an operator has called expected.
    """

    client = models.OneToOneField(ApiClient, on_delete=models.CASCADE, primary_key=True, related_name="use")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    day = models.DateField()
    today = models.PositiveIntegerField(default=0)
    highest = models.PositiveIntegerField(default=0)
    forgiven = models.PositiveIntegerField(default=0)
    denied_today = models.PositiveIntegerField(default=0)
    highest_denied = models.PositiveIntegerField(default=0)
    forgiven_denied = models.PositiveIntegerField(default=0)
    highest_day = models.DateField(null=True)
    woke_at = models.DateTimeField(null=True)
    slept_days = models.PositiveIntegerField(default=0)
    usual_sleep_days = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.client_id} {self.day}"

    def learn(self, count: int, *, day: date) -> None:
        """Take it as usual that the client touched so many connections on ``day``. Changes the instance alone."""
        if self.highest_day is None or 2 * count >= self.highest:
            self.highest_day = day
        self.highest = max(self.highest, count)


class KnownNetwork(models.Model):
    """A network from which an API client is used."""

    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="known_networks", db_index=False)
    network = models.CharField(max_length=50)
    first_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "network"], name="network_known_once_a_client")]

    def __str__(self) -> str:
        return self.network


class WatchPosition(models.Model):
    """How far the audit trail has been watched, in the one row that there is.

    ``audit_id`` is the last row of which the use has been counted; ``canary_id`` the last one that has been searched
    for canaries, which goes ahead. Nothing from before ``began_at`` is known.
    """

    ONLY = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=ONLY)
    began_at = models.DateTimeField()
    audit_id = models.BigIntegerField()
    canary_id = models.BigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="there_is_one_watch_position")]

    def __str__(self) -> str:
        return str(self.audit_id)


class Finding(models.Model):
    """Suspicious use of one API client, by one rule, with its evidence. Open until an operator settles it.

    ``first_at`` and ``last_at`` are when what was found began, and was seen last. ``evidence`` has ``keys`` (the
    beginnings of those that were usable), ``uses``, ``networks`` and, by rule, ``connections`` and
    ``connections_counted``, ``asked_for`` and ``asked_for_counted``, ``highest``, ``slept_days`` and ``acts``. Lists
    hold the first few; none holds a secret.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    rule = models.CharField(max_length=20, choices=WatchRule)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="findings")
    opened_at = models.DateTimeField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    evidence = models.JSONField(default=dict)
    step = models.PositiveSmallIntegerField(choices=Step, default=Step.ALERT)
    stepped_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.CharField(max_length=150, default="")
    verdict = models.CharField(max_length=10, choices=Verdict, default="")
    note = models.CharField(max_length=1000, default="")

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["client", "rule"], condition=Q(resolved_at=None), name="one_open_finding_a_client_and_rule"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, verdict="") | Q(resolved_at__isnull=False) & ~Q(verdict=""),
                name="finding_is_settled_with_a_verdict",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at", "id"], name="finding_newest")]

    def __str__(self) -> str:
        return f"{WatchRule(self.rule).label}: {self.client}"

    def go_on(self, *, last_at: datetime, evidence: dict[str, Any]) -> None:
        """Record that what was found goes on."""
        self.last_at, self.evidence = max(self.last_at, last_at), evidence
        self.save(update_fields=["last_at", "evidence"])

    def take(self, step: Step, *, at: datetime) -> None:
        """Record the step that was taken."""
        self.step, self.stepped_at = step, at
        self.save(update_fields=["step", "stepped_at"])

    def settle(self, verdict: Verdict, *, note: str, by: str, at: datetime) -> None:
        """Record what an operator says of it."""
        self.verdict, self.note, self.resolved_by, self.resolved_at = verdict, note, by, at
        self.save(update_fields=["verdict", "note", "resolved_by", "resolved_at"])
