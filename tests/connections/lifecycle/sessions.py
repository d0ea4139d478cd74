"""Sessions at the tests' PostgreSQL that are none of Django's."""

from typing import Any

import psycopg

from connections.database.pool import direct_parameters


def session(dbname: str) -> "psycopg.Connection[Any]":
    """Open an autocommitting session at the database of that name; the tests' own for an empty one."""
    named = {"dbname": dbname} if dbname else {}
    return psycopg.connect(**direct_parameters() | named | {"autocommit": True})
