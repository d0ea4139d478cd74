"""What a token request presents in its header: the client's id and secret (RFC 6749 §2.3.1)."""

import base64
import binascii
from urllib.parse import unquote_plus

from oauthlib.common import Request


def basic_credentials(request: Request) -> tuple[str, str]:
    """Return client id and secret of an ``Authorization: Basic`` header, ("", "") without a usable one."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        client_id, _, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return unquote_plus(client_id), secret
