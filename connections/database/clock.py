"""The one clock: the database's. Entrances read it; below them ``now`` is a parameter."""

from datetime import datetime
from typing import cast

from django.db import connection


def database_now() -> datetime:
    """Return the database's wall clock (``clock_timestamp()``), aware, in UTC. One query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row = cursor.fetchone()
    return cast("datetime", row[0])
