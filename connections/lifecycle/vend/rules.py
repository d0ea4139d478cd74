"""May this credential be vended: the decision as a pure function of the facts and the request. No I/O, no clock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from connections.lifecycle.policy.decide import needs_grant
from connections.models import OwnerKind, Status
from providers.catalog.scopes import ScopeRules

DEFAULT_MIN_TTL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class VendRequest:
    """The request of a caller. ``min_ttl_seconds`` is None where the caller named no lifetime.

    ``for_subject``: the caller brings a token of whoever it serves. ``under_grant``: an access grant lets it use the
    connection. ``is_verified``: tokens that were verified name the end user, and the agent if there is one.
    """

    end_user: str | None = None
    scopes: Sequence[str] = ()
    min_ttl_seconds: float | None = None
    may_act_without_user: bool = False
    for_subject: bool = False
    under_grant: bool = False
    is_verified: bool = False


@dataclass(frozen=True, slots=True)
class VendFacts:
    """The facts about a connection at the moment of a vend.

    ``granted_scopes`` are those that the credential still has as far as is known, ``required_scopes`` those without
    which its provider app lets nothing be vended. ``ungranted_scopes`` are the requested scopes that the provider did
    not name; ``scope_rules`` say when a granted
    scope stands for another. ``is_per_subject``: the connection has no credential of its own, and exchanges tokens of
    subjects. ``demands_verified``: the API client may act only for those whose tokens were verified.
    """

    status: Status
    owner_kind: OwnerKind
    end_user: str
    grants_only: bool
    is_suspended: bool
    access_expires_at: datetime | None
    is_refreshable: bool
    granted_scopes: Sequence[str]
    required_scopes: Sequence[str] = ()
    lifetime_seconds: int | None = None
    ungranted_scopes: Sequence[str] = ()
    scope_rules: ScopeRules = field(default_factory=ScopeRules)
    is_per_subject: bool = False
    demands_verified: bool = False


@dataclass(frozen=True, slots=True)
class Vend:
    """The current credential may be handed out."""


@dataclass(frozen=True, slots=True)
class RefreshFirst:
    """The credential is too old for this request.

    ``still_valid``: the credential may be handed out if the refresh brings no other. ``is_expired``: it is useless.
    """

    still_valid: bool
    is_expired: bool = True


@dataclass(frozen=True, slots=True)
class ExchangeFirst:
    """The token that the caller brings may be exchanged for one that acts for its subject, and that handed out."""


@dataclass(frozen=True, slots=True)
class GrantFirst:
    """Nobody may use the connection so without an access grant: ask ``policy`` whether there is one."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """The request is refused with this stable code."""

    code: Literal[
        "not_found",
        "unverified",
        "pending",
        "suspended",
        "insufficient_scope",
        "reauthorization_required",
        "min_ttl_unavailable",
        "subject_token_required",
        "subject_token_unwanted",
    ]
    missing_scopes: tuple[str, ...] = ()


def decide_vend(
    facts: VendFacts, request: VendRequest, *, now: datetime
) -> Vend | RefreshFirst | ExchangeFirst | GrantFirst | Refuse:
    """Decide one vend. The SQL of ``query`` allows exactly the cases for which this function returns ``Vend``."""
    if facts.is_suspended:
        return Refuse("suspended")
    if facts.demands_verified and not request.is_verified:
        return Refuse("unverified")
    if not request.under_grant and needs_grant(facts, request) is not None:
        return GrantFirst()
    if facts.status is Status.PENDING:
        return Refuse("pending")
    if facts.status is Status.DISCONNECTED:
        return Refuse("not_found")
    if facts.status in (Status.NEEDS_REAUTH, Status.REVOKED):
        return Refuse("reauthorization_required")
    if facts.is_per_subject:
        return ExchangeFirst() if request.for_subject else Refuse("subject_token_required")
    if request.for_subject:
        return Refuse("subject_token_unwanted")
    wanted = dict.fromkeys([*request.scopes, *facts.required_scopes])
    missing = facts.scope_rules.missing(wanted, granted=facts.granted_scopes, asked=facts.ungranted_scopes)
    if missing:
        return Refuse("insufficient_scope", missing)
    if facts.access_expires_at is None:
        return Vend()
    left = (facts.access_expires_at - now).total_seconds()
    min_ttl = DEFAULT_MIN_TTL_SECONDS if request.min_ttl_seconds is None else request.min_ttl_seconds
    if left > max(min_ttl, 0.0):
        return Vend()
    if facts.is_refreshable:
        if left > 0 and facts.lifetime_seconds is not None and min_ttl >= facts.lifetime_seconds:
            return Refuse("min_ttl_unavailable")
        return RefreshFirst(still_valid=left > 0 and request.min_ttl_seconds is None, is_expired=left <= 0)
    if left > 0:
        return Vend() if request.min_ttl_seconds is None else Refuse("min_ttl_unavailable")
    return Refuse("reauthorization_required")
