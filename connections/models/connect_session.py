"""One short-lived, single-use invitation to connect, made server-to-server."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models.api_client import ApiClient, ApiKey
from connections.models.beginnings import by_beginning
from connections.models.connection import Connection
from connections.models.fields import SealedField, StoredSecret
from connections.models.kinds import Binding, OwnerKind
from connections.models.management_session import ManagementSession
from connections.models.provider_app import ProviderApp
from connections.models.registered_client import RegisteredClient
from connections.models.states import (
    AWAITING_WORD,
    IN_BROWSER,
    SESSION_MAY_BECOME,
    SESSION_OPEN,
    UNFINISHED,
    SessionState,
    Status,
)
from connections.models.tenant import Tenant

EXCHANGE_LIMIT = timedelta(seconds=60)  # an older exchange has died, or nobody waits for it any more


class ConnectSession(models.Model):
    """One session. Its secrets are stored hashed (token, cookie, state, completion code) or sealed.

    - ``held``: the sealed code or typed key, until the operator's backend confirms whose it is; then the sealed
      credential that was obtained with it, until the connection has it (``kept_until`` at the latest)
    - ``code_verifier``: what the authorization request kept, sealed: the PKCE verifier, if any, and the party asked;
      or the sealed device code for which the provider is polled, not before ``poll_at``
    - ``asked_by``: the key by which it was asked for, null for a client that brought a token
    - ``params`` from the operator, ``typed_params`` from the end user's last try, ``callback_params`` from the
      provider's answer, and ``found_params`` from the metadata of the end user's own server: each maps a parameter's
      name to its value, and ``connect.params`` merges them
    - ``found_scopes``: the scopes that this server asks for, if it says so
    - ``registered_client``: our client at the authorization server to which the end user was sent, where it registers
      itself
    - ``state_hash``: the hash of the last authorization request's state. An answer is awaited only while the session
      is ``authorizing``; the hash stays, so that an answer which is delivered twice is recognised
    - ``auth_styles``: by provider, the styles to which the session is limited; a provider that is not in it takes any
    - ``end_user``: the person who connects, also where the connection will belong to the whole tenant
    - ``code_challenge``: the operator's own, "" for none. Its verifier stays in the login session that began this one
    - ``adds_scopes``: ``requested_scopes`` come on top of what the connection to renew was granted, which it keeps
    - ``label``: by which the connection is to be told from the owner's others, "" for none
    - ``management``: the visit to the end user's own page from which it was begun, if it was
    - ``tried_by``: the operator who tries ``provider_app`` with it, as the end user of a trial; "" for all others
    - ``failure``: a stable code. Times are absolute: nothing extends them

    ``state`` changes only through the named mutators. Each takes one step of ``states.SESSION_MAY_BECOME``, saves the
    columns that belong to the step, and raises ``ValueError`` for a step that the table lacks. Call them with the row
    locked.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # No index of its own: one of those below begins with it.
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="connect_sessions", db_index=False)
    api_client = models.ForeignKey(ApiClient, on_delete=models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(ApiKey, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    owner_kind = models.CharField(max_length=8, choices=OwnerKind)
    end_user = models.CharField(max_length=255)
    providers = ArrayField(models.CharField(max_length=64))
    auth_styles = models.JSONField(default=dict, blank=True)
    requested_scopes = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    params = models.JSONField(default=dict, blank=True)
    typed_params = models.JSONField(default=dict, blank=True)
    callback_params = models.JSONField(default=dict, blank=True)
    found_params = models.JSONField(default=dict, blank=True)
    found_scopes = ArrayField(models.CharField(max_length=255), null=True, blank=True)
    return_url = models.CharField(max_length=1000)
    origin = models.CharField(max_length=255, default="", blank=True)
    locale = models.CharField(max_length=20, default="", blank=True)
    code_challenge = models.CharField(max_length=43, default="", blank=True)
    binding = models.CharField(max_length=10, choices=Binding, default=Binding.COMPLETION)
    reconnects = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.CASCADE, related_name="reconnect_sessions"
    )
    adds_scopes = models.BooleanField(default=False)
    allows_account_change = models.BooleanField(default=False)
    # Few have one: the index leaves out the others.
    management = models.ForeignKey(
        ManagementSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    label = models.CharField(max_length=64, default="", blank=True)
    tried_by = models.CharField(max_length=150, default="", blank=True)
    state = models.CharField(max_length=12, choices=SessionState, default=SessionState.CREATED)
    failure = models.CharField(max_length=40, default="", blank=True)

    token_hash = models.BinaryField(unique=True)
    expires_at = models.DateTimeField()
    browser_hash = models.BinaryField(null=True, blank=True)
    browser_expires_at = models.DateTimeField(null=True, blank=True)
    provider_app = models.ForeignKey(
        ProviderApp, null=True, blank=True, on_delete=models.CASCADE, related_name="connect_sessions"
    )
    registered_client = models.ForeignKey(
        RegisteredClient, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    state_hash = models.BinaryField(null=True, blank=True, unique=True)
    code_verifier = SealedField(null=True, blank=True, editable=False)
    poll_at = models.DateTimeField(null=True, blank=True)
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
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(end_user=""),
                name="connect_session_names_its_end_user",
            ),
            models.CheckConstraint(
                condition=models.Q(held__isnull=True) | models.Q(state__in=["held", "exchanging", "choosing"]),
                name="connect_session_holds_only_while_held",
            ),
            models.CheckConstraint(
                condition=models.Q(poll_at__isnull=True) | models.Q(state=SessionState.AUTHORIZING),
                name="connect_session_polls_only_while_authorizing",
            ),
            models.CheckConstraint(
                condition=models.Q(tried_by="") | models.Q(provider_app__isnull=False),
                name="connect_session_tries_an_app",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], name="connect_session_expiry"),
            models.Index(fields=["-created_at", "id"], name="connect_session_newest"),
            models.Index(fields=["tenant", "-created_at", "id"], name="connect_session_of_tenant"),
            models.Index(fields=["state", "-created_at", "id"], name="connect_session_state"),
            by_beginning("end_user", name="connect_session_end_user"),
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
            models.Index(
                fields=["management"],
                condition=models.Q(management__isnull=False),
                name="connect_session_management",
            ),
            models.Index(
                fields=["provider_app", "-created_at"],
                condition=~models.Q(tried_by=""),
                name="connect_session_trials",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_suspended(self) -> bool:
        """Whether a kill switch stops the session: of its tenant, API client, provider app or connection.

        So does an API client that is held.

        So does the revocation of the key that asked for it: whoever had the key may have sent its links to anybody. A
        session that opted out of the confirmation also stops when its API client loses the right to that.
        """
        concerned = (self.tenant, self.provider_app, self.reconnects)
        if any(one is not None and one.suspended_at is not None for one in concerned):
            return True
        if self.api_client.is_stopped:
            return True
        if self.asked_by is not None and self.asked_by.revoked_at is not None:
            return True
        return self.binding == Binding.NONE and not self.api_client.allows_unbound

    @property
    def owner(self) -> str:
        """The end user to whom its connection belongs, "" where that belongs to the whole tenant."""
        return self.end_user if self.owner_kind == OwnerKind.END_USER else ""

    def takes(self, app: ProviderApp) -> bool:
        """Whether the end user may connect by the style of ``app``, which is one of the session's providers."""
        return app.auth_style in self.auth_styles.get(app.provider, (app.auth_style,))

    def has_died(self, *, now: datetime) -> bool:
        """Whether its exchange began so long ago that the process is dead or its caller no longer waits."""
        return _is_past(self.exchange_started_at, now=now - EXCHANGE_LIMIT)

    def is_being_exchanged(self, *, now: datetime) -> bool:
        """Whether a process is exchanging what it holds: that one's answer may still come."""
        return self.state == SessionState.EXCHANGING and not self.has_died(now=now)

    def may_end(self, *, now: datetime) -> bool:
        """Whether it has not ended, and may: no answer of a provider is on its way to it."""
        return self.state in SESSION_OPEN and not self.is_being_exchanged(now=now)

    def is_overdue(self, *, now: datetime) -> bool:
        """Whether the time to finish, confirm or choose is over, or a dead exchange left nothing to go on from."""
        if self.state in AWAITING_WORD:
            return _is_past(self.kept_until or self.completion_expires_at, now=now)
        if self.state == SessionState.EXCHANGING:
            is_over = self.held is None or _is_past(self.kept_until or self.completion_expires_at, now=now)
            return is_over and self.has_died(now=now)
        if self.state == SessionState.CREATED:
            return _is_past(self.expires_at, now=now)
        return self.state in IN_BROWSER and _is_past(self.browser_expires_at, now=now)

    def bind_browser(self, *, browser_hash: bytes, until: datetime) -> None:
        """Bind the session to the browser whose cookie has this hash. The link is used up."""
        self._step(SessionState.STARTED, browser_hash=browser_hash, browser_expires_at=until)

    def send_to_provider(
        self,
        app: ProviderApp,
        *,
        typed_params: dict[str, str],
        found_params: dict[str, str],
        found_scopes: list[str] | None,
        registered_client: RegisteredClient | None,
        state_hash: bytes,
        code_verifier: bytes,
    ) -> None:
        """Record the authorization request with which the browser leaves. ``code_verifier`` is sealed."""
        self._step(
            SessionState.AUTHORIZING,
            provider_app=app,
            typed_params=typed_params,
            found_params=found_params,
            found_scopes=found_scopes,
            registered_client=registered_client,
            callback_params={},
            failure="",
            state_hash=state_hash,
            code_verifier=code_verifier,
            poll_at=None,
        )

    def show_code(
        self, app: ProviderApp, *, typed_params: dict[str, str], code_verifier: bytes, poll_at: datetime
    ) -> None:
        """Record the code that the end user enters at the provider. ``code_verifier`` is the sealed device code."""
        self._step(
            SessionState.AUTHORIZING,
            provider_app=app,
            typed_params=typed_params,
            callback_params={},
            failure="",
            state_hash=None,
            code_verifier=code_verifier,
            poll_at=poll_at,
        )

    def poll_again(self, at: datetime, *, code_verifier: bytes | None = None) -> None:
        """Set when the provider may be polled next; ``code_verifier`` replaces the sealed device code."""
        sealed = {} if code_verifier is None else {"code_verifier": code_verifier}
        self._step(SessionState.AUTHORIZING, poll_at=at, **sealed)

    def reopen(self, failure: str) -> None:
        """Let the same browser ask again, after ``failure``. The last OAuth state stays stored and stays consumed."""
        self._step(SessionState.STARTED, failure=failure[:40], code_verifier=None, poll_at=None)

    def hold(self, *, connection: Connection, held: bytes, completion_hash: bytes, until: datetime) -> None:
        """Keep the sealed code or key in ``held`` until the operator's backend confirms whose it is.

        Also saves the provider app and the parameters as they are set on this object.
        """
        self._step(
            SessionState.HELD,
            provider_app=self.provider_app,
            typed_params=self.typed_params,
            callback_params=self.callback_params,
            connection=connection,
            held=held,
            completion_hash=completion_hash,
            completion_expires_at=until,
            poll_at=None,
        )

    def begin_exchange(self, *, held: bytes | StoredSecret | None, now: datetime) -> None:
        """Give the held grant to one process. ``held`` is what stays stored; a code and its verifier are deleted."""
        self._step(SessionState.EXCHANGING, held=held, code_verifier=None, exchange_started_at=now)

    def keep(self, held: bytes, *, until: datetime) -> None:
        """Keep the sealed credential that the exchange has obtained, until the connection has it."""
        self._step(SessionState.EXCHANGING, held=held, kept_until=until)

    def offer_choice(self, held: bytes, *, until: datetime) -> None:
        """Let the end user choose a workspace. ``held`` is the sealed credential together with the workspaces."""
        self._step(SessionState.CHOOSING, held=held, kept_until=until)

    def put_back(self, state: SessionState, **sealed: bytes) -> None:
        """Go back to where the confirmation (``held``) or the choice (``choosing``) can be repeated.

        ``sealed`` are the sealed columns to write with it.
        """
        self._step(state, exchange_started_at=None, **sealed)

    def complete(self, connection: Connection) -> None:
        """End the session in success: ``connection`` has the credential now."""
        self._step(SessionState.COMPLETED, connection=connection, held=None)

    def fail(self, failure: str) -> None:
        """End the session in failure, and destroy what it keeps. Delete its connection if that is still pending."""
        pending = self.connection if self.reconnects_id is None else None
        self._step(SessionState.FAILED, failure=failure, held=None, code_verifier=None, connection=None, poll_at=None)
        if pending is not None and pending.status == Status.PENDING:
            pending.delete()

    def _step(self, state: SessionState, **values: Any) -> None:
        before = SessionState(self.state)
        if state not in SESSION_MAY_BECOME[before]:
            raise ValueError(f"A connect session that is {before} does not become {state}.")
        for name, value in values.items():
            setattr(self, name, value)
        self.state = state
        self.save(update_fields=["state", *values, "updated_at"])


def _is_past(moment: datetime | None, *, now: datetime) -> bool:
    return moment is None or moment <= now
