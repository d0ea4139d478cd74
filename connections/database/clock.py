"""The one clock: the database's. Entrances read it; below them ``now`` is a parameter.

Also which moments that are given from outside the database can keep.
"""

from datetime import UTC, datetime
from typing import cast

from django.db import connection


def database_now() -> datetime:
    """Return the database's wall clock (``clock_timestamp()``), aware, in UTC. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    return cast("datetime", row[0])


def in_utc(moment: datetime) -> datetime:
    """Return the same moment in UTC; one without an offset is taken for UTC. No I/O.

    PostgreSQL takes offsets of less than 16 hours only. Raises ``ValueError`` where the moment has no name in UTC: it
    is before the year 1 or after the year 9999.
    """
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("The moment must be within the years 1 to 9999, in UTC.") from None
