"""The file of a backup: a line that names it, a line of JSON that says what is needed, the dump encrypted, and a seal.

The dump is an age stream (age-encryption.org/v1). With a passphrase the stream is for a key pair of its own, whose
private half is in the second line, locked by the passphrase: so everything streams, and nothing is held in memory.

The seal is an HMAC-SHA256 over all that is before it, under a key of the file's own that only ``FERNET_KEYS`` open. So
whoever restores knows before anything is touched that the file is whole, and that an installation with these keys has
made it, which encryption for a public key does not say.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import pyrage
from cryptography.fernet import InvalidToken
from django.core.management.base import CommandError

from connections.models.fields import outer_fernet

FORMAT = 1
SHORTEST_PASSPHRASE = 16
_NAME = b"latchkey-backup"
_SEAL_BYTES = 32
_LONGEST_LINE = 1_000_000
_PART = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Contents:
    """What is said of a backup to whoever cannot open it. ``keys`` names the keys that are needed, and holds none.

    ``made_at`` is a moment (ISO) before which all is in it, ``migration`` the last one that its tables have seen.
    """

    made_at: str
    server_major: int
    migration: str
    keys: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class _Head:
    contents: Contents
    seal_key: bytes = field(repr=False)
    locked_identity: bytes = field(repr=False)


class _Sealing:
    """Writes through to a file, and keeps the seal of what was written."""

    def __init__(self, file: IO[bytes], key: bytes) -> None:
        self._file, self._mac = file, hmac.new(key, digestmod=hashlib.sha256)

    def write(self, part: bytes) -> int:
        self._mac.update(part)
        return self._file.write(part)

    def flush(self) -> None:
        self._file.flush()

    def end(self) -> None:
        self._file.write(self._mac.digest())


def write(file: IO[bytes], dump: IO[bytes], contents: Contents, *, passphrase: str, recipients: Sequence[str]) -> None:
    """Write a backup of what ``dump`` gives, part by part. Raises ``CommandError``."""
    if bool(passphrase) == bool(recipients):
        raise CommandError("Encrypt it with a passphrase or for age recipients: say one of them.")
    if passphrase and len(passphrase) < SHORTEST_PASSPHRASE:
        raise CommandError(f"The passphrase is too short: take at least {SHORTEST_PASSPHRASE} characters.")
    locked = b""
    try:
        known = [pyrage.x25519.Recipient.from_str(one) for one in recipients]
    except pyrage.RecipientError:
        raise CommandError("A recipient is no age public key: it begins with age1.") from None
    if passphrase:
        identity = pyrage.x25519.Identity.generate()
        known = [identity.to_public()]
        locked = pyrage.passphrase.encrypt(str(identity).encode(), passphrase)
    key = secrets.token_bytes(_SEAL_BYTES)
    said = asdict(contents) | {
        "seal": outer_fernet().encrypt(key).decode(),
        "identity": base64.b64encode(locked).decode(),
    }
    sealing = _Sealing(file, key)
    sealing.write(b"%s %d\n%s\n" % (_NAME, FORMAT, json.dumps(said, separators=(",", ":")).encode()))
    pyrage.encrypt_io(dump, sealing, known)
    sealing.end()


def check(file: IO[bytes]) -> Contents:
    """Read all of a backup once, and return what it says. Raises ``CommandError`` unless it is whole and ours."""
    head = _head(file)
    size = file.seek(0, 2)
    if size - _SEAL_BYTES < 0:
        raise CommandError("The file was cut off: fetch it again.")
    file.seek(0)
    mac = hmac.new(head.seal_key, digestmod=hashlib.sha256)
    for part in _parts(file, size - _SEAL_BYTES):
        mac.update(part)
    if not hmac.compare_digest(mac.digest(), file.read(_SEAL_BYTES)):
        raise CommandError("The file was changed or cut off: fetch it again.")
    return head.contents


class _Limited:
    """Reads no further than the seal."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        part = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(part)
        return part


def open_into(file: IO[bytes], sink: IO[bytes], *, passphrase: str, identities: Sequence[str]) -> None:
    """Decrypt the dump of a backup into ``sink``, part by part. Raises ``CommandError``."""
    known = keys_of(file, passphrase=passphrase, identities=identities)
    start = file.tell()
    size = file.seek(0, 2) - _SEAL_BYTES - start
    file.seek(start)
    try:
        pyrage.decrypt_io(_Limited(file, size), sink, known)
    except pyrage.DecryptError:
        raise CommandError("The backup was made for another key than was given.") from None


def keys_of(file: IO[bytes], *, passphrase: str, identities: Sequence[str]) -> list[Any]:
    """Return the age identities that are meant; the file is read up to the stream. Raises ``CommandError``."""
    head = _head(file)
    if bool(head.locked_identity) != bool(passphrase):
        wanted = "a passphrase" if head.locked_identity else "an age identity"
        raise CommandError(f"The backup is locked by {wanted}: give that.")
    try:
        if passphrase:
            opened = pyrage.passphrase.decrypt(head.locked_identity, passphrase).decode()
            return [pyrage.x25519.Identity.from_str(opened)]
        return [pyrage.x25519.Identity.from_str(one) for one in identities]
    except pyrage.DecryptError:
        raise CommandError("The passphrase is wrong.") from None
    except pyrage.IdentityError:
        raise CommandError("That is no age identity: it begins with AGE-SECRET-KEY-1.") from None


def _head(file: IO[bytes]) -> _Head:
    file.seek(0)
    name, _, version = file.readline(_LONGEST_LINE).rstrip(b"\n").partition(b" ")
    if name != _NAME or not version.isdigit():
        raise CommandError("The file is no backup of Latchkey's.")
    if int(version) > FORMAT:
        raise CommandError(
            f"The backup is of format {int(version)}, and this Latchkey reads {FORMAT}: update it first."
        )
    try:
        said = json.loads(file.readline(_LONGEST_LINE))
        contents = Contents(said["made_at"], int(said["server_major"]), said["migration"], dict(said["keys"]))
        return _Head(contents, outer_fernet().decrypt(said["seal"].encode()), base64.b64decode(said["identity"]))
    except InvalidToken:
        raise CommandError(
            "No key of FERNET_KEYS has made this backup: put the keys of that time back, after the newer ones."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CommandError("The file was changed or cut off: fetch it again.") from None


def _parts(file: IO[bytes], size: int) -> Iterator[bytes]:
    while size and (part := file.read(min(_PART, size))):
        size -= len(part)
        yield part
