"""The keys of a life: our registration's, the account's, and a stranger's; and what a vendor makes of them.

``claims_of_client`` is about a client that proves itself by its key (RFC 7523 §2.2).
"""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import SecretStr

from providers.dialects.certificates import self_signed
from providers.values import ClientKey
from providers.vocabulary import SigningAlgorithm

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_THUMBPRINT = "x5t#S256"
APP, ACCOUNT, STRANGER = "app", "account", "stranger"
# Whose keys a vendor knows, by what a fixture says of that.
KEYS = {"app": (APP,), "typed": (ACCOUNT,), "either": (APP, ACCOUNT)}


def client_key(whose: str = APP, algorithm: SigningAlgorithm = SigningAlgorithm.RS256) -> ClientKey:
    """Return a key as our registration has it."""
    pem = SecretStr(pem_of(whose, algorithm.value))
    return ClientKey("key-1", algorithm, pem, certificates=certificate_of(whose, algorithm.value))


@cache
def certificate_of(whose: str, algorithm: str) -> str:
    """Return the certificate of an RSA key in PEM, "" for a key of another kind."""
    private = private_key(whose, algorithm)
    return self_signed(private) if isinstance(private, rsa.RSAPrivateKey) else ""


@cache
def pem_of(whose: str, algorithm: str) -> str:
    """Return a private key as vendors hand it out: PKCS #8 in PEM."""
    private = private_key(whose, algorithm)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return private.private_bytes(*form).decode()


@cache
def secret_of(whose: str) -> str:
    """Return a shared secret of 32 bytes in hexadecimal."""
    del whose  # each has another one
    return secrets.token_hex(32)


@cache
def private_key(whose: str, algorithm: str) -> PrivateKey:
    """Return the key pair; each is made once."""
    del whose
    if algorithm.startswith("ES"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def fingerprint_of(whose: str, algorithm: str) -> str:
    """Return the Base64 of the SHA-256 of a public key (DER, SubjectPublicKeyInfo)."""
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(
        hashlib.sha256(private_key(whose, algorithm).public_key().public_bytes(*form)).digest()
    ).decode()


def claims_of_client(sent: Mapping[str, str], *, whose: str = APP, algorithm: str = "RS256") -> Mapping[str, Any]:
    """Return the claims of the assertion in a request by which a client proves itself, and what names its key.

    None of it if it is not signed with that key (``whose``) by that ``algorithm``.
    """
    if sent.get("client_assertion_type") != _TYPE:
        return {}
    try:
        found = jwt.decode_complete(
            sent.get("client_assertion", ""),
            private_key(whose, algorithm).public_key(),
            algorithms=[algorithm],
            options={"verify_aud": False, "require": ["iss", "sub", "aud", "exp"]},
        )
    except jwt.InvalidTokenError:
        return {}
    return {
        **found["payload"],
        "kid": found["header"].get("kid", ""),
        _THUMBPRINT: found["header"].get(_THUMBPRINT, ""),
    }
