"""Verify the sealed audit trail, and name the first row of each seal that is broken. Reads only.

What it finds: a row that was changed, deleted or added behind a seal; a seal that was changed, removed or signed by
nobody; the end of the chain, where ``anchor`` names a seal that is not there any more.

What nothing here can find: rows that were added, changed or removed before they were sealed, which is a minute or so;
and the removal of the newest seals together with their rows, for whoever compares with no anchor that was kept
elsewhere (each seal writes one into the log, and the export has them). Whoever has the signing key can make any trail.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from connections.journal.audit_keys import audit_keys
from connections.journal.canonical import canonical_rows, microseconds
from connections.journal.sealing import (
    FIRST,
    hash_of,
    is_as_sealed,
    last_seal,
    leaves_of,
    nonces_of,
    pruned_before,
)
from connections.models import AuditEvent, AuditRedaction, AuditSeal
from connections.vault.signing import Signature


@dataclass(frozen=True, slots=True)
class Broken:
    """What is broken first. ``kind`` is a stable code; ``row`` is an audit row's id, where it is about one."""

    kind: str
    seal: int
    row: int | None
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON object with the keys kind, seal, row and detail."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Checked:
    """A seal that was looked at: how many rows were compared, and what is broken, if anything is."""

    seal: int
    rows: int
    broken: Broken | None


def verify_chain(*, from_seal: int, to_seal: int) -> Iterator[Checked]:
    """Yield each seal from one number to another as it is checked, also those behind one that is broken.

    What follows a broken seal is compared with that seal as it stands; behind a missing one, the next one's own word
    for what stood before it is taken, as is the hash of the seal before the first. A few queries for each seal.
    """
    before = AuditSeal.objects.filter(number=from_seal - 1).defer("leaves", "nonces").first()
    if from_seal > 1 and before is None:
        yield Checked(from_seal - 1, 0, _missing(from_seal - 1))
    previous: str | None = FIRST if from_seal == 1 else None
    after = 0
    if before is not None:
        previous, after = before.hash, before.last_id
    gone_before = pruned_before()
    for number in range(from_seal, to_seal + 1):
        seal = AuditSeal.objects.filter(number=number).first()
        if seal is None:
            yield Checked(number, 0, _missing(number))
            previous = None
            continue
        if previous is None:
            previous, after = seal.previous, max(after, seal.first_id - 1)
        rows, broken = 0, _wrong_header(seal, previous=previous, after=after)
        if broken is None:
            rows, broken = _compare(seal, after=after, gone_before=gone_before)
        yield Checked(number, rows, broken)
        previous, after = seal.hash, max(after, seal.last_id)


def wrong_anchor(anchor: str) -> Broken | None:
    """Return what is broken where ``anchor`` (as ``sealing.anchor_of``) does not name a seal of this chain.

    Raises ``ValueError`` for a text that is no anchor.
    """
    number, separator, digest = anchor.partition(":")
    if not separator or not number.isdecimal() or len(number) > 18:
        raise ValueError("An anchor is a number, a colon and a hash.")
    wanted = bytes.fromhex(digest).hex()
    seal = AuditSeal.objects.filter(number=int(number)).only("number", "hash").first()
    if seal is None:
        newest = last_seal()
        there = "there is no seal" if newest is None else f"the last one is {newest.number}"
        return Broken("seals_removed", int(number), None, f"The anchor names seal {number}, and {there}.")
    if seal.hash != wanted:
        return Broken("anchor_differs", seal.number, None, f"Seal {number} is not the one that the anchor names.")
    return None


def count_unsealed() -> int:
    """Return how many rows no seal covers yet. One query."""
    newest = last_seal()
    return AuditEvent.objects.filter(id__gt=0 if newest is None else newest.last_id).count()


def foreign_keys() -> list[str]:
    """Return the ids of ``AUDIT_KEYS`` under which another key has signed the first or the last seal. Two queries.

    A seal that was changed since is not judged.
    """
    keys, seals = audit_keys(), AuditSeal.objects.defer("leaves", "nonces").distinct("key_id")
    found = set()
    for seal in (*seals.order_by("key_id", "number"), *seals.order_by("key_id", "-number")):
        signature = Signature(seal.key_id, bytes(seal.signature))
        if (
            seal.key_id in keys.known
            and seal.hash == hash_of(seal)
            and not keys.verifies(bytes.fromhex(seal.hash), signature)
        ):
            found.add(seal.key_id)
    return sorted(found)


def _missing(number: int) -> Broken:
    return Broken("seal_missing", number, None, f"Seal {number} is not there.")


def _wrong_header(seal: AuditSeal, *, previous: str, after: int) -> Broken | None:
    def broken(kind: str, detail: str) -> Broken:
        return Broken(kind, seal.number, None, detail)

    keys, signature = audit_keys(), Signature(seal.key_id, bytes(seal.signature))
    if seal.hash != hash_of(seal):
        return broken("seal_changed", f"Seal {seal.number} was changed after it was signed.")
    if seal.key_id not in keys.known:
        return broken("key_unknown", f"Seal {seal.number} is signed by the key {seal.key_id}, which AUDIT_KEYS lacks.")
    if not keys.verifies(bytes.fromhex(seal.hash), signature):
        return broken("signature_wrong", f"Seal {seal.number} is not signed by the key {seal.key_id}.")
    if seal.previous != previous:
        return broken("chain_broken", f"Seal {seal.number} does not follow the seal that stands before it.")
    if seal.first_id <= after:
        return broken("chain_broken", f"Seal {seal.number} covers rows of the seal before it.")
    if seal.leaves and hashlib.sha256(bytes(seal.leaves)).digest() != bytes(seal.leaves_hash):
        return broken("seal_changed", f"What seal {seal.number} knows of its rows was changed.")
    if len(seal.nonces) * 2 != len(seal.leaves):
        return broken("seal_changed", f"The nonces of seal {seal.number} do not fit its rows.")
    return None


def _compare(seal: AuditSeal, *, after: int, gone_before: int) -> tuple[int, Broken | None]:
    """Compare the rows that ``seal`` covers with what it knows. Return how many there were, and what is broken."""
    rows = {row.id: row for row in canonical_rows(AuditEvent.objects.filter(id__gt=after, id__lte=seal.last_id))}
    if not seal.leaves and microseconds(seal.newest_at) >= gone_before:
        detail = f"What seal {seal.number} knew of its rows is gone, and nobody signed that they were pruned."
        return len(rows), Broken("leaves_missing", seal.number, None, detail)
    known = {leaf.id: (leaf, nonce) for leaf, nonce in zip(leaves_of(seal), nonces_of(seal), strict=True)}
    redactions = AuditRedaction.objects.in_bulk([row for row, (_, nonce) in known.items() if not any(nonce)])
    for key in sorted(rows.keys() | known.keys()):
        row, (leaf, nonce) = rows.get(key), known.get(key, (None, b""))
        if leaf is None:
            return len(rows), _row_broken("row_added", seal, key, "was added after its time")
        if row is None and leaf.at >= gone_before:
            return len(rows), _row_broken("row_deleted", seal, key, "was deleted")
        if row is not None and not is_as_sealed(row, leaf, nonce, redactions.get(key)):
            return len(rows), _row_broken("row_changed", seal, key, "was changed")
    return len(rows), None


def _row_broken(kind: str, seal: AuditSeal, row: int, what: str) -> Broken:
    return Broken(kind, seal.number, row, f"Row {row}, which seal {seal.number} covers, {what}.")
