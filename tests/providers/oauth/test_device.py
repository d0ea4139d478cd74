"""Device authorization (RFC 8628): what is asked, what is believed of the answer, and what each poll says."""

from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.errors import (
    AccessDenied,
    AuthorizationPending,
    ClientRejected,
    DeviceCodeExpired,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
)
from providers.oauth import device
from providers.oauth.unread import AnswerUnread
from providers.values import DeviceAuthorization
from tests.providers.strategies.conftest import sandbox_target  # noqa: F401 - a fixture

STYLE = DeviceAuthorizationMethod.style
CODE = SecretStr("dc-canary-1")
ANSWER = {
    "device_code": "dc-canary-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://acme.example/device",
    "verification_uri_complete": "https://acme.example/device?user_code=WDJB-MJHT",
    "expires_in": 900,
    "interval": 7,
}


@pytest.fixture
def target(sandbox_target: Any) -> Any:  # noqa: F811 - that fixture
    return sandbox_target(STYLE)


def test_asks_for_a_code_as_the_registered_client(target: Any, provider: Any) -> None:
    provider.answers_with(200, ANSWER)
    found = device.ask_for_code(target=target, scopes=("a", "b"))
    sent = provider.last
    assert (sent.method, sent.path) == ("POST", "/device_authorization")
    assert sent.form == {"client_id": "client", "scope": "a b"}
    assert sent.headers["Authorization"].startswith("Basic ")
    assert found == DeviceAuthorization(
        device_code=CODE,
        user_code="WDJB-MJHT",
        verification_uri="https://acme.example/device",
        verification_uri_complete="https://acme.example/device?user_code=WDJB-MJHT",
        lifetime_seconds=900,
        interval_seconds=7,
    )
    assert "canary" not in repr(found)
    assert "WDJB" not in repr(found)


def test_adds_what_the_entry_asks_for(sandbox_target: Any, provider: Any) -> None:  # noqa: F811 - that fixture
    provider.answers_with(200, ANSWER)
    section = {
        "device_authorization_params": {"audience": "{issuer}/api"},
        "request_headers": {"X-Version": "2"},
        "client_authentication": "none",
        "scope_separator": ",",
        "resource": "{issuer}/mcp",
    }
    device.ask_for_code(target=sandbox_target(STYLE, changes={"device_authorization": section}), scopes=("a", "b"))
    assert provider.last.form == {
        "client_id": "client",
        "scope": "a,b",
        "audience": f"{provider.url}/api",
        "resource": f"{provider.url}/mcp",
    }
    assert provider.last.headers["X-Version"] == "2"
    assert "Authorization" not in provider.last.headers


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"interval": None, "expires_in": None}, (600, 5)),
        ({"interval": 0, "expires_in": -1}, (600, 5)),
        ({"interval": "8", "expires_in": "1200"}, (1200, 8)),
        ({"interval": 10**12, "expires_in": 10**12}, (600, 5)),
        ({"interval": 3600, "expires_in": 86_400}, (1800, 60)),
        ({"interval": True, "expires_in": [1]}, (600, 5)),
        ({"interval": 0.2, "expires_in": 2}, (30, 5)),
    ],
)
def test_odd_times_are_clamped(target: Any, provider: Any, changes: dict[str, Any], expected: tuple[int, int]) -> None:
    provider.answers_with(200, ANSWER | changes)
    found = device.ask_for_code(target=target, scopes=())
    assert (found.lifetime_seconds, found.interval_seconds) == expected


def test_the_older_name_of_the_page_is_known(target: Any, provider: Any) -> None:
    older = {name: value for name, value in ANSWER.items() if not name.startswith("verification")}
    provider.answers_with(200, older | {"verification_url": "https://acme.example/d"})
    found = device.ask_for_code(target=target, scopes=())
    assert (found.verification_uri, found.verification_uri_complete) == ("https://acme.example/d", "")


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//acme.example/device",
        "https://user@acme.example/device",
        "http://acme.example/device",
        "https://acme.example/\n",
        "https://" + "a" * 2000,
        "https://[",
        "https://acme.example:99999/device",
        "https://acme.example:port/device",
        7,
        None,
    ],
)
def test_nobody_is_sent_to_a_page_that_is_none(target: Any, provider: Any, page: object) -> None:
    provider.answers_with(200, ANSWER | {"verification_uri": page})
    with pytest.raises(MalformedResponse) as caught:
        device.ask_for_code(target=target, scopes=())
    assert "canary" not in repr(caught.value.evidence)
    provider.answers[:] = []
    provider.answers_with(200, ANSWER | {"verification_uri_complete": page})
    assert device.ask_for_code(target=target, scopes=()).verification_uri_complete == ""


@pytest.mark.parametrize(
    ("status", "answer", "failure"),
    [
        (200, {}, MalformedResponse),
        (200, ANSWER | {"user_code": "x" * 65}, MalformedResponse),
        (200, ANSWER | {"user_code": "a\x00b"}, MalformedResponse),
        (200, ANSWER | {"user_code": "  "}, MalformedResponse),
        (200, ANSWER | {"device_code": ""}, MalformedResponse),
        (401, {"error": "invalid_client"}, ClientRejected),
        (400, {"error": "invalid_scope"}, RequestRejected),
        (503, {}, ProviderUnavailable),
    ],
)
def test_a_request_that_fails_has_a_name(
    target: Any, provider: Any, status: int, answer: Any, failure: type[ProviderError]
) -> None:
    provider.answers_with(status, answer)
    with pytest.raises(failure):
        device.ask_for_code(target=target, scopes=())


def test_polls_with_the_device_code(target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 60, "scope": "a"})
    found = device.poll(target=target, device_code=CODE)
    assert provider.last.form == {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": "dc-canary-1",
        "client_id": "client",
    }
    assert found.credential.refresh_token == SecretStr("rt-1")
    assert (found.lifetime_seconds, found.scopes) == (60, ("a",))


@pytest.mark.parametrize(
    ("status", "error", "failure"),
    [
        (400, "authorization_pending", AuthorizationPending),
        (428, "authorization_pending", AuthorizationPending),
        (200, "authorization_pending", AuthorizationPending),
        (400, "slow_down", AuthorizationPending),
        (200, "slow_down", AuthorizationPending),
        (400, "expired_token", DeviceCodeExpired),
        (400, "invalid_grant", DeviceCodeExpired),
        (400, "access_denied", AccessDenied),
        (403, "access_denied", AccessDenied),
        (400, "authorization_declined", AccessDenied),
        (401, "invalid_client", ClientRejected),
        (400, "invalid_request", RequestRejected),
        (503, "temporarily_unavailable", ProviderUnavailable),
    ],
)
def test_each_answer_to_a_poll_has_its_meaning(
    target: Any, provider: Any, status: int, error: str, failure: type[ProviderError]
) -> None:
    provider.answers_with(status, {"error": error, "error_description": "canary"})
    with pytest.raises(failure) as caught:
        device.poll(target=target, device_code=CODE)
    assert "canary" not in repr(caught.value) + repr(caught.value.evidence)
    if isinstance(caught.value, AuthorizationPending):
        assert caught.value.slows_down is (error == "slow_down")


def test_a_success_that_cannot_be_read_is_carried_up(target: Any, provider: Any) -> None:
    provider.answers_with(200, {"data": {"accessToken": "a-token-of-some-length"}})
    with pytest.raises(AnswerUnread):
        device.poll(target=target, device_code=CODE)


def test_an_entry_without_the_style_is_told(sandbox_target: Any) -> None:  # noqa: F811 - that fixture
    target = sandbox_target("oauth2_client_credentials", changes={"device_authorization": None})
    with pytest.raises(MisconfiguredProvider):
        device.ask_for_code(target=target, scopes=())
