"""Many rows at once: statements that insert copies of rows which the product made, with some values of their own."""

from collections.abc import Mapping

from django.db.models import Model


def copies(model: type[Model], own: Mapping[str, str], *, of: str) -> str:
    """Return the statement that inserts a copy of each planned row's origin, the column ``of`` of which names it.

    ``own`` maps columns to expressions over ``origin`` and ``planned``, which the caller defines with an ``origin_id``.
    """
    columns = [field.column for field in model._meta.concrete_fields]
    values = [own.get(column, f"origin.{column}") for column in columns]
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)}"
        f" FROM planned JOIN {table} AS origin ON origin.{of} = planned.origin_id"
    )
