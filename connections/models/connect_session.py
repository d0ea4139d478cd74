"""One short-lived, single-use invitation to connect, made server-to-server."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models.api_client import ApiClient
from connections.models.connection import Binding, Connection, OwnerKind
from connections.models.fields import SealedField
from connections.models.provider_app import ProviderApp
from connections.models.tenant import Tenant


class SessionState(models.TextChoices):
    """How far a connect session has come."""

    CREATED = "created", "Created"
    STARTED = "started", "Started: the link was used, in one browser"
    AUTHORIZING = "authorizing", "At the provider"
    HELD = "held", "Held: waiting for the operator's confirmation"
    EXCHANGING = "exchanging", "Confirmed: being exchanged"
    CHOOSING = "choosing", "Confirmed: the end user chooses a workspace"
    COMPLETED = "completed", "Completed"
    FAILED = "failed", "Failed"


# Used in a browser, and neither completed nor failed yet.
UNFINISHED = (
    SessionState.STARTED,
    SessionState.AUTHORIZING,
    SessionState.HELD,
    SessionState.EXCHANGING,
    SessionState.CHOOSING,
)


class ConnectSession(models.Model):
    """One session. Every secret it knows is stored hashed (token, cookie, state, completion code) or sealed.

    ``held`` is what the provider or the end user gave, until the operator's backend confirms who it belongs to, and
    then the credential that was obtained with it, until the connection has it (``kept_until`` at the latest).
    ``code_verifier`` seals the verifier, if any, with the registrar that the authorization request was for.
    ``params`` are the operator's, ``typed_params`` what the end user typed at the last try, ``callback_params`` what
    the provider's answer brought; ``authorize.params_of`` merges them. ``state_hash`` is that of the last authorization
    request: it waits for an answer in the state ``authorizing`` alone, and is kept afterwards so that an answer which
    is delivered twice is recognized. ``end_user`` is the person who connects, also where the connection will belong to
    the whole tenant.
    ``code_challenge`` is the operator's own, "" for none: its verifier stays in the login session that began this one.
    ``failure`` is a stable code. Times are absolute: nothing extends them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="connect_sessions")
    api_client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    owner_kind = models.CharField(max_length=8, choices=OwnerKind)
    end_user = models.CharField(max_length=255)
    providers = ArrayField(models.CharField(max_length=64))
    requested_scopes = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    params = models.JSONField(default=dict, blank=True)
    typed_params = models.JSONField(default=dict, blank=True)
    callback_params = models.JSONField(default=dict, blank=True)
    return_url = models.CharField(max_length=1000)
    origin = models.CharField(max_length=255, default="", blank=True)
    locale = models.CharField(max_length=20, default="", blank=True)
    code_challenge = models.CharField(max_length=43, default="", blank=True)
    binding = models.CharField(max_length=10, choices=Binding, default=Binding.COMPLETION)
    reconnects = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.CASCADE, related_name="reconnect_sessions"
    )
    allows_account_change = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=SessionState, default=SessionState.CREATED)
    failure = models.CharField(max_length=40, default="", blank=True)

    token_hash = models.BinaryField(unique=True)
    expires_at = models.DateTimeField()
    browser_hash = models.BinaryField(null=True, blank=True)
    browser_expires_at = models.DateTimeField(null=True, blank=True)
    provider_app = models.ForeignKey(
        ProviderApp, null=True, blank=True, on_delete=models.CASCADE, related_name="connect_sessions"
    )
    state_hash = models.BinaryField(null=True, blank=True, unique=True)
    code_verifier = SealedField(null=True, blank=True, editable=False)
    held = SealedField(null=True, blank=True, editable=False)
    completion_hash = models.BinaryField(null=True, blank=True, unique=True)
    completion_expires_at = models.DateTimeField(null=True, blank=True)
    exchange_started_at = models.DateTimeField(null=True, blank=True)
    kept_until = models.DateTimeField(null=True, blank=True)
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="connect_sessions"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(end_user=""),
                name="connect_session_names_its_end_user",
            ),
            models.CheckConstraint(
                condition=models.Q(held__isnull=True) | models.Q(state__in=["held", "exchanging", "choosing"]),
                name="connect_session_holds_only_while_held",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="connect_session_expiry"),
            models.Index(
                fields=["expires_at"],
                condition=models.Q(state=SessionState.CREATED),
                name="connect_session_unopened",
            ),
            models.Index(
                fields=["updated_at"],
                condition=models.Q(state__in=[state.value for state in UNFINISHED]),
                name="connect_session_unfinished",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_suspended(self) -> bool:
        """Whether a kill switch stops it: its tenant's, its API client's, its provider app's or its connection's.

        One that opted out of the confirmation ends with its API client's right to that.
        """
        concerned = (self.tenant, self.api_client, self.provider_app, self.reconnects)
        if any(one is not None and one.suspended_at is not None for one in concerned):
            return True
        return self.binding == Binding.NONE and not self.api_client.allows_unbound
