"""Pushed authorization requests (RFC 9126): what is sent, what is believed of the answer, and what a refusal says."""

from typing import Any

import pytest

from providers.catalog.methods import AuthorizationCodeMethod
from providers.errors import (
    ClientRejected,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    TargetRefused,
)
from providers.oauth.pushed_authorization import push
from tests.providers.strategies.conftest import sandbox_target  # noqa: F401 - a fixture

STYLE = AuthorizationCodeMethod.style
REFERENCE = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"
ASKED = {"response_type": "code", "client_id": "client", "state": "st/ate", "resource": "https://api.example/?a=b"}


@pytest.fixture
def target(sandbox_target: Any) -> Any:  # noqa: F811 - that fixture
    section = {"pushed_authorization_url": "{issuer}/par", "request_headers": {"X-Version": "2"}}
    return sandbox_target(STYLE, changes={"authorization_code": section})


def test_the_request_goes_to_the_server_and_the_browser_carries_a_reference(target: Any, provider: Any) -> None:
    provider.answers_with(201, {"request_uri": REFERENCE, "expires_in": 60})
    assert push(target=target, parameters=ASKED) == {"client_id": "client", "request_uri": REFERENCE}
    sent = provider.last
    assert (sent.method, sent.path, sent.form) == ("POST", "/par", ASKED)
    assert sent.headers["Authorization"].startswith("Basic ")
    assert (sent.headers["Accept"], sent.headers["X-Version"]) == ("application/json", "2")


def test_a_form_is_sent_even_where_token_requests_are_json(
    sandbox_target: Any,  # noqa: F811 - that fixture
    provider: Any,
) -> None:
    provider.answers_with(200, {"request_uri": REFERENCE})
    section = {
        "pushed_authorization_url": "{issuer}/par",
        "token_request_format": "json",
        "client_authentication": "client_secret_post",
    }
    push(target=sandbox_target(STYLE, changes={"authorization_code": section}), parameters=ASKED)
    assert provider.last.form == ASKED | {"client_secret": "client-secret"}


@pytest.mark.parametrize(
    ("status", "body", "expected", "says"),
    [
        (400, {"error": "invalid_redirect_uri"}, RequestRejected, "request: invalid_redirect_uri."),
        (400, {"error": "invalid_scope"}, RequestRejected, "request: invalid_scope."),
        (400, {"error": "invalid_target"}, RequestRejected, "request: invalid_target."),
        (401, {"error": "invalid_client"}, ClientRejected, "request: invalid_client."),
        (401, {}, ClientRejected, "request."),
        (404, b"not here", MisconfiguredProvider, "answers with status 404."),
        (405, b"", MisconfiguredProvider, "answers with status 405."),
        (429, b"", ProviderUnavailable, "does not take"),
        (503, b"", ProviderUnavailable, "does not take"),
        (201, {"expires_in": 60}, MalformedResponse, "holds no request_uri"),
        (201, {"request_uri": "urn:a b"}, MalformedResponse, "holds no request_uri"),
        (201, {"request_uri": "urn:" + "x" * 3000}, MalformedResponse, "holds no request_uri"),
        (201, {"request_uri": 7}, MalformedResponse, "holds no request_uri"),
        (201, [REFERENCE], MalformedResponse, "holds no request_uri"),
    ],
)
def test_what_is_refused_says_so_without_the_request(
    target: Any, provider: Any, status: int, body: Any, expected: type[ProviderError], says: str
) -> None:
    provider.answers_with(status, body, headers={"Retry-After": "7"})
    with pytest.raises(expected) as caught:
        push(target=target, parameters=ASKED)
    assert says in caught.value.evidence.detail
    assert not any(secret in str(caught.value) for secret in ("st/ate", "client-secret"))
    assert caught.value.retry_after_seconds == (7 if expected is ProviderUnavailable else None)


def test_a_redirect_is_not_followed(target: Any, provider: Any) -> None:
    provider.answers_with(307, b"", headers={"Location": f"{provider.url}/elsewhere"})
    with pytest.raises(TargetRefused):
        push(target=target, parameters=ASKED)
    assert len(provider.requests) == 1


def test_without_an_endpoint_nothing_is_sent(sandbox_target: Any, provider: Any) -> None:  # noqa: F811 - that fixture
    with pytest.raises(MisconfiguredProvider, match="names no endpoint"):
        push(target=sandbox_target(STYLE), parameters=ASKED)
    assert provider.requests == []
