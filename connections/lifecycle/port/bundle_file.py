"""The file of an exit bundle: an age file (age-encryption.org/v1) around a signed document.

Inside the encryption there is a first line ``latchkey-bundle VERSION``, the signer's public key and the signature, each
in base64 on a line of its own, and the document: JSON, deflated. The Ed25519 signature (RFC 8032) covers the first line
and the document. Signed first and encrypted then, so that nobody who cannot open a bundle learns whose it is.

A signature and a passphrase are of the whole, so the deflated document is held in memory, here and where it is read.
So it has a largest size. What it is made of comes one by one, and is never held as a whole.
"""

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from connections.access.installation_key import public_text
from connections.refusals import BundleRefused, InvalidRequest

VERSION = 1
SHORTEST_PASSPHRASE = 16
_NAME = b"latchkey-bundle"
LARGEST = 512 * 1024**2  # of the document, before it is deflated
_FIRST_LINE = re.compile(rb"latchkey-bundle ([0-9]{1,6})")
_BY_PASSPHRASE = b"-> scrypt "


@dataclass(frozen=True, slots=True)
class Locks:
    """Who can open a bundle: whoever knows the ``passphrase``, or has the identity of one of the age ``recipients``."""

    passphrase: str = field(default="", repr=False)
    recipients: Sequence[str] = ()


def write_bundle(document: Mapping[str, Any], *, signer: Ed25519PrivateKey, locks: Locks) -> bytes:
    """Return ``document`` signed and encrypted. A member that is an iterator becomes a list, without being held.

    Raises ``InvalidRequest``, also for a document that is too large. No I/O of its own; a passphrase costs a second.
    """
    if bool(locks.passphrase) == bool(locks.recipients):
        raise InvalidRequest("Encrypt it with a passphrase or for age recipients: say one of them.")
    if locks.passphrase and len(locks.passphrase) < SHORTEST_PASSPHRASE:
        raise InvalidRequest(f"The passphrase is too short: take at least {SHORTEST_PASSPHRASE} characters.")
    try:
        recipients = [pyrage.x25519.Recipient.from_str(one) for one in locks.recipients]
    except pyrage.RecipientError:
        raise InvalidRequest("A recipient is no age public key: it begins with age1.") from None
    first = b"%s %d" % (_NAME, VERSION)
    body = _deflated(document)
    signature = base64.b64encode(signer.sign(first + b"\n" + body))
    content = b"\n".join((first, public_text(signer).encode(), signature, body))
    if locks.passphrase:
        return bytes(pyrage.passphrase.encrypt(content, locks.passphrase))
    return bytes(pyrage.encrypt(content, recipients))


def check_size(size: int) -> None:
    """Raise ``InvalidRequest`` for a document of more bytes than a bundle may have."""
    if size > LARGEST:
        raise InvalidRequest(
            f"The tenant does not fit into a bundle, of {LARGEST // 1024**2} MB before it is compressed: leave out the"
            " audit trail, or have connections that are not needed any more disconnected.",
            field="tenant",
        )


def _deflated(document: Mapping[str, Any]) -> bytes:
    stream, found, size = zlib.compressobj(), bytearray(), 0
    for piece in _pieces(document):
        size += len(piece)
        check_size(size)
        found += stream.compress(piece)
    return bytes(found + stream.flush())


def _pieces(document: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the document as JSON, member by member, and a list that is an iterator one by one."""
    mark = b"{"
    for name, member in document.items():
        yield mark + _json(name) + b":"
        if isinstance(member, Iterator):
            yield b"["
            for number, one in enumerate(member):
                yield (b"," if number else b"") + _json(one)
            yield b"]"
        else:
            yield _json(member)
        mark = b","
    yield b"}" if mark == b"," else b"{}"


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def read_bundle(
    content: bytes, *, signers: Sequence[str], passphrase: str = "", identities: Sequence[str] = ()
) -> tuple[dict[str, Any], str]:
    """Return the document of a bundle and who signed it: one of ``signers``, public keys in base64.

    Raises ``BundleRefused``, whose ``reason`` says whether it is no bundle, locked for somebody else, changed or cut
    off, of a newer version, or signed by nobody who is trusted. No I/O; a passphrase costs a second.
    """
    opened = _decrypted(content, passphrase=passphrase, identities=identities)
    parts = opened.split(b"\n", 3)
    first = _FIRST_LINE.fullmatch(parts[0])
    if first is None or len(parts) < 4:
        raise BundleRefused("The file is an age file, but holds no bundle of a tenant.", reason="no_bundle")
    if int(first[1]) > VERSION:
        raise BundleRefused(
            f"The bundle is of version {int(first[1])}, and this Latchkey reads up to {VERSION}: update it first.",
            reason="newer_version",
        )
    signer = parts[1].decode("ascii", "replace")
    if signer not in signers:
        raise BundleRefused(
            "The bundle is signed by a key that you have not named. The source says its own by"
            " `manage.py tenants signing-key`; compare it there, not by what came with the file.",
            reason="unknown_signer",
            signer=signer,
        )
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(parts[1], validate=True))
        key.verify(base64.b64decode(parts[2], validate=True), parts[0] + b"\n" + parts[3])
    except (InvalidSignature, ValueError, binascii.Error):
        raise BundleRefused("The bundle's signature is wrong: it was changed.", reason="changed") from None
    if int(first[1]) < VERSION:
        raise BundleRefused("There never was a bundle of this version.", reason="no_bundle")
    return _document_in(parts[3]), signer


def _document_in(deflated: bytes) -> dict[str, Any]:
    """Return the document. What a trusted signer has signed may still be none."""
    stream = zlib.decompressobj()
    try:
        document = json.loads(stream.decompress(deflated, LARGEST))
    except (zlib.error, ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not stream.eof:
        raise BundleRefused("The bundle's document cannot be read: have a new one made.", reason="no_bundle")
    return document


def _decrypted(content: bytes, *, passphrase: str, identities: Sequence[str]) -> bytes:
    if not content.startswith(b"age-encryption.org/v1\n"):
        raise BundleRefused("The file is no exit bundle: it is not encrypted by age.", reason="no_bundle")
    by_passphrase = _BY_PASSPHRASE in content[:200]
    if by_passphrase != bool(passphrase):
        wanted = "a passphrase" if by_passphrase else "an age identity"
        raise BundleRefused(f"The bundle is locked by {wanted}: give that.", reason="locked_otherwise")
    try:
        if by_passphrase:
            return bytes(pyrage.passphrase.decrypt(content, passphrase))
        known = [pyrage.x25519.Identity.from_str(one) for one in identities]
        return bytes(pyrage.decrypt(content, known))
    except pyrage.IdentityError:
        raise BundleRefused("That is no age identity: it begins with AGE-SECRET-KEY-1.", reason="wrong_key") from None
    except pyrage.DecryptError as error:
        if str(error) in ("Decryption failed", "No matching keys found"):
            what = "passphrase is wrong" if by_passphrase else "bundle was made for another identity"
            raise BundleRefused(f"The {what}, or the file was changed.", reason="wrong_key") from None
        raise BundleRefused("The file was changed or cut off: fetch it again.", reason="changed") from None
