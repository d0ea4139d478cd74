"""When a grant ends: announced once or always, moved on by use or not. Pure."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.grant_end import GrantEnds, ends_after, grant_ends_at, refresh_ends_at
from providers.values import Credential, Obtained

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DAY = 86_400


def said(*, refresh: int | None = None, idle: int | None = None, grant: int | None = None) -> Obtained:
    return Obtained(
        Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt")),
        refresh_lifetime_seconds=refresh,
        idle_lifetime_seconds=idle,
        grant_lifetime_seconds=grant,
    )


def days(number: float) -> datetime:
    return NOW + timedelta(days=number)


def test_an_end_that_is_announced_once_stays() -> None:
    first = ends_after(said(refresh=30 * DAY, grant=90 * DAY), GrantEnds(), received_at=NOW)
    later = ends_after(said(), first, received_at=days(10))
    assert later == first
    assert (later.refresh_expires_at, later.grant_expires_at) == (days(30), days(90))


def test_an_end_that_each_answer_moves_on_is_an_idle_time() -> None:
    first = ends_after(said(refresh=30 * DAY), GrantEnds(), received_at=NOW)
    later = ends_after(said(refresh=30 * DAY), first, received_at=days(10))
    assert later == GrantEnds(idle_seconds=30 * DAY, refresh_expires_at=days(40))
    shorter = ends_after(said(refresh=7 * DAY), GrantEnds(30 * DAY, days(15)), received_at=days(10))
    assert shorter == GrantEnds(idle_seconds=7 * DAY, refresh_expires_at=days(17))


def test_an_end_that_counts_down_is_not_met_by_ever_earlier_refreshes() -> None:
    ends = ends_after(said(refresh=3600), GrantEnds(), received_at=NOW)
    for minutes in (10, 30, 50, 58):
        at = NOW + timedelta(minutes=minutes)
        ends = ends_after(said(refresh=3600 - minutes * 60), ends, received_at=at)
        assert ends.idle_seconds == 3600
        assert ends.refresh_expires_at == NOW + timedelta(hours=1)


def test_an_end_that_counts_down_is_the_end_of_the_grant_until_it_is_moved() -> None:
    first = ends_after(said(refresh=30 * DAY), GrantEnds(), received_at=NOW)
    assert first.grant_expires_at is None, "the first answer may name an idle time"
    second = ends_after(said(refresh=20 * DAY), first, received_at=days(10))
    assert second.grant_expires_at == days(30)
    late = ends_after(said(refresh=20 * DAY), GrantEnds(30 * DAY, days(30), days(30)), received_at=days(10.0001))
    assert ends_after(said(refresh=30 * DAY), late, received_at=days(12)).grant_expires_at is None
    assert ends_after(said(), second, received_at=days(12)).grant_expires_at == days(30)
    assert ends_after(said(refresh=10 * DAY, grant=5 * DAY), second, received_at=days(20)).grant_expires_at == days(25)
    moved = ends_after(said(refresh=30 * DAY), second, received_at=days(20))
    assert (moved.grant_expires_at, moved.refresh_expires_at) == (None, days(50))
    kept = ends_after(said(refresh=30 * DAY), GrantEnds(30 * DAY, days(30), days(90)), received_at=days(20))
    assert kept.grant_expires_at == days(90)


def test_an_idle_time_begins_anew_with_each_use_though_only_the_first_answer_names_it() -> None:
    first = ends_after(said(idle=7 * DAY, grant=90 * DAY), GrantEnds(), received_at=NOW)
    later = ends_after(said(), first, received_at=days(5))
    assert later == GrantEnds(idle_seconds=7 * DAY, grant_expires_at=days(90))
    assert refresh_ends_at(later, lifetimes=GrantLifetimes(), received_at=days(5)) == days(12)


@pytest.mark.parametrize(
    ("ends", "lifetimes", "expected"),
    [
        (GrantEnds(), GrantLifetimes(), (None, None)),
        (GrantEnds(), GrantLifetimes(idle=90 * DAY, absolute=365 * DAY), (90, 265)),
        (GrantEnds(idle_seconds=7 * DAY), GrantLifetimes(idle=90 * DAY), (7, None)),
        (GrantEnds(refresh_expires_at=days(120)), GrantLifetimes(idle=90 * DAY), (120, None)),
        (GrantEnds(90 * DAY, days(20)), GrantLifetimes(), (20, None)),
        (GrantEnds(grant_expires_at=days(10)), GrantLifetimes(absolute=365 * DAY), (None, 10)),
        (GrantEnds(grant_expires_at=days(500)), GrantLifetimes(absolute=365 * DAY), (None, 265)),
    ],
)
def test_foretells_both_ends(
    ends: GrantEnds, lifetimes: GrantLifetimes, expected: tuple[int | None, int | None]
) -> None:
    found = (
        refresh_ends_at(ends, lifetimes=lifetimes, received_at=NOW),
        grant_ends_at(ends, lifetimes=lifetimes, authorized_at=days(-100)),
    )
    assert found == tuple(None if number is None else days(number) for number in expected)
