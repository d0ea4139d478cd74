"""Every decision of the lifecycle, as pure functions of a snapshot and ``now``. No I/O, no clock, no randomness.

Times are aware datetimes of the database's clock; randomness comes in as ``spread`` in [0, 1). What a decision leads to
is carried out by the use case that asked for it, so a dry run costs nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from connections.models import CredentialVersion, OwnerKind, Status
from providers.catalog.scopes import ScopeRules
from providers.vocabulary import ProbeVerdict

# --- Lifetimes --------------------------------------------------------------------------------------------------------
REFRESH_FROM = 0.70
REFRESH_UNTIL = 0.85
ASSUMED_LIFETIME_SECONDS = 3600  # for a refreshable token of which nobody said how long it lives
# A refresh token that ends unless it is used is used in time, with room left for a provider's bad week.
IDLE_FROM = 0.50
IDLE_UNTIL = 0.65
DEFAULT_MIN_TTL_SECONDS = 5.0

STRIKE_INTERVAL = timedelta(seconds=30)
FAILING_AFTER = 3
GIVE_UP_AFTER = 6
GIVE_UP_NOT_BEFORE = timedelta(minutes=10)
PROBE_RETRY = timedelta(seconds=60)
BACKOFF_BASE_SECONDS = 2.0
BACKOFF_CAP_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class GrantLifetimes:
    """How long a grant lives, in seconds: ``idle`` unless it is used, ``absolute`` whatever is done; None: for ever."""

    idle: int | None = None
    absolute: int | None = None


def refresh_moment(
    version: CredentialVersion, *, spread: float, lifetimes: GrantLifetimes = GrantLifetimes()
) -> datetime | None:
    """Return when ``version`` should be refreshed, or None where it cannot be.

    That is at 70 to 85 % of the access token's lifetime, or at 50 to 65 % of the refresh token's idle lifetime where
    that comes first: a grant is kept alive though nobody needs a new access token.
    """
    if not version.is_refreshable:
        return None
    seconds = (version.lifetime_seconds or ASSUMED_LIFETIME_SECONDS) * _between(REFRESH_FROM, REFRESH_UNTIL, spread)
    if lifetimes.idle is not None:
        seconds = min(seconds, lifetimes.idle * _between(IDLE_FROM, IDLE_UNTIL, spread))
    return version.received_at + timedelta(seconds=seconds)


def _between(low: float, high: float, spread: float) -> float:
    return low + (high - low) * spread


@dataclass(frozen=True, slots=True)
class ProbeIntervals:
    """How long after one probe the next is due: for connections vended within the hour, within the day, and others."""

    hot: timedelta = timedelta(minutes=10)
    warm: timedelta = timedelta(hours=1)
    cold: timedelta = timedelta(hours=6)

    def after(self, last_vended_at: datetime | None, *, now: datetime) -> timedelta:
        """Return the interval for a connection that was last vended then."""
        if last_vended_at is not None and now - last_vended_at < timedelta(hours=1):
            return self.hot
        if last_vended_at is not None and now - last_vended_at < timedelta(days=1):
            return self.warm
        return self.cold


def backoff_seconds(
    failures: int, *, spread: float, retry_after_seconds: float | None, grace_seconds: int = 0
) -> float:
    """Return how long to wait after the ``failures``-th failure in a row: full jitter, at least ``Retry-After``.

    ``grace_seconds`` caps the wait where a token that may have been rotated away works for that long only.
    """
    ceiling = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 12))
    wait = max(1.0, ceiling * spread)
    if grace_seconds:
        wait = min(wait, grace_seconds / 3)
    return max(wait, retry_after_seconds or 0.0)


def decide_probe(verdict: ProbeVerdict, *, is_refreshable: bool) -> Literal["proved", "refresh", "strike", "nothing"]:
    """Decide what a probe's verdict calls for. A dead answer ends nothing that can be refreshed: the refresh decides.

    A refusal of permission (403), a time-out or a server's error is no evidence of revocation.
    """
    if verdict is ProbeVerdict.ALIVE:
        return "proved"
    if verdict is ProbeVerdict.DEAD:
        return "refresh" if is_refreshable else "strike"
    return "nothing"


def next_probe_at(
    verdict: ProbeVerdict, *, usual: timedelta, retry_after_seconds: float | None, now: datetime
) -> datetime:
    """Return when to probe again: after the usual interval, or sooner where the provider could not answer."""
    if verdict is not ProbeVerdict.UNAVAILABLE:
        return now + usual
    return now + max(min(usual, PROBE_RETRY), timedelta(seconds=retry_after_seconds or 0))


def probe_at_the_end(due: datetime, *, ends_at: datetime | None, is_refreshable: bool, now: datetime) -> datetime:
    """Return when to probe: where a credential that cannot be refreshed ends before ``due``, as soon as it has ended.

    So the vends that stop then go on within seconds, where the provider takes it longer than it said.
    """
    return due if is_refreshable or ends_at is None or ends_at <= now else min(due, ends_at)


def decide_refusal(
    *, refused_at: datetime | None, is_first: bool, is_decisive: bool, is_frozen: bool, now: datetime
) -> Literal["end", "suspect", "wait"]:
    """Decide what a refusal means: the end of the grant, a suspicion, or nothing while many connections fail at once.

    Two refusals at least 30 s apart end it; one that follows a doubt counts as the second (``is_decisive``).
    """
    if is_frozen:
        return "wait"
    if is_decisive:
        return "end"
    if not is_first and refused_at is not None and now - refused_at >= STRIKE_INTERVAL:
        return "end"
    return "suspect"


def decide_failing(
    *, failures: int, is_expired: bool, refusals: int, refused_for: timedelta, names_a_code: bool, is_common: bool
) -> Literal["wait", "tell", "suspect", "end"]:
    """Decide what one more failed refresh means, which blamed neither the grant nor our registration.

    Nothing while a token is valid, or after fewer than three. Then it is told; it is a suspicion where the provider
    refuses (``refusals`` with the current refresh token, begun ``refused_for`` ago) and is not merely away; and after
    six of them over ten minutes it is the end of the grant, if they came with an error code (``names_a_code``) and
    not to all connections of the provider app alike (``is_common``).
    """
    if failures < FAILING_AFTER or not is_expired:
        return "wait"
    if refusals < FAILING_AFTER:
        return "tell"
    is_over = refusals >= GIVE_UP_AFTER and refused_for >= GIVE_UP_NOT_BEFORE
    return "end" if is_over and names_a_code and not is_common else "suspect"


# --- Vending ----------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class VendRequest:
    """What a caller asks for. ``min_ttl_seconds`` is None where the caller did not say."""

    end_user: str | None = None
    scopes: Sequence[str] = ()
    min_ttl_seconds: float | None = None
    may_act_without_user: bool = False


@dataclass(frozen=True, slots=True)
class VendFacts:
    """What is known of a connection at the moment of a vend.

    ``ungranted_scopes`` are those that were asked for and that the provider did not name; ``scope_rules`` say when a
    granted scope stands for another.
    """

    status: Status
    owner_kind: OwnerKind
    end_user: str
    is_suspended: bool
    access_expires_at: datetime | None
    is_refreshable: bool
    granted_scopes: Sequence[str]
    lifetime_seconds: int | None = None
    ungranted_scopes: Sequence[str] = ()
    scope_rules: ScopeRules = field(default_factory=ScopeRules)


@dataclass(frozen=True, slots=True)
class Vend:
    """The current credential may be handed out."""


@dataclass(frozen=True, slots=True)
class RefreshFirst:
    """The credential is too old for this request.

    ``still_valid`` says that it could serve if no other is to be had, ``is_expired`` that it could serve nobody.
    """

    still_valid: bool
    is_expired: bool = True


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request is refused with this stable code."""

    code: Literal[
        "not_found",
        "pending",
        "suspended",
        "policy_denied",
        "insufficient_scope",
        "reauthorization_required",
        "min_ttl_unavailable",
    ]
    missing_scopes: tuple[str, ...] = ()


def decide_vend(facts: VendFacts, request: VendRequest, *, now: datetime) -> Vend | RefreshFirst | Refuse:
    """Decide one vend. The SQL of ``vend_query`` allows exactly what this function answers ``Vend`` to."""
    if facts.is_suspended:
        return Refuse("suspended")
    if not _acts_for_owner(facts, request):
        return Refuse("policy_denied")
    if facts.status is Status.PENDING:
        return Refuse("pending")
    if facts.status is Status.DISCONNECTED:
        return Refuse("not_found")
    if facts.status in (Status.NEEDS_REAUTH, Status.REVOKED):
        return Refuse("reauthorization_required")
    missing = facts.scope_rules.missing(request.scopes, granted=facts.granted_scopes, asked=facts.ungranted_scopes)
    if missing:
        return Refuse("insufficient_scope", missing)
    if facts.access_expires_at is None:
        return Vend()
    left = (facts.access_expires_at - now).total_seconds()
    wanted = DEFAULT_MIN_TTL_SECONDS if request.min_ttl_seconds is None else request.min_ttl_seconds
    if left > max(wanted, 0.0):
        return Vend()
    if facts.is_refreshable:
        if left > 0 and facts.lifetime_seconds is not None and wanted >= facts.lifetime_seconds:
            return Refuse("min_ttl_unavailable")
        return RefreshFirst(still_valid=left > 0 and request.min_ttl_seconds is None, is_expired=left <= 0)
    if left > 0:
        return Vend() if request.min_ttl_seconds is None else Refuse("min_ttl_unavailable")
    return Refuse("reauthorization_required")


def _acts_for_owner(facts: VendFacts, request: VendRequest) -> bool:
    """Whether the request names somebody who may use the connection: its end user, or anybody at its tenant.

    The caller vouches for who that is: end users are the operator's own ids, which nobody here could check.
    """
    if request.end_user is None:
        return request.may_act_without_user
    return facts.owner_kind is OwnerKind.TENANT or request.end_user == facts.end_user
