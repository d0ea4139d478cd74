import time
from typing import Any

import pytest
from pydantic import SecretStr

from providers.errors import MisconfiguredProvider
from providers.oauth.introspection import introspect
from providers.values import Credential, ProbeResult
from providers.vocabulary import ProbeVerdict, TokenKind

HELD = Credential(access_token=SecretStr("at"), refresh_token=SecretStr("rt"))


def ask(target: Any, **options: Any) -> ProbeResult:
    return introspect(target=target, registration=target.registration, credential=HELD, **options)


def test_active_token_is_alive_with_scopes_and_expiry(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"active": True, "scope": "a b", "exp": int(time.time()) + 600})
    found = ask(make_target())
    assert (found.verdict, found.scopes, found.account) == (ProbeVerdict.ALIVE, ("a", "b"), None)
    assert 595 <= (found.expires_in_seconds or 0) <= 600
    assert provider.last.form == {"token": "at", "token_type_hint": "access_token"}
    assert provider.last.headers["Authorization"].startswith("Basic ")


def test_asks_about_the_refresh_token_where_that_one_is_meant(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"active": True})
    assert ask(make_target(), kind=TokenKind.REFRESH).verdict is ProbeVerdict.ALIVE
    assert provider.last.form == {"token": "rt", "token_type_hint": "refresh_token"}
    without = Credential(access_token=SecretStr("at"))
    target = make_target()
    with pytest.raises(MisconfiguredProvider):
        introspect(target=target, registration=target.registration, credential=without, kind=TokenKind.REFRESH)


def test_inactive_token_is_dead(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"active": False})
    assert ask(make_target()).verdict is ProbeVerdict.DEAD


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {}),
        (200, {"active": "false"}),
        (200, {"active": 0}),
        (200, b"<html>"),
        (200, b"[]"),
        (302, b""),
        (401, b""),
        (403, {"active": False}),
        (400, {"error": "invalid_grant"}),
        (404, b""),
        (500, {"active": False}),
    ],
)
def test_anything_else_concludes_nothing(make_target: Any, provider: Any, status: int, body: Any) -> None:
    provider.answers_with(status, body)
    assert ask(make_target()).verdict is ProbeVerdict.UNAVAILABLE


def test_outage_passes_retry_after_on(make_target: Any, provider: Any) -> None:
    provider.answers_with(429, b"", headers={"Retry-After": "33"})
    found = ask(make_target())
    assert (found.verdict, found.status, found.retry_after_seconds) == (ProbeVerdict.UNAVAILABLE, 429, 33)


def test_unreachable_provider_is_a_verdict(make_target: Any) -> None:
    found = ask(make_target(introspection_url="https://no-such-name.invalid/introspect"))
    assert (found.verdict, found.status) == (ProbeVerdict.UNAVAILABLE, None)


@pytest.mark.parametrize(
    ("exp", "expected"),
    [(0, None), (-5, None), (10**400, None), (10**15, None), ("soon", None), (True, None), (float("inf"), None)],
)
def test_odd_expiry_is_not_believed(make_target: Any, provider: Any, exp: object, expected: int | None) -> None:
    provider.answers_with(200, {"active": True, "exp": exp})
    assert ask(make_target()).expires_in_seconds == expected


def test_provider_without_the_endpoint_is_named(make_target: Any) -> None:
    with pytest.raises(MisconfiguredProvider):
        ask(make_target(introspection_url=""))


def test_speaks_as_the_token_endpoint_does(make_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"active": True})
    habits = {"token_request_format": "json", "token_type_hint": False, "request_headers": {"X-Version": "2"}}
    assert ask(make_target(**habits)).verdict is ProbeVerdict.ALIVE
    assert provider.last.json == {"token": "at"}
    assert provider.last.headers["X-Version"] == "2"
    assert provider.last.headers["Authorization"].startswith("Basic ")
