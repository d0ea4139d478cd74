"""PKCS #12 files (RFC 7292): a private key with its certificates, opened only as far as is known to be cheap.

What such a file has in an encrypted part cannot be measured before that part is open, and might be encrypted again, to
be opened at any cost. Keys stand outside such parts in the files of all programs, so the one there is read first, as
any key is. The library then gets the file for its certificates, with a key of ours in front: so it leaves whatever key
is inside alone.
"""

from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import pkcs12

from providers.signing.ber import INTEGER, OCTETS, SEQUENCE, TAGGED, Element, elements, octets, only, written
from providers.signing.bounds import UnusableKey, check_rounds, rounds_to_open
from providers.signing.keys import load_packed_key

_MOST_PARTS = 8
_DATA = bytes.fromhex("2a864886f70d010701")  # 1.2.840.113549.1.7.1 (RFC 5652 §4)
_ENCRYPTED_DATA = bytes.fromhex("2a864886f70d010706")  # 1.2.840.113549.1.7.6 (RFC 5652 §8)
_KEY_BAG = bytes.fromhex("2a864886f70d010c0a0101")  # 1.2.840.113549.1.12.10.1.1 (RFC 7292 §4.2.1)
_SHROUDED_KEY_BAG = bytes.fromhex("2a864886f70d010c0a0102")  # 1.2.840.113549.1.12.10.1.2 (RFC 7292 §4.2.2)
_OBJECT = 0x06
_SPKI = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
_PKCS8 = (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_UNREADABLE = "This is neither a certificate in PEM nor a PKCS #12 file in Base64, or the passphrase does not open it."
_NOT_BOTH = "This PKCS #12 file does not hold both a certificate and its private key."


def read_pkcs12(packed: bytes, *, passphrase: str = "") -> tuple[Any, x509.Certificate, list[x509.Certificate]]:
    """Return the private key of a file, its certificate, and the other certificates, in any order.

    Raises ``UnusableKey``, also for a file that would take too long to open.
    """
    try:
        parts = _parts(packed)
        rounds = sum(rounds_to_open(_encryption(part)) for part in parts if _kind(part) == _ENCRYPTED_DATA)
        check_rounds(rounds)
        key = _key(parts, passphrase, besides=rounds)
        held = pkcs12.load_pkcs12(_with_key_in_front(parts), passphrase.encode(errors="replace") or None)
    except (ValueError, IndexError, UnsupportedAlgorithm):
        raise UnusableKey(_UNREADABLE) from None
    certificates, public = [one.certificate for one in held.additional_certs], key.public_key().public_bytes(*_SPKI)
    first = next((one for one in certificates if _is_of(one, public)), None)
    if first is None:
        raise UnusableKey(_NOT_BOTH)
    certificates.remove(first)
    return key, first, certificates


def _is_of(certificate: x509.Certificate, public: bytes) -> bool:
    try:
        return certificate.public_key().public_bytes(*_SPKI) == public
    except (ValueError, UnsupportedAlgorithm):
        return False


def _parts(packed: bytes) -> list[Element]:
    """Return the parts of a file, each a ContentInfo (RFC 7292 §4). Raises ``ValueError``."""
    _, contents, *_ = elements(only(packed).content)
    if _kind(contents) != _DATA:
        raise ValueError("kept whole by a signature, not by a passphrase")
    parts = elements(only(_data(contents)).content)
    if len(parts) > _MOST_PARTS:
        raise ValueError("more parts than any program writes")
    return parts


def _key(parts: list[Element], passphrase: str, *, besides: int) -> Any:
    """Return the first private key that stands outside the encrypted parts, which take ``besides`` rounds.

    Raises ``UnusableKey``.
    """
    bags = (bag for part in parts if _kind(part) == _DATA for bag in elements(only(_data(part)).content))
    for bag in bags:
        kind = _kind(bag)
        if kind == _KEY_BAG:
            return load_packed_key(only(elements(bag.content)[1].content).whole)
        if kind == _SHROUDED_KEY_BAG:
            if not passphrase:
                raise UnusableKey(
                    "This PKCS #12 file is encrypted: give its passphrase. If that is empty, export it with another."
                )
            algorithm, sealed = elements(only(elements(bag.content)[1].content).content)
            packed = written(SEQUENCE, algorithm.whole + written(OCTETS, octets(sealed)))
            return load_packed_key(packed, passphrase=passphrase, besides=besides)
    raise UnusableKey(_NOT_BOTH)


def _with_key_in_front(parts: list[Element]) -> bytes:
    """Return the file anew, with a part in front that has a key of ours, and no seal over the whole."""
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(*_PKCS8)
    bag = written(SEQUENCE, written(_OBJECT, _KEY_BAG) + written(TAGGED, key))
    safe = written(SEQUENCE, _content(written(SEQUENCE, bag)) + b"".join(part.whole for part in parts))
    return written(SEQUENCE, written(INTEGER, b"\x03") + _content(safe))


def _content(data: bytes) -> bytes:
    return written(SEQUENCE, written(_OBJECT, _DATA) + written(TAGGED, written(OCTETS, data)))


def _kind(described: Element) -> bytes:
    return elements(described.content)[0].content


def _data(part: Element) -> bytes:
    return octets(only(elements(part.content)[1].content))


def _encryption(part: Element) -> Element:
    """Return the AlgorithmIdentifier of an encrypted part (RFC 5652 §8)."""
    _, contents, *_ = elements(only(elements(part.content)[1].content).content)
    return elements(contents.content)[1]
