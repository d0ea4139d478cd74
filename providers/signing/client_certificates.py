"""Client certificates as people have them: PEM, or a PKCS #12 file (RFC 7292), with the private key that fits."""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from providers.signing.bounds import UnusableKey
from providers.signing.certificates import MOST_CERTIFICATES, read_certificates
from providers.signing.keys import load_private_key
from providers.signing.pem import pem_blocks
from providers.signing.pkcs12 import read_pkcs12
from providers.values import ClientCertificate

_CLOCKS_APART = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class ReadCertificate:
    """A client certificate that can be presented, and when it ends."""

    certificate: ClientCertificate
    ends_at: datetime


def read_client_certificate(
    certificate: str, *, private_key: str = "", passphrase: str = "", now: datetime
) -> ReadCertificate:
    """Return what was brought: PEM, or PKCS #12 in Base64. Either may hold the private key as well.

    ``passphrase`` opens the key. Raises ``UnusableKey`` if something is missing or no certificate, the key does not
    fit, or the certificate is not valid at ``now``.
    """
    if "-----BEGIN" in certificate:
        chain, key = _from_pem(certificate, private_key, passphrase)
    else:
        chain, key = _from_pkcs12(certificate, passphrase)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    read = read_certificates(chain, public_key=public.decode())
    if read.ends_at <= now:
        raise UnusableKey(f"This certificate ended on {read.ends_at:%Y-%m-%d}: bring the one that has replaced it.")
    if read.valid_from > now + _CLOCKS_APART:
        raise UnusableKey(f"This certificate is not valid before {read.valid_from:%Y-%m-%d %H:%M} UTC.")
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ReadCertificate(ClientCertificate(read.pem, SecretStr(plain.decode())), read.ends_at)


def _from_pem(certificate: str, private_key: str, passphrase: str) -> tuple[str, Any]:
    brought = pem_blocks(certificate) + pem_blocks(private_key)
    chain = [block.pem for block in brought if block.label == "CERTIFICATE"]
    keys = [block.pem for block in brought if block.label.endswith("PRIVATE KEY")]
    if not keys:
        raise UnusableKey("There is no private key: it begins with -----BEGIN PRIVATE KEY-----, or likewise.")
    return "".join(chain), load_private_key(keys[0], passphrase=passphrase)


def _from_pkcs12(text: str, passphrase: str) -> tuple[str, Any]:
    try:
        packed = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        packed = b""  # no such file either
    key, first, others = read_pkcs12(packed, passphrase=passphrase)
    try:
        chain = _in_order(first, others)
    except ValueError:
        raise UnusableKey("A certificate in this file is damaged.") from None
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain), key


def _in_order(first: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the chain from ``first`` on: such a file has the others in any order, and some that do not belong."""
    chain, left = [first], list(others)
    while len(chain) < MOST_CERTIFICATES and (
        issuer := next((one for one in left if one.subject == chain[-1].issuer), None)
    ):
        left.remove(issuer)
        chain.append(issuer)
    return chain
