"""The password grant: what is sent, what is kept, and how it goes on."""

from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.password_method import PasswordMethod
from providers.errors import GrantRejected, MisconfiguredProvider, ProviderError
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities
from providers.values import Credential

STYLE = PasswordMethod.style
STRATEGY = strategy_for(STYLE)
TYPED = {"username": "user-ann", "password": "canary pass"}
TOKENS = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 3600, "scope": "profile.read"}
KEPT = {"password_grant": {"keeps_password": True}}


def test_sends_the_password_once_and_keeps_the_name_alone(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, TOKENS)
    found = STRATEGY.accept(sandbox_target(STYLE), TYPED)
    (sent,) = provider.requests
    assert sent.form == {
        "grant_type": "password",
        "username": "user-ann",
        "password": "canary pass",
        "scope": "profile.read",
    }
    assert sent.headers["Authorization"].startswith("Basic ")
    assert found.credential.fields == {"username": SecretStr("user-ann")}
    assert (found.credential.refresh_token, found.lifetime_seconds) == (SecretStr("rt-1"), 3600)


def test_goes_on_by_the_refresh_token(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "at-2", "expires_in": 60})
    held = Credential(
        access_token=SecretStr("at-1"), refresh_token=SecretStr("rt-1"), fields={"username": SecretStr("user-ann")}
    )
    found = STRATEGY.refresh(sandbox_target(STYLE), held).credential
    assert provider.last.form["grant_type"] == "refresh_token"
    assert (found.refresh_token, found.fields) == (held.refresh_token, held.fields)


def test_goes_on_by_the_password_where_the_entry_keeps_it(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, TOKENS)
    target = sandbox_target(STYLE, changes=KEPT)
    held = STRATEGY.accept(target, TYPED).credential
    assert held.fields == {name: SecretStr(value) for name, value in TYPED.items()}
    STRATEGY.refresh(target, held)
    assert [sent.form["grant_type"] for sent in provider.requests] == ["password", "password"]


def test_a_password_that_is_not_there_is_not_sent(sandbox_target: Any, provider: Any) -> None:
    with pytest.raises(MisconfiguredProvider):
        STRATEGY.refresh(sandbox_target(STYLE, changes=KEPT), Credential(access_token=SecretStr("at-1")))
    assert provider.requests == []


@pytest.mark.parametrize("changes", [{}, KEPT])
def test_says_what_it_can_do(sandbox_target: Any, changes: dict[str, Any]) -> None:
    target = sandbox_target(STYLE, changes=changes)
    assert STRATEGY.capabilities(target) == Capabilities(
        refreshes=True,
        needs_refresh_token=not changes,
        rotates=not changes,
        revokes=True,
        introspects=True,
        probes=True,
    )
    assert STRATEGY.expects_refresh_token(target, (), ends=True) is not bool(changes)


def test_a_refused_password_is_the_end_users_and_shows_nothing(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(400, {"error": "invalid_grant", "error_description": "canary pass"})
    with pytest.raises(ProviderError) as caught:
        STRATEGY.accept(sandbox_target(STYLE), TYPED)
    assert isinstance(caught.value, GrantRejected)
    assert "canary" not in repr(caught.value) + repr(caught.value.evidence)
