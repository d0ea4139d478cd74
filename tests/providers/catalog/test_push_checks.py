"""What an entry says of pushes hangs together, or is named with what to do."""

from typing import Any

import pytest

from tests.providers.catalog.test_checks import problems

SIGNED = {"scheme": "hmac", "signature": "X-Acme-Signature", "account": "/account"}
TOKEN = {
    "scheme": "security_event_token",
    "key": "none",
    "issuer": "https://acme.example/",
    "jwks_url": "https://acme.example/keys",
    "account": "/event/subject/sub",
}


def told(**push: Any) -> list[str]:
    return [problem for problem in problems(push=push) if problem.startswith("push")]


def test_what_hangs_together_has_none() -> None:
    assert told(**SIGNED) == []
    assert told(**TOKEN) == []
    assert told(**SIGNED, timestamp="X-Acme-Time", signed="{timestamp}.{method}{url}{body}") == []
    assert told(scheme="shared_secret", secret_at="/state", account="/account") == []


@pytest.mark.parametrize(
    ("push", "key"),
    [
        ({**SIGNED, "signature": None}, "push.signature"),
        ({**SIGNED, "signed": "{body}{secret}"}, "push.signed"),
        ({**SIGNED, "signed": "{body"}, "push.signed"),
        ({**SIGNED, "signed": "{url}"}, "push.signed"),
        ({**SIGNED, "timestamp": "X-Acme-Time"}, "push.timestamp"),
        ({**SIGNED, "signed": "{timestamp}{body}"}, "push.timestamp"),
        ({**SIGNED, "signed": "{timestamp}{body}", "timestamp_member": "t"}, "push.timestamp_member"),
        ({**SIGNED, "account": ""}, "push.account"),
        ({**SIGNED, "account": "account"}, "push.account"),
        ({**SIGNED, "account": "/account~2"}, "push.account"),
        ({**SIGNED, "account_param": "shop"}, "push.account_param"),
        ({**SIGNED, "account_pattern": "^a$"}, "push.account_pattern"),
        ({**SIGNED, "account_pattern": "("}, "push.account_pattern"),
        ({**SIGNED, "type": []}, "push.type"),
        ({**SIGNED, "items": "events"}, "push.items"),
        ({**SIGNED, "key": "none"}, "push.key"),
        ({**SIGNED, "steps": ["Subscribe"]}, "push.steps"),
        ({**SIGNED, "challenges": [{"value": "/a"}]}, "push.challenges"),
        ({**SIGNED, "challenges": [{"type": "a", "query": "b"}]}, "push.challenges"),
        ({**SIGNED, "events": [{"type": "a"}, {"type": "a"}]}, "push.events"),
        ({**SIGNED, "events": [{"type": "a", "needs": "b"}]}, "push.events"),
        ({**TOKEN, "issuer": ""}, "push.jwks_url"),
        ({**TOKEN, "jwks_url": "http://acme.example/keys"}, "push.jwks_url"),
        ({**TOKEN, "key": "push_secret"}, "push.key"),
        ({"scheme": "shared_secret", "account": "/account"}, "push.secret_at"),
        (
            {"scheme": "shared_secret", "secret_at": "/s", "account": "/a", "events": [{"type": "a"}]},
            "push.events",
        ),
    ],
)
def test_what_does_not_is_named_by_its_key(push: dict[str, Any], key: str) -> None:
    found = told(**push)
    assert found
    assert all(problem.startswith(key) for problem in found)
