"""Seal the audit trail: batches of rows, each signed and chained to the one before. Nothing of it is on a vend's path.

A seal's ``leaves`` have 32 bytes for each row, by id: the id and the moment (8 bytes each, big-endian), and the digest
of a nonce and the row's canonical bytes (``canonical``). So whoever verifies can name the very row that was changed,
deleted or added. What is signed is the hash of the header, which holds the hash of the leaves and the hash of the seal
before.

Rows appear in another order than their ids, so only what has settled is sealed (``database.settled``). A seal that is
made late proves nothing of the time before: it says that the rows have not changed since ``sealed_at``.

Erasure goes on: an end user's id gives way to a pseudonym in a sealed row too (``redacting``). The row's nonce is
destroyed, so that nothing can tell any more what the digest in the seal was made from, and a signed redaction has
the digest of what is left. Pruning leaves the seals behind (``sign_pruning``).
"""

import hashlib
import json
import secrets
import struct
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from connections.database.locks import lock_audit_chain
from connections.database.pool import short_transaction
from connections.database.settled import settled_to
from connections.journal.audit_keys import audit_keys
from connections.journal.canonical import DIGEST_BYTES, CanonicalRow, canonical_rows, microseconds, moment_of
from connections.models import AuditEvent, AuditPruning, AuditRedaction, AuditSeal
from connections.vault.signing import Signature

BATCH = 1000
NONCE_BYTES = 16
NO_NONCE = bytes(NONCE_BYTES)
FIRST = bytes(32).hex()  # what the first seal has for the hash of the one before
SEQUENCE = "connections_auditevent_id_seq"
# A batch that is not full is sealed once its oldest row is so old. So a quiet installation makes few seals.
_WAITS = timedelta(seconds=60)
_SETTLE_SECONDS = 1.0
_LEAF = struct.Struct(f">qq{DIGEST_BYTES}s")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leaf:
    """What a seal knows of one row."""

    id: int
    at: int
    digest: bytes


def seal_settled(*, seconds: float, at_once: bool = False) -> int:
    """Seal the rows that have settled, for so long at the most. Return how many. Short transactions, one a seal.

    ``at_once``: also rows that are few and young.
    """
    give_up_at = time.monotonic() + seconds
    to = settled_to(SEQUENCE, within_seconds=_SETTLE_SECONDS)
    sealed = 0
    while to is not None and time.monotonic() < give_up_at:
        with short_transaction() as now:
            lock_audit_chain()
            seal = _seal_next(to=to, now=now, at_once=at_once)
        if seal is None:
            break
        sealed += seal.rows
        # The log is the copy of the chain that no change of the database reaches.
        logger.info("audit_sealed", anchor=anchor_of(seal), rows=seal.rows, last_id=seal.last_id)
    return sealed


def anchor_of(seal: AuditSeal) -> str:
    """Return what names a seal and all before it: its number and its hash. Kept elsewhere, it proves they are there."""
    return f"{seal.number}:{seal.hash}"


def last_seal() -> AuditSeal | None:
    """Return the newest seal without its leaves. One query."""
    return AuditSeal.objects.defer("leaves", "nonces").order_by("-number").first()


def _seal_next(*, to: int, now: datetime, at_once: bool) -> AuditSeal | None:
    last = last_seal()
    unsealed = AuditEvent.objects.filter(id__gt=0 if last is None else last.last_id, id__lte=to)
    rows = list(canonical_rows(unsealed, limit=BATCH))
    if not rows or (len(rows) < BATCH and not at_once and min(row.at for row in rows) > microseconds(now - _WAITS)):
        return None
    nonces = [secrets.token_bytes(NONCE_BYTES) for _ in rows]
    leaves = b"".join(_LEAF.pack(row.id, row.at, row.digest(nonce)) for row, nonce in zip(rows, nonces, strict=True))
    seal = AuditSeal(
        number=1 if last is None else last.number + 1,
        first_id=rows[0].id,
        last_id=rows[-1].id,
        rows=len(rows),
        newest_at=moment_of(max(row.at for row in rows)),
        leaves=leaves,
        nonces=b"".join(nonces),
        leaves_hash=hashlib.sha256(leaves).digest(),
        previous=FIRST if last is None else last.hash,
        sealed_at=now,
    )
    seal.hash = hash_of(seal)
    signature = audit_keys().sign(bytes.fromhex(seal.hash))
    seal.key_id, seal.signature = signature.key_id, signature.value
    seal.save(force_insert=True)
    return seal


def hash_of(seal: AuditSeal) -> str:
    """Return the hash of a seal's header, in hexadecimal. No I/O."""
    header = [
        "latchkey audit seal 1",
        *(seal.number, seal.first_id, seal.last_id, seal.rows),
        *(microseconds(seal.newest_at), microseconds(seal.sealed_at)),
        *(bytes(seal.leaves_hash).hex(), seal.previous),
    ]
    return _hash(header).hex()


def leaves_of(seal: AuditSeal) -> list[Leaf]:
    """Return what the seal knows of its rows, by id. No I/O."""
    return [Leaf(*values) for values in _LEAF.iter_unpack(bytes(seal.leaves))]


def nonces_of(seal: AuditSeal) -> list[bytes]:
    """Return the nonces of the seal's rows in the same order, ``NO_NONCE`` for one that was destroyed. No I/O."""
    return [part for (part,) in struct.iter_unpack(f"{NONCE_BYTES}s", bytes(seal.nonces))]


# --- what may happen to sealed rows -----------------------------------------------------------------------------------


@contextmanager
def redacting(ids: Iterable[int], *, order_id: int) -> Iterator[None]:
    """Let the block erase an end user from the audit rows ``ids``, in the caller's transaction, under ``order_id``.

    For each row that is sealed, and as it was sealed, write a signed redaction and destroy its nonce. One that had been
    changed before stays as broken as it is. Takes the lock of the chain.
    """
    lock_audit_chain()
    wanted = sorted(ids)
    whole = set(_whole_rows(wanted))
    yield
    for row in canonical_rows(AuditEvent.objects.filter(id__in=whole)):
        nonce = secrets.token_bytes(NONCE_BYTES)
        digest = row.digest(nonce)
        signature = audit_keys().sign(redaction_hash(row.id, order_id, digest))
        values = {"order_id": order_id, "nonce": nonce, "digest": digest}
        values |= {"key_id": signature.key_id, "signature": signature.value}
        AuditRedaction.objects.update_or_create(event_id=row.id, defaults=values)
    for seal in _seals_of(wanted):
        nonces = b"".join(
            NO_NONCE if leaf.id in whole else nonce
            for leaf, nonce in zip(leaves_of(seal), nonces_of(seal), strict=True)
        )
        AuditSeal.objects.filter(number=seal.number).update(nonces=nonces)


def is_as_sealed(row: CanonicalRow, leaf: Leaf, nonce: bytes, redaction: AuditRedaction | None) -> bool:
    """Whether ``row`` is what was sealed, or what a signed redaction left of it. No I/O."""
    if nonce != NO_NONCE:
        return row.digest(nonce) == leaf.digest
    if redaction is None or row.at != leaf.at or row.digest(bytes(redaction.nonce)) != bytes(redaction.digest):
        return False
    signed = redaction_hash(row.id, redaction.order_id, bytes(redaction.digest))
    return audit_keys().verifies(signed, Signature(redaction.key_id, bytes(redaction.signature)))


def redaction_hash(event_id: int, order_id: int, digest: bytes) -> bytes:
    """Return what the signature of a redaction is made over. No I/O."""
    return _hash(["latchkey audit redaction 1", event_id, order_id, digest.hex()])


def sign_pruning(order_id: int, *, before: datetime) -> None:
    """Record that the rows from before a moment may go, signed, in the caller's transaction."""
    signature = audit_keys().sign(_pruning_hash(order_id, before))
    AuditPruning.objects.create(order_id=order_id, before=before, key_id=signature.key_id, signature=signature.value)


def pruned_before() -> int:
    """Return the moment before which rows may be gone, in microseconds since 1970. Unsigned orders do not count."""
    keys = audit_keys()
    return max(
        (
            microseconds(row.before)
            for row in AuditPruning.objects.all()
            if keys.verifies(_pruning_hash(row.order_id, row.before), Signature(row.key_id, bytes(row.signature)))
        ),
        default=0,
    )


def drop_leaves(*, before: datetime) -> None:
    """Drop what the seals from before a moment know of their rows, once these are pruned. One statement."""
    AuditSeal.objects.filter(newest_at__lt=before).exclude(leaves=b"").update(leaves=b"", nonces=b"")


def _pruning_hash(order_id: int, before: datetime) -> bytes:
    return _hash(["latchkey audit pruning 1", order_id, microseconds(before)])


def _whole_rows(ids: list[int]) -> Iterator[int]:
    """Yield those of ``ids`` that are sealed and as they were sealed."""
    rows = {row.id: row for row in canonical_rows(AuditEvent.objects.filter(id__in=ids))}
    redactions = AuditRedaction.objects.in_bulk(ids)
    for seal in _seals_of(ids):
        for leaf, nonce in zip(leaves_of(seal), nonces_of(seal), strict=True):
            row = rows.get(leaf.id)
            if row is not None and is_as_sealed(row, leaf, nonce, redactions.get(leaf.id)):
                yield leaf.id


def _seals_of(ids: list[int]) -> Iterator[AuditSeal]:
    """Yield the seals that cover any of ``ids``, which are in order."""
    position = 0
    while position < len(ids):
        seal = AuditSeal.objects.filter(last_id__gte=ids[position]).order_by("last_id").first()
        if seal is None:
            return
        if seal.leaves:
            yield seal
        while position < len(ids) and ids[position] <= seal.last_id:
            position += 1


def _hash(members: list[Any]) -> bytes:
    return hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
