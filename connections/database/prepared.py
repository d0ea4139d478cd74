"""Prepared statements, for the few hot paths where building a query would cost more than running it.

Django leaves server-side preparation off. Each statement here asks for it, so PostgreSQL plans the statement once for
each session of the pool (``sessions``). Behind a pooler that shares sessions none is prepared. Placeholders are
numbered once for each statement: psycopg would look for them again at each use of one with more than 4096 characters.
Errors are the same Django exceptions that the ORM raises.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, LiteralString, TypeVar

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import class_row

from providers import spans

Row = TypeVar("Row")

_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|%)?")


def fetch_prepared(statement: LiteralString, parameters: Mapping[str, Any], row: type[Row]) -> Row | None:
    """Run ``statement``. Return its first row as an instance of ``row``, or None if there is no row.

    The fields of ``row`` have the names of the columns. ``parameters`` maps the statement's placeholders to values.
    """
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with (
        database.wrap_database_errors,
        psycopg.RawCursor(database.connection, row_factory=class_row(row)) as cursor,
    ):
        return _execute(cursor, statement, parameters).fetchone()


def fetch_all_prepared(statement: LiteralString, parameters: Mapping[str, Any], row: type[Row]) -> list[Row]:
    """Run ``statement``. Return its rows, as ``fetch_prepared`` returns the first."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with (
        database.wrap_database_errors,
        psycopg.RawCursor(database.connection, row_factory=class_row(row)) as cursor,
    ):
        return _execute(cursor, statement, parameters).fetchall()


def execute_prepared(statement: LiteralString, parameters: Mapping[str, Any]) -> int:
    """Run ``statement`` and return the number of rows that it changed or found."""
    database = connections[DEFAULT_DB_ALIAS]
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.RawCursor(database.connection) as cursor:
        return _execute(cursor, statement, parameters).rowcount


def _execute(
    cursor: psycopg.RawCursor[Any], statement: LiteralString, parameters: Mapping[str, Any]
) -> psycopg.RawCursor[Any]:
    text, names = numbered(statement)
    with spans.statement(text):
        return cursor.execute(text, [parameters[name] for name in names], prepare=not settings.DATABASE_POOLED)


@lru_cache(maxsize=64)
def numbered(statement: LiteralString) -> tuple[bytes, tuple[str, ...]]:
    """Return ``statement`` with PostgreSQL's own placeholders ($1…), and the names of these in order. Cached.

    Raises ``ValueError`` for a percent sign that is neither doubled nor the beginning of ``%(name)s``.
    """
    numbers: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if found[1] is None:
            raise ValueError("A placeholder is written %(name)s, and a percent sign %%.")
        return f"${numbers.setdefault(found[1], len(numbers) + 1)}"

    return _PLACEHOLDER.sub(number, statement).encode(), tuple(numbers)
