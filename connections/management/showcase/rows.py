"""Many rows at once, with the moments that they are given: Django would write its own for when they are made."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connection as database
from django.db.models import Field, Model
from django.db.models.expressions import DatabaseDefault
from psycopg import sql

M = TypeVar("M", bound=Model)


def write(rows: Sequence[M]) -> Sequence[M]:
    """Write ``rows`` of one model as they are, by COPY, and return them. No signal is sent and no default filled in.

    A column that no row sets is left to the database.
    """
    if rows:
        model = type(rows[0])
        fields = [field for field in model._meta.concrete_fields if not _is_left_out(rows[0], field)]
        names = [sql.Identifier(str(field.column)) for field in fields]
        command = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model._meta.db_table), sql.SQL(", ").join(names)
        )
        with database.cursor() as cursor, cursor.copy(command) as copy:
            for row in rows:
                copy.write_row([_value(field, row) for field in fields])
    return rows


def _is_left_out(row: Model, field: "Field[Any, Any]") -> bool:
    value = getattr(row, field.attname)
    return isinstance(value, DatabaseDefault) or (field.primary_key and value is None)


def _value(field: "Field[Any, Any]", row: Model) -> Any:
    given = getattr(row, field.attname)
    if given is None and getattr(field, "auto_now", False):
        given = getattr(row, "created_at", None)
    value = field.get_db_prep_save(given, database)
    return bytes(value) if isinstance(value, memoryview) else value
