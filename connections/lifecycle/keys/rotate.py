"""Rotate: give tenants and the operator new data keys, and seal under them what the earlier ones have sealed.

Every sealed value names its data key, so readers open both at every moment. How far it has come is in the rows, and in
the audit trail from when on keys are new: whoever begins again makes no further key for an owner who has got one, and
passes over what is done.
"""

import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db.models import Q

from connections.access.sealed_places import SealedPlace, sealed_places
from connections.access.secrets import SEED_PLACE, current_data_key, data_key, key_binding, keyring, open_stored
from connections.database.locks import lock_to_reseal
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.lifecycle.keys.columns import SEEDS
from connections.lifecycle.keys.rewrap import BATCH, Pace, Progress, change_column
from connections.lifecycle.keys.swap import Swap, swap
from connections.models import AuditEvent, DataKey
from connections.models.data_key import SHREDDED
from connections.models.fields import StoredSecret, outer_fernet
from connections.vault.keyring import DataKey as OpenedKey
from connections.vault.keyring import new_data_key
from connections.vault.sealing import Unreadable, fingerprint, seal, sealed_under
from providers.values import Credential

_PASSES = 3
_KEYS_HELD = 1000
_BEGUN, _ENDED = "data_keys.rotation_begun", "data_keys.rotation_ended"
# For so long one that has not ended is gone on with.
GOES_ON_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rotation:
    """What is rotated: the data keys of ``whose`` that were older than ``older_than`` at ``begun_at``."""

    whose: str
    older_than: timedelta
    begun_at: datetime
    goes_on: bool

    @property
    def made_until(self) -> datetime:
        """Keys that were made later stay: also those that this rotation has made."""
        return self.begun_at - self.older_than

    def end(self, *, actor: audit.Actor) -> None:
        """Write down that nothing is left of it, so that the next one begins anew. An audit row."""
        audit.record(_ENDED, actor=actor, detail=_detail(self.whose, self.older_than))


def begin_rotation(
    whose: str, *, older_than: timedelta, actor: audit.Actor, is_anew: bool = False, now: datetime
) -> Rotation:
    """Begin to rotate the keys of ``whose`` that are older, or go on with what was begun so within a day.

    Else each begin after a kill would make further keys, where ``older_than`` is shorter than that. ``is_anew`` leaves
    one that has not ended, because keys that were made since have to go as well. A query, and an audit row. Raises
    ``KeyringError`` where a key service does not give the KEK under which new ones would be.
    """
    keyring().check_primary()
    told = AuditEvent.objects.filter(
        action__in=(_BEGUN, _ENDED), at__gte=now - GOES_ON_FOR, detail__contains=_detail(whose, older_than)
    )
    last = told.order_by("-id").first()
    if last is not None and last.action == _BEGUN and not is_anew:
        return Rotation(whose, older_than, last.at, goes_on=True)
    begun = audit.record(_BEGUN, actor=actor, detail=_detail(whose, older_than))
    return Rotation(whose, older_than, begun.at, goes_on=False)


def _detail(whose: str, older_than: timedelta) -> dict[str, Any]:
    return {"whose": whose, "older_than_days": older_than.days}


def rotate(
    owners: Iterable[uuid.UUID | None], *, made_until: datetime, actor: audit.Actor, rate: float | None = None
) -> Iterator[Progress]:
    """Give each of ``owners`` (None: the operator) a new data key, if its own was made until then, and seal anew.

    Yields how far it is, after each batch: a short transaction of up to 50 rows, locked in the order of their keys
    without waiting for anybody. Audits each new key. What others seal under an earlier key meanwhile is found by a
    further pass; what they seal after that opens all the same. An owner whose current key does not open is passed over,
    and counted. Raises ``KeyringError`` where a key service does not give the first KEK.
    """
    pace = Pace(rate)
    keys: dict[uuid.UUID | None, OpenedKey] = {}
    made = Progress("new data keys", 0)
    for owner in owners:
        made.looked += 1
        made.total += 1
        if _replace(owner, made_until=made_until, actor=actor):
            made.changed += 1
        if DataKey.objects.filter(Q(tenant_id=owner), is_current=True).exists():
            try:
                keys[owner] = current_data_key(owner)
            except Unreadable:
                made.unreadable += 1
        yield made
    for place in sealed_places():
        yield from _reseal(place, keys, pace)
    if None in keys:
        yield from _reseal_seeds(keys[None], pace)


def _reseal_seeds(key: OpenedKey, pace: Pace) -> Iterator[Progress]:
    """Seal the seeds of second factors under ``key``, the operator's current one."""

    def is_done(stored: bytes) -> bool:
        with suppress(Unreadable):
            return sealed_under(StoredSecret(stored).open_outer()) == key.id
        return False

    def change(stored: bytes) -> bytes:
        plaintext = open_stored(StoredSecret(stored), place=SEED_PLACE)
        return outer_fernet().encrypt(seal(plaintext, key=key, place=SEED_PLACE))

    yield from change_column(SEEDS, pace, is_done=is_done, change=change)


def _replace(owner: uuid.UUID | None, *, made_until: datetime, actor: audit.Actor) -> bool:
    """Make a new current data key for ``owner``, unless it has none or a young one. Locks the earlier one."""
    with short_transaction():
        current = DataKey.objects.filter(Q(tenant_id=owner), is_current=True, created_at__lte=made_until)
        locked = lock_to_reseal(current.exclude(wrapped=SHREDDED), limit=1)
        if not locked:
            return False
        locked[0].give_way()
        fresh = new_data_key()
        kek_id, wrapped = keyring().wrap(fresh, binding=key_binding(owner))
        DataKey.objects.create(id=fresh.id, tenant_id=owner, kek_id=kek_id, wrapped=wrapped)
        audit.record("data_key.rotated", actor=actor, tenant_id=owner, detail={"data_key": str(fresh.id)})
        return True


def _reseal(place: SealedPlace, keys: dict[uuid.UUID | None, OpenedKey], pace: Pace) -> Iterator[Progress]:
    progress = Progress(place.name, place.rows().count())
    opened = lru_cache(maxsize=_KEYS_HELD)(data_key)
    for turn in range(_PASSES):
        left = 0
        for page in place.pages():
            due = [row for row in page if _is_due(place, row, keys)]
            for start in range(0, len(due), BATCH):
                batch = due[start : start + BATCH]
                pace.take(len(batch))
                left += _reseal_rows(place, batch, keys, opened, progress)
            if turn == 0:
                progress.looked += len(page)
            yield progress
        progress.busy = left
        if not left:
            break
    yield progress


def _is_due(place: SealedPlace, row: Any, keys: dict[uuid.UUID | None, OpenedKey]) -> bool:
    key = keys.get(place.owner(row))
    if key is None:
        return False
    try:
        return sealed_under(getattr(row, place.field).open_outer()) != key.id
    except Unreadable:
        return False


def _reseal_rows(
    place: SealedPlace,
    batch: list[Any],
    keys: dict[uuid.UUID | None, OpenedKey],
    opened: Callable[[uuid.UUID], OpenedKey],
    progress: Progress,
) -> int:
    """Seal these rows under the current keys of their owners. Return how many need a further pass.

    ``opened`` returns an earlier data key by its id.
    """
    swaps: dict[Any, Swap] = {}
    for row in batch:
        key, stored = keys[place.owner(row)], getattr(row, place.field)
        try:
            earlier = opened(sealed_under(stored.open_outer()))
            plaintext = open_stored(stored, place=place.place(row), key=earlier)
        except Unreadable:
            progress.unreadable += 1
            continue
        new: dict[str, Any] = {place.field: seal(plaintext, key=key, place=place.place(row))}
        if place.names_key:
            new["data_key_id"] = key.id
        if place.has_mark:
            new["fingerprint"] = fingerprint(Credential.from_bytes(plaintext).main_secret(), key=key)
        swaps[row.pk] = Swap(stored, new)
    made = swap(place.model, place.field, swaps)
    progress.changed += len(made)
    return len(swaps) - len(made)
