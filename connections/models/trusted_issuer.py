"""Whose tokens are believed: issuers of callers, end users and agents, and what was proven with such tokens."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from connections.models.api_client import ApiClient
from connections.models.tenant import Tenant


class IssuerUse(models.TextChoices):
    """Whom the tokens of an issuer are believed to name."""

    CALLER = "caller", "Callers: a workload's token says which API client it is"
    END_USER = "end_user", "End users: the token says for whom an API client calls"
    AGENT = "agent", "Agents: the token says as which agent an API client calls"


class TrustedIssuer(models.Model):
    """One issuer, trusted by one tenant or, without one, by the operator, for one use and one audience.

    ``issuer`` is compared character by character with what tokens name; ``spiffe://…`` is a trust domain, which tokens
    name in their subject. ``keys`` are its public keys (a JWK Set's), ``jwks_url`` is where they are; without either
    its metadata says so. ``claim`` holds the id of an end user or an agent, ``groups_claim`` the end user's groups, and
    ``tenant_claim`` the tenant's slug; each is a name, or a JSON Pointer that begins with a slash. What a caller's
    token has to say is in its ``CallerRule``s.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, null=True, blank=True, on_delete=models.CASCADE, related_name="trusted_issuers")
    use = models.CharField(max_length=10, choices=IssuerUse)
    issuer = models.CharField(max_length=500)
    audience = models.CharField(max_length=500)
    keys = models.JSONField(null=True, blank=True)
    jwks_url = models.CharField(max_length=1000, default="", blank=True)
    algorithms = ArrayField(models.CharField(max_length=10))
    claim = models.CharField(max_length=200, default="sub")
    groups_claim = models.CharField(max_length=200, default="", blank=True)
    tenant_claim = models.CharField(max_length=200, default="", blank=True)
    max_lifetime_seconds = models.PositiveIntegerField(default=3600)
    leeway_seconds = models.PositiveIntegerField(default=30)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["issuer", "created_at"]
        permissions = [("trust_issuer", "Can say whose tokens are believed")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "use", "issuer", "audience"], nulls_distinct=False, name="trusted_issuer_once"
            ),
            models.CheckConstraint(
                condition=~Q(issuer="") & ~Q(audience="") & ~Q(claim=""), name="trusted_issuer_is_named"
            ),
            models.CheckConstraint(
                condition=Q(keys=None) | Q(jwks_url=""), name="trusted_issuer_has_keys_or_says_where_they_are"
            ),
            # Otherwise the token of one tenant's end user would do for another tenant.
            models.CheckConstraint(
                condition=~Q(use="end_user", tenant=None, tenant_claim=""), name="trusted_issuer_names_the_tenant"
            ),
            models.CheckConstraint(
                condition=Q(max_lifetime_seconds__range=(60, 86_400), leeway_seconds__lte=300),
                name="trusted_issuer_has_bounds",
            ),
        ]

    def __str__(self) -> str:
        return self.issuer


class CallerRule(models.Model):
    """Which of an issuer's tokens are one API client: those for which all ``conditions`` hold.

    Each condition is ``{"claim": …, "equals": …}`` or ``{"claim": …, "matches": …}``, where ``*`` matches any text
    without a slash and ``**`` any text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    issuer = models.ForeignKey(TrustedIssuer, on_delete=models.CASCADE, related_name="rules")
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="caller_rules")
    conditions = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["created_at", "id"]
        constraints = [
            models.CheckConstraint(condition=~Q(conditions=[]), name="caller_rule_has_conditions"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id}"


class ProvenToken(models.Model):
    """A caller that has proven itself by a token, by the token's digest, for minutes: until ``expires_at``.

    ``proof`` says who vouches for it: ``{"issuer": …, "subject": …}``.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    token_hash = models.BinaryField(unique=True)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="proven_tokens")
    rule = models.ForeignKey(CallerRule, null=True, on_delete=models.CASCADE, related_name="proven_tokens")
    proof = models.JSONField()
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"{self.client_id}"


class UsedAssertion(models.Model):
    """An assertion with which an API client has signed for itself, by the digest of its ``jti``: it serves once."""

    id = models.BigAutoField(primary_key=True)
    client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="used_assertions", db_index=False)
    jti_hash = models.BinaryField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "jti_hash"], name="assertion_used_once")]

    def __str__(self) -> str:
        return f"{self.client_id}"
