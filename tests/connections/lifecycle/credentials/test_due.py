"""When a credential is due: pure decisions, checked without a database or a clock."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from connections.lifecycle.credentials.due import GrantLifetimes, ProbeIntervals, refresh_moment
from connections.models import CredentialVersion

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(lifetime=st.integers(30, 31_536_000), spread=st.floats(0, 1, exclude_max=True))
def test_refreshes_at_70_to_85_percent_of_the_lifetime(lifetime: int, spread: float) -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=lifetime, is_refreshable=True)
    moment = refresh_moment(version, spread=spread)
    assert moment is not None
    assert 0.70 <= (moment - NOW).total_seconds() / lifetime <= 0.8501


def test_never_refreshes_what_cannot_be() -> None:
    assert refresh_moment(CredentialVersion(received_at=NOW, is_refreshable=False), spread=0) is None


DAY = 86_400


@given(
    lifetime=st.one_of(st.none(), st.integers(30, 31_536_000)),
    idle=st.integers(60, 366 * DAY),
    spread=st.floats(0, 1, exclude_max=True),
)
def test_keeps_an_idle_grant_alive_however_long_its_access_token_lives(
    lifetime: int | None, idle: int, spread: float
) -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=lifetime, is_refreshable=True)
    moment = refresh_moment(version, spread=spread, lifetimes=GrantLifetimes(idle=idle))
    usual = refresh_moment(version, spread=spread)
    assert moment is not None
    assert usual is not None
    assert moment <= usual
    assert moment <= NOW + timedelta(seconds=0.65 * idle)
    assert moment == usual or moment >= NOW + timedelta(seconds=0.5 * idle)


def test_spreads_the_refreshes_that_keep_grants_alive() -> None:
    version = CredentialVersion(received_at=NOW, lifetime_seconds=365 * DAY, is_refreshable=True)
    lifetimes = GrantLifetimes(idle=90 * DAY)
    first, last = (refresh_moment(version, spread=spread, lifetimes=lifetimes) for spread in (0.0, 0.999))
    assert first == NOW + timedelta(days=45)
    assert last is not None
    assert last - first > timedelta(days=13)


def test_an_idle_lifetime_makes_nothing_refreshable() -> None:
    version = CredentialVersion(received_at=NOW, is_refreshable=False)
    assert refresh_moment(version, spread=0, lifetimes=GrantLifetimes(idle=60)) is None


def test_probes_the_more_the_more_it_is_used() -> None:
    intervals = ProbeIntervals()
    assert intervals.after(NOW - timedelta(minutes=59), now=NOW) == timedelta(minutes=10)
    assert intervals.after(NOW - timedelta(hours=23), now=NOW) == timedelta(hours=1)
    assert intervals.after(NOW - timedelta(days=2), now=NOW) == timedelta(hours=6)
    assert intervals.after(None, now=NOW) == timedelta(hours=6)
