"""Columns that many pages share: moments, links to other rows, and JSON. ``show`` says how each value looks."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.utils.safestring import SafeString

from connections.admin import show
from connections.admin.base import read_at

Column = Callable[[Any, Any], SafeString | str]


def moment(field: str, description: str) -> Column:
    """Return a column that shows how long ago ``field`` was, or how soon it will be; lists can be sorted by it."""

    @admin.display(description=description, ordering=field)
    def column(page: Any, row: Model) -> SafeString | str:
        return show.moment(getattr(row, field), now=read_at(row))

    return column


def id_link(field: str, description: str, model: type[Model]) -> Column:
    """Return a column that links to the row of ``model`` whose id is in ``field``; that row may be gone."""

    @admin.display(description=description)
    def column(page: Any, row: Model) -> SafeString | str:
        return show.id_link(model, getattr(row, field))

    return column


def short_id(description: str) -> Column:
    """Return a column of the row's own id."""

    @admin.display(description=description, ordering="id")
    def column(page: Any, row: Model) -> SafeString | str:
        return show.short_id(row.pk)

    return column


def as_json(field: str, description: str) -> Column:
    """Return a column of a JSON document, in full."""

    @admin.display(description=description)
    def column(page: Any, row: Model) -> SafeString | str:
        return show.as_json(getattr(row, field))

    return column


def codes(field: str, description: str) -> Column:
    """Return a column of several identifiers."""

    @admin.display(description=description)
    def column(page: Any, row: Model) -> SafeString | str:
        return show.codes(getattr(row, field))

    return column


def owner(shared: str) -> Column:
    """Return a column of the tenant that a row belongs to, or the words ``shared`` for one that belongs to none."""

    @admin.display(description="Owner", ordering="tenant__slug")
    def column(page: Any, row: Any) -> SafeString | str:
        return show.link(row.tenant) if row.tenant else shared

    return column
