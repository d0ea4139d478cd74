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

from providers.signing.bounds import SHORTEST_RSA_BITS, UnusableKey, check_length, check_opening, check_private
from providers.signing.pem import Block, pem_blocks
from providers.vocabulary import SigningAlgorithm

MADE_RSA_BITS = 3072
_OPENSSH_WITHOUT_PASSPHRASE = b"openssh-key-v1\x00" + b"\x00\x00\x00\x04none" * 2  # the cipher, and its key
_PUBLIC = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
_PRIVATE = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
_NEEDS = {
    SigningAlgorithm.RS256: "an RSA key of 2048 bits or more",
    SigningAlgorithm.PS256: "an RSA key of 2048 bits or more",
    SigningAlgorithm.ES256: "an EC key on the curve P-256",
    SigningAlgorithm.EDDSA: "an Ed25519 key",
}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


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
            made = rsa.generate_private_key(public_exponent=65537, key_size=MADE_RSA_BITS)
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
    """Return the private key that is the first in ``pem``, of whatever kind. Raises ``UnusableKey``.

    What it costs to open, and to check, is known before either is done.
    """
    held = [block for block in pem_blocks(pem) if block.label.endswith("PRIVATE KEY")]
    if not held:
        raise UnusableKey("This is no private key in PEM: it begins with -----BEGIN PRIVATE KEY-----, or likewise.")
    block, text = held[0], held[0].pem.encode(errors="replace")
    check_length(block.size)
    if block.label == "OPENSSH PRIVATE KEY":
        _check_openssh(block)
        return _loaded(serialization.load_ssh_private_key, text, passphrase)
    if block.label == "ENCRYPTED PRIVATE KEY":
        check_opening(block.der)
    return _loaded(serialization.load_pem_private_key, text, passphrase)


def load_packed_key(der: bytes, *, passphrase: str = "", besides: int = 0) -> Any:
    """Return a private key in PKCS #8, encrypted if there is a ``passphrase``, of a file that takes ``besides`` rounds.

    Raises ``UnusableKey``.
    """
    check_length(len(der))
    if passphrase:
        check_opening(der, besides=besides)
    return _loaded(serialization.load_der_private_key, der, passphrase)


def _loaded(load: Any, held: bytes, passphrase: str) -> Any:
    password = passphrase.encode(errors="replace") or None
    try:
        key = load(held, password, unsafe_skip_rsa_key_validation=True)
        check_private(key)
        if not isinstance(key, rsa.RSAPrivateKey):
            return key
        # Its numbers are checked now that they are known to be small. It is not opened a second time for that.
        return serialization.load_pem_private_key(key.private_bytes(*_PRIVATE), None)
    except TypeError:
        told = "is not encrypted: leave the passphrase out" if passphrase else "is encrypted: give its passphrase"
        raise UnusableKey(f"This private key {told}.") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableKey(
            "This private key cannot be read: it is damaged or cut off, of a kind that is not used here, or the"
            " passphrase is another."
        ) from None


def _check_openssh(block: Block) -> None:
    """Raise ``UnusableKey`` if a key in OpenSSH's own form is encrypted: its bcrypt may take any time, and is rare."""
    try:
        is_open = block.der.startswith(_OPENSSH_WITHOUT_PASSPHRASE)
    except ValueError:
        is_open = True  # the library says what is wrong with it
    if not is_open:
        raise UnusableKey(
            "This key is encrypted in OpenSSH's own form: write it in the usual one, as"
            " `ssh-keygen -p -m PKCS8 -f FILE` does, or take its passphrase off."
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
