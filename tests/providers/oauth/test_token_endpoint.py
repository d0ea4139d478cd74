"""Requests to the token endpoint as a real server sees them, and the traps of the libraries that write them."""

import base64
import logging
import traceback
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import ClientCredentialsMethod
from providers.errors import (
    ClientRejected,
    GrantRejected,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
    TargetRefused,
)
from providers.oauth import token_endpoint
from providers.oauth.unread import AnswerUnread
from providers.values import ClientRegistration, CodeGrant, Credential

GRANT = CodeGrant(code=SecretStr("the code&="), kept=SecretStr("v" * 43), scopes=("read", "write"))
HELD = Credential(access_token=SecretStr("old-at"), refresh_token=SecretStr("old rt+/="))
SUCCESS = {"access_token": "new-at", "refresh_token": "new-rt", "expires_in": 3600, "scope": "read"}
BASIC = "Basic " + base64.b64encode(b"client%3A1:s+e%2Fc%2Bret").decode()


def test_exchanges_a_code_with_basic_authentication(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    found = token_endpoint.exchange_code(target=make_target(), grant=GRANT)
    assert found.credential.access_token == SecretStr("new-at")
    assert found.credential.refresh_token == SecretStr("new-rt")
    assert (found.lifetime_seconds, found.scopes) == (3600, ("read",))
    assert (provider.last.method, provider.last.target) == ("POST", "/token")
    assert provider.last.headers["Authorization"] == BASIC
    assert provider.last.headers["Accept"] == "application/json"
    assert provider.last.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert provider.last.form == {
        "grant_type": "authorization_code",
        "code": "the code&=",
        "code_verifier": "v" * 43,
        "redirect_uri": "https://latchkey.example/connect/callback/1",
    }


def test_refreshes_with_client_authentication_and_without_scope(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    found = token_endpoint.refresh(target=make_target(), credential=HELD)
    assert found.credential.refresh_token == SecretStr("new-rt")
    assert provider.last.headers["Authorization"] == BASIC
    assert provider.last.form == {"grant_type": "refresh_token", "refresh_token": "old rt+/="}


def test_keeps_old_refresh_token_when_none_is_returned(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "new-at"})
    found = token_endpoint.refresh(target=make_target(), credential=HELD)
    assert found.credential.refresh_token == HELD.refresh_token
    assert (found.lifetime_seconds, found.scopes) == (None, None)


def test_narrowed_scope_does_not_cost_the_rotated_token(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS | {"scope": "something else entirely"})
    assert token_endpoint.refresh(target=make_target(), credential=HELD).scopes == ("something", "else", "entirely")
    assert token_endpoint.exchange_code(target=make_target(), grant=GRANT).scopes == ("something", "else", "entirely")


def test_secret_may_travel_in_the_body(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(client_authentication="client_secret_post")
    token_endpoint.refresh(target=target, credential=HELD)
    assert "Authorization" not in provider.last.headers
    assert provider.last.form["client_id"] == "client:1"
    assert provider.last.form["client_secret"] == "s e/c+ret"
    assert provider.last.query == {}


@pytest.mark.parametrize("settings", [{}, {"client_authentication": "none"}])
def test_public_client_names_itself_and_sends_no_empty_secret(
    make_target: Any, provider: Any, settings: dict[str, str]
) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(registration=ClientRegistration(client_id="public"), **settings)
    token_endpoint.exchange_code(target=target, grant=GRANT)
    token_endpoint.refresh(target=target, credential=HELD)
    for received in provider.requests:
        assert received.form["client_id"] == "public"
        assert "client_secret" not in received.form
        assert "Authorization" not in received.headers


def test_requests_can_be_json(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(token_request_format="json", client_authentication="client_secret_post")
    token_endpoint.exchange_code(target=target, grant=GRANT)
    assert provider.last.headers["Content-Type"] == "application/json"
    assert provider.last.json["code"] == "the code&="
    token_endpoint.refresh(target=target, credential=HELD)
    assert provider.last.json == {
        "grant_type": "refresh_token",
        "refresh_token": "old rt+/=",
        "client_id": "client:1",
        "client_secret": "s e/c+ret",
    }


def test_parameters_of_the_catalogue_are_added_filled_in(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(token_params={"audience": "https://{region}.api.example"}, params={"region": "us"})
    token_endpoint.refresh(target=target, credential=HELD)
    assert provider.last.form["audience"] == "https://us.api.example"


def test_each_token_request_names_the_api_that_the_token_is_for(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    where = {"resource": "https://{region}.api.example/mcp", "token_params": {"audience": "x"}}
    target = make_target(**where, params={"region": "us"})
    machine = make_target(ClientCredentialsMethod.style, **where, params={"region": "us"})
    token_endpoint.exchange_code(target=target, grant=GRANT)
    token_endpoint.refresh(target=target, credential=HELD)
    token_endpoint.client_credentials(target=machine, registration=machine.registration)
    assert [sent.form["resource"] for sent in provider.requests] == ["https://us.api.example/mcp"] * 3
    assert [sent.form["audience"] for sent in provider.requests] == ["x"] * 3


def test_a_server_that_does_not_know_the_api_refuses_the_request_and_not_the_grant(
    make_target: Any, provider: Any
) -> None:
    provider.answers_with(400, {"error": "invalid_target"})
    with pytest.raises(RequestRejected) as caught:
        token_endpoint.refresh(target=make_target(resource="https://api.example"), credential=HELD)
    assert caught.value.evidence.error == "invalid_target"


def test_client_credentials_ask_for_the_scopes(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "m2m", "expires_in": 60})
    target = make_target(ClientCredentialsMethod.style, scope_separator=",")
    found = token_endpoint.client_credentials(
        target=target, registration=target.registration, scopes=("files.read", "files.write")
    )
    assert found.credential.access_token == SecretStr("m2m")
    assert found.credential.refresh_token is None
    assert provider.last.headers["Authorization"] == BASIC
    assert provider.last.form == {"grant_type": "client_credentials", "scope": "files.read,files.write"}


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": "invalid_grant"}, GrantRejected),
        (401, b"", ClientRejected),
        (200, {"error": "invalid_client"}, ClientRejected),
        (500, {"access_token": "from a broken server"}, ProviderUnavailable),
        (503, b"<html>", ProviderUnavailable),
        (200, b"<html>", AnswerUnread),
        (200, b"", MalformedResponse),
        (200, b"[]", AnswerUnread),
        (200, b"null", AnswerUnread),
        (200, {"access_token": None}, AnswerUnread),
        (302, b"", TargetRefused),
    ],
)
def test_answers_are_classified_before_oauthlib_reads_them(
    make_target: Any, provider: Any, status: int, body: Any, expected: type[ProviderError]
) -> None:
    provider.answers_with(status, body, headers={"Retry-After": "9", "Location": "https://elsewhere.example/"})
    for attempt in (
        lambda: token_endpoint.exchange_code(target=make_target(), grant=GRANT),
        lambda: token_endpoint.refresh(target=make_target(), credential=HELD),
    ):
        with pytest.raises(ProviderError) as caught:
            attempt()
        assert type(caught.value) is expected
        assert caught.value.sent
        if expected is ProviderUnavailable:
            assert caught.value.retry_after_seconds == 9


def test_odd_values_beside_a_good_token_do_not_cost_it(make_target: Any, provider: Any) -> None:
    provider.answers_with(
        200, {"access_token": "new-at", "expires_in": "NaN", "scope": 7, "expires_at": "x", "token_type": None}
    )
    found = token_endpoint.refresh(target=make_target(), credential=HELD)
    assert found.credential.access_token == SecretStr("new-at")


@pytest.mark.parametrize("value", [None, "0", "1"])
def test_insecure_transport_switch_of_oauthlib_has_no_say(
    make_target: Any, provider: Any, egress_policy: Any, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv("OAUTHLIB_INSECURE_TRANSPORT", raising=False)
    if value is not None:
        monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", value)
    provider.answers_with(200, SUCCESS)
    target = make_target()
    token_endpoint.refresh(target=target, credential=HELD)
    egress_policy(allow_loopback=False)
    with pytest.raises(TargetRefused) as caught:
        token_endpoint.refresh(target=target, credential=HELD)
    assert (caught.value.sent, len(provider.requests)) == (False, 1)


def test_missing_refresh_token_or_code_is_a_refused_grant_unsent(make_target: Any, provider: Any) -> None:
    for attempt in (
        lambda: token_endpoint.refresh(target=make_target(), credential=Credential(access_token=SecretStr("a"))),
        lambda: token_endpoint.exchange_code(target=make_target(), grant=CodeGrant(SecretStr(""), None)),
    ):
        with pytest.raises(GrantRejected) as caught:
            attempt()
        assert not caught.value.sent
    assert provider.requests == []


@pytest.mark.parametrize("code", ["\x00", "naïve", "%zz", "a+b&c=d"])
def test_code_is_sent_as_it_is(make_target: Any, provider: Any, code: str) -> None:
    provider.answers_with(200, SUCCESS)
    token_endpoint.exchange_code(target=make_target(), grant=CodeGrant(SecretStr(code), None))
    assert provider.last.form["code"] == code


def test_code_that_cannot_be_written_is_a_named_failure_unsent(make_target: Any, provider: Any) -> None:
    with pytest.raises(MisconfiguredProvider) as caught:
        token_endpoint.exchange_code(target=make_target(), grant=CodeGrant(SecretStr("\ud800"), None))
    assert not caught.value.sent
    assert provider.requests == []


def test_url_that_is_none_is_a_named_failure(make_target: Any) -> None:
    for url in ("https://", "https://[::1/token", "https://exa mple/token"):
        with pytest.raises(ProviderError) as caught:
            token_endpoint.refresh(target=make_target(token_url=url), credential=HELD)
        assert not caught.value.sent


def test_no_secret_reaches_a_log_or_an_exception(
    make_target: Any, provider: Any, every_log_record: list[logging.LogRecord]
) -> None:
    secrets = ["canary-code", "canary-verifier", "canary-rt", "canary-secret", "canary-new-at", "canary-prose"]
    grant = CodeGrant(code=SecretStr("canary-code"), kept=SecretStr("canary-verifier" * 4))
    held = Credential(refresh_token=SecretStr("canary-rt"))
    registration = ClientRegistration("id", (SecretStr("canary-secret"),), "https://l.example/cb")
    target = make_target(registration=registration, client_authentication="client_secret_post")
    texts: list[str] = []
    for status, body in (
        (200, {"access_token": "canary-new-at", "refresh_token": "canary-rt"}),
        (400, {"error": "invalid_grant", "error_description": "canary-prose for canary-rt"}),
        (400, {"error": "canary-rt canary-prose"}),
        (200, b"<html>canary-prose canary-rt"),
        (302, b"canary-prose"),
    ):
        provider.answers[:] = []
        provider.answers_with(status, body, headers={"Location": "https://x.example/?canary-rt"})
        for attempt in (
            lambda: token_endpoint.exchange_code(target=target, grant=grant),
            lambda: token_endpoint.refresh(target=target, credential=held),
        ):
            try:
                texts.append(repr(attempt()))
            except ProviderError as failure:
                texts += [
                    "".join(traceback.format_exception(failure)),
                    repr(failure.evidence),
                    repr(failure.__context__),
                ]
    texts += [record.getMessage() for record in every_log_record]
    assert len(provider.requests) == 10
    assert [secret for secret in secrets if any(secret in text for text in texts)] == []


def test_headers_of_the_catalogue_go_along(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS)
    target = make_target(request_headers={"X-Version": "{region}-1"})
    token_endpoint.exchange_code(target=target, grant=GRANT)
    assert provider.last.headers["X-Version"] == "eu-1"
    assert provider.last.headers["Authorization"] == BASIC
    token_endpoint.refresh(target=target, credential=HELD)
    assert provider.last.headers["X-Version"] == "eu-1"


def test_tokens_are_where_the_entry_points_whatever_was_asked_for(make_target: Any, provider: Any) -> None:
    provider.answers_with(
        200, {"access_token": "outer", "user": {"access_token": "inner", "refresh_token": "inner-rt"}}
    )
    target = make_target(token_pointer="/user")
    for found in (
        token_endpoint.exchange_code(target=target, grant=GRANT),
        token_endpoint.refresh(target=target, credential=HELD),
    ):
        assert found.credential.access_token == SecretStr("inner")
        assert found.credential.refresh_token == SecretStr("inner-rt")
    machine = make_target(ClientCredentialsMethod.style, token_pointer="/user")
    found = token_endpoint.client_credentials(target=machine, registration=machine.registration)
    assert found.credential.access_token == SecretStr("inner")


def test_only_the_answer_to_a_refresh_may_have_its_tokens_at_the_top_instead(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, SUCCESS | {"user": {"id": "u"}})
    target = make_target(token_pointer="/user")
    assert token_endpoint.refresh(target=target, credential=HELD).credential.access_token == SecretStr("new-at")
    with pytest.raises(AnswerUnread):
        token_endpoint.exchange_code(target=target, grant=GRANT)
