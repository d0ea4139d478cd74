"""Proof Key for Code Exchange (RFC 7636), S256 only."""

import base64
import hashlib
import secrets


def new_verifier() -> str:
    """Return a fresh code verifier: 256 bits, 43 characters (§4.1)."""
    return secrets.token_urlsafe(32)


def challenge(verifier: str) -> str:
    """Return the S256 code challenge of ``verifier`` (§4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode()
