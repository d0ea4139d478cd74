"""Webhooks as Standard Webhooks signs them: HMAC-SHA256 over ``id.timestamp.body``, with secrets ``whsec_…``."""

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from latchkey_client.errors import InvalidSignature

_PREFIX = "whsec_"
_LONGEST_TIMESTAMP = 15


def verify_webhook(
    body: bytes,
    headers: Mapping[str, str],
    secrets: str | Sequence[str],
    *,
    tolerance_seconds: float = 300.0,
    now: float | None = None,
) -> Any:
    """Return the JSON in ``body``, which has to be what was received, byte for byte, once its signature is proven.

    While a secret is being replaced give the old one and the new one: any of ``secrets`` may have signed. A message may
    come twice, so keep the ``webhook-id``. ``now`` is in seconds since 1970. Raises ``InvalidSignature``.
    """
    said = {name.lower(): value for name, value in headers.items()}
    try:
        identifier, timestamp = said["webhook-id"], said["webhook-timestamp"]
        signatures = said["webhook-signature"].split(" ")
    except KeyError as missing:
        raise InvalidSignature(f"The header {missing.args[0]} is missing.") from None
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        raise InvalidSignature("The timestamp cannot be read.")
    if abs((time.time() if now is None else now) - int(timestamp)) > tolerance_seconds:
        raise InvalidSignature("The message is too old, or from the future: look at the clock.")
    signed = f"{identifier}.{timestamp}.".encode(errors="surrogatepass") + body
    known = [_signature(secret, signed) for secret in ([secrets] if isinstance(secrets, str) else secrets)]
    given = [one.removeprefix("v1,").encode(errors="replace") for one in signatures if one.startswith("v1,")]
    if not any(hmac.compare_digest(ours, theirs) for ours in known for theirs in given):
        raise InvalidSignature("No signature fits.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidSignature("The body is signed, and no JSON.") from None


def _signature(secret: str, signed: bytes) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"A webhook secret is {_PREFIX} and Base64.")  # never quoted
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
