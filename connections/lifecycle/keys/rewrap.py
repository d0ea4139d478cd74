"""Rewrap: bring what is stored under the first keys of ``KEK_KEYS`` and ``FERNET_KEYS``, while everything runs.

Every reader opens both, so nothing waits and nothing fails; a row that somebody else has locked is come back to. How
far it has come is in the rows: whoever begins again passes over what is done.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from connections.access.secrets import key_binding, keyring, unwrap
from connections.database.locks import lock_to_reseal
from connections.database.pool import short_transaction
from connections.lifecycle.keys.columns import Change, Column, all_columns
from connections.lifecycle.keys.swap import Swap, swap
from connections.models import DataKey
from connections.models.data_key import SHREDDED
from connections.models.fields import StoredSecret, outer_fernet, outer_keys
from connections.vault.sealing import Unreadable

BATCH = 50
_PASSES = 20
_PAUSE_SECONDS = 0.5


@dataclass(slots=True)
class Progress:
    """How far it is in one table or column: rows looked at of ``total``, those changed, and those that do not open."""

    of: str
    total: int
    looked: int = 0
    changed: int = 0
    unreadable: int = 0
    busy: int = 0


class Pace:
    """Lets ``rate`` rows pass a second; None for as many as there can be."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._free_at = time.monotonic()

    def take(self, rows: int) -> None:
        """Wait until these rows may be changed."""
        if self._rate is None:
            return
        time.sleep(max(0.0, self._free_at - time.monotonic()))
        self._free_at = max(self._free_at, time.monotonic()) + rows / self._rate


def rewrap(*, rate: float | None = None) -> Iterator[Progress]:
    """Rewrap all data keys, then all columns. Yields how far it is, after each batch.

    A short transaction a batch of 50 rows, locked in the order of their keys without waiting for anybody. ``rate`` is
    the most rows a second. Raises ``KeyringError`` where a key service does not give the first KEK, before it begins or
    between two batches: begun anew, it goes on.
    """
    keyring().check_primary()
    pace = Pace(rate)
    yield from _data_keys(pace)
    for column in all_columns():
        yield from change_column(column, pace, is_done=_is_newest, change=_anew)


def _data_keys(pace: Pace) -> Iterator[Progress]:
    ring = keyring()
    waiting = DataKey.objects.exclude(kek_id=ring.primary_id).exclude(wrapped=SHREDDED)
    progress = Progress("data keys", waiting.count())
    passed_over: list[Any] = []
    for _ in range(_PASSES):
        while True:
            with short_transaction() as now:
                rows = lock_to_reseal(waiting.exclude(pk__in=passed_over), limit=BATCH)
                for row in rows:
                    try:
                        key = unwrap(row)
                    except Unreadable:
                        passed_over.append(row.pk)
                        progress.unreadable += 1
                        continue
                    row.rewrap(*ring.wrap(key, binding=key_binding(row.tenant_id)), now=now)
                    progress.changed += 1
            progress.looked += len(rows)
            if not rows:
                break
            yield progress
            pace.take(len(rows))
        progress.busy = waiting.exclude(pk__in=passed_over).count()
        if not progress.busy:
            break
        time.sleep(_PAUSE_SECONDS)
    yield progress


def change_column(
    column: Column, pace: Pace, *, is_done: Callable[[bytes], bool], change: Change
) -> Iterator[Progress]:
    """Make ``change`` to each ciphertext of ``column`` that is not done. Yields how far it is, after each page.

    A short transaction a batch of 50 rows, locked in the order of their keys without waiting for anybody. Whoever locks
    a row meanwhile is come back to. ``change`` raises ``Unreadable``.
    """
    progress = Progress(column.name, column.rows().count())
    busy: set[Any] = set()

    def is_due(value: Any) -> bool:
        return not all(is_done(stored) for stored in column.ciphertexts(value))

    for page in column.pages():
        busy |= _change_rows(column, [(pk, value) for pk, value in page if is_due(value)], progress, pace, change)
        progress.looked += len(page)
        progress.busy = len(busy)
        yield progress
    for _ in range(_PASSES):
        if not busy:
            break
        time.sleep(_PAUSE_SECONDS)
        again = column.rows().filter(pk__in=busy).order_by("pk").values_list("pk", column.field)
        busy = _change_rows(column, [(pk, value) for pk, value in again if is_due(value)], progress, pace, change)
        progress.busy = len(busy)
        yield progress


def _is_newest(stored: bytes) -> bool:
    return outer_keys()[0].made_at(stored) is not None


def _change_rows(
    column: Column, due: list[tuple[Any, Any]], progress: Progress, pace: Pace, change: Change
) -> set[Any]:
    """Change these rows, read as ``due``; return those that somebody else has locked or changed meanwhile."""
    busy: set[Any] = set()
    for start in range(0, len(due), BATCH):
        batch = due[start : start + BATCH]
        pace.take(len(batch))
        swaps: dict[Any, Swap] = {}
        for pk, value in batch:
            try:
                swaps[pk] = Swap(value, {column.field: column.changed(value, change)})
            except Unreadable:
                progress.unreadable += 1
        made = swap(column.model, column.field, swaps)
        progress.changed += len(made)
        busy |= swaps.keys() - made
    # What was deleted since it was read is not busy.
    return set(column.rows().filter(pk__in=busy).values_list("pk", flat=True)) if busy else busy


def _anew(stored: bytes) -> bytes:
    return outer_fernet().encrypt(StoredSecret(stored).open_outer())
