"""One tenant's, or one end user's, grant at one provider app."""

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q

from connections.models.connection_indexes import INDEXES
from connections.models.connection_rows import ConnectionQuerySet
from connections.models.kinds import Binding, OwnerKind, Revocation
from connections.models.provider_app import ProviderApp
from connections.models.registered_client import RegisteredClient
from connections.models.revocation import Revocable
from connections.models.states import LIVE, MAY_BECOME, Reason, Status, status_and_reason_agree
from connections.models.switches import KILL_SWITCH, PAUSE, thrown
from connections.models.tenant import Tenant

if TYPE_CHECKING:
    from connections.models.credential_version import CredentialVersion


class Connection(Revocable):
    """One grant. The lifecycle owns every column but ``metadata``, and changes them only by the named mutators.

    ``label`` tells an owner's connections at one provider apart ("" for none); ``is_default`` marks the one that a vend
    by owner means where no label is named. Both are unique among the owner's live connections at the provider.

    Call the mutators with the row locked. Each saves the columns that it changes (``Mutable``). Those of the queryset
    (``connection_rows``) need no lock. The table's pages keep
    room for a second version of their rows, so that a change of columns without an index, like a sweep's mark, writes
    no index.

    ``refresh_due_at`` and ``probe_due_at`` are when the sweeps act (null: never); ``refresh_enqueued_until`` keeps a
    sweep from sending the same task twice; ``next_attempt_at`` holds a refresh back after a failure. ``failures``
    counts the refreshes that failed in a row. How far a revocation has come is in ``revocation.Revocable``.
    ``access_expires_at`` is null where the end is unknown: then probes watch. ``refresh_expires_at`` is when the grant
    ends unless it is refreshed, ``grant_expires_at`` when it ends even if it is refreshed (null: unknown).
    ``refresh_failing_at`` is since when no valid token is left because refreshes fail (null: that is not so).
    ``spared_by`` is the incident for which it was not downgraded when it was refused last, ``spared_at``.
    ``lacks_refresh_token``: a refresh token was expected and did not come, so the connection ends with its token.
    ``undecryptable_at`` is when the current credential was found not to open, ``answer_unread_at`` when an answer
    arrived that could not be read (``unread_answer``).

    ``foretold`` holds the causes of its end of which an event has warned, with what each event said of the date;
    ``crowded_at`` is since when the next grant of its account would end this one, because the provider has room for no
    more. Both are about one grant.

    ``granted_by`` is the end user who connected what belongs to the whole tenant ("" for the tenant itself, and always
    of an end user's own). ``grants_only``: nobody uses it without an access grant, not even its owner.

    ``is_canary``: it leads nowhere, and whoever touches it is found out (``lifecycle.watch``). It is always paused,
    which callers are not told.

    ``is_trial``: an operator tries the app with it (``lifecycle.steer.trial``). No caller sees it; events are the
    operator's.

    ``party`` is whom it leads to, where that is not simply the provider of its app (``access.parties``).

    ``evidence`` holds the facts on which the status rests. Its keys, each only where it applies: ``detail``,
    ``status``, ``error`` and ``sent`` (``providers.errors.Evidence``), ``attempt`` (id), ``failures``, ``refusals``,
    ``refused_since``, ``probe``, ``probe_status``, ``by``, ``push`` (id), ``told``, ``expired_at``,
    ``endpoint_moved_at``, ``ignored_since`` (``end.revoke``) and ``revocation`` (by version id: what
    ``end.revocation_proof`` saw). Times in it are text.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # These two have no index of their own: some of those below begin with them.
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="connections", db_index=False)
    provider_app = models.ForeignKey(ProviderApp, on_delete=models.PROTECT, related_name="connections", db_index=False)
    provider = models.CharField(max_length=64)
    owner_kind = models.CharField(max_length=8, choices=OwnerKind)
    end_user = models.CharField(max_length=255, default="", blank=True)
    granted_by = models.CharField(max_length=255, default="", blank=True)
    grants_only = models.BooleanField(default=False)
    binding = models.CharField(max_length=10, choices=Binding, default=Binding.COMPLETION)
    params = models.JSONField(default=dict, blank=True)
    # Its index leaves out the many connections that have none.
    registered_client = models.ForeignKey(
        RegisteredClient, null=True, blank=True, on_delete=models.PROTECT, related_name="connections", db_index=False
    )
    party = models.UUIDField(null=True, blank=True, editable=False)
    metadata = models.JSONField(default=dict, blank=True)
    label = models.CharField(max_length=64, default="", blank=True)
    is_default = models.BooleanField(default=False)

    status = models.CharField(max_length=14, choices=Status, default=Status.PENDING)
    reason = models.CharField(max_length=32, choices=Reason, default=Reason.AWAITING_CONFIRMATION)
    evidence = models.JSONField(default=dict, blank=True)
    status_changed_at = models.DateTimeField(auto_now_add=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    is_canary = models.BooleanField(default=False, editable=False)
    is_trial = models.BooleanField(default=False, editable=False)
    undecryptable_at = models.DateTimeField(null=True, blank=True)
    answer_unread_at = models.DateTimeField(null=True, blank=True)

    grant_id = models.UUIDField(null=True, blank=True)
    authorized_at = models.DateTimeField(null=True, blank=True)
    # Deleting a version deletes nothing here, and comes before the connection changes or goes. The database checks the
    # reference at the commit.
    current_version = models.OneToOneField(
        "connections.CredentialVersion", null=True, blank=True, on_delete=models.DO_NOTHING, related_name="+"
    )
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
    spared_by = models.UUIDField(null=True, blank=True, editable=False)
    spared_at = models.DateTimeField(null=True, blank=True, editable=False)
    probe_due_at = models.DateTimeField(null=True, blank=True)
    crowded_at = models.DateTimeField(null=True, blank=True)
    foretold = models.JSONField(default=dict, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)
    verified_by = models.CharField(max_length=20, default="", blank=True)
    last_vended_at = models.DateTimeField(null=True, blank=True)
    provider_account_id = models.CharField(max_length=255, default="", blank=True)
    provider_account_name = models.CharField(max_length=255, default="", blank=True)

    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(owner_kind=OwnerKind.END_USER) & ~Q(end_user="")
                | Q(owner_kind=OwnerKind.TENANT) & Q(end_user=""),
                name="connection_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(owner_kind=OwnerKind.TENANT) | Q(granted_by=""), name="connection_of_a_person_is_theirs"
            ),
            models.CheckConstraint(
                condition=Q(is_canary=False) | Q(paused_at__isnull=False),
                name="canary_is_never_refreshed",
            ),
            models.CheckConstraint(condition=status_and_reason_agree(), name="connection_status_and_reason_agree"),
            models.CheckConstraint(
                condition=~Q(status__in=["active", "suspect"]) | Q(current_version__isnull=False),
                name="connection_that_vends_has_a_version",
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider_app", "end_user", "provider_account_id"],
                condition=Q(status__in=[status.value for status in LIVE]) & ~Q(provider_account_id=""),
                name="one_live_connection_an_account",
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider", "end_user", "label"],
                condition=Q(status__in=[status.value for status in LIVE]) & ~Q(label=""),
                name="one_live_connection_a_label",
            ),
            models.UniqueConstraint(
                fields=["tenant", "provider", "end_user"],
                condition=Q(status__in=[status.value for status in LIVE]) & Q(is_default=True),
                name="one_default_connection",
            ),
        ]
        indexes = INDEXES

    def __str__(self) -> str:
        return f"{self.provider} {self.id}"

    @property
    def is_suspended(self) -> bool:
        """Whether a kill switch is thrown: its own, its tenant's or its provider app's."""
        return any(True for _ in thrown(self, KILL_SWITCH))

    @property
    def is_paused(self) -> bool:
        """Whether its background work is stopped: its own, or its provider app's."""
        return any(True for _ in thrown(self, PAUSE))

    @property
    def is_new(self) -> bool:
        """Whether it never had a credential: so it has no version, no scope and no unread answer."""
        return self.grant_id is None

    @property
    def party_or_app(self) -> uuid.UUID:
        """By whom the throttle knows it: the party to which it leads, else its provider app."""
        return self.party or self.provider_app_id

    def become(self, status: Status, reason: Reason, *, evidence: dict[str, Any], now: datetime) -> None:
        """Take on a status and a reason that the table allows. For ``health.status`` alone.

        ``status_changed_at`` stays where only the reason changes. Raises ``ValueError`` for a step not in the table.
        """
        before = Status(self.status)
        if status not in MAY_BECOME[before]:
            raise ValueError(f"A connection that is {before} does not become {status}.")
        changed_at = self.status_changed_at if status == before else now
        self._set(status=status, reason=reason, evidence=evidence, status_changed_at=changed_at)

    # --- Its credential -----------------------------------------------------------------------------------------------
    def use(
        self,
        version: "CredentialVersion",
        *,
        authorized_at: datetime | None,
        refresh_expires_at: datetime | None,
        grant_expires_at: datetime | None,
        refresh_due_at: datetime | None,
        probe_due_at: datetime,
    ) -> None:
        """Make ``version`` the current one, and clear the failures, marks and evidence about the version before."""
        anew: dict[str, Any] = {} if version.grant_id == self.grant_id else {"foretold": {}, "crowded_at": None}
        self._set(
            **anew,
            current_version_id=version.id,
            grant_id=version.grant_id,
            access_expires_at=version.access_expires_at,
            authorized_at=authorized_at,
            refresh_expires_at=refresh_expires_at,
            grant_expires_at=grant_expires_at,
            refresh_due_at=refresh_due_at,
            probe_due_at=probe_due_at,
            refresh_enqueued_until=None,
            next_attempt_at=None,
            failures=0,
            refused_at=None,
            refresh_failing_at=None,
            undecryptable_at=None,
            evidence={},
        )

    def belong_to(self, account_id: str, account_name: str) -> None:
        """Record the account at the provider to which the connection belongs; "" where it is unknown."""
        self._set(provider_account_id=account_id, provider_account_name=account_name)

    def connect(
        self,
        *,
        params: dict[str, str],
        registered_client: RegisteredClient | None,
        party: uuid.UUID | None,
        binding: str,
        by: str,
        lacks_refresh_token: bool,
    ) -> None:
        """Record how, and ``by`` which end user, it was connected this time.

        Drop a pending revocation: it was about the earlier grant.
        """
        self._set(
            params=params,
            registered_client=registered_client,
            party=party,
            binding=binding,
            granted_by=by if self.owner_kind == OwnerKind.TENANT else "",
            lacks_refresh_token=lacks_refresh_token,
            revocation=Revocation.NOT_ASKED,
            revocation_due_at=None,
            revocation_deadline_at=None,
        )

    def lead_to(self, party: uuid.UUID | None) -> None:
        """Record to which party it leads, where its entry has changed since it was connected."""
        self._set(party=party)

    def outlive_its_end(self) -> None:
        """Forget the announced end of its credential, which was proved alive after that end."""
        self._set(access_expires_at=None)

    def lose_secrets(self) -> None:
        """Record that its credential versions are destroyed."""
        self._set(current_version_id=None, access_expires_at=None, undecryptable_at=None)

    def verify(self, at: datetime | None, *, by: str) -> None:
        """Record when its credential was last proved to work, and ``by`` which call; None and "" without a proof."""
        self._set(verified_at=at, verified_by=by)

    # --- What is due --------------------------------------------------------------------------------------------------
    def refresh_at(self, moment: datetime) -> None:
        """Make its refresh due at ``moment``."""
        self._set(refresh_due_at=moment, refresh_enqueued_until=None)

    def hasten_refresh(self, moment: datetime) -> None:
        """Make its refresh due at ``moment`` if it is due later. Does nothing where no refresh is ever due."""
        if self.refresh_due_at is not None:
            self._set(refresh_due_at=min(self.refresh_due_at, moment), refresh_enqueued_until=None)

    def order_refresh(self, moment: datetime, *, sent_again_at: datetime) -> None:
        """Make its refresh due at ``moment`` despite earlier failures. The caller sends the task.

        A sweep sends the task again at ``sent_again_at`` if it was lost.
        """
        self._set(refresh_due_at=moment, next_attempt_at=None, refresh_enqueued_until=sent_again_at)

    def hold_refresh(self, until: datetime | None) -> None:
        """Send no refresh before ``until``, and one then."""
        self._set(next_attempt_at=until, refresh_due_at=until, refresh_enqueued_until=None)

    def count_failure(self, *, retry_at: datetime) -> None:
        """Count a refresh that failed, and hold the next one back until ``retry_at``."""
        due = min(self.refresh_due_at or retry_at, retry_at)
        self._set(failures=self.failures + 1, next_attempt_at=retry_at, refresh_due_at=due, refresh_enqueued_until=None)

    def probe_at(self, moment: datetime | None) -> None:
        """Make its probe due at ``moment``; None: never."""
        self._set(probe_due_at=moment)

    def end(self, revocation: Revocation, *, now: datetime | None = None, deadline: datetime | None = None) -> None:
        """Make nothing due but the revocation. That is tried from ``now`` until ``deadline``; None: it is not tried."""
        self._set(
            refresh_due_at=None,
            refresh_failing_at=None,
            next_attempt_at=None,
            probe_due_at=None,
            undecryptable_at=None,
            revocation=revocation,
            revocation_due_at=now,
            revocation_deadline_at=deadline,
            revocation_failures=0,
        )

    def rest(self) -> None:
        """Make nothing due any more, because the connection has ended."""
        self._set(refresh_due_at=None, probe_due_at=None, next_attempt_at=None)

    # --- What is known of it ------------------------------------------------------------------------------------------
    def suspect(self, since: datetime | None) -> None:
        """Record since when the provider has refused it; None: it is not refused."""
        self._set(refused_at=since)

    def spare(self, incident_id: uuid.UUID | None, *, now: datetime | None) -> None:
        """Record for which incident it was not downgraded, and when; None: for none."""
        self._set(spared_by=incident_id, spared_at=now)

    def fail_to_refresh(self, since: datetime) -> None:
        """Record since when no valid token is left because refreshes fail."""
        self._set(refresh_failing_at=since)

    def mark_undecryptable(self, at: datetime | None) -> None:
        """Record when its credential was found not to open; None: it opens."""
        self._set(undecryptable_at=at)

    def foretell(self, cause: str, ends_at: datetime | None) -> None:
        """Record that an event has warned of its end for this ``cause``, at ``ends_at`` (None: no date is known)."""
        self._set(foretold=self.foretold | {cause: None if ends_at is None else ends_at.isoformat()})

    def mark_unread(self, at: datetime | None) -> None:
        """Record when an answer arrived that could not be read; None: none is left."""
        self._set(answer_unread_at=at)

    def add_evidence(self, **facts: Any) -> None:
        """Add ``facts`` to the evidence, JSON-ready. A fact replaces an earlier one of the same name."""
        self._set(evidence=self.evidence | facts)

    def drop_evidence(self, name: str) -> None:
        """Remove one fact from the evidence, if it is there."""
        if name in self.evidence:
            self._set(evidence={other: value for other, value in self.evidence.items() if other != name})

    def describe(self, metadata: dict[str, Any]) -> None:
        """Replace the metadata, the one column that belongs to the operator."""
        self._set(metadata=metadata)

    def name(self, label: str) -> None:
        """Label it; "" takes the label away. Another live connection of its owner with the label must be ruled out."""
        self._set(label=label)

    def prefer(self, *, is_default: bool) -> None:
        """Make it the owner's default at its provider, or no longer. Take that from the earlier default first."""
        self._set(is_default=is_default)

    def hand_over(self, end_user: str) -> None:
        """Let ``end_user`` answer for what belongs to the whole tenant; "" for the tenant itself."""
        self._set(granted_by=end_user)

    def keep_to_grants(self, *, grants_only: bool) -> None:
        """Let it be used under access grants alone, or no longer."""
        self._set(grants_only=grants_only)

    def turn(self, switch: str, at: datetime | None) -> None:
        """Throw its own ``switch`` (``KILL_SWITCH`` or ``PAUSE``) as of ``at``, or turn it back (None)."""
        if switch not in (KILL_SWITCH, PAUSE):
            raise ValueError(f"A connection has no switch {switch!r}.")
        self._set(**{switch: at})
