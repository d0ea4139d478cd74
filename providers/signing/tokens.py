"""Signed tokens (JWS compact, RFC 7515; JWT, RFC 7519), by PyJWT."""

import warnings
from collections.abc import Mapping
from typing import Any

import jwt
from pydantic import SecretStr

from providers.signing.bounds import UnusableKey
from providers.signing.certificates import certificate_thumbprint
from providers.signing.keys import load_known_key
from providers.values import ClientKey
from providers.vocabulary import SigningAlgorithm

# Providers' clocks differ from ours. A token of a second ago is a token of the future to a clock that is slow.
BACKDATED_SECONDS = 30


def sign(
    claims: Mapping[str, Any],
    *,
    private_key: SecretStr,
    algorithm: SigningAlgorithm,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Return ``claims`` signed with a private key, PKCS #8 in PEM, that was checked when it was made or taken.

    Raises ``UnusableKey``.
    """
    key = load_known_key(private_key)
    try:
        return jwt.encode(dict(claims), key, algorithm=algorithm, headers=dict(header or {}))
    except (jwt.PyJWTError, ValueError, TypeError):
        raise UnusableKey(f"The key does not sign by {algorithm}.") from None


def sign_with_secret(claims: Mapping[str, Any], *, secret: bytes, header: Mapping[str, Any] | None = None) -> str:
    """Return ``claims`` signed by HS256 with a secret that the provider knows as well. Raises ``UnusableKey``."""
    try:
        with warnings.catch_warnings():
            # How long its secrets are is the provider's decision.
            warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
            return jwt.encode(dict(claims), secret, algorithm=SigningAlgorithm.HS256, headers=dict(header or {}))
    except (jwt.PyJWTError, TypeError):
        raise UnusableKey("HS256 signs with a shared secret: this is empty, or a key of another kind.") from None


def sign_as_client(claims: Mapping[str, Any], key: ClientKey, *, header: Mapping[str, Any] | None = None) -> str:
    """Return ``claims`` signed with a key of ours, which the header names, as well as its certificate if it has one.

    Raises ``UnusableKey``.
    """
    named: dict[str, Any] = {"kid": key.kid} if key.kid else {}
    if key.certificates:
        named["x5t#S256"] = certificate_thumbprint(key.certificates)
    return sign(claims, private_key=key.private_key, algorithm=key.algorithm, header={**named, **(header or {})})
