"""Moments as exports and spreadsheets write them."""

from datetime import UTC, datetime, timedelta

import pytest

from providers.brought.connection import RowFault
from providers.brought.moments import moment_of

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-30T12:00:00Z",
        "2026-11-30T13:00:00+01:00",
        "2026-11-30 12:00:00",
        "2026-11-30 12:00:00 UTC",
        " Mon, 30 Nov 2026 12:00:00 GMT ",
        1796040000,
        "1796040000",
        "1796040000000",
        1796040000000,
        "1796040000000000",
        46356.5,
        "46356.5",
        "30/11/2026 12:00",
        "11/30/2026, 12:00:00",
        "30.11.2026 12:00",
    ],
)
def test_one_moment_in_many_ways(value: object) -> None:
    found = moment_of(value, field="expires_at")
    assert found is not None
    assert abs(found - NOON) < timedelta(seconds=1)


@pytest.mark.parametrize("value", ["", None, "null", "never", " ", 0, "0"])
def test_nothing_is_no_moment(value: object) -> None:
    assert moment_of(value, field="expires_at") is None


@pytest.mark.parametrize(
    "value", ["1.79604E+12", "3/4/2026 12:00", "31.02.2026", "12345", "soon", "3600", "-5", "1e99", [], "9" * 20]
)
def test_what_could_mean_two_things_or_nothing_is_refused(value: object) -> None:
    with pytest.raises(RowFault) as fault:
        moment_of(value, field="expires_at")
    assert (fault.value.code, fault.value.field) == ("bad_field", "expires_at")
