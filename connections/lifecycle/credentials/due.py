"""When a credential version is due for a refresh and for a probe. Pure, except that it reads the probe intervals.

Times are aware datetimes of the database's clock; randomness comes in as ``spread`` in [0, 1).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.conf import settings

REFRESH_FROM = 0.70
REFRESH_UNTIL = 0.85
ASSUMED_LIFETIME_SECONDS = 3600  # for a refreshable token whose lifetime the provider did not state

# Use a refresh token well before its idle lifetime ends, with room left for a provider's bad week.
IDLE_FROM = 0.50
IDLE_UNTIL = 0.65


@dataclass(frozen=True, slots=True)
class GrantLifetimes:
    """How long a grant lives, in seconds: ``idle`` without use, ``absolute`` even with use. None means for ever."""

    idle: int | None = None
    absolute: int | None = None


class Renewable(Protocol):
    """What the due time of a version's refresh follows from, whether the version is a row already or not."""

    @property
    def is_refreshable(self) -> bool: ...
    @property
    def lifetime_seconds(self) -> int | None: ...
    @property
    def received_at(self) -> datetime: ...


def refresh_moment(
    version: Renewable, *, spread: float, lifetimes: GrantLifetimes = GrantLifetimes()
) -> datetime | None:
    """Return when ``version`` should be refreshed, or None where it cannot be.

    That is at 70 to 85 % of the access token's lifetime, or at 50 to 65 % of the refresh token's idle lifetime if that
    comes first. The second rule keeps a grant alive whose access token nobody needs to renew. No I/O.
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
    """The time between two probes: for connections vended within the last hour, within the last day, and all others."""

    hot: timedelta = timedelta(minutes=10)
    warm: timedelta = timedelta(hours=1)
    cold: timedelta = timedelta(hours=6)

    def after(self, last_vended_at: datetime | None, *, now: datetime) -> timedelta:
        """Return the interval for a connection that was last vended at ``last_vended_at`` (None: never)."""
        if last_vended_at is not None and now - last_vended_at < timedelta(hours=1):
            return self.hot
        if last_vended_at is not None and now - last_vended_at < timedelta(days=1):
            return self.warm
        return self.cold


def probe_at_the_end(due: datetime, *, ends_at: datetime | None, is_refreshable: bool, now: datetime) -> datetime:
    """Return when to probe: at ``due``, or as soon as a credential that cannot be refreshed has ended if that is first.

    Vends stop at that end. If the provider accepts the credential for longer than it announced, the probe shows that
    and vends go on within seconds.
    """
    return due if is_refreshable or ends_at is None or ends_at <= now else min(due, ends_at)


def probe_intervals() -> ProbeIntervals:
    """Return the intervals of ``LATCHKEY_PROBE_SECONDS``."""
    hot, warm, cold = (timedelta(seconds=seconds) for seconds in settings.PROBE_SECONDS)
    return ProbeIntervals(hot=hot, warm=warm, cold=cold)
