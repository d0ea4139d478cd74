"""Our client as one authorization server knows it, where we register it without hands."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.db import models
from django.db.models import Q

from connections.models.fields import SealedField
from connections.models.mutators import Settable
from connections.models.provider_app import ProviderApp


class RegistrationWay(models.TextChoices):
    """How a server comes to know our client, in the order of preference."""

    METADATA_DOCUMENT = "metadata_document", "Client ID Metadata Document"
    DYNAMIC = "dynamic", "Dynamic registration"


class RegisteredClient(Settable):
    """The client of one provider app at one issuer. At most one is current: ``replaced_at`` is empty.

    Its redirect URI ends in its own ``id``, so that no answer of one server can pass as an answer of another (mix-up).
    ``secrets`` and ``management`` seal JSON objects: the client secrets with their registrar, and the address and the
    token by which the registration can be changed (RFC 7592). ``discovered`` is the issuer's metadata, last read at
    ``looked_at``. ``claimed_until``: a process is registering or renewing it now. ``renew_at``: before the secret ends,
    or when to try again after ``problem``, which is a sentence for operators. Without a client id it is not registered
    yet.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.CASCADE, related_name="registered_clients")
    issuer = models.CharField(max_length=500)
    way = models.CharField(max_length=20, choices=RegistrationWay)
    client_id = models.CharField(max_length=1000, default="", blank=True)
    redirect_uri = models.CharField(max_length=500)
    secrets = SealedField(null=True, blank=True, editable=False)
    management = SealedField(null=True, blank=True, editable=False)
    discovered = models.JSONField(default=dict)
    looked_at = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    registered_at = models.DateTimeField(null=True, blank=True)
    secret_expires_at = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, default="", blank=True)
    replaced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider_app", "issuer"], condition=Q(replaced_at=None), name="one_client_an_issuer_and_app"
            )
        ]
        indexes = [
            models.Index(fields=["renew_at"], condition=Q(renew_at__isnull=False), name="registered_client_renewal")
        ]

    def __str__(self) -> str:
        return f"{self.provider_app} at {self.issuer}"

    @property
    def is_registered(self) -> bool:
        """Whether the server knows the client."""
        return bool(self.client_id)

    def is_claimed(self, *, now: datetime) -> bool:
        """Whether another process is registering or renewing it."""
        return self.claimed_until is not None and self.claimed_until > now

    def has_ended(self, *, now: datetime) -> bool:
        """Whether its client secret has run out."""
        return self.secret_expires_at is not None and self.secret_expires_at <= now

    def begin(self, way: RegistrationWay, *, redirect_uri: str, until: datetime) -> None:
        """Let this process alone register it, as the server and our address are now."""
        self._set(way=way, redirect_uri=redirect_uri, claimed_until=until)

    def claim(self, *, until: datetime) -> None:
        """Let this process alone renew it."""
        self._set(claimed_until=until)

    def look(self, discovered: Mapping[str, str], *, at: datetime) -> None:
        """Record what the issuer says of itself now. The caller has seen that its token endpoint is the same."""
        self._set(discovered=dict(discovered), looked_at=at)

    def register(
        self,
        *,
        client_id: str,
        redirect_uri: str,
        secrets: bytes | None,
        management: bytes | None,
        discovered: Mapping[str, str],
        secret_expires_at: datetime | None,
        renew_at: datetime | None,
        at: datetime,
    ) -> None:
        """Record what the server made of the registration, and end the claim."""
        self._set(
            client_id=client_id,
            redirect_uri=redirect_uri,
            secrets=secrets,
            management=management,
            discovered=dict(discovered),
            secret_expires_at=secret_expires_at,
            renew_at=renew_at,
            registered_at=at,
            problem="",
            claimed_until=None,
        )

    def fail(self, problem: str, *, try_again_at: datetime) -> None:
        """Record why registering or renewing did not succeed, and end the claim."""
        self._set(problem=problem[:500], renew_at=try_again_at, claimed_until=None)

    def replace(self, *, at: datetime) -> None:
        """Make room for another registration at the same issuer. Connections that were made with this one keep it."""
        self._set(replaced_at=at, renew_at=None, claimed_until=None)
