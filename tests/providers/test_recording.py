"""What is recorded of calls to providers: enough to find out why one failed, and nothing secret wherever it stands."""

import json
from typing import Any

import pytest

from providers import egress
from providers.errors import ProviderError
from providers.recording import HIDDEN, MOST_EXCHANGES, recording, told_of
from tests.providers.conftest import Provider

CANARY = "canary-7f3a9c51"


def test_the_request_and_the_answer_are_kept_by_an_allow_list(provider: Provider) -> None:
    provider.answers_with(400, {"error": "invalid_grant", "error_description": CANARY, "odd": CANARY, "scope": "a b"})
    with recording() as exchanges:
        egress.request(
            "POST",
            f"{provider.url}/oauth2/{CANARY}/token?key={CANARY}",
            headers={"Authorization": f"Basic {CANARY}", "X-Api-Key": CANARY},
            form={"grant_type": "authorization_code", "code": CANARY, CANARY: "x", "custom": CANARY},
        )
    (told,) = exchanges
    assert CANARY not in json.dumps(told)
    assert told["url"].endswith(f"/oauth2/{HIDDEN}/token")
    assert told["sent"] == {"grant_type": "authorization_code", "code": HIDDEN, "others": 3}
    assert told["headers"]["authorization"] == f"Basic {HIDDEN}"
    assert (told["status"], told["answer"]["error"], told["answer"]["others"]) == (400, "invalid_grant", 1)
    assert told["answer"]["error_description"] == HIDDEN


@pytest.mark.parametrize("name", ["error", "token_type", "error_uri", "expires_in", "interval"])
@pytest.mark.parametrize("value", [CANARY, [CANARY], {"a": CANARY}, f"Bearer {CANARY}"])
def test_a_secret_in_an_allowed_member_is_hidden_too(name: str, value: Any) -> None:
    assert CANARY not in json.dumps(told_of({name: value}))


def test_a_failed_call_says_how(provider: Provider) -> None:
    with recording() as exchanges, pytest.raises(ProviderError):
        egress.request("GET", "http://127.0.0.1:9/token")
    assert exchanges[0]["failure"] == "provider_unavailable"
    assert exchanges[0]["detail"]


def test_nothing_is_recorded_unless_it_is_asked_for_and_never_without_bound(provider: Provider) -> None:
    provider.answers_with(200, {})
    egress.request("GET", provider.url)
    with recording() as exchanges:
        for _ in range(MOST_EXCHANGES + 2):
            egress.request("GET", provider.url)
    assert len(exchanges) == MOST_EXCHANGES
