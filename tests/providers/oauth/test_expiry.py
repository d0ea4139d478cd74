"""When tokens end, in whatever way an answer says it; what cannot be true counts as not said."""

import math
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.catalog.answers import Expiry
from providers.oauth.expiry import AccessLife, GrantLife, access_life, grant_life, seconds_until

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CLOCK = NOW.timestamp()
YEAR = 31_536_000
IN_AN_HOUR = NOW + timedelta(hours=1)


def read(value: Any, **said: Any) -> AccessLife:
    expiry = Expiry.model_validate({"field": "ends", **said})
    return access_life({"ends": value}, {}, expiry=expiry, clock=CLOCK)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3600, 3600),
        (3600.9, 3600),
        ("3600", 3600),
        (" 3600 ", 3600),
        ("3600.5", 3600),
        (29, 30),
        (1e-9, 30),
        (5 * YEAR, YEAR),
        (10 * YEAR, YEAR),
        (0, None),
        ("0", None),
        (-0.0, None),
        (-1, None),
        ("-1", None),
        (-(10**400), None),
        (1_767_323_045, None),
        (1_767_323_045_000, None),
        (10 * YEAR + 1, None),
        (10**12, None),
        (10**400, None),
        (math.inf, None),
        (-math.inf, None),
        ("9" * 5000, None),
        (math.nan, None),
        ("nan", None),
        ("soon", None),
        ("", None),
        (None, None),
        (True, None),
        ([3600], None),
        ({"seconds": 1}, None),
    ],
)
def test_believes_what_can_be_true(value: object, expected: int | None) -> None:
    assert read(value) == AccessLife(expected)


@pytest.mark.parametrize("value", [0, -1, 1_767_323_045])
def test_tells_what_it_does_not_believe(value: int, caplog: pytest.LogCaptureFixture) -> None:
    read(value)
    assert "lifetime_not_believed" in caplog.text
    assert "'ends'" in caplog.text


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("milliseconds", 3_600_000, 3600),
        ("milliseconds", "3600000", 3600),
        ("minutes", 60, 3600),
        ("epoch", int(CLOCK) + 3600, 3600),
        ("epoch", str(int(CLOCK) + 3600), 3600),
        ("epoch", CLOCK + 3600.5, 3600),
        ("epoch", int(CLOCK) - 1, None),
        ("epoch", 0, None),
        ("epoch", 3600, None),
        ("epoch", (int(CLOCK) + 3600) * 1000, None),
        ("epoch_ms", (int(CLOCK) + 3600) * 1000, 3600),
        ("epoch_ms", int(CLOCK) + 3600, None),
        ("timestamp", IN_AN_HOUR.isoformat(), 3600),
        ("timestamp", "2026-01-02T04:04:05Z", 3600),
        ("timestamp", "2026-01-02T04:04:05.000000Z", 3600),
        ("timestamp", "2026-01-02T05:04:05+01:00", 3600),
        ("timestamp", "2026-01-02 04:04:05", 3600),
        ("timestamp", "2026-01-02 04:04:05 UTC", 3600),
        ("timestamp", "20260102T040405Z", 3600),
        ("timestamp", format_datetime(IN_AN_HOUR, usegmt=True), 3600),
        ("timestamp", "2020-01-01T00:00:00Z", None),
        ("timestamp", "9999-12-31T23:59:59Z", None),
        ("timestamp", "tomorrow", None),
        ("timestamp", 3600, None),
        ("timestamp", "x" * 10_000, None),
        ("duration", "PT1H", 3600),
        ("duration", "P1DT1H", 90_000),
        ("duration", "1h", 3600),
        ("duration", "1h30m", 5400),
        ("duration", "3600s", 3600),
        ("duration", "90 minutes", 5400),
        ("duration", "1 hour, 5 mins", 3900),
        ("duration", "2 days", 172_800),
        ("duration", "3600000ms", 3600),
        ("duration", "01:00:00", 3600),
        ("duration", "60", 60),
        ("duration", 60, 60),
        ("duration", "P", None),
        ("duration", "1 fortnight", None),
        ("duration", "h", None),
        ("duration", "", None),
    ],
)
def test_reads_what_an_entry_says(form: str, value: object, expected: int | None) -> None:
    assert read(value, format=form) == AccessLife(expected)


@pytest.mark.parametrize("value", [0, "0", "-1", -1, None, "", "never"])
def test_never_is_what_the_entry_takes_for_it(value: object) -> None:
    assert read(value, never=["0", "-1", "null", "", "never"]) == AccessLife(is_endless=True)
    assert read(60, never=["0", "-1", "null", "", "never"]) == AccessLife(60)


def test_the_field_may_lie_anywhere() -> None:
    fields, whole = {"token": {"expires": 60}}, {"meta": {"ttl": 120}, "expires_in": 5}
    for field, expected in (
        ("/token/expires", 60),
        ("/meta/ttl", 120),
        ("expires_in", None),
        ("/expires_in", 30),
        ("/nothing", None),
    ):
        found = access_life(fields, whole, expiry=Expiry(field=field), clock=CLOCK)
        assert found == AccessLife(expected)


def grant(document: dict[str, Any], expiry: Expiry | None = None) -> GrantLife:
    return grant_life(document, {}, expiry=expiry, clock=CLOCK)


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"refresh_token_expires_in": 15_897_600}, 15_897_600),
        ({"refresh_expires_in": 1800}, 1800),
        ({"x_refresh_token_expires_in": "8640000"}, 8_640_000),
        ({"refresh_token_expires_at": int(CLOCK) + 3600}, 3600),
        ({"refresh_token_expires_at": (int(CLOCK) + 3600) * 1000}, 3600),
        ({"refresh_token_expires_at": "2026-01-02T04:04:05Z"}, 3600),
        ({"refresh_token_expiration": "3600"}, 3600),
        ({"refresh_token_expires": IN_AN_HOUR.isoformat()}, 3600),
        ({"refresh_expires_in": 0}, None),
        ({"refresh_expires_in": -1}, None),
        ({"refresh_expires_in": 0, "refresh_token_expires_in": 60}, 60),
        ({"refresh_expires_in": 1}, 30),
        ({"refresh_expires_in": 10**400}, None),
        ({"refresh_expires_in": 1_767_323_045}, None),
        ({"refresh_expires_in": float("nan")}, None),
        ({"refresh_expires_in": "soon"}, None),
        ({"refresh_expires_in": True}, None),
        ({"refresh_expires_in": [60]}, None),
        ({}, None),
    ],
)
def test_reads_how_long_the_refresh_token_lives(document: dict[str, Any], expected: int | None) -> None:
    assert grant(document) == GrantLife(refresh_seconds=expected)


def test_reads_the_names_of_the_draft() -> None:
    found = grant({"refresh_token_timeout": 604_800, "authorization_expires_in": "7776000"})
    assert found == GrantLife(idle_seconds=604_800, grant_seconds=7_776_000)


def test_the_entry_may_say_where_the_end_of_the_refresh_token_is_told() -> None:
    expiry = Expiry(field="/refresh/ends", format="epoch_ms", never=("0",))
    assert grant({"refresh": {"ends": (int(CLOCK) + 60) * 1000}}, expiry) == GrantLife(refresh_seconds=60)
    assert grant({"refresh": {"ends": 0}, "refresh_expires_in": 60}, expiry) == GrantLife()


def test_an_epoch_is_measured_from_the_clock_of_the_answer() -> None:
    assert seconds_until(int(time.time()) + 60, clock=time.time() + 30, field="exp") in (29, 30)
    assert seconds_until(0, clock=CLOCK, field="exp") is None


@given(value=st.none() | st.text(max_size=70) | st.integers() | st.floats() | st.lists(st.none()))
def test_nothing_whatever_is_an_exception(value: object) -> None:
    for form in ("seconds", "milliseconds", "minutes", "epoch", "epoch_ms", "timestamp", "duration"):
        found = read(value, format=form)
        assert found.seconds is None or 30 <= found.seconds <= YEAR
    assert grant({"refresh_token_expires_at": value}).idle_seconds is None
