"""Client certificates as people have them: PEM, or a PKCS #12 file (RFC 7292), with the private key that fits."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from pydantic import SecretStr

from providers.signing.certificates import read_certificates
from providers.signing.keys import UnusableKey, load_private_key
from providers.values import ClientCertificate

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_LINE = 64
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
    brought = _blocks(certificate) + _blocks(private_key)
    chain = [text for kind, text in brought if kind == "CERTIFICATE"]
    keys = [text for kind, text in brought if kind.endswith("PRIVATE KEY")]
    if not keys:
        raise UnusableKey("There is no private key: it begins with -----BEGIN PRIVATE KEY-----, or likewise.")
    return "".join(chain), load_private_key(keys[0], passphrase=passphrase)


def _from_pkcs12(text: str, passphrase: str) -> tuple[str, Any]:
    try:
        packed = base64.b64decode("".join(text.split()), validate=True)
        held = pkcs12.load_pkcs12(packed, passphrase.encode() or None)
    except (ValueError, binascii.Error, UnsupportedAlgorithm):
        raise UnusableKey(
            "This is neither a certificate in PEM nor a PKCS #12 file in Base64, or the passphrase does not open it."
        ) from None
    if held.key is None or held.cert is None:
        raise UnusableKey("This PKCS #12 file does not hold both a certificate and its private key.")
    chain = _in_order(held.cert.certificate, [one.certificate for one in held.additional_certs])
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in chain), held.key


def _in_order(first: x509.Certificate, others: list[x509.Certificate]) -> list[x509.Certificate]:
    """Return the chain from ``first`` on: such a file has the others in any order, and some that do not belong."""
    chain, left = [first], list(others)
    while issuer := next((one for one in left if one.subject == chain[-1].issuer), None):
        left.remove(issuer)
        chain.append(issuer)
    return chain


def _blocks(text: str) -> list[tuple[str, str]]:
    """Return kind and text of each block of PEM, in whole lines: a form may have joined them."""
    found = []
    for kind, body in _BLOCK.findall(text):
        if ":" in body:  # headers of the old form of encryption, which need their lines as they are
            lines = body.strip().splitlines()
        else:
            packed = "".join(body.split())
            lines = [packed[start : start + _LINE] for start in range(0, len(packed), _LINE)]
        found.append((kind, "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])))
    return found
