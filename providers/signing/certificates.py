"""X.509 certificates beside a key pair: read, checked against the key, and told when they end.

A certificate is public. The client proves itself with it by mutual TLS (RFC 8705), or names it in the header of what
it signs (RFC 7515 §4.1.8).
"""

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from providers.signing.bounds import UnusableKey, check_public
from providers.signing.keys import base64url
from providers.signing.pem import LONGEST_PEM

MOST_CERTIFICATES = 10


@dataclass(frozen=True, slots=True)
class CertificateChain:
    """A certificate and those that issued it, as PEM with the key's own first. The times are those of the first."""

    pem: str
    valid_from: datetime
    ends_at: datetime


def read_certificates(pem: str, *, public_key: str) -> CertificateChain:
    """Return the chain in ``pem``, whose first certificate must be of ``public_key`` (PEM).

    Raises ``UnusableKey`` if there is no certificate, the first is of another key, or one did not issue the one before.
    """
    chain = _load(pem)
    try:
        return _checked(chain, public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey("A certificate here is damaged, or its key of a kind that cannot be used here.") from None


def _checked(chain: list[x509.Certificate], public_key: str) -> CertificateChain:
    own = chain[0].public_key()
    spelt = own.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if spelt.decode() != public_key:
        raise UnusableKey(
            "The first certificate is of another key: put the key's own first, then those that issued it."
        )
    for issued, issuer in pairwise(chain):
        check_public(issuer.public_key())
        try:
            issued.verify_directly_issued_by(issuer)
        except Exception:  # noqa: BLE001 (the library names one for each kind of signature)
            raise UnusableKey(
                "The certificates are no chain: each has to be followed by the one that issued it."
            ) from None
    return CertificateChain(
        pem="".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain),
        valid_from=chain[0].not_valid_before_utc,
        ends_at=chain[0].not_valid_after_utc,
    )


def certificate_members(pem: str) -> dict[str, object]:
    """Return the members of a JWK that show its certificates (RFC 7517 §4.7 and §4.9): ``x5c`` and ``x5t#S256``."""
    encoded = [one.public_bytes(serialization.Encoding.DER) for one in _load(pem)]
    return {"x5c": [b64encode(der).decode() for der in encoded], "x5t#S256": _thumbprint(encoded[0])}


def certificate_thumbprint(pem: str) -> str:
    """Return ``x5t#S256`` of the first certificate in ``pem`` (RFC 7515 §4.1.8)."""
    return _thumbprint(_load(pem)[0].public_bytes(serialization.Encoding.DER))


def _thumbprint(der: bytes) -> str:
    return base64url(hashlib.sha256(der).digest())


def _load(pem: str) -> list[x509.Certificate]:
    text = pem.strip().encode(errors="replace")
    try:
        chain = x509.load_pem_x509_certificates(text) if 0 < len(text) <= LONGEST_PEM else []
    except ValueError:
        chain = []
    if not 0 < len(chain) <= MOST_CERTIFICATES:
        raise UnusableKey("This is no certificate in PEM: it begins with -----BEGIN CERTIFICATE-----.")
    return chain
