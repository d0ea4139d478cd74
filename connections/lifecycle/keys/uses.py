"""Which key opens how much of what is stored, and since when: for ``keys status``, and before a key is taken away."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce

from connections.access.held_keks import version_of
from connections.access.secrets import keyring
from connections.journal.audit_keys import audit_keys
from connections.lifecycle.keys.columns import Column, all_columns
from connections.models import AuditSeal, DataKey
from connections.models.data_key import SHREDDED
from connections.models.fields import OuterKey, outer_keys
from connections.vault.keyring import WrappedKek

OLD = timedelta(days=90)
SAMPLE = 1000


@dataclass(frozen=True, slots=True)
class KeyUse:
    """What is stored under one key.

    ``setting`` is the list that has it, or would; ``key`` its id, or the fingerprint of a key of ``FERNET_KEYS``; "" is
    what no key of that list opens. ``place`` is 1 for the key that is used for what is new, None for a key that the
    list lacks. ``rows`` says how much is under it, of what kind by ``of``; ``is_estimate`` where only some rows were
    looked at. ``since`` is when the oldest of that was written. ``kept_by`` names the service that has wrapped a KEK,
    and its key there; it is "" for a key that stands in the list as it is.
    """

    setting: str
    key: str
    place: int | None
    rows: int
    of: dict[str, int]
    since: datetime | None
    is_estimate: bool = False
    kept_by: str = ""

    @property
    def due_at(self) -> datetime | None:
        """When a newer key should be in front of it; None unless it is the first and something is under it."""
        return self.since + OLD if self.place == 1 and self.since is not None else None

    def is_old(self, *, now: datetime) -> bool:
        """Whether it is used for what is new, and has been for longer than keys should be."""
        return self.due_at is not None and now > self.due_at


def kek_uses() -> list[KeyUse]:
    """Return how many data keys each key of ``KEK_KEYS`` wraps. One query."""
    wrapped = DataKey.objects.exclude(wrapped=SHREDDED).order_by()
    told = {
        row["kek_id"]: (row["rows"], row["since"])
        for row in wrapped.values("kek_id").annotate(rows=Count("id"), since=Min(Coalesce("wrapped_at", "created_at")))
    }
    kept_by = {kek.id: _keeper(kek) for kek in keyring().wrapped()}
    return [
        replace(use, kept_by=kept_by.get(use.key, ""))
        for use in _listed("KEK_KEYS", keyring().ids, told, of="data keys")
    ]


def _keeper(kek: WrappedKek) -> str:
    version = version_of(kek)
    return f"{kek.service} {kek.name}" + (f", version {version}" if version and not kek.name.endswith(version) else "")


def audit_uses() -> list[KeyUse]:
    """Return how many seals each key of ``AUDIT_KEYS`` has signed. One query."""
    told = {
        row["key_id"]: (row["rows"], row["since"])
        for row in AuditSeal.objects.order_by().values("key_id").annotate(rows=Count("number"), since=Min("sealed_at"))
    }
    return _listed("AUDIT_KEYS", list(audit_keys().known), told, of="seals")


def _listed(setting: str, ids: Sequence[str], told: dict[str, tuple[int, datetime]], *, of: str) -> list[KeyUse]:
    places = {key_id: place for place, key_id in enumerate(ids, start=1)}
    found = []
    for key_id in [*ids, *sorted(told.keys() - places.keys())]:
        rows, since = told.get(key_id, (0, None))
        found.append(KeyUse(setting, key_id, places.get(key_id), rows, {of: rows} if rows else {}, since))
    return found


def fernet_uses(*, is_exact: bool) -> list[KeyUse]:
    """Return how many stored values each key of ``FERNET_KEYS`` opens.

    Reads every value with ``is_exact``; else up to 1,000 rows of each column, from both its ends, from which it
    concludes the rest. Which key made a value can only be found by trying, which takes some 20 µs.
    """
    keys = outer_keys()
    found = {
        key.fingerprint: KeyUse("FERNET_KEYS", key.fingerprint, place, 0, {}, None)
        for place, key in enumerate(keys, start=1)
    }
    found[""] = KeyUse("FERNET_KEYS", "", None, 0, {}, None)
    for column in all_columns():
        for use in _uses_of(column, keys, most=None if is_exact else SAMPLE):
            found[use.key] = _sum(found[use.key], use)
    unopened = found.pop("")
    return [*found.values(), unopened] if unopened.rows else list(found.values())


def _uses_of(column: Column, keys: Sequence[OuterKey], *, most: int | None) -> list[KeyUse]:
    counts: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    looked = 0
    for page in column.pages(size=SAMPLE) if most is None else [column.sample(most)]:
        for _, value in page:
            for stored in column.ciphertexts(value):
                key, made_at = _maker(stored, keys)
                counts[key] += 1
                if made_at is not None:
                    since[key] = min(made_at, since.get(key, made_at))
        looked += len(page)
    is_whole = most is None or looked < most
    total = looked if is_whole else column.rows().count()
    share = 1.0 if is_whole or not looked else max(1.0, total / looked)
    return [
        KeyUse(
            "FERNET_KEYS",
            key,
            None,
            (rows := round(count * share)),
            {column.name: rows},
            since.get(key),
            total > looked,
        )
        for key, count in counts.items()
    ]


def _maker(stored: bytes, keys: Sequence[OuterKey]) -> tuple[str, datetime | None]:
    """Return the fingerprint of the key that made ``stored``, and when; "" if none of ``keys`` did."""
    for key in keys:
        made_at = key.made_at(stored)
        if made_at is not None:
            return key.fingerprint, datetime.fromtimestamp(made_at, UTC)
    return "", None


def _sum(one: KeyUse, other: KeyUse) -> KeyUse:
    moments = [since for since in (one.since, other.since) if since is not None]
    return replace(
        one,
        rows=one.rows + other.rows,
        of=one.of | other.of,
        since=min(moments, default=None),
        is_estimate=one.is_estimate or other.is_estimate,
    )


@dataclass(frozen=True, slots=True)
class DataKeyUse:
    """How many data keys there are, how many of these are no longer current, and when the oldest was made."""

    rows: int
    earlier: int
    oldest: datetime | None


def data_key_use() -> DataKeyUse:
    """Return what there is of data keys. One query."""
    living = DataKey.objects.exclude(wrapped=SHREDDED)
    return DataKeyUse(
        **living.aggregate(rows=Count("id"), earlier=Count("id", filter=Q(is_current=False)), oldest=Min("created_at"))
    )
