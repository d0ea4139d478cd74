from typing import Any

import pytest
from pydantic import SecretStr

from providers.errors import (
    ClientRejected,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
)
from providers.oauth.revocation import revoke
from providers.values import Credential

HELD = Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt"))


def test_revokes_the_refresh_token_first_and_authenticates(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, b"")
    target = make_target()
    revoke(target=target, registration=target.registration, credential=HELD)
    assert [request.form for request in provider.requests] == [
        {"token": "rt", "token_type_hint": "refresh_token"},
        {"token": "at", "token_type_hint": "access_token"},
    ]
    assert all(request.headers["Authorization"].startswith("Basic ") for request in provider.requests)
    assert {request.target for request in provider.requests} == {"/revoke"}


def test_revokes_what_there_is(make_target: Any, provider: Any) -> None:
    provider.answers_with(204, b"")
    target = make_target(client_authentication="client_secret_post")
    revoke(target=target, registration=target.registration, credential=Credential(access_token=SecretStr("at")))
    assert len(provider.requests) == 1
    assert provider.last.form["client_secret"] == "s e/c+ret"


@pytest.mark.parametrize("error", ["unsupported_token_type", "invalid_token", "invalid_grant"])
def test_token_that_is_gone_or_cannot_be_revoked_is_no_failure(make_target: Any, provider: Any, error: str) -> None:
    provider.answers_with(400, {"error": error})
    target = make_target()
    revoke(target=target, registration=target.registration, credential=HELD)
    assert len(provider.requests) == 2


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, {"error": "invalid_client"}, ClientRejected),
        (503, b"", ProviderUnavailable),
        (404, b"<html>", MalformedResponse),
    ],
)
def test_other_answers_are_named_failures(
    make_target: Any, provider: Any, status: int, body: Any, expected: type[ProviderError]
) -> None:
    provider.answers_with(status, body)
    target = make_target()
    with pytest.raises(expected):
        revoke(target=target, registration=target.registration, credential=HELD)


def test_provider_without_the_endpoint_is_named(make_target: Any) -> None:
    target = make_target(revocation_url="")
    with pytest.raises(MisconfiguredProvider, match="acme has no revocation endpoint"):
        revoke(target=target, registration=target.registration, credential=HELD)
