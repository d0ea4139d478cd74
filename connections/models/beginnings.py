"""Indexes for a search by how a text begins, in whatever case: what ``__istartswith`` asks for."""

from django.contrib.postgres.indexes import OpClass
from django.db.models import Index, Q
from django.db.models.functions import Upper


def by_beginning(column: str, *, name: str) -> Index:
    """Return the index of the texts in ``column`` by their beginnings. It leaves out the empty ones."""
    return Index(OpClass(Upper(column), name="text_pattern_ops"), condition=~Q(**{column: ""}), name=name)
