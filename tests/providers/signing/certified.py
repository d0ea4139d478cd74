"""Certificates for key pairs, made on the spot."""

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from providers.signing.keys import KeyPair, load_private_key, make_key_pair
from providers.vocabulary import SigningAlgorithm


def certificate_of(pair: KeyPair, *, issuer: KeyPair | None = None, days: float = 90) -> str:
    """Return a certificate of ``pair`` as PEM, signed by ``issuer``, or by itself; it ends in ``days``."""
    signer = issuer or pair
    return _certificate(
        serialization.load_pem_public_key(pair.public_key.encode()),
        load_private_key(signer.private_key.get_secret_value()),
        subject="authority" if issuer is None else "client",
        days=days,
    )


def authority() -> KeyPair:
    """Return a key pair that issues certificates."""
    return make_key_pair(SigningAlgorithm.ES256)


def _certificate(public_key: Any, signer: Any, *, subject: str, days: float) -> str:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=400))
        .not_valid_after(now + timedelta(days=days))
        .sign(signer, None if "ed25519" in type(signer).__module__ else hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
