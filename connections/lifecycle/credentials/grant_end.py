"""When a grant ends, as the provider announced it, carried from one credential version to the next. Pure.

An end that was announced stays, whether or not later answers repeat it: it counts down. An idle time begins anew with
each use of the refresh token.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from connections.lifecycle.credentials.due import GrantLifetimes
from providers.values import Obtained

# Two announcements of the same end differ by the time that the answers took.
_SAME_END = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class GrantEnds:
    """What is known with one version; None: nothing was announced.

    For how long its refresh token may lie idle, until when it works at the most, and until when the grant lives
    whatever is done.
    """

    idle_seconds: int | None = None
    refresh_expires_at: datetime | None = None
    grant_expires_at: datetime | None = None


def ends_after(obtained: Obtained, before: GrantEnds, *, received_at: datetime) -> GrantEnds:
    """Return what is known after an answer that was received then; ``before`` is what was known of the same grant.

    An end that each answer moves on is one that use puts off, so that the time to it is an idle time as well. One that
    stays where it was is not: to refresh earlier and earlier would not put it off.
    """
    announced = _moment(received_at, obtained.refresh_lifetime_seconds)
    idle_seconds = obtained.idle_lifetime_seconds
    if idle_seconds is None and announced is not None:
        known = before.refresh_expires_at
        if known is None or announced > known + _SAME_END:
            idle_seconds = obtained.refresh_lifetime_seconds
    return GrantEnds(
        idle_seconds=before.idle_seconds if idle_seconds is None else idle_seconds,
        refresh_expires_at=announced or before.refresh_expires_at,
        grant_expires_at=_moment(received_at, obtained.grant_lifetime_seconds) or before.grant_expires_at,
    )


def refresh_ends_at(ends: GrantEnds, *, lifetimes: GrantLifetimes, received_at: datetime) -> datetime | None:
    """Return when the refresh token ends unless it is used, or None where nobody said.

    ``lifetimes`` are those of the catalogue, which count where the provider announced nothing.
    """
    idle_seconds = ends.idle_seconds or (None if ends.refresh_expires_at else lifetimes.idle)
    found = (ends.refresh_expires_at, _moment(received_at, idle_seconds))
    return min((moment for moment in found if moment is not None), default=None)


def grant_ends_at(ends: GrantEnds, *, lifetimes: GrantLifetimes, authorized_at: datetime | None) -> datetime | None:
    """Return when the grant ends whatever is done, or None where nobody said; the earliest of what is known."""
    by_catalogue = None if authorized_at is None else _moment(authorized_at, lifetimes.absolute)
    found = (ends.grant_expires_at, by_catalogue)
    return min((moment for moment in found if moment is not None), default=None)


def _moment(since: datetime, seconds: int | None) -> datetime | None:
    return None if seconds is None else since + timedelta(seconds=seconds)
