"""One tenant's, or one end user's, grant at one provider app."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from connections.models.provider_app import ProviderApp
from connections.models.states import LIVE, MAY_BECOME, Reason, Status, status_and_reason_agree
from connections.models.tenant import Tenant


class OwnerKind(models.TextChoices):
    """Whose a connection is."""

    END_USER = "end_user", "End user"
    TENANT = "tenant", "Whole tenant"


class Binding(models.TextChoices):
    """How it was made sure that the person who connected is the person it is for."""

    COMPLETION = "completion", "Confirmed by the operator's backend"
    NONE = "none", "Not confirmed"


class Revocation(models.TextChoices):
    """How far the revocation at the provider has come."""

    NOT_ASKED = "", "Not asked for"
    PENDING = "pending", "Under way"
    CONFIRMED = "confirmed", "Confirmed by a refused call"
    UNCONFIRMED = "unconfirmed", "Asked for, but never confirmed"
    UNSUPPORTED = "unsupported", "The provider cannot revoke"
    WITHHELD = "withheld", "Left out: another connection lives on the same grant"


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Querysets of connections: always begin with a tenant, except in sweeps."""

    def for_tenant(self, tenant_id: uuid.UUID) -> Self:
        """Those of one tenant."""
        return self.filter(tenant_id=tenant_id)

    def live(self) -> Self:
        """Those that are connected, in whatever health."""
        return self.filter(status__in=LIVE)


class Connection(models.Model):
    """One grant. The lifecycle owns every column but ``metadata``.

    ``refresh_due_at`` and ``probe_due_at`` are what the sweeps look for (null: never); ``refresh_enqueued_until`` keeps
    a sweep from sending the same task twice; ``next_attempt_at`` holds a refresh back after a failure. ``failures``
    counts the refreshes that failed in a row, ``revocation_failures`` the tries to revoke.
    ``access_expires_at`` is null where nobody knows the end: then probes watch. ``refresh_expires_at`` is when the
    grant ends unless it is refreshed, ``grant_expires_at`` when it ends whatever is done (null: nobody said).
    ``refresh_failing_at`` is since when no valid token is left because refreshes fail (null: it is not so).
    ``lacks_refresh_token`` says that one was to be expected, and never came: the connection ends with its token.
    ``evidence`` says what the status rests on; ``undecryptable_at`` when the current credential was found not to open,
    ``answer_unread_at`` when an answer was received that could not be read (``unread_answer``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="connections")
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.PROTECT, related_name="connections")
    provider = models.CharField(max_length=64)
    owner_kind = models.CharField(max_length=8, choices=OwnerKind)
    end_user = models.CharField(max_length=255, default="", blank=True)
    binding = models.CharField(max_length=10, choices=Binding, default=Binding.COMPLETION)
    params = models.JSONField(default=dict, blank=True)
    metadata = models.JSONField(default=dict, blank=True)

    status = models.CharField(max_length=14, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=32, choices=Reason, default=Reason.AWAITING_CONFIRMATION)
    evidence = models.JSONField(default=dict, blank=True)
    status_changed_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    undecryptable_at = models.DateTimeField(null=True, blank=True)
    answer_unread_at = models.DateTimeField(null=True, blank=True)

    grant_id = models.UUIDField(null=True, blank=True)
    authorized_at = models.DateTimeField(null=True, blank=True)
    current_version_id = models.UUIDField(null=True, blank=True)
    access_expires_at = models.DateTimeField(null=True, blank=True)
    refresh_expires_at = models.DateTimeField(null=True, blank=True)
    grant_expires_at = models.DateTimeField(null=True, blank=True)
    refresh_due_at = models.DateTimeField(null=True, blank=True)
    lacks_refresh_token = models.BooleanField(default=False)
    refresh_enqueued_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)
    refused_at = models.DateTimeField(null=True, blank=True)
    refresh_failing_at = models.DateTimeField(null=True, blank=True)
    probe_due_at = models.DateTimeField(null=True, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.CharField(max_length=20, default="", blank=True)
    last_vended_at = models.DateTimeField(null=True, blank=True)
    provider_account_id = models.CharField(max_length=255, default="", blank=True)
    provider_account_name = models.CharField(max_length=255, default="", blank=True)

    revocation = models.CharField(max_length=12, choices=Revocation, default=Revocation.NOT_ASKED, blank=True)
    revocation_due_at = models.DateTimeField(null=True, blank=True)
    revocation_deadline_at = models.DateTimeField(null=True, blank=True)
    revocation_failures = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner_kind=OwnerKind.END_USER) & ~Q(end_user="")
                | Q(owner_kind=OwnerKind.TENANT) & Q(end_user=""),
                name="connection_has_one_owner",
            ),
            models.CheckConstraint(condition=status_and_reason_agree(), name="connection_status_and_reason_agree"),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "suspect"]) | Q(current_version_id__isnull=False),
                name="connection_that_vends_has_a_version",
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider_app", "end_user", "provider_account_id"],
                condition=Q(status__in=[status.value for status in LIVE]) & ~Q(provider_account_id=""),
                name="one_live_connection_an_account",
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "provider", "end_user"], name="connection_lookup"),
            models.Index(fields=["tenant", "-created_at", "id"], name="connection_page"),
            models.Index(
                fields=["refresh_due_at"], condition=Q(refresh_due_at__isnull=False), name="connection_refresh_due"
            ),
            models.Index(
                fields=["access_expires_at"],
                condition=Q(refresh_due_at=None, access_expires_at__isnull=False, status__in=["active", "suspect"]),
                name="connection_expiry",
            ),
            models.Index(fields=["probe_due_at"], condition=Q(probe_due_at__isnull=False), name="connection_probe_due"),
            models.Index(
                fields=["revocation_due_at"], condition=Q(revocation_due_at__isnull=False), name="connection_revoke_due"
            ),
            models.Index(
                fields=["undecryptable_at"],
                condition=Q(undecryptable_at__isnull=False),
                name="connection_undecryptable",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.id}"

    @property
    def is_suspended(self) -> bool:
        """Whether a kill switch is thrown: its own, its tenant's or its provider app's."""
        return any(one.suspended_at is not None for one in (self, self.tenant, self.provider_app))

    @property
    def is_paused(self) -> bool:
        """Whether its background work is stopped: its own, or its provider app's."""
        return self.paused_at is not None or self.provider_app.paused_at is not None

    def change(self, **values: Any) -> None:
        """Set and save just ``values``. Call it with the row locked.

        Raises ``ValueError`` for a status or a reason: these go through ``health.status``.
        """
        if not values.keys().isdisjoint({"status", "reason"}):
            raise ValueError("A status changes through change_status alone.")
        self._save(values)

    def become(self, status: Status, reason: Reason, *, evidence: dict[str, Any], now: datetime) -> None:
        """Take on a status and a reason that the table allows. For ``health.status``; call it with the row locked.

        ``status_changed_at`` stays where only the reason changes. Raises ``ValueError`` for a step not in the table.
        """
        before = Status(self.status)
        if status not in MAY_BECOME[before]:
            raise ValueError(f"A connection that is {before} does not become {status}.")
        changed_at = self.status_changed_at if status == before else now
        self._save({"status": status, "reason": reason, "evidence": evidence, "status_changed_at": changed_at})

    def _save(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=[*values, "updated_at"])
