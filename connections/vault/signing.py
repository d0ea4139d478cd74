"""The keys that sign the seals of the audit trail (Ed25519, RFC 8032).

Owns the parsing of ``AUDIT_KEYS``. They are a root of their own: who can read credentials cannot seal, and the other
way round. An auditor needs the public halves alone. No I/O.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from connections.vault.keyring import KEY_BYTES, KeyringError

_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")
_PUBLIC = "public:"


@dataclass(frozen=True, slots=True)
class Signature:
    """Which key signed, and the 64 bytes that it made."""

    key_id: str
    value: bytes


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The keys in force: the first signs, all verify. ``seeds`` are the secret halves, the first key's first."""

    signer_id: str
    signer: Ed25519PrivateKey = field(repr=False)
    known: dict[str, Ed25519PublicKey] = field(repr=False)
    seeds: tuple[bytes, ...] = field(repr=False)

    def sign(self, message: bytes) -> Signature:
        """Return the signature of the first key."""
        return Signature(self.signer_id, self.signer.sign(message))

    def verifies(self, message: bytes, signature: Signature) -> bool:
        """Whether ``signature`` is one of ``message``, by a key that is still named."""
        key = self.known.get(signature.key_id)
        if key is None:
            return False
        try:
            key.verify(signature.value, message)
        except InvalidSignature:
            return False
        return True

    def ids_with_other_material(self, other: "SigningKeys") -> list[str]:
        """Return the ids under which ``other`` has another key than these. A public half is no other key."""
        mine, others = (
            {key_id: key.public_bytes_raw() for key_id, key in keys.known.items()} for keys in (self, other)
        )
        return sorted(key_id for key_id in mine.keys() & others.keys() if mine[key_id] != others[key_id])

    def public_entries(self) -> list[str]:
        """Return the public halves as an auditor's ``AUDIT_KEYS`` names them: ``id:public:base64``."""
        return [
            f"{key_id}:{_PUBLIC}{base64.b64encode(key.public_bytes_raw()).decode()}"
            for key_id, key in self.known.items()
        ]


def parse_signing_keys(entries: Sequence[str]) -> SigningKeys:
    """Return the keys that ``AUDIT_KEYS`` describes, the one that signs first.

    An entry is ``id:base64`` of a secret seed of 32 bytes. A key that only verifies any more may be
    ``id:public:base64`` of its public half. Raises ``KeyringError`` naming the entry by position, never by content.
    """
    known: dict[str, Ed25519PublicKey] = {}
    secret: list[tuple[str, bytes]] = []
    for position, entry in enumerate(entries, start=1):
        key_id, separator, encoded = entry.partition(":")
        if not separator or not _KEY_ID.fullmatch(key_id):
            raise KeyringError(f"AUDIT_KEYS entry {position} is not of the form `id:base64`.")
        if key_id in known:
            raise KeyringError("AUDIT_KEYS names the same id twice: each key needs an id of its own.")
        is_public = encoded.startswith(_PUBLIC)
        material = _bytes_of(encoded.removeprefix(_PUBLIC), position)
        if is_public:
            known[key_id] = Ed25519PublicKey.from_public_bytes(material)
        else:
            known[key_id] = Ed25519PrivateKey.from_private_bytes(material).public_key()
            secret.append((key_id, material))
    if not secret or next(iter(known)) != secret[0][0]:
        raise KeyringError("AUDIT_KEYS has no key that can sign in the first place: give one as `id:base64`.")
    return SigningKeys(
        secret[0][0],
        Ed25519PrivateKey.from_private_bytes(secret[0][1]),
        known,
        tuple(material for _, material in secret),
    )


def _bytes_of(encoded: str, position: int) -> bytes:
    try:
        material = base64.b64decode(encoded.translate(str.maketrans("-_", "+/")), validate=True)
    except (binascii.Error, ValueError):
        raise KeyringError(f"AUDIT_KEYS entry {position} is not valid base64.") from None
    if len(material) != KEY_BYTES:
        raise KeyringError(f"AUDIT_KEYS entry {position} has {len(material)} bytes instead of {KEY_BYTES}.")
    return material
