"""A caller of the internal JSON API, of one tenant or operator-wide, and its keys."""

import ipaddress
import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models.tenant import Tenant


class Permission(models.TextChoices):
    """What an API client may do."""

    CONNECT = "connect", "Create and complete connect sessions"
    READ = "read", "Read connections, providers and events"
    VEND = "vend", "Vend credentials, on behalf of an end user"
    VEND_WITHOUT_USER = "vend_without_user", "Vend or proxy without naming an end user"
    PROXY = "proxy", "Have requests proxied, as its rules say"
    MANAGE = "manage", "Change, refresh, probe and disconnect connections"
    GRANT = "grant", "Give and revoke access grants"
    IMPORT = "import", "Import connections, for any end user"
    WEBHOOKS = "webhooks", "Manage webhook endpoints, and have events delivered again"
    TENANTS = "tenants", "Create, change and delete tenants (operator-wide clients only)"
    APPS = "apps", "Make and change provider apps, their secrets and keys, and close incidents"
    CALLERS = "callers", "Make API clients no stronger than itself, issue their keys, and trust issuers"
    CATALOGUE = "catalogue", "Describe providers of the operator's own (operator-wide clients only)"
    AUDIT = "audit", "Read the audit trail"


class Restriction(models.TextChoices):
    """What suspicious use has led to, short of the kill switch (``lifecycle.watch``)."""

    NONE = "", "None"
    THROTTLED = "throttled", "Slowed down"
    HELD = "held", "Held until somebody vouches for it"


class ApiClient(models.Model):
    """One caller. ``suspended_at`` is its kill switch; ``restriction`` is what suspicious use has led to.

    ``allows_unbound`` lets it opt out of the completion check. ``proxy_rules`` say which methods and paths it may use
    through the proxy (``lifecycle.policy.client_rules``). ``networks`` are the only ones from which it may call, in
    CIDR notation; from anywhere where there is none. ``demands_verified``: it vends only for end users, and as agents,
    whose tokens ``lifecycle.identify`` has verified. ``assertion_keys`` are its own public keys (a JWK Set's), or
    ``assertion_jwks_url`` where they are: with them it signs for itself at the token endpoint (RFC 7523 §2.2).
    ``handled_by`` are the ids of other API clients that have made or changed it, or issued a key of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="api_clients")
    name = models.CharField(max_length=120)
    permissions = ArrayField(models.CharField(max_length=20, choices=Permission), default=list)
    allows_unbound = models.BooleanField(default=False)
    proxy_rules = ArrayField(models.CharField(max_length=300), default=list, blank=True)
    networks = ArrayField(models.CharField(max_length=50), default=list, blank=True)
    demands_verified = models.BooleanField(default=False)
    assertion_keys = models.JSONField(null=True, blank=True)
    assertion_jwks_url = models.CharField(max_length=1000, default="", blank=True)
    handled_by = ArrayField(models.UUIDField(), default=list, db_default=[], blank=True, editable=False)
    suspended_at = models.DateTimeField(null=True, blank=True)
    restriction = models.CharField(max_length=10, choices=Restriction, default=Restriction.NONE, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "API client"
        ordering = ["name"]
        permissions = [
            ("issue_apikey", "Can issue and rotate API keys"),
            ("entrust_apiclient", "Can give an API client access beyond the named end users of one tenant"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], nulls_distinct=False, name="api_client_name_once"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_stopped(self) -> bool:
        """Whether every call of it is refused: it is suspended, or held."""
        return self.suspended_at is not None or self.restriction == Restriction.HELD

    def restrict(self, restriction: Restriction) -> None:
        """Restrict it so, in place of an earlier restriction."""
        self.restriction = restriction
        self.save(update_fields=["restriction"])

    def may_call_from(self, address: str | None) -> bool:
        """Whether the client may call from this IP address; None is an unknown one. No I/O."""
        if not self.networks:
            return True
        if address is None:
            return False
        place = ipaddress.ip_address(address)
        return any(place in ipaddress.ip_network(network, strict=False) for network in self.networks)

    @property
    def is_entrusted(self) -> bool:
        """Whether the client reaches beyond the named end users of one tenant, or may skip the completion check."""
        wide = {
            Permission.VEND_WITHOUT_USER,
            Permission.GRANT,
            Permission.IMPORT,
            Permission.APPS,
            Permission.CALLERS,
        }
        return self.tenant_id is None or self.allows_unbound or not wide.isdisjoint(self.permissions)


class ApiKey(models.Model):
    """One key of a client: 256 random bits, stored as SHA-256. A rotation lets two keys overlap."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=12)
    key_hash = models.BinaryField(unique=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.prefix}…"

    @staticmethod
    def prefix_of(key: str) -> str:
        """Return the beginning of a key that may be seen. No I/O."""
        return key[:10]
