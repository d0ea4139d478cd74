"""Named mutators: how the methods that change a row save it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models


def differs(row: models.Model, *columns: str) -> bool:
    """Whether one of ``columns`` of ``row`` has another value than what is stored, or there is no row. One query.

    A save that would change nothing is left out, with its audit row: repeating a request then leaves no trace.
    """
    return bool(differing(row, *columns))


def differing(row: models.Model, *columns: str) -> list[str]:
    """Return which of ``columns`` of ``row`` have another value than what is stored; all where there is no row."""
    stored = type(row)._default_manager.filter(pk=row.pk).values(*columns).first()
    return [name for name in columns if stored is None or _plain(stored[name]) != _plain(getattr(row, name))]


def _plain(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


class Settable(models.Model):
    """A model with named mutators. Each of these calls ``_set``, which saves what it changes, and nothing else."""

    class Meta:
        abstract = True

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self._save([*values])

    def _save(self, names: list[str]) -> None:
        self.save(update_fields=names)


class Mutable(Settable):
    """A model with named mutators that also keeps when it was changed last.

    A block of ``saved_once`` makes one UPDATE of the changes of several.
    """

    updated_at = models.DateTimeField(auto_now=True)

    _unsaved: set[str] | None = None

    class Meta:
        abstract = True

    @contextmanager
    def saved_once(self) -> Iterator[None]:
        """Save what the mutators change within this block at its end, by one UPDATE; nothing if the block raises.

        Until then the row in the database is as before: within the block, read this object and not its row.
        """
        self._unsaved = set()
        try:
            yield
            changed = self._unsaved
        finally:
            self._unsaved = None
        if changed:
            self._save([*changed])

    def _save(self, names: list[str]) -> None:
        if self._unsaved is None:
            self.save(update_fields=[*names, "updated_at"])
        else:
            self._unsaved.update(names)
