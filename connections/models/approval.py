"""What somebody asked to do under an access grant that needs an approval for each thing, and what was decided."""

import hashlib
import uuid
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.access_grant import AccessGrant
from connections.models.connection import Connection
from connections.models.tenant import Tenant


class Approval(models.Model):
    """One question, and its answer. ``asked`` is the digest of all that is asked: nothing else is approved with it.

    ``action`` is "vend" or "proxy"; ``method``, ``path``, ``query`` and ``body_sha256`` (of a body, in hexadecimal) are
    those of a proxied request, "" otherwise. ``headers`` are those of its headers that may change what it does: the
    value of a few that are known to, of any other ``sha256:…``. ``verified`` names who vouches for ``end_user`` and
    ``agent``, by these names; the caller alone named whoever is missing there. It waits for an answer until
    ``expires_at``. ``is_approved`` is null until somebody answers. What is approved may be done until ``good_until``,
    and, with ``is_once``, one time (``used_at``). ``decided_by`` names who answered, for people.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="approvals", db_index=False)
    grant = models.ForeignKey(AccessGrant, on_delete=models.CASCADE, related_name="approvals", db_index=False)
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="approvals")
    api_client_id = models.UUIDField()
    end_user = models.CharField(max_length=255, default="", blank=True)
    agent = models.CharField(max_length=255, default="", blank=True)
    purpose = models.CharField(max_length=255, default="", blank=True)
    action = models.CharField(max_length=5)
    scopes = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    method = models.CharField(max_length=16, default="", blank=True)
    path = models.CharField(max_length=2000, default="", blank=True)
    query = models.CharField(max_length=2000, default="", blank=True)
    body_sha256 = models.CharField(max_length=64, default="", blank=True)
    headers = models.JSONField(default=dict, db_default={}, blank=True)
    verified = models.JSONField(default=dict, db_default={}, blank=True)
    asked = models.BinaryField(editable=False)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=255, default="", blank=True)
    is_approved = models.BooleanField(null=True, blank=True)
    is_once = models.BooleanField(default=True)
    good_until = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(decided_at=None, is_approved=None) | Q(decided_at__isnull=False, is_approved__isnull=False),
                name="approval_is_decided_whole",
            ),
            models.CheckConstraint(
                condition=~Q(is_approved=True) | Q(good_until__isnull=False), name="approval_is_good_for_a_time"
            ),
            models.CheckConstraint(
                condition=Q(used_at=None) | Q(is_approved=True, is_approved__isnull=False),
                name="approval_is_used_when_it_is_given",
            ),
            models.UniqueConstraint(
                fields=["grant", "asked"], condition=Q(decided_at=None), name="one_approval_awaited_a_question"
            ),
        ]
        indexes = [
            models.Index(fields=["grant", "asked"], name="approval_of_question"),
            models.Index(fields=["tenant", "-created_at", "id"], name="approval_page"),
            models.Index(fields=["-created_at", "id"], name="approval_newest"),
        ]

    def __str__(self) -> str:
        return str(self.id)

    def state(self, *, now: datetime) -> str:
        """Return "pending", "approved", "denied", "used" or "expired". No I/O."""
        if self.is_approved is None:
            return "pending" if self.expires_at > now else "expired"
        if not self.is_approved:
            return "denied"
        if self.is_once and self.used_at is not None:
            return "used"
        return "approved" if self.good_until is not None and self.good_until > now else "expired"

    def told(self) -> dict[str, Any]:
        """Return what the audit trail and events tell of what is asked, JSON-ready. No I/O.

        Keys: ``approval``, ``grant``, ``connection`` and ``api_client`` (ids), ``end_user`` and ``agent`` (or None),
        ``purpose``, ``action``, ``scopes``, ``method`` and ``path`` ("" for a vend); where there are any,
        ``query_sha256`` and ``body_sha256`` in hexadecimal, ``headers`` and ``verified``.
        """
        digests = {
            "query_sha256": hashlib.sha256(self.query.encode()).hexdigest() if self.query else "",
            "body_sha256": self.body_sha256,
        }
        return {
            "approval": str(self.id),
            "grant": str(self.grant_id),
            "connection": str(self.connection_id),
            "api_client": str(self.api_client_id),
            "end_user": self.end_user or None,
            "agent": self.agent or None,
            "purpose": self.purpose,
            "action": self.action,
            "scopes": list(self.scopes),
            "method": self.method,
            "path": self.path,
            **{name: digest for name, digest in digests.items() if digest},
            **({"headers": dict(self.headers)} if self.headers else {}),
            **({"verified": dict(self.verified)} if self.verified else {}),
        }
