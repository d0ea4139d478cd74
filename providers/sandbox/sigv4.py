"""AWS Signature Version 4, checked by the book, and the access keys that sign so.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (2026-11-29). Written out
here on purpose: a check by the library that signs would agree with its mistakes.
"""

import hashlib
import hmac
import re
import secrets
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote

from flask import Request, request

from providers.sandbox.exchange import Exchange
from providers.sandbox.state import Sandbox
from providers.sandbox.tokens import digest, fingerprint

_KIND = "access_key"
_SCHEME = "AWS4-HMAC-SHA256"
_HEADER = re.compile(rf"{_SCHEME} Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{{64}})")
_SKEW_SECONDS = 300
_FOR_EVER = 10.0 * 365 * 86_400


def create_access_key(sandbox: Sandbox, *, username: str, is_temporary: bool) -> dict[str, str]:
    """Return a fresh access key of a person: access_key_id, secret_access_key and, if temporary, session_token."""
    made = {
        "access_key_id": f"AKIA{secrets.token_hex(8).upper()}",
        "secret_access_key": secrets.token_urlsafe(30),
        "session_token": secrets.token_urlsafe(60) if is_temporary else "",
    }
    with sandbox.store.transaction() as ledger:
        kept = made | {"username": username}
        ledger.put_document(_KIND, digest(made["access_key_id"]), kept, expires_at=time.time() + _FOR_EVER)
    return {name: value for name, value in made.items() if value}


def revoke_access_key(sandbox: Sandbox, access_key_id: str) -> None:
    """Forget an access key."""
    with sandbox.store.transaction() as ledger:
        ledger.drop_document(_KIND, digest(access_key_id))


def signing_person(exchange: Exchange) -> str:
    """Return whose key has signed the request, "" if the signature is not right. Notes on the log why it is not."""
    entry, found = exchange.entry, _HEADER.fullmatch(request.headers.get("Authorization", ""))
    if found is None:
        entry.outcome = "no_credential"
        return ""
    credential, signed, signature = found.groups()
    key_id, _, scope = credential.partition("/")
    entry.api_key_presented = fingerprint(key_id)
    with exchange.sandbox.store.transaction() as ledger:
        key = ledger.document(_KIND, digest(key_id), now=time.time())
    if key is None:
        entry.outcome = "api_key_unknown"
        return ""
    sent_at = request.headers.get("X-Amz-Date", "")
    entry.outcome = _why_not(key, scope, signed, signature, sent_at)
    if entry.outcome:
        return ""
    entry.username, entry.outcome = key["username"], "accepted"
    return str(key["username"])


def _why_not(key: dict[str, Any], scope: str, signed: str, signature: str, sent_at: str) -> str:
    """Return what is wrong with the signature, "" if it is right."""
    try:
        moment = datetime.strptime(sent_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        day, region, service, terminator = scope.split("/")
    except ValueError:
        return "wrong_signature"
    if abs(moment.timestamp() - time.time()) > _SKEW_SECONDS or not sent_at.startswith(day):
        return "timestamp_refused"
    names = signed.split(";")
    if terminator != "aws4_request" or not {"host", "x-amz-date"} <= set(names):
        return "wrong_signature"
    if (key["session_token"] or "") != request.headers.get("X-Amz-Security-Token", ""):
        return "wrong_signature"
    secret = f"AWS4{key['secret_access_key']}".encode()
    for part in (day, region, service, terminator):
        secret = hmac.digest(secret, part.encode(), "sha256")
    hashed = hashlib.sha256(_canonical(request, names).encode()).hexdigest()
    expected = hmac.new(secret, f"{_SCHEME}\n{sent_at}\n{scope}\n{hashed}".encode(), "sha256").hexdigest()
    return "" if hmac.compare_digest(expected, signature) else "wrong_signature"


def _canonical(asked: Request, names: list[str]) -> str:
    """Return the canonical form of the request, with the headers of these ``names``."""
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(asked.query_string.decode(), keep_blank_values=True)
    )
    headers = [f"{name}:{' '.join(asked.headers.get(name, '').split())}" for name in names]
    payload = hashlib.sha256(asked.get_data(cache=True)).hexdigest()
    return "\n".join(
        [
            asked.method,
            quote(asked.path, safe="/-_.~"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *headers,
            "",
            ";".join(names),
            payload,
        ]
    )
