"""When a grant ends, as the provider announced it, carried from one credential version to the next. Pure.

An announced end stays in force and counts down, whether or not later answers repeat it. An idle time begins anew with
each use of the refresh token.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from connections.lifecycle.credentials.due import GrantLifetimes
from providers.values import Obtained

# Two announcements of the same end differ by the travel times of their answers.
_SAME_END = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class GrantEnds:
    """The ends that are known with one version. Each is None where the provider announced nothing.

    ``idle_seconds`` is how long its refresh token may lie unused, ``refresh_expires_at`` when that token ends at the
    latest, ``grant_expires_at`` when the grant ends even if it is used.
    """

    idle_seconds: int | None = None
    refresh_expires_at: datetime | None = None
    grant_expires_at: datetime | None = None


def ends_after(obtained: Obtained, before: GrantEnds, *, received_at: datetime) -> GrantEnds:
    """Return the known ends after an answer received at ``received_at``; ``before`` are those known for the same grant.

    If each answer moves an end further on, use postpones that end, so the time until it is an idle time as well. If
    the end stays where it was, it is no idle time: earlier and earlier refreshes would not postpone it, and the grant
    ends then. No I/O.
    """
    announced = _moment(received_at, obtained.refresh_lifetime_seconds)
    idle_seconds = obtained.idle_lifetime_seconds
    known, grant_end = before.refresh_expires_at, _moment(received_at, obtained.grant_lifetime_seconds)
    if announced is not None and known is not None and announced <= known + _SAME_END:
        grant_end = min(grant_end or before.grant_expires_at or announced, announced)
    elif announced is not None:
        idle_seconds = obtained.refresh_lifetime_seconds if idle_seconds is None else idle_seconds
        if before.grant_expires_at and known and abs(before.grant_expires_at - known) <= _SAME_END:
            before = replace(before, grant_expires_at=None)  # it had seemed to count down, and was moved after all
    return GrantEnds(
        idle_seconds=before.idle_seconds if idle_seconds is None else idle_seconds,
        refresh_expires_at=announced or before.refresh_expires_at,
        grant_expires_at=grant_end or before.grant_expires_at,
    )


def refresh_ends_at(ends: GrantEnds, *, lifetimes: GrantLifetimes, received_at: datetime) -> datetime | None:
    """Return when the refresh token ends unless it is used, or None where neither provider nor catalogue says.

    ``lifetimes`` come from the catalogue. They count only where the provider announced nothing.
    """
    idle_seconds = ends.idle_seconds or (None if ends.refresh_expires_at else lifetimes.idle)
    found = (ends.refresh_expires_at, _moment(received_at, idle_seconds))
    return min((moment for moment in found if moment is not None), default=None)


def grant_ends_at(ends: GrantEnds, *, lifetimes: GrantLifetimes, authorized_at: datetime | None) -> datetime | None:
    """Return the earliest known moment at which the grant ends even if it is used, or None where none is known."""
    by_catalogue = None if authorized_at is None else _moment(authorized_at, lifetimes.absolute)
    found = (ends.grant_expires_at, by_catalogue)
    return min((moment for moment in found if moment is not None), default=None)


def _moment(since: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else since + timedelta(seconds=seconds)
