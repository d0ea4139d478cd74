"""The key by which a client proves itself in place of a secret, and what a vendor makes of such a proof (RFC 7523)."""

from collections.abc import Mapping
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.values import ClientKey, SecretStr
from providers.vocabulary import SigningAlgorithm

_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def client_key() -> ClientKey:
    """Return the key of our registration; it is made once."""
    pem = _private().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return ClientKey("key-1", SigningAlgorithm.RS256, SecretStr(pem.decode()))


def is_signed(sent: Mapping[str, str], client_id: str) -> bool:
    """Whether a request carries an assertion of the client that our key has signed."""
    if sent.get("client_assertion_type") != _TYPE:
        return False
    try:
        claims = jwt.decode(
            sent.get("client_assertion", ""),
            _private().public_key(),
            algorithms=["RS256"],
            options={"verify_aud": False, "require": ["iss", "sub", "aud", "exp"]},
        )
    except jwt.InvalidTokenError:
        return False
    return bool(claims["sub"] == client_id)


@cache
def _private() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
