"""Signatures of webhooks: Standard Webhooks 1.0, symmetric (HMAC-SHA256, ``v1``). Pure.

The library ``standardwebhooks`` signs with one secret and takes the time of another zone for UTC. So it checks these
signatures in the tests, and makes none.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime

from pydantic import SecretStr

PREFIX = "whsec_"
_BYTES = 32  # the specification asks for 24 to 64


def new_secret() -> SecretStr:
    """Return a fresh secret, as receivers are given it: the prefix, and 256 random bits in base64."""
    return SecretStr(PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode())


def signed_headers(body: bytes, *, message_id: str, at: datetime, keys: Sequence[SecretStr]) -> dict[str, str]:
    """Return the headers that identify, date and sign ``body``: a signature for each of ``keys``, in their order.

    ``at`` is the aware moment of this attempt; ``message_id`` stays the same for all attempts.
    """
    stamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    raw = [base64.b64decode(key.get_secret_value().removeprefix(PREFIX)) for key in keys]
    signatures = [base64.b64encode(hmac.digest(key, signed, hashlib.sha256)) for key in raw]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(f"v1,{signature.decode()}" for signature in signatures),
    }
