"""Our client registration at a provider: shared by all tenants, or one tenant's own."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.fields import SealedField
from connections.models.tenant import Tenant
from providers.strategies import strategies
from providers.strategies.base import Strategy

# What the columns say of an app whose client secrets are read from nowhere.
NO_SOURCE = {
    **dict.fromkeys(("secret_source", "secret_problem"), ""),
    **dict.fromkeys(("secret_read_at", "secret_look_at", "secret_claimed_until", "secret_failing_since")),
}


class ProviderAppQuerySet(models.QuerySet["ProviderApp"]):
    """Querysets of provider apps."""

    def usable_by(self, tenant: Tenant) -> Self:
        """Return the apps of ``tenant`` and the shared ones, the tenant's own first, then by name and age."""
        owners_first = models.F("tenant").asc(nulls_last=True)
        return self.filter(Q(tenant=tenant) | Q(tenant=None)).order_by(owners_first, "name", "created_at")


class ProviderApp(models.Model):
    """One registration. ``suspended_at`` is its kill switch; ``paused_at`` stops only its background work.

    ``secrets`` seals a JSON list of client secrets, the preferred first; all others are destroyed at
    ``other_secrets_end_at``, if that is set; ``secrets_changed_at`` is when one was entered or removed last,
    ``secret_expires_at`` when the provider lets the preferred one expire, as far as an operator has said.
    ``secret_source`` is where the preferred one is read from (``providers.custodians.references``), "" where people
    enter it: it was read last at ``secret_read_at``, and is again at ``secret_look_at``, by whoever has claimed that;
    since ``secret_failing_since`` it cannot be, for the reason in ``secret_problem``, and what was read last stays.
    ``push_secrets`` seals those by which what the provider sends by itself is known to be its own, the newest first.
    ``discovered`` is what the issuer's metadata said when the app was made. A draft has no client id yet: providers ask
    for the redirect URI first. ``scopes`` are asked for where a session names none ([]: the entry's defaults).
    ``required_scopes`` are always asked for, and a connection without one of them vends nothing. ``allowed_scopes`` are
    all that a session may name (None: any; an empty list is none). ``allows_legacy``: an operator has allowed a style
    that the entry marks as legacy. ``registers_itself``: the client id and secrets are had without hands, and stand in
    ``registered_client``, one row an authorization server.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="provider_apps")
    provider = models.CharField(max_length=64)
    auth_style = models.CharField(max_length=40)
    name = models.CharField(max_length=120)
    client_id = models.CharField(max_length=500, default="", blank=True)
    secrets = SealedField(null=True, blank=True, editable=False)
    other_secrets_end_at = models.DateTimeField(null=True, blank=True, editable=False)
    secrets_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_source = models.CharField(max_length=500, db_default="", default="", blank=True, editable=False)
    secret_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_look_at = models.DateTimeField(null=True, blank=True, editable=False)
    secret_claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    secret_failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    secret_problem = models.CharField(max_length=300, db_default="", default="", blank=True, editable=False)
    push_secrets = SealedField(null=True, blank=True, editable=False)
    params = models.JSONField(default=dict, blank=True)
    discovered = models.JSONField(default=dict, blank=True)
    scopes = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    required_scopes = ArrayField(models.CharField(max_length=255), default=list, blank=True)
    allowed_scopes = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    allows_legacy = models.BooleanField(default=False)
    registers_itself = models.BooleanField(default=False)
    paused_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ProviderAppQuerySet.as_manager()

    class Meta:
        ordering = ["provider", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "provider", "auth_style"], nulls_distinct=False, name="one_app_a_provider_and_owner"
            ),
            models.CheckConstraint(
                condition=Q(other_secrets_end_at=None, secret_expires_at=None) | Q(secrets__isnull=False),
                name="only_secrets_come_to_an_end",
            ),
            models.CheckConstraint(
                condition=Q(secret_source="", secret_look_at=None)
                | ~Q(secret_source="") & Q(secrets__isnull=False, secret_look_at__isnull=False),
                name="a_source_has_been_read",
            ),
        ]
        indexes = [
            models.Index(
                fields=["other_secrets_end_at"], condition=~Q(other_secrets_end_at=None), name="app_secrets_that_end"
            ),
            models.Index(fields=["secret_look_at"], condition=~Q(secret_look_at=None), name="app_secret_source_due"),
            models.Index(fields=["secret_expires_at"], condition=~Q(secret_expires_at=None), name="app_secret_expires"),
        ]
        permissions = [
            ("describe_provider", "Can add, change and remove providers of the operator's own"),
            ("refer_secret", "Can say from where client secrets are read"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_draft(self) -> bool:
        """Whether the app has no client id yet, because nobody has entered the registration."""
        return self.by_consent and not self.client_id and not self.registers_itself

    @property
    def redirects(self) -> bool:
        """Whether end users are sent to the provider, and come back to the app's own callback."""
        return self.auth_style in _styles(lambda strategy: strategy.redirects)

    @property
    def shows_code(self) -> bool:
        """Whether end users enter a code at the provider."""
        return self.auth_style in _styles(lambda strategy: strategy.shows_code)

    @property
    def by_consent(self) -> bool:
        """Whether end users decide on the provider's own page, so that the app needs a client id."""
        return self.auth_style in _styles(lambda strategy: strategy.by_consent)

    def forget_secrets(self) -> None:
        """Destroy the client secrets: they were entered for another address than the one that they would go to now.

        They are read from their source no more, either.
        """
        self.secrets = self.other_secrets_end_at = self.secret_expires_at = None
        self.leave_source()
        self.save(update_fields=["secrets", "other_secrets_end_at", "secret_expires_at", *NO_SOURCE, "updated_at"])

    def take_source(self, reference: str, *, read_at: datetime, look_at: datetime) -> None:
        """Have the preferred client secret read from ``reference``, as it was just now. Saves nothing."""
        self.leave_source()
        self.secret_source, self.secret_read_at, self.secret_look_at = reference, read_at, look_at

    def hurry_source(self, *, now: datetime) -> bool:
        """Have the client secret read from its source now. False where none is, it was lately, or it cannot be read."""
        sourced = type(self).objects.filter(id=self.id, secret_failing_since=None, secret_look_at__gt=now)
        return bool(sourced.filter(secret_read_at__lte=now - timedelta(seconds=30)).update(secret_look_at=now))

    def leave_source(self) -> None:
        """Have the client secrets read from nowhere any more: they stay as they are. Saves nothing."""
        for name, value in NO_SOURCE.items():
            setattr(self, name, value)


def drafts() -> Q:
    """Return the query condition for drafts. It agrees with ``ProviderApp.is_draft``."""
    return Q(auth_style__in=_styles(lambda strategy: strategy.by_consent), client_id="", registers_itself=False)


def _styles(has: Callable[[Strategy], bool]) -> list[str]:
    return [style for style, strategy in strategies().items() if has(strategy)]
