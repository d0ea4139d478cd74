"""What proves the audit trail: its seals, what was redacted and pruned since, and how far somebody has verified it.

The database lets a seal be changed in two ways only (the migration ``audit_seals``): the nonces of erased rows go, and
once all rows of a seal are pruned, its leaves go. ``journal.sealing`` says what the columns hold.
"""

import uuid
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from connections.models.mutators import Settable


class AuditSeal(models.Model):
    """One batch of audit rows, sealed. The numbers begin with 1 and have no gap.

    It covers every row whose id is above the previous seal's ``last_id`` and at most its own. ``newest_at`` is the
    greatest ``at`` of them. ``leaves`` has 32 bytes for each row, ``nonces`` 16; both are empty once all is pruned.
    ``hash`` is that of the other columns, ``previous`` that of the seal before (zeros for the first); in hexadecimal.
    """

    number = models.BigIntegerField(primary_key=True)
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    rows = models.PositiveIntegerField()
    newest_at = models.DateTimeField()
    leaves = models.BinaryField()
    nonces = models.BinaryField()
    leaves_hash = models.BinaryField(max_length=32)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)
    key_id = models.CharField(max_length=32)
    signature = models.BinaryField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["last_id"], name="audit_seal_ends_once"),
            models.CheckConstraint(
                condition=Q(number__gte=1, rows__gte=1, last_id__gte=models.F("first_id")),
                name="audit_seal_covers_rows",
            ),
        ]

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditRedaction(models.Model):
    """A sealed row from which an end user was erased, and the digest of what is left, signed. The last one counts."""

    event_id = models.BigIntegerField(primary_key=True)
    order_id = models.BigIntegerField()
    nonce = models.BinaryField(max_length=16)
    digest = models.BinaryField(max_length=16)
    key_id = models.CharField(max_length=32)
    signature = models.BinaryField(max_length=64)

    def __str__(self) -> str:
        return f"redaction of row {self.event_id}"


class AuditPruning(models.Model):
    """An operator's order to delete the rows from before a moment, signed. ``order_id`` is its audit row."""

    order_id = models.BigIntegerField(primary_key=True)
    before = models.DateTimeField()
    key_id = models.CharField(max_length=32)
    signature = models.BinaryField(max_length=64)

    class Meta:
        ordering = ["order_id"]

    def __str__(self) -> str:
        return f"pruned before {self.before:%Y-%m-%d}"


class AuditVerification(Settable):
    """One verification of the trail, ordered in the admin or by the clock. The workers go on with it.

    ``reached`` is the last seal that was looked at, ``rows`` counts the rows that were compared. ``finding`` says what
    is broken first: ``kind``, ``seal``, ``row`` (an id, or null), ``detail``, and ``further``: how many more seals are
    broken. It is empty where all is whole. ``unsealed`` counts the rows that no seal covered yet at its end.
    ``claimed_until`` keeps two beats apart.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    operator = models.CharField(max_length=150, default="", blank=True)
    ordered_at = models.DateTimeField()
    to_seal = models.BigIntegerField()
    reached = models.BigIntegerField(default=0)
    rows = models.BigIntegerField(default=0)
    unsealed = models.BigIntegerField(default=0)
    finding = models.JSONField(default=dict, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-ordered_at", "id"]
        indexes = [
            models.Index(fields=["ordered_at"], condition=Q(finished_at=None), name="verification_under_way"),
        ]

    def __str__(self) -> str:
        return f"verification of {self.ordered_at:%Y-%m-%d %H:%M}"

    def go_on(self, *, reached: int, rows: int) -> None:
        """Record that all was looked at up to the seal ``reached``, with so many ``rows`` more, and what it found."""
        self._set(reached=reached, rows=self.rows + rows, finding=self.finding)

    def find(self, finding: dict[str, Any]) -> None:
        """Keep what is broken first, and count the others. ``go_on`` records it."""
        if self.finding:
            self.finding["further"] += 1
        else:
            self.finding = finding | {"further": 0}

    def finish(self, *, at: datetime, unsealed: int) -> None:
        """Record that it has looked at everything."""
        self._set(finished_at=at, unsealed=unsealed, claimed_until=None)
