"""Webhook signatures, compared with the library of Standard Webhooks, which signs as their senders do."""

import base64
import json
import secrets
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from latchkey_client import InvalidSignature, verify_webhook
from standardwebhooks import Webhook

from connections.lifecycle.webhooks.signing import new_secret as webhook_secret
from connections.lifecycle.webhooks.signing import signed_headers

NOW = 1_790_000_000


def new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def repr_short(document: object) -> str:
    return repr(document)[:10]


def signed(secret: str, body: bytes, *, at: int = NOW, identifier: str = "msg_1") -> dict[str, str]:
    """Return the headers that a sender would send."""
    signature = Webhook(secret).sign(identifier, datetime.fromtimestamp(at, UTC), body.decode())
    return {"Webhook-Id": identifier, "Webhook-Timestamp": str(at), "webhook-signature": signature}


@pytest.mark.parametrize("document", [{}, {"a": [1, None]}, {"ü": "日本.語"}, {"long": "x" * 70_000}], ids=repr_short)
def test_what_the_library_signs_is_believed(document: dict[str, object]) -> None:
    secret, body = new_secret(), json.dumps(document, ensure_ascii=False).encode()
    assert verify_webhook(body, signed(secret, body), secret, now=NOW) == json.loads(body)


def test_either_secret_serves_while_one_replaces_the_other() -> None:
    old, new, body = new_secret(), new_secret(), b'{"type": "connection.connected"}'
    assert verify_webhook(body, signed(old, body), [new, old], now=NOW)
    both = signed(old, body)
    both["webhook-signature"] += " " + signed(new, body)["webhook-signature"]
    assert verify_webhook(body, both, new, now=NOW)
    with pytest.raises(InvalidSignature):
        verify_webhook(body, signed(old, body), new, now=NOW)


@pytest.mark.parametrize("changed", ["body", "Webhook-Id", "Webhook-Timestamp", "webhook-signature"])
def test_whatever_is_changed_on_the_way_is_noticed(changed: str) -> None:
    secret, body = new_secret(), b'{"a": 1}'
    headers = signed(secret, body)
    if changed == "body":
        body = b'{"a": 2}'
    elif changed == "Webhook-Timestamp":
        headers[changed] = str(NOW + 1)
    else:
        headers[changed] = headers[changed][:-2] + "AA"
    with pytest.raises(InvalidSignature):
        verify_webhook(body, headers, secret, now=NOW)


@pytest.mark.parametrize("late", [-301, 301])
def test_what_is_too_old_or_too_new_is_not_believed(late: int) -> None:
    secret = new_secret()
    with pytest.raises(InvalidSignature):
        verify_webhook(b"{}", signed(secret, b"{}"), secret, now=NOW + late)
    assert verify_webhook(b"{}", signed(secret, b"{}"), secret, now=NOW + late, tolerance_seconds=400) == {}


@pytest.mark.parametrize("missing", ["Webhook-Id", "Webhook-Timestamp", "webhook-signature"])
def test_a_missing_header_is_named(missing: str) -> None:
    secret = new_secret()
    headers = {name: value for name, value in signed(secret, b"{}").items() if name != missing}
    with pytest.raises(InvalidSignature, match=missing.lower()):
        verify_webhook(b"{}", headers, secret, now=NOW)


@pytest.mark.parametrize("timestamp", ["", "soon", "-5", "1e9", "١٧٩٠٠٠٠٠٠٠", "9" * 400, "9" * 5000])
def test_a_timestamp_is_a_plain_number(timestamp: str) -> None:
    secret = new_secret()
    with pytest.raises(InvalidSignature):
        verify_webhook(b"{}", signed(secret, b"{}") | {"Webhook-Timestamp": timestamp}, secret, now=NOW)


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v1a,AAAA", "v2,AAAA", "v1,é", "v1,\udce9"])
def test_a_signature_of_another_kind_is_not_believed(signature: str) -> None:
    secret = new_secret()
    with pytest.raises(InvalidSignature):
        verify_webhook(b"{}", signed(secret, b"{}") | {"webhook-signature": signature}, secret, now=NOW)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_a_secret_that_is_none_is_never_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="webhook secret") as refused:
        verify_webhook(b"{}", signed(new_secret(), b"{}"), secret, now=NOW)
    assert "not base64" not in str(refused.value)


def test_without_a_moment_it_is_now() -> None:
    secret = new_secret()
    assert verify_webhook(b"[]", signed(secret, b"[]", at=int(time.time())), secret) == []
    with pytest.raises(InvalidSignature):
        verify_webhook(b"[]", signed(secret, b"[]", at=NOW - 400_000_000), secret)


@pytest.mark.parametrize("body", [b"hello", b"", b"[" * 200_000, b"9" * 5000])
def test_a_signed_body_that_is_no_json_is_refused(body: bytes) -> None:
    secret = new_secret()
    with pytest.raises(InvalidSignature):
        verify_webhook(body, signed(secret, body), secret, now=NOW)


@pytest.mark.parametrize("identifier", ["", "\ud800", "é", "x" * 100_000])
def test_an_odd_id_is_not_believed_and_breaks_nothing(identifier: str) -> None:
    secret = new_secret()
    with pytest.raises(InvalidSignature):
        verify_webhook(b"{}", signed(secret, b"{}") | {"Webhook-Id": identifier}, secret, now=NOW)


def test_what_latchkey_signs_is_believed_before_and_after_a_secret_is_replaced() -> None:
    old, new, body = webhook_secret(), webhook_secret(), b'{"type":"connection.connected"}'
    at = datetime.fromtimestamp(NOW, timezone(timedelta(hours=9)))
    headers = signed_headers(body, message_id="evt_1", at=at, keys=[new, old])
    for secret in (old, new):
        assert verify_webhook(body, headers, secret.get_secret_value(), now=NOW) == {"type": "connection.connected"}
