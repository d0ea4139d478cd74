"""Random values and their digests.

Owns how the sandbox makes tokens, codes and keys, and the two one-way forms in which it keeps them: the SHA-256 digest
in the store, the 12-digit fingerprint in the request log. No raw value is stored or logged anywhere.
"""

import hashlib
import secrets

ACCESS_PREFIX = "sba_"
REFRESH_PREFIX = "sbr_"
API_KEY_PREFIX = "sbk_"
SESSION_PREFIX = "sbs_"
DEVICE_PREFIX = "sbd_"
_FINGERPRINT_LENGTH = 12


def new_token(prefix: str) -> str:
    """Return a fresh value of 256 random bits behind ``prefix``, which shows its kind if it turns up somewhere."""
    return prefix + secrets.token_urlsafe(32)


def digest(value: str) -> str:
    """Return the SHA-256 of ``value`` in hexadecimal: the form in which it is stored and looked up."""
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def fingerprint(value: str) -> str:
    """Return the first 12 hexadecimal digits of the SHA-256 of ``value``: enough to tell tokens apart in a log."""
    return shortened(digest(value))


def shortened(known: str) -> str:
    """Return the fingerprint of the value whose digest is known."""
    return known[:_FINGERPRINT_LENGTH]
