"""Verify that a push is the provider's: signatures with a secret, with a public key, and plain shared secrets.

``prove`` is for all schemes; that of security event tokens is in ``security_event``. What is compared with a secret is
compared in constant time.
"""

import base64
import hmac
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr

from providers.catalog.pointer import value_at
from providers.catalog.pushes import HEADER, PushRules
from providers.pushes.arrival import Arrival, Proven, PushRefused, digest_of, document_in
from providers.pushes.events import events_in
from providers.pushes.security_event import verified_token

_PLACEHOLDER = re.compile(r"\{([a-z]+)\}")
_LONGEST_SIGNATURE = 4096
_MOST_SIGNATURES = 10
_LONGEST_TIMESTAMP = 40
_MOST_FIELDS = 10
# A person's sign-in and a page in a frame are signed in the same form; an end names no code, token or place.
_OF_OTHER_REQUESTS = {"code", "oauth_token", "page", "app_data"}


def prove(rules: PushRules, arrival: Arrival, *, secrets: Sequence[SecretStr], client_id: str, now: datetime) -> Proven:
    """Return what is proven of ``arrival`` by any of ``secrets``, and read it.

    A security event token may need its issuer's keys (HTTP); all else is no I/O. Raises ``PushRefused``.
    """
    if rules.scheme == "security_event_token":
        return verified_token(rules, arrival, client_id=client_id, now=now)
    if not secrets:
        raise PushRefused("no_secret")
    if rules.scheme == "signed_request":
        return _by_signed_request(rules, arrival, secrets, now=now)
    if rules.scheme == "shared_secret":
        return _by_shared_secret(rules, arrival, secrets)
    return _by_signature(rules, arrival, secrets, now=now)


def signature_of(rules: PushRules, secret: SecretStr, message: bytes) -> bytes:
    """Return the HMAC of ``message`` as the provider writes it, without what stands before it. No I/O."""
    raw = hmac.digest(secret.get_secret_value().encode(), message, rules.hash)
    return base64.b64encode(raw) if rules.encoding == "base64" else raw.hex().encode()


def signed_message(rules: PushRules, arrival: Arrival, *, stamp: str) -> bytes:
    """Return what the provider signs of ``arrival``. No I/O."""
    values = {
        "body": arrival.body,
        "timestamp": stamp.encode(),
        "method": arrival.method.encode(),
        "url": arrival.url.encode(),
        "id": arrival.headers.get(rules.id.removeprefix(HEADER).lower(), "").encode("utf-8", "surrogatepass"),
    }
    parts = _PLACEHOLDER.split(rules.signed)
    return b"".join(values[part] if position % 2 else part.encode() for position, part in enumerate(parts))


def _by_signature(rules: PushRules, arrival: Arrival, secrets: Sequence[SecretStr], *, now: datetime) -> Proven:
    header = arrival.headers.get((rules.signature or "").lower(), "")
    if not header:
        raise PushRefused("signature_missing")
    if len(header) > _LONGEST_SIGNATURE or not header.isascii():
        raise PushRefused("signature")
    stamp = _stamp(rules, arrival, header)
    message = signed_message(rules, arrival, stamp=stamp)
    given = list(_signatures(rules, header))[:_MOST_SIGNATURES]
    # Every secret is tried with every signature, so that the time says nothing about which of them was close.
    fitting = [_fits(rules, secret, message, one) for secret in secrets for one in given]
    if not any(fitting):
        raise PushRefused("signature")
    signed_at = _moment(stamp, rules.timestamp_unit) if stamp else None
    if signed_at is not None:
        _check_age(rules, signed_at, now=now)
    return Proven(document_in(arrival.body), signed_at, digest_of(message))


def _signatures(rules: PushRules, header: str) -> Iterator[str]:
    if rules.signature_member:
        yield from _members(header, rules.signature_member)
    elif header.startswith(rules.signature_prefix):
        yield header.removeprefix(rules.signature_prefix)


def _members(header: str, name: str) -> Iterator[str]:
    for part in header.split(","):
        found, _, value = part.strip().partition("=")
        if found == name and value:
            yield value


def _fits(rules: PushRules, secret: SecretStr, message: bytes, signature: str) -> bool:
    if rules.scheme == "ed25519":
        return _is_signed_by(secret.get_secret_value(), message, signature)
    expected = signature_of(rules, secret, message)
    given = signature.encode() if rules.encoding == "base64" else signature.lower().encode()
    return hmac.compare_digest(expected, given)


def _is_signed_by(public_key: str, message: bytes, signature: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _stamp(rules: PushRules, arrival: Arrival, header: str) -> str:
    """Return the moment as it stands in what is signed, "" where none does. Raises ``PushRefused``."""
    if "{timestamp}" not in rules.signed:
        return ""
    if rules.timestamp_member:
        found = next(_members(header, rules.timestamp_member), "")
    else:
        found = arrival.headers.get((rules.timestamp or "").lower(), "")
    is_number = found.isascii() and found.isdecimal()
    if not (is_number or rules.timestamp_unit == "text") or not 0 < len(found) <= _LONGEST_TIMESTAMP:
        raise PushRefused("timestamp")
    return found


def _check_age(rules: PushRules, signed_at: datetime, *, now: datetime) -> None:
    if abs((now - signed_at).total_seconds()) > rules.max_age_seconds:
        raise PushRefused("stale")


def _moment(stamp: str, unit: str) -> datetime:
    try:
        if unit == "text":
            return in_utc(datetime.fromisoformat(stamp))
        return datetime.fromtimestamp(int(stamp) / (1000 if unit == "ms" else 1), UTC)
    except (ValueError, OverflowError, OSError):
        raise PushRefused("timestamp") from None


def in_utc(said: datetime) -> datetime:
    """Return what a provider wrote as a moment: in UTC where it names no zone, wherever this process runs."""
    return said.astimezone(UTC) if said.tzinfo else said.replace(tzinfo=UTC)


def _by_signed_request(rules: PushRules, arrival: Arrival, secrets: Sequence[SecretStr], *, now: datetime) -> Proven:
    """Return what is proven of a form whose ``signed_request`` is a signature and what it signs, each in Base64URL.

    https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback, 2026-11-30.
    """
    try:
        fields = parse_qsl(arrival.body.decode("ascii"), strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise PushRefused("malformed") from None
    given = [value for name, value in fields if name == "signed_request"]
    if len(given) != 1 or given[0].count(".") != 1:
        raise PushRefused("signature_missing")
    signature, _, payload = given[0].encode("utf-8", "surrogatepass").partition(b".")
    made = [hmac.digest(secret.get_secret_value().encode(), payload, "sha256") for secret in secrets]
    told = signature.rstrip(b"=")
    fitting = [hmac.compare_digest(base64.urlsafe_b64encode(one).rstrip(b"="), told) for one in made]
    if not any(fitting):
        raise PushRefused("signature")
    request = document_in(_decoded(payload))
    if not isinstance(request, dict) or str(request.get("algorithm")).upper() != "HMAC-SHA256":
        raise PushRefused("signature")
    if _OF_OTHER_REQUESTS & request.keys():
        raise PushRefused("signature")
    issued_at = request.get("issued_at")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int):
        raise PushRefused("timestamp")
    signed_at = _moment(str(issued_at)[:_LONGEST_TIMESTAMP], "s")
    _check_age(rules, signed_at, now=now)
    return Proven({"type": "signed_request", "request": request}, signed_at, digest_of(payload))


def _decoded(payload: bytes) -> bytes:
    try:
        return base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4))
    except ValueError:
        raise PushRefused("malformed") from None


def _by_shared_secret(rules: PushRules, arrival: Arrival, secrets: Sequence[SecretStr]) -> Proven:
    document = document_in(arrival.body)
    found = events_in(rules, document)
    if not found:
        raise PushRefused("signature_missing")
    for event in found:
        given = value_at(event, rules.secret_at)
        if not isinstance(given, str):
            raise PushRefused("signature_missing")
        told = given.encode("utf-8", "surrogatepass")
        fitting = [hmac.compare_digest(secret.get_secret_value().encode(), told) for secret in secrets]
        if not any(fitting):
            raise PushRefused("signature")
    return Proven(document, None, digest_of(arrival.body))
