"""A small typed client of Latchkey, for services and agents. It needs ``requests`` or ``httpx``, and nothing else.

- ``client``: ``Latchkey`` and ``AsyncLatchkey`` · ``api``: operations, values and problems, generated from the document
- ``auth``: ``ConnectionAuth`` renews by itself · ``webhooks``: ``verify_webhook`` · ``errors``: what can go wrong
- ``calls``: requests, repeats, pages · ``wire``: HTTP · ``shapes``: from JSON to values
"""

from latchkey_client.auth import ConnectionAuth
from latchkey_client.calls import etag_of
from latchkey_client.client import AsyncLatchkey, Latchkey
from latchkey_client.errors import (
    ForeignOrigin,
    InvalidSignature,
    LatchkeyError,
    NotHandedOut,
    Problem,
    UnexpectedAnswer,
    Unreachable,
)
from latchkey_client.webhooks import verify_webhook

__all__ = [
    "AsyncLatchkey",
    "ConnectionAuth",
    "ForeignOrigin",
    "InvalidSignature",
    "Latchkey",
    "LatchkeyError",
    "NotHandedOut",
    "Problem",
    "UnexpectedAnswer",
    "Unreachable",
    "etag_of",
    "verify_webhook",
]
