"""Seal and open: AES-256-GCM under a data key, bound to the place where the ciphertext lives.

Layout of a sealed value: one version byte, the data key's id (16 bytes), the nonce (12 bytes), ciphertext and tag.
"""

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from connections.vault.keyring import NONCE_BYTES, DataKey

_VERSION = b"\x01"
_HEADER_BYTES = 1 + 16
FINGERPRINT_BYTES = 16


class Unreadable(Exception):
    """A sealed value does not open: changed, moved to another place, or sealed under another key."""


class KeyAway(Unreadable):
    """A sealed value does not open now: the service that has wrapped its key does not answer, or is being asked."""


@dataclass(frozen=True, slots=True)
class Place:
    """The place where a sealed value lives. A copy at any other place does not open.

    ``tenant`` is the tenant's id or "operator"; ``owner`` is the id of the row to which the value belongs (a
    connection, a connect session or a provider app); ``record`` is the id of the row that stores it; ``field`` is the
    column.
    """

    tenant: str
    owner: str
    record: str
    field: str

    def associated_data(self) -> bytes:
        """Return an unambiguous encoding: each part preceded by its length."""
        parts = [part.encode() for part in (self.tenant, self.owner, self.record, self.field)]
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def seal(plaintext: bytes, *, key: DataKey, place: Place) -> bytes:
    """Return ``plaintext`` encrypted and bound to ``place``."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    header = _VERSION + key.id.bytes
    return header + nonce + AESGCM(key.material).encrypt(nonce, plaintext, header + place.associated_data())


def sealed_under(blob: bytes) -> uuid.UUID:
    """Return the id of the data key that ``blob`` names. Raises ``Unreadable`` if ``blob`` is no sealed value."""
    if len(blob) < _HEADER_BYTES + NONCE_BYTES + 16 or blob[:1] != _VERSION:
        raise Unreadable("The stored value is not a sealed value.")
    return uuid.UUID(bytes=blob[1:_HEADER_BYTES])


def open_sealed(blob: bytes, *, key: DataKey, place: Place) -> bytes:
    """Return the plaintext of ``blob``. Raises ``Unreadable`` for any change of value, key or place."""
    if sealed_under(blob) != key.id:
        raise Unreadable("The stored value is sealed under another data key.")
    nonce = blob[_HEADER_BYTES : _HEADER_BYTES + NONCE_BYTES]
    associated = blob[:_HEADER_BYTES] + place.associated_data()
    try:
        return AESGCM(key.material).decrypt(nonce, blob[_HEADER_BYTES + NONCE_BYTES :], associated)
    except InvalidTag:
        raise Unreadable("The stored value was changed, or belongs to another place.") from None


def fingerprint(secret: str, *, key: DataKey) -> bytes:
    """Return 16 bytes that tell two secrets of one tenant apart without revealing them (HMAC-SHA256, truncated)."""
    return hmac.new(key.subkey("fingerprint"), secret.encode(), hashlib.sha256).digest()[:FINGERPRINT_BYTES]
