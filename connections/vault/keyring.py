"""The key-encryption keys (KEKs) and the data keys that they wrap.

Owns the parsing of ``KEK_KEYS``, where a KEK stands as it is, or wrapped by a key management service; and the wrapping
and unwrapping of data keys (AES-256-GCM with the data key's identity as associated data).
``connections.models.data_key`` stores the wrapped keys. No I/O.
"""

import base64
import binascii
import hashlib
import re
import secrets
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
KEY_SERVICES = ("aws-kms", "google-kms", "azure-key-vault", "vault-transit")
_KEK_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


class KeyringError(Exception):
    """A key cannot be used. The message says which key and why, and holds no key material."""


class KekAway(KeyringError):
    """The service that has wrapped a KEK does not give it now, and may later: nothing is wrong with what it seals."""


@dataclass(frozen=True, slots=True)
class KeyEncryptionKey:
    """One key-encryption key: a public id and 32 secret bytes."""

    id: str
    material: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WrappedKek:
    """A key-encryption key that a key management service has wrapped, by the key ``name`` there."""

    id: str
    service: str
    name: str
    ciphertext: bytes = field(repr=False)

    def entry(self) -> str:
        """Return the entry of ``KEK_KEYS`` that says this. It opens nothing without the service."""
        return f"{self.id}:{self.service}:{self.name}:{base64.b64encode(self.ciphertext).decode()}"


def _said(key: KeyEncryptionKey | WrappedKek) -> bytes:
    return b"latchkey kek:" + (key.material if isinstance(key, KeyEncryptionKey) else key.entry().encode())


# Returns the 32 bytes of a key that was wrapped. Raises ``KeyringError``, and ``KekAway`` of these.
OpenKek = Callable[[WrappedKek], bytes]


def _open_none(kek: WrappedKek) -> bytes:
    raise KeyringError(f"The KEK {kek.id!r} is wrapped by {kek.service}, which nothing here asks.")


@dataclass(frozen=True, slots=True)
class DataKey:
    """An unwrapped data key: the id under which it is stored and 32 secret bytes."""

    id: uuid.UUID
    material: bytes = field(repr=False)

    def subkey(self, purpose: str) -> bytes:
        """Return 32 bytes derived for ``purpose`` alone (HKDF-SHA256, RFC 5869)."""
        derive = HKDF(hashes.SHA256(), KEY_BYTES, salt=None, info=b"latchkey:" + purpose.encode()).derive
        return derive(self.material)


class Keyring:
    """The KEKs in force, the first one used for new wraps. Immutable; its repr shows ids only."""

    def __init__(self, keys: Sequence[KeyEncryptionKey | WrappedKek], *, open_kek: OpenKek = _open_none) -> None:
        if not keys:
            raise KeyringError("KEK_KEYS is empty: give at least one `id:base64` key of 32 bytes.")
        if len({key.id for key in keys}) != len(keys):
            raise KeyringError("KEK_KEYS names the same id twice: each key needs an id of its own.")
        self._keys = {key.id: key for key in keys}
        self._open_kek = open_kek
        self.primary_id = keys[0].id

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._keys)})"

    def materials(self) -> list[bytes]:
        """Return the secret bytes of the keys that stand as they are, for the check that no root is used twice."""
        return [key.material for key in self._keys.values() if isinstance(key, KeyEncryptionKey)]

    def wrapped(self) -> list[WrappedKek]:
        """Return the keys that key management services have wrapped."""
        return [key for key in self._keys.values() if isinstance(key, WrappedKek)]

    def _material(self, kek_id: str) -> bytes:
        key = self._keys[kek_id]
        return key.material if isinstance(key, KeyEncryptionKey) else self._open_kek(key)

    @property
    def ids(self) -> list[str]:
        """The ids of the keys in force, the primary first."""
        return list(self._keys)

    def prints(self) -> list[str]:
        """Return a mark of each key in force with its id, the primary first. Reveals no key. No I/O."""
        return [f"{key.id}:{hashlib.sha256(_said(key)).hexdigest()[:16]}" for key in self._keys.values()]

    def has(self, key_id: str) -> bool:
        """Whether a key of this id is in force."""
        return key_id in self._keys

    def ids_with_other_material(self, other: "Keyring") -> list[str]:
        """Return the ids under which ``other`` has another key than this keyring."""
        shared = self._keys.keys() & other._keys.keys()
        return sorted(key_id for key_id in shared if self._keys[key_id] != other._keys[key_id])

    def check_primary(self) -> None:
        """Raise ``KeyringError`` unless new data keys can be wrapped now."""
        self._material(self.primary_id)

    def wrap(self, data_key: DataKey, *, binding: bytes) -> tuple[str, bytes]:
        """Return (KEK id, wrapped bytes) of ``data_key`` under the primary KEK, bound to ``binding``.

        Raises ``KeyringError`` where a key management service does not give the KEK.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        cipher = AESGCM(self._material(self.primary_id))
        return self.primary_id, nonce + cipher.encrypt(nonce, data_key.material, data_key.id.bytes + binding)

    def unwrap(self, *, key_id: uuid.UUID, kek_id: str, wrapped: bytes, binding: bytes) -> DataKey:
        """Return the unwrapped data key.

        Raises ``KeyringError`` when the KEK is unknown or not to be had, or when the wrapped bytes were changed or
        moved to another row.
        """
        if kek_id not in self._keys:
            raise KeyringError(f"The KEK {kek_id!r} is not in KEK_KEYS: add it back until every key is rewrapped.")
        try:
            cipher = AESGCM(self._material(kek_id))
            material = cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], key_id.bytes + binding)
        except (InvalidTag, ValueError):
            raise KeyringError(f"The data key {key_id} does not open under the KEK {kek_id!r}.") from None
        return DataKey(key_id, material)


def new_data_key() -> DataKey:
    """Return a fresh random data key."""
    return DataKey(uuid.uuid4(), secrets.token_bytes(KEY_BYTES))


def parse_keyring(entries: Sequence[str], *, open_kek: OpenKek = _open_none) -> Keyring:
    """Return the keyring that ``KEK_KEYS`` describes, the primary first. ``open_kek`` opens those that are wrapped.

    An entry is ``id:base64``, or ``id:service:name:base64`` of a KEK that a key management service has wrapped. Raises
    ``KeyringError`` naming the entry by position, never by content.
    """
    keys: list[KeyEncryptionKey | WrappedKek] = []
    for position, entry in enumerate(entries, start=1):
        key_id, separator, rest = entry.partition(":")
        if not separator or not _KEK_ID.fullmatch(key_id):
            raise KeyringError(f"KEK_KEYS entry {position} is not of the form `id:base64`.")
        named, _, encoded = rest.rpartition(":")
        try:
            material = base64.b64decode(encoded.translate(str.maketrans("-_", "+/")), validate=True)
        except (binascii.Error, ValueError):
            raise KeyringError(f"KEK_KEYS entry {position} is not valid base64.") from None
        if named:
            service, _, name = named.partition(":")
            if service not in KEY_SERVICES or not name or not material:
                raise KeyringError(
                    f"KEK_KEYS entry {position} is neither `id:base64` nor `id:service:name:base64` with one of"
                    f" {', '.join(KEY_SERVICES)}: `manage.py keys new` writes such an entry."
                )
            keys.append(WrappedKek(key_id, service, name, material))
        elif len(material) != KEY_BYTES:
            raise KeyringError(f"KEK_KEYS entry {position} has {len(material)} bytes instead of {KEY_BYTES}.")
        else:
            keys.append(KeyEncryptionKey(key_id, material))
    return Keyring(keys, open_kek=open_kek)


def check_separate_roots(
    *, fernet_keys: Sequence[str], keyring: Keyring, secret_key: str, audit_seeds: Sequence[bytes]
) -> None:
    """Raise ``KeyringError`` if the outer keys are missing, weak, or share material with another root."""
    if not fernet_keys or not all(fernet_keys):
        raise KeyringError("FERNET_KEYS is empty: give at least one key (the first encrypts, all decrypt).")
    if any(len(key) < KEY_BYTES for key in fernet_keys):
        raise KeyringError("A key in FERNET_KEYS is shorter than 32 characters: generate one with at least 32.")
    if not all(key.isprintable() for key in fernet_keys):
        raise KeyringError("A key in FERNET_KEYS has a character that cannot be seen: it would be another key without.")
    if secret_key in fernet_keys:
        raise KeyringError("SECRET_KEY is also in FERNET_KEYS: the two must differ.")
    if not set(audit_seeds).isdisjoint(keyring.materials()):
        raise KeyringError("A key in AUDIT_KEYS is also in KEK_KEYS: the roots must differ.")
    for name, materials in (("KEK_KEYS", keyring.materials()), ("AUDIT_KEYS", audit_seeds)):
        for material in materials:
            spellings = {base64.b64encode(material).decode(), base64.urlsafe_b64encode(material).decode()}
            spellings |= {spelling.rstrip("=") for spelling in spellings}
            if any(spelling in other for other in (*fernet_keys, secret_key) for spelling in spellings):
                raise KeyringError(f"A key in {name} is also in FERNET_KEYS or SECRET_KEY: the roots must differ.")
