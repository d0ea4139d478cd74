"""Key pairs: made here, or brought as PEM, and the public half in the forms that providers want.

The private half is PKCS #8 in PEM and travels as a ``SecretStr``. PyJWT spells JWKs (RFC 7517); the cryptography is
that of ``cryptography``. No exception here quotes a key.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from pydantic import SecretStr

from providers.vocabulary import SigningAlgorithm

SHORTEST_RSA_BITS = 2048
_MADE_RSA_BITS = 3072
LONGEST_RSA_BITS = 4096  # checking the numbers of a longer key holds the whole process up for seconds
_LONGEST_PEM = 32 * 1024
_PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
_PRIVATE = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_NEEDS = {
    SigningAlgorithm.RS256: "an RSA key of 2048 bits or more",
    SigningAlgorithm.PS256: "an RSA key of 2048 bits or more",
    SigningAlgorithm.ES256: "an EC key on the curve P-256",
    SigningAlgorithm.EDDSA: "an Ed25519 key",
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


class UnusableKey(Exception):
    """A key or certificate cannot be used. The text is a sentence for whoever brought it, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair: the private half as PKCS #8 in PEM, the public half as SubjectPublicKeyInfo in PEM."""

    algorithm: SigningAlgorithm
    private_key: SecretStr
    public_key: str


def make_key_pair(algorithm: SigningAlgorithm) -> KeyPair:
    """Return a fresh key pair for ``algorithm``: RSA of 3072 bits, EC on P-256, or Ed25519."""
    made: PrivateKey
    match algorithm:
        case SigningAlgorithm.RS256 | SigningAlgorithm.PS256:
            made = rsa.generate_private_key(public_exponent=65537, key_size=_MADE_RSA_BITS)
        case SigningAlgorithm.ES256:
            made = ec.generate_private_key(ec.SECP256R1())
        case SigningAlgorithm.EDDSA:
            made = ed25519.Ed25519PrivateKey.generate()
        case _:
            raise UnusableKey(f"{algorithm} has no key pair.")
    return _pair(algorithm, made)


def read_key_pair(pem: str, *, algorithm: SigningAlgorithm, passphrase: str = "") -> KeyPair:
    """Return the key pair of a private key in PEM: PKCS #8, PKCS #1, SEC 1 or OpenSSH's own form.

    Raises ``UnusableKey`` if ``pem`` is no private key, does not open with ``passphrase``, or does not fit
    ``algorithm``.
    """
    brought = load_private_key(pem, passphrase=passphrase)
    if not fits(brought, algorithm):
        raise UnusableKey(f"{algorithm} needs {_NEEDS.get(algorithm, 'a key pair')}: this key is of another kind.")
    return _pair(algorithm, brought)


def load_private_key(pem: str, *, passphrase: str = "") -> Any:
    """Return the private key in ``pem``, of whatever kind. Raises ``UnusableKey``."""
    text = pem.strip().encode(errors="replace")
    if not 0 < len(text) <= _LONGEST_PEM or b"PRIVATE KEY-----" not in text:
        raise UnusableKey("This is no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----, or likewise.")
    is_openssh = b"BEGIN OPENSSH" in text
    load = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    password = passphrase.encode(errors="replace") or None
    try:
        if not is_openssh:
            _check_length(serialization.load_pem_private_key(text, password, unsafe_skip_rsa_key_validation=True))
        return load(text, password=password)
    except TypeError:
        told = "is not encrypted: leave the passphrase out" if passphrase else "is encrypted: give its passphrase"
        raise UnusableKey(f"This private key {told}.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey(
            "This private key cannot be read: it is damaged or cut off, or the passphrase is another."
        ) from None


def _check_length(key: object) -> None:
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size > LONGEST_RSA_BITS:
        raise UnusableKey(
            f"This RSA key has {key.key_size} bits: use one of {SHORTEST_RSA_BITS} to {LONGEST_RSA_BITS}."
        )


def load_known_key(private_key: SecretStr) -> Any:
    """Return a private key that was checked when it was made or taken: it is not checked again.

    Checking the numbers of an RSA key takes a fifth of a second. Raises ``UnusableKey``.
    """
    try:
        return serialization.load_pem_private_key(
            private_key.get_secret_value().encode(), None, unsafe_skip_rsa_key_validation=True
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UnusableKey("The key cannot be read.") from None


def fits(key: object, algorithm: SigningAlgorithm) -> bool:
    """Whether a private or public ``key`` of the library can be used with ``algorithm`` (RFC 7518 §3, RFC 8037)."""
    match algorithm:
        case SigningAlgorithm.RS256 | SigningAlgorithm.PS256:
            return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey) and key.key_size >= SHORTEST_RSA_BITS
        case SigningAlgorithm.ES256:
            curve_keys = ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey
            return isinstance(key, curve_keys) and isinstance(key.curve, ec.SECP256R1)
        case SigningAlgorithm.EDDSA:
            return isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey)
        case _:
            return False


def public_jwk(public_key: str) -> dict[str, Any]:
    """Return the members of the JWK (RFC 7517) of a public key in PEM that say what the key is, and no others."""
    key = serialization.load_pem_public_key(public_key.encode())
    found: dict[str, Any]
    if isinstance(key, rsa.RSAPublicKey):
        found = RSAAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        found = ECAlgorithm.to_jwk(key, as_dict=True)
    elif isinstance(key, ed25519.Ed25519PublicKey):
        found = OKPAlgorithm.to_jwk(key, as_dict=True)
    else:
        raise UnusableKey("This is no public key of a kind that signs here.")
    return {name: found[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in found}


def thumbprint(public_key: str) -> str:
    """Return the JWK thumbprint of a public key in PEM (RFC 7638, SHA-256): what a key is called if nobody names it."""
    members = json.dumps(public_jwk(public_key), sort_keys=True, separators=(",", ":"))
    return base64url(hashlib.sha256(members.encode()).digest())


def base64url(data: bytes) -> str:
    """Return ``data`` in Base64 for URLs, without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pair(algorithm: SigningAlgorithm, key: PrivateKey) -> KeyPair:
    return KeyPair(
        algorithm=algorithm,
        private_key=SecretStr(key.private_bytes(*_PRIVATE).decode()),
        public_key=key.public_key().public_bytes(*_PUBLIC).decode(),
    )
