"""One short-lived visit of an end user to the page of their own connections, invited server-to-server."""

import uuid
from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.api_client import ApiClient
from connections.models.tenant import Tenant

IDLE_LIMIT = timedelta(minutes=15)
_NOTED_EVERY = timedelta(minutes=1)


class ManagementSession(models.Model):
    """One visit. Token and cookie are stored hashed. The token is good for one click until ``expires_at``.

    The click sets ``browser_hash``, ``seen_at`` and ``ends_at`` together. From then on only that browser has the page,
    until ``ends_at``, until ``IDLE_LIMIT`` after ``seen_at`` (kept to the minute), or until ``ended_at``.

    - ``end_user``: whose connections are shown, at ``tenant``
    - ``providers``: those to which another account may be connected from the page
    - ``api_key_id``: the key by which it was asked for, null for a client that brought a token
    - ``code_challenge``: goes into each connect session that the page begins; its verifier stays in the operator's own
      login session ("" for none)

    Call the mutators with the row locked; ``note_seen`` may do without.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="management_sessions")
    api_client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    api_key_id = models.UUIDField(null=True, blank=True, editable=False)
    end_user = models.CharField(max_length=255)
    providers = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    return_url = models.CharField(max_length=1000)
    origin = models.CharField(max_length=255, default="", blank=True)
    locale = models.CharField(max_length=20, default="", blank=True)
    code_challenge = models.CharField(max_length=43, default="", blank=True)
    token_hash = models.BinaryField(unique=True)
    expires_at = models.DateTimeField()
    browser_hash = models.BinaryField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=~Q(end_user=""), name="management_session_names_its_end_user"),
            models.CheckConstraint(
                condition=Q(browser_hash__isnull=True, seen_at__isnull=True, ends_at__isnull=True)
                | Q(browser_hash__isnull=False, seen_at__isnull=False, ends_at__isnull=False),
                name="management_session_is_opened_whole",
            ),
        ]
        indexes = [models.Index(fields=["expires_at"], name="management_session_expiry")]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_opened(self) -> bool:
        """Whether the link was used."""
        return self.browser_hash is not None

    @property
    def is_suspended(self) -> bool:
        """Whether something stops it: the kill switch of its tenant or of its API client, or that one is held."""
        return self.tenant.suspended_at is not None or self.api_client.is_stopped

    def is_over(self, *, now: datetime) -> bool:
        """Whether an opened visit has ended, by the end user, by the clock or for want of use."""
        if self.ended_at is not None or self.ends_at is None or self.seen_at is None:
            return True
        return self.ends_at <= now or self.seen_at + IDLE_LIMIT <= now

    def bind_browser(self, *, browser_hash: bytes, now: datetime, ends_at: datetime) -> None:
        """Give it to the browser whose cookie has this hash. The link is used up."""
        self.browser_hash, self.seen_at, self.ends_at = browser_hash, now, ends_at
        self.save(update_fields=["browser_hash", "seen_at", "ends_at"])

    def note_seen(self, *, now: datetime) -> None:
        """Record that it is in use, at most once a minute."""
        if self.seen_at is None or self.seen_at + _NOTED_EVERY > now:
            return
        self.seen_at = now
        self.save(update_fields=["seen_at"])

    def end(self, *, now: datetime) -> None:
        """End it. Its browser has the page no longer."""
        self.ended_at = now
        self.save(update_fields=["ended_at"])
