"""What a refusal, a verdict or a failure means: pure decisions, checked without a database or a clock."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.lifecycle.health.rules import backoff_seconds, decide_probe, decide_refusal, next_probe_at
from providers.vocabulary import ProbeVerdict

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@given(failures=st.integers(1, 10_000), spread=st.floats(0, 1), grace=st.integers(0, 3600))
def test_backs_off_within_bounds_and_within_the_grace(failures: int, spread: float, grace: int) -> None:
    wait = backoff_seconds(failures, spread=spread, retry_after_seconds=None, grace_seconds=grace)
    assert 0 < wait <= 600
    if grace:
        assert wait <= max(1, grace / 3)


def test_obeys_retry_after_above_all() -> None:
    assert backoff_seconds(1, spread=0, retry_after_seconds=120, grace_seconds=30) == 120


@pytest.mark.parametrize(
    ("ago", "is_first", "is_decisive", "is_frozen", "expected"),
    [
        (0, True, False, False, "suspect"),
        (29, False, False, False, "suspect"),
        (30, False, False, False, "end"),
        (0, True, True, False, "end"),
        (3600, False, True, True, "wait"),
    ],
)
def test_ends_a_grant_on_the_second_refusal(
    ago: int, is_first: bool, is_decisive: bool, is_frozen: bool, expected: str
) -> None:
    assert (
        decide_refusal(
            refused_at=NOW - timedelta(seconds=ago),
            is_first=is_first,
            is_decisive=is_decisive,
            is_frozen=is_frozen,
            now=NOW,
        )
        == expected
    )


@pytest.mark.parametrize(
    ("verdict", "is_refreshable", "expected"),
    [
        (ProbeVerdict.ALIVE, True, "proved"),
        (ProbeVerdict.DEAD, True, "refresh"),
        (ProbeVerdict.DEAD, False, "strike"),
        (ProbeVerdict.FORBIDDEN, False, "nothing"),
        (ProbeVerdict.UNAVAILABLE, False, "nothing"),
    ],
)
def test_a_probe_ends_nothing_by_itself(verdict: ProbeVerdict, is_refreshable: bool, expected: str) -> None:
    assert decide_probe(verdict, is_refreshable=is_refreshable) == expected


def test_probes_sooner_after_no_answer_but_not_before_the_provider_allows() -> None:
    usual = timedelta(hours=1)
    unavailable = ProbeVerdict.UNAVAILABLE
    alive = next_probe_at(ProbeVerdict.ALIVE, usual=usual, retry_after_seconds=None, now=NOW)
    assert alive == NOW + usual
    assert next_probe_at(unavailable, usual=usual, retry_after_seconds=None, now=NOW) == NOW + timedelta(minutes=1)
    assert next_probe_at(unavailable, usual=usual, retry_after_seconds=300, now=NOW) == NOW + timedelta(minutes=5)
