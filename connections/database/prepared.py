"""Prepared statements, for the few hot paths where building a query would cost more than running it.

Django leaves server-side preparation off. Each statement here asks for it, so PostgreSQL plans the statement once for
each database connection. Errors are the same Django exceptions that the ORM raises.
"""

from collections.abc import Mapping
from typing import Any, LiteralString, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import class_row

Row = TypeVar("Row")


def squeezed(statement: LiteralString) -> LiteralString:
    """Return ``statement`` without the spaces that only people need.

    Psycopg keeps what it has parsed of a statement only if that is shorter than 4096 characters.
    """
    return " ".join(statement.split())


def fetch_prepared(statement: LiteralString, parameters: Mapping[str, Any], row: type[Row]) -> Row | None:
    """Run ``statement``. Return its first row as an instance of ``row``, or None if there is no row.

    The fields of ``row`` have the names of the columns. ``parameters`` maps the statement's placeholders to values.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with (
        database.wrap_database_errors,
        psycopg.Cursor(database.connection, row_factory=class_row(row)) as cursor,
    ):
        return cursor.execute(statement, parameters, prepare=True).fetchone()


def fetch_all_prepared(statement: LiteralString, parameters: Mapping[str, Any], row: type[Row]) -> list[Row]:
    """Run ``statement``. Return its rows, as ``fetch_prepared`` returns the first."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with (
        database.wrap_database_errors,
        psycopg.Cursor(database.connection, row_factory=class_row(row)) as cursor,
    ):
        return cursor.execute(statement, parameters, prepare=True).fetchall()


def execute_prepared(statement: LiteralString, parameters: Mapping[str, Any]) -> int:
    """Run ``statement`` and return the number of rows that it changed or found."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.Cursor(database.connection) as cursor:
        return cursor.execute(statement, parameters, prepare=True).rowcount
