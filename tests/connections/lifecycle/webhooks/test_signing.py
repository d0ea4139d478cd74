"""Signatures: each secret makes one, over the moment of the attempt, as the library of the standard checks it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from connections.lifecycle.webhooks.signing import PREFIX, new_secret, signed_headers

BODY = b'{"type":"x"}'


def test_every_secret_verifies_and_no_other() -> None:
    first, second, other = new_secret(), new_secret(), new_secret()
    headers = signed_headers(BODY, message_id="m1", at=datetime.now(UTC), keys=[first, second])
    for secret in (first, second):
        assert Webhook(secret.get_secret_value()).verify(BODY, headers) == {"type": "x"}
    with pytest.raises(WebhookVerificationError):
        Webhook(other.get_secret_value()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first.get_secret_value()).verify(BODY + b" ", headers)


def test_the_moment_is_the_same_in_every_zone() -> None:
    secret, now = new_secret(), datetime.now(UTC)
    elsewhere = now.astimezone(timezone(timedelta(hours=9)))
    headers = signed_headers(BODY, message_id="m1", at=elsewhere, keys=[secret])
    assert headers["webhook-timestamp"] == str(int(now.timestamp()))
    Webhook(secret.get_secret_value()).verify(BODY, headers)


def test_secrets_are_long_and_silent() -> None:
    secret = new_secret()
    assert secret.get_secret_value().startswith(PREFIX)
    assert len(secret.get_secret_value()) == len(PREFIX) + 44
    assert secret.get_secret_value() not in repr(secret)
