"""Swap: replace stored values that are still what was read. No secret is sealed beneath a lock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from connections.database.locks import lock_to_reseal
from connections.database.pool import short_transaction
from connections.models.fields import StoredSecret


@dataclass(frozen=True, slots=True)
class Swap:
    """What a row held when it was read, and the new values of its columns, by their names."""

    seen: Any
    new: dict[str, Any]


def swap(model: type[Model], field: str, swaps: Mapping[Any, Swap]) -> set[Any]:
    """Make these changes, by the keys of their rows, and return the keys of those that were made.

    Left alone are rows that somebody else has locked, has changed in ``field`` since it was read, or has deleted. All
    of ``swaps`` name the same columns. A short transaction of two statements: whoever waits for one of the rows waits
    for these, and not for the making of the values.
    """
    if not swaps:
        return set()
    rows = model._default_manager.filter(pk__in=swaps).only("pk", field)
    with short_transaction():
        same = [
            row for row in lock_to_reseal(rows, limit=len(swaps)) if _is_same(getattr(row, field), swaps[row.pk].seen)
        ]
        for row in same:
            for name, value in swaps[row.pk].new.items():
                setattr(row, name, value)
        if same:
            model._default_manager.bulk_update(same, swaps[same[0].pk].new)
    return {row.pk for row in same}


def _is_same(stored: Any, seen: Any) -> bool:
    if isinstance(stored, StoredSecret):
        return isinstance(seen, StoredSecret) and stored.stored == seen.stored
    return bool(stored == seen)
