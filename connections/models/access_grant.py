"""Who may use whose connection, for what, and until when."""

import hashlib
import json
import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from connections.models.connection import Connection
from connections.models.tenant import Tenant

READ_ONLY = ("GET", "HEAD")


class SubjectKind(models.TextChoices):
    """What kind of name the subject of a grant is."""

    END_USER = "end_user", "End user"
    GROUP = "group", "Group of end users"
    AGENT = "agent", "Agent"
    API_CLIENT = "api_client", "API client"


class AccessGrantQuerySet(models.QuerySet["AccessGrant"]):
    """Querysets of grants: always begin with a tenant."""

    def for_tenant(self, tenant_id: uuid.UUID) -> Self:
        """Return the grants of one tenant."""
        return self.filter(tenant_id=tenant_id)

    def standing(self) -> Self:
        """Return the grants that nobody has revoked, those among them that have expired too."""
        return self.filter(revoked_at=None)

    def on(self, connection_id: uuid.UUID, *, provider: str) -> Self:
        """Return the grants on one connection: those that name it, and those that name its provider."""
        return self.filter(Q(connection_id=connection_id) | Q(connection=None, provider=provider))


class AccessGrant(models.Model):
    """One grant. Its terms never change: another grant is given, and this one revoked, which is a state of the row.

    ``subject`` is an end user's or an API client's id, the name of a group, or what an agent calls itself. The grant is
    on one ``connection``, or on every connection of the tenant at one ``provider`` ("" where it is on a connection).

    ``scopes``, ``methods`` and ``paths`` limit what the subject may ask for: null does not limit, and an empty list
    allows nothing. Methods and paths are those of proxied requests; ``lifecycle.policy.paths`` has the form of a path.
    ``allows_vend``: the subject may hold the credential, although that can do more than the grant allows.
    ``needs_approval``: somebody has to approve each thing that is done under it (``Approval``).

    ``granted_by`` is the end user who gave it, "" for the tenant or the operator. ``given_by_client`` is the id of the
    API client that asked for it, null for an operator: it does not let itself in (``lifecycle.policy``).
    ``terms`` is the digest of all of this, by which a grant that is given twice is one.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="access_grants", db_index=False)
    subject_kind = models.CharField(max_length=10, choices=SubjectKind)
    subject = models.CharField(max_length=255)
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.CASCADE, related_name="access_grants", db_index=False
    )
    provider = models.CharField(max_length=64, default="", blank=True)
    scopes = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    methods = ArrayField(models.CharField(max_length=16), null=True, blank=True)
    paths = ArrayField(models.CharField(max_length=500), null=True, blank=True)
    allows_vend = models.BooleanField(default=False)
    needs_approval = models.BooleanField(default=False)
    granted_by = models.CharField(max_length=255, default="", blank=True)
    given_by_client = models.UUIDField(null=True, blank=True, editable=False)
    note = models.CharField(max_length=255, default="", blank=True)
    terms = models.BinaryField(editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = AccessGrantQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(connection__isnull=False, provider="") | Q(connection=None) & ~Q(provider=""),
                name="access_grant_has_one_target",
            ),
            models.CheckConstraint(condition=~Q(subject=""), name="access_grant_names_its_subject"),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="access_grant_begins_first"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("created_at")),
                name="access_grant_is_revoked_after_it_is_given",
            ),
            models.UniqueConstraint(
                fields=["tenant", "terms"], condition=Q(revoked_at=None), name="one_access_grant_of_these_terms"
            ),
        ]
        indexes = [
            models.Index(fields=["tenant", "-created_at", "id"], name="access_grant_page"),
            models.Index(fields=["-created_at", "id"], name="access_grant_newest"),
            models.Index(fields=["tenant", "subject_kind", "subject"], name="access_grant_subject"),
            models.Index(
                fields=["connection"],
                condition=Q(connection__isnull=False, revoked_at=None),
                name="access_grant_connection",
            ),
            models.Index(
                fields=["tenant", "provider"],
                condition=Q(connection=None, revoked_at=None),
                name="access_grant_provider",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject_kind} {self.subject}"

    def is_expired(self, *, now: datetime) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now

    def state(self, *, now: datetime) -> str:
        """Return "standing", "expired" or "revoked". No I/O."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.is_expired(now=now) else "standing"

    def confirm(self, given_by_client: uuid.UUID | None) -> None:
        """Have it be given by this API client from now on, None for an operator, who gives the same once more."""
        self.given_by_client = given_by_client
        self.save(update_fields=["given_by_client"])

    def hand_over(self, granted_by: str) -> bool:
        """Have it be given by this end user, "" for the tenant. False, and unchanged, where such a grant stands."""
        self.granted_by = granted_by
        self.seal_terms()
        if AccessGrant.objects.for_tenant(self.tenant_id).standing().filter(terms=self.terms).exists():
            self.refresh_from_db(fields=["granted_by", "terms"])
            return False
        self.save(update_fields=["granted_by", "terms"])
        return True

    def seal_terms(self) -> None:
        """Set ``terms`` from the other columns, before the row is stored. Does not save."""
        self.terms = _digest(
            {
                "subject": [self.subject_kind, self.subject],
                "target": [str(self.connection_id or ""), self.provider],
                "limits": [self.scopes, self.methods, self.paths, self.allows_vend, self.needs_approval],
                "granted_by": self.granted_by,
                "expires_at": None if self.expires_at is None else self.expires_at.timestamp(),
            }
        )

    def told(self) -> dict[str, Any]:
        """Return what the audit trail and events tell of it, JSON-ready. No I/O.

        Keys: ``grant`` (id), ``subject_kind``, ``subject``, ``connection`` (id or None), ``provider`` (or None),
        ``scopes``, ``methods``, ``paths``, ``allows_vend``, ``needs_approval``, ``granted_by`` (or None) and
        ``expires_at`` (or None).
        """
        return {
            "grant": str(self.id),
            "subject_kind": str(self.subject_kind),
            "subject": self.subject,
            "connection": None if self.connection_id is None else str(self.connection_id),
            "provider": self.provider or None,
            "scopes": self.scopes,
            "methods": self.methods,
            "paths": self.paths,
            "allows_vend": self.allows_vend,
            "needs_approval": self.needs_approval,
            "granted_by": self.granted_by or None,
            "expires_at": None if self.expires_at is None else self.expires_at.isoformat(),
        }

    def forget(self, end_user: str, pseudonym: str) -> None:
        """Put ``pseudonym`` in place of ``end_user``, as its subject and as who gave it, and drop a note about them."""
        if self.subject_kind == SubjectKind.END_USER and self.subject == end_user:
            self.subject, self.note = pseudonym, ""
        if self.granted_by == end_user:
            self.granted_by = pseudonym
        self.seal_terms()
        self.save(update_fields=["subject", "granted_by", "note", "terms"])


def _digest(terms: dict[str, Any]) -> bytes:
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).digest()
