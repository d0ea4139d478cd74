"""Two-step login: what is sent, what is read of the answer, and what each answer means."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.loader import entry
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.typed_methods import TwoStepLoginMethod
from providers.errors import (
    GrantRejected,
    MalformedResponse,
    ProviderError,
    ProviderUnavailable,
    RequestRejected,
)
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities
from providers.values import ClientRegistration, Credential

STYLE = TwoStepLoginMethod.style
STRATEGY = strategy_for(STYLE)
TYPED = {"username": "ann@globex/de", "password": "canary-pass"}
SESSION = {"session": {"token": "token-1", "expires_in": 900}}
HELD = Credential(access_token=SecretStr("token-1"), fields={n: SecretStr(v) for n, v in TYPED.items()})
LOGIN = {"url": "{issuer}/session", "token": "/session/token", "expiry": {"field": "/session/expires_in"}}


@pytest.fixture
def target_with(egress_policy: Any, provider: Any) -> Callable[..., Target]:
    """Return a function that makes a target whose ``login`` and ``logout`` are as told."""

    def make(logout: dict[str, Any] | None = None, **login: Any) -> Target:
        fields = [{"name": "username", "label": "Name", "secret": False}, {"name": "password", "label": "Password"}]
        section = {"fields": fields, "login": {**LOGIN, **login}, "logout": logout}
        params = [param.model_dump() for param in entry("sandbox").params]
        described = CatalogEntry.model_validate({"slug": "acme", "name": "Acme", "params": params, STYLE: section})
        registration = ClientRegistration(client_id="", params={"issuer": provider.url})
        return resolve(entry=described, style=STYLE, registration=registration, discovered={}, params={})

    return make


def test_sends_what_was_typed_where_the_entry_has_it(target_with: Any, provider: Any) -> None:
    provider.answers_with(201, SESSION)
    target = target_with(body={"user": {"name": "{username}", "password": "{password}"}, "apps": ["x"]})
    found = STRATEGY.accept(target, TYPED)
    assert (provider.last.method, provider.last.target) == ("POST", "/session")
    assert provider.last.json == {"user": {"name": "ann@globex/de", "password": "canary-pass"}, "apps": ["x"]}
    assert found.credential == HELD
    assert (found.lifetime_seconds, found.is_endless) == (900, False)


def test_sends_a_form_headers_and_another_method(target_with: Any, provider: Any) -> None:
    provider.answers_with(200, SESSION)
    login = {"method": "PUT", "url": "{issuer}/in/{username}", "format": "form", "body": {"p": "{password}"}}
    STRATEGY.accept(target_with(**login, headers={"Authorization": "Basic {base64:{username}:{password}}"}), TYPED)
    sent = provider.last
    assert (sent.method, sent.target, sent.form) == ("PUT", "/in/ann@globex%2Fde", {"p": "canary-pass"})
    assert base64.b64decode(sent.headers["Authorization"].removeprefix("Basic ")) == b"ann@globex/de:canary-pass"


@pytest.mark.parametrize(
    ("login", "body", "headers"),
    [
        ({"token": "/data/0/t"}, {"data": [{"t": "token-1"}]}, {}),
        ({"token": ""}, "token-1", {}),
        ({"token": "/t"}, b"t=token-1&x=2", {"Content-Type": "application/x-www-form-urlencoded"}),
        ({"token": None, "token_header": "X-Subject-Token"}, b"", {"X-Subject-Token": "token-1"}),
    ],
)
def test_finds_the_token_where_the_entry_says(
    target_with: Any, provider: Any, login: dict[str, Any], body: Any, headers: dict[str, str]
) -> None:
    provider.answers_with(200, body, headers=headers)
    assert STRATEGY.accept(target_with(**login), TYPED).credential.access_token == SecretStr("token-1")


def test_keeps_what_the_entry_asks_for(target_with: Any, provider: Any) -> None:
    provider.answers_with(200, {**SESSION, "server": {"url": "https://eu.acme.example"}, "id": 7, "no": {}})
    extra = {"home": "/server/url", "number": "/id", "odd": "/no", "missing": "/nope"}
    found = STRATEGY.accept(target_with(extra=extra), TYPED).credential
    assert found.extra == {"home": "https://eu.acme.example", "number": "7"}


@pytest.mark.parametrize(
    ("login", "answer", "seconds"),
    [
        ({}, {"session": {"token": "t"}}, None),
        ({"default_lifetime_seconds": 600}, {"session": {"token": "t"}}, 600),
        ({"expiry": {"field": "/ttl", "format": "minutes"}}, {"session": {"token": "t"}, "ttl": 5}, 300),
        ({"expiry": {"field": "ttl", "format": "duration"}}, {"session": {"token": "t"}, "ttl": "2h"}, 7200),
    ],
)
def test_reads_when_the_session_ends(target_with: Any, provider: Any, login: Any, answer: Any, seconds: Any) -> None:
    provider.answers_with(200, answer)
    assert STRATEGY.accept(target_with(**login), TYPED).lifetime_seconds == seconds


def test_a_session_without_end_is_told_as_that(target_with: Any, provider: Any) -> None:
    provider.answers_with(200, {"session": {"token": "t", "expires_in": 0}})
    target = target_with(expiry={"field": "/session/expires_in", "never": ["0"]})
    assert STRATEGY.accept(target, TYPED).is_endless


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (401, b"", GrantRejected),
        (401, {"error": "invalid_client"}, GrantRejected),
        (400, {"error": "invalid_client"}, GrantRejected),
        (403, {"code": "LOGIN_DENIED"}, GrantRejected),
        (403, b"<html>banned</html>", MalformedResponse),
        (400, {"error": "bad_region"}, RequestRejected),
        (429, b"", ProviderUnavailable),
        (503, b"", ProviderUnavailable),
        (200, {"session": {}}, MalformedResponse),
        (200, {"session": {"token": "with\nbreak"}}, MalformedResponse),
        (200, {"session": {"token": 7}}, MalformedResponse),
        (200, b"<html>Sign in</html>", MalformedResponse),
    ],
)
def test_each_answer_means_what_it_says(
    target_with: Any, provider: Any, status: int, body: Any, failure: type[ProviderError]
) -> None:
    provider.answers_with(status, body)
    rules = [{"status": 403, "field": "code", "value": "LOGIN_DENIED", "means": "grant_rejected"}]
    with pytest.raises(failure) as caught:
        STRATEGY.refresh(target_with(errors=rules), HELD)
    assert "canary" not in repr(caught.value) + repr(caught.value.evidence)


def test_logs_in_again_with_what_was_typed_and_nothing_of_the_last_session(target_with: Any, provider: Any) -> None:
    provider.answers_with(200, {"session": {"token": "token-2", "expires_in": 900}})
    target = target_with(body={"n": "{username}", "p": "{password}"})
    found = STRATEGY.refresh(target, HELD).credential
    assert (found.access_token, found.fields) == (SecretStr("token-2"), HELD.fields)
    assert "token-1" not in repr(provider.last)


@pytest.mark.parametrize("status", [200, 204, 401, 404, 410])
def test_logs_out_of_the_session_that_it_is_given(target_with: Any, provider: Any, status: int) -> None:
    provider.answers_with(status, b"")
    logout = {"method": "DELETE", "url": "{issuer}/session/{access_token}", "headers": {"X-Token": "{access_token}"}}
    target = target_with(logout=logout)
    assert STRATEGY.capabilities(target) == Capabilities(refreshes=True, revokes=True)
    STRATEGY.revoke(target, HELD)
    assert (provider.last.method, provider.last.target) == ("DELETE", "/session/token-1")
    assert provider.last.headers["X-Token"] == "token-1"


def test_a_logout_that_fails_is_told(target_with: Any, provider: Any) -> None:
    provider.answers_with(503, b"")
    with pytest.raises(ProviderUnavailable):
        STRATEGY.revoke(target_with(logout={"url": "{issuer}/out"}), HELD)


def test_without_a_logout_there_is_nothing_to_revoke_by(target_with: Any) -> None:
    assert STRATEGY.capabilities(target_with()) == Capabilities(refreshes=True)
    with pytest.raises(NotImplementedError):
        STRATEGY.revoke(target_with(), HELD)
