"""Sessions at the tests' PostgreSQL that are none of Django's."""

from typing import Any

import psycopg
from django.conf import settings


def session(dbname: str) -> "psycopg.Connection[Any]":
    """Open an autocommitting session at the database of that name; the tests' own for an empty one."""
    server = settings.DATABASES["default"]
    return psycopg.connect(
        host=server["HOST"],
        port=server["PORT"],
        user=server["USER"],
        password=server["PASSWORD"],
        dbname=dbname or server["NAME"],
        autocommit=True,
    )
