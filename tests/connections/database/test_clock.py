"""Moments that come from outside: the database keeps each that has a name in UTC."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from connections.database.clock import database_now, in_utc


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        *("2030-01-31T12:00:00+16:38", "2030-01-31T12:00:00-23:59", "2030-01-31T12:00:00+00:00:30.5"),
        *("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "2030-01-31"),
    ],
)
def test_the_database_takes_a_moment_with_any_offset(text: str) -> None:
    moment = in_utc(datetime.fromisoformat(text))

    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [moment])
        assert cursor.fetchone() == (moment,)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01"])
def test_a_moment_without_a_name_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="years 1 to 9999"):
        in_utc(datetime.fromisoformat(text))


@pytest.mark.django_db
def test_the_clock_is_the_databases_in_utc() -> None:
    assert database_now().tzinfo is not None
    assert database_now().astimezone(UTC) <= database_now()
