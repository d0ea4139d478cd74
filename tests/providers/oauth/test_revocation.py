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


def sent(provider: Any) -> Any:
    """Return what each request said: method, authorization and parameters."""
    return [
        (request.method, request.headers.get("Authorization", "").split(" ")[0], request.form or None)
        for request in provider.requests
    ]


@pytest.mark.parametrize(
    ("revocation", "expected"),
    [
        (
            {"authentication": "none"},
            [
                ("POST", "", {"token": "rt", "token_type_hint": "refresh_token"}),
                ("POST", "", {"token": "at", "token_type_hint": "access_token"}),
            ],
        ),
        (
            {"authentication": "token_bearer", "tokens": ["access_token"], "token_parameter": ""},
            [("POST", "Bearer", None)],
        ),
        (
            {"tokens": ["access_token"], "token_parameter": "key", "params": {"who": "{client_id}/{region}"}},
            [("POST", "Basic", {"who": "client:1/eu", "key": "at", "token_type_hint": "access_token"})],
        ),
        (
            {"authentication": "client_secret_bearer", "tokens": ["refresh_token"], "token_parameter": ""},
            [("POST", "Bearer", None)],
        ),
    ],
)
def test_asks_as_the_catalogue_says(
    make_target: Any, provider: Any, revocation: dict[str, Any], expected: list[Any]
) -> None:
    provider.answers_with(200, b"")
    target = make_target(revocation=revocation)
    revoke(target=target, registration=target.registration, credential=HELD)
    assert sent(provider) == expected


def test_bearer_is_the_one_that_the_catalogue_names(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, b"")
    for authentication, said in (
        ("token_bearer", "Bearer at"),
        ("client_secret_bearer", "Bearer s e/c+ret"),
        ("client_secret_client", "Client s e/c+ret"),
    ):
        target = make_target(revocation={"authentication": authentication, "tokens": ["access_token"]})
        revoke(target=target, registration=target.registration, credential=HELD)
        assert provider.last.headers["Authorization"] == said


def test_deletes_with_json_and_another_authentication(make_target: Any, provider: Any) -> None:
    provider.answers_with(204, b"")
    target = make_target(
        client_authentication="client_secret_post",
        revocation_url=f"{provider.url}/apps/{{client_id}}/grant",
        token_type_hint=False,
        request_headers={"X-Version": "2"},
        revocation={
            "method": "DELETE",
            "format": "json",
            "authentication": "client_secret_basic",
            "tokens": ["access_token"],
            "token_parameter": "access_token",
        },
    )
    revoke(target=target, registration=target.registration, credential=HELD)
    assert (provider.last.method, provider.last.target) == ("DELETE", "/apps/client%3A1/grant")
    assert provider.last.json == {"access_token": "at"}
    assert provider.last.headers["X-Version"] == "2"
    assert provider.last.headers["Authorization"].startswith("Basic ")


def test_speaks_json_where_the_token_endpoint_does(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, b"")
    target = make_target(token_request_format="json")
    revoke(target=target, registration=target.registration, credential=HELD)
    assert provider.last.json == {"token": "at", "token_type_hint": "access_token"}


def test_rules_of_this_endpoint_come_before_the_method_s(make_target: Any, provider: Any) -> None:
    provider.answers_with(401, {"error": "invalid_client"})
    rules = [{"value": "invalid_client", "means": "grant_rejected"}]
    target = make_target(revocation={"errors": rules}, errors=[{"value": "invalid_client", "means": "unavailable"}])
    revoke(target=target, registration=target.registration, credential=HELD)
    assert len(provider.requests) == 2


def test_parameter_that_the_credential_lacks_is_named(make_target: Any, provider: Any) -> None:
    target = make_target(extra_response_fields=["user"], revocation={"params": {"user": "{user}"}})
    with pytest.raises(MisconfiguredProvider, match="lacks user"):
        revoke(target=target, registration=target.registration, credential=HELD)
    assert provider.requests == []
