"""The schedule: from seconds to hours, for three days."""

from datetime import UTC, datetime, timedelta

import pytest

from connections.lifecycle.webhooks.schedule import fails_as_a_whole, is_over, wait_seconds


def test_waits_grow_from_seconds_to_hours() -> None:
    assert [wait_seconds(failures, spread=0) for failures in (1, 2, 3, 8, 9, 99)] == [5, 15, 45, 10935, 21600, 21600]


def test_dice_take_up_to_half_of_a_wait_away() -> None:
    assert wait_seconds(1, spread=0.999) == pytest.approx(2.5, abs=0.01)


def test_a_receiver_may_ask_for_longer_but_not_for_less() -> None:
    assert wait_seconds(1, spread=0, retry_after_seconds=3600) == 3600
    assert wait_seconds(9, spread=0, retry_after_seconds=1) == 21600


@pytest.mark.parametrize(
    ("status", "failures", "whole"),
    [(None, 1, True), (503, 1, True), (429, 1, True), (500, 1, False), (500, 5, True), (404, 4, False)],
)
def test_an_endpoint_fails_as_a_whole_by_what_it_says_or_by_how_often(
    status: int | None, failures: int, whole: bool
) -> None:
    assert fails_as_a_whole(status, failures=failures) is whole


def test_three_days_are_enough() -> None:
    now = datetime(2026, 1, 4, tzinfo=UTC)
    assert is_over(now - timedelta(days=3), now=now)
    assert not is_over(now - timedelta(days=2, hours=23), now=now)
    assert not is_over(None, now=now)
