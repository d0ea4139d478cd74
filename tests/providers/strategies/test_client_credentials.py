import base64
from typing import Any

import pytest
from pydantic import SecretStr

from providers.catalog.methods import ClientCredentialsMethod
from providers.errors import ClientRejected, FieldInvalid, GrantRejected, MisconfiguredProvider
from providers.strategies import strategy_for
from providers.strategies.base import Capabilities
from providers.values import Credential
from providers.vocabulary import ProbeVerdict

STYLE = ClientCredentialsMethod.style
STRATEGY = strategy_for(STYLE)
OWN = {"client_credentials": {"own_registration": True}}


def test_capabilities_follow_the_target(sandbox_target: Any) -> None:
    shared = Capabilities(refreshes=True, revokes=True, introspects=True, probes=True)
    assert STRATEGY.capabilities(sandbox_target(STYLE)) == shared
    assert STRATEGY.capabilities(sandbox_target(STYLE, changes=OWN)) == shared
    assert sandbox_target(STYLE).method.registers_client
    assert not sandbox_target(STYLE, changes=OWN).method.registers_client


def test_first_token_needs_nothing_typed(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "m2m", "expires_in": 60})
    found = STRATEGY.accept(sandbox_target(STYLE), {})
    assert found.credential == Credential(access_token=SecretStr("m2m"))
    assert found.lifetime_seconds == 60
    assert provider.last.form == {"grant_type": "client_credentials", "scope": "profile.read"}


def test_refresh_asks_for_a_new_token(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "next"})
    found = STRATEGY.refresh(sandbox_target(STYLE), Credential(access_token=SecretStr("old")))
    assert found.credential.access_token == SecretStr("next")
    assert provider.last.form["grant_type"] == "client_credentials"


def test_own_registration_is_used_and_kept_for_the_next_token(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(200, {"access_token": "m2m"})
    target = sandbox_target(STYLE, changes=OWN)
    found = STRATEGY.accept(target, {"client_id": " theirs ", "client_secret": "their-secret\n"})
    assert found.credential.fields == {"client_id": SecretStr("theirs"), "client_secret": SecretStr("their-secret")}
    assert provider.last.headers["Authorization"] == "Basic " + base64.b64encode(b"theirs:their-secret").decode()
    again = STRATEGY.refresh(target, found.credential)
    assert again.credential.fields == found.credential.fields
    provider.answers_with(200, b"", path="/revoke")
    STRATEGY.revoke(target, again.credential)
    assert provider.last.headers["Authorization"].startswith("Basic dGhlaXJz")


@pytest.mark.parametrize(("changes", "expected"), [({}, ClientRejected), (OWN, GrantRejected)])
def test_refused_client_is_blamed_on_whose_it_is(
    sandbox_target: Any, provider: Any, changes: dict[str, Any], expected: type[Exception]
) -> None:
    provider.answers_with(401, {"error": "invalid_client"})
    target = sandbox_target(STYLE, changes=changes)
    typed = {"client_id": "theirs", "client_secret": "wrong"} if changes else {}
    held = Credential(access_token=SecretStr("at"), fields={name: SecretStr(value) for name, value in typed.items()})
    for attempt in (
        lambda: STRATEGY.accept(target, typed),
        lambda: STRATEGY.refresh(target, held),
        lambda: STRATEGY.revoke(target, held),
    ):
        with pytest.raises(expected) as caught:
            attempt()
        assert type(caught.value) is expected
        assert caught.value.evidence.error == "invalid_client"


def test_own_registration_must_be_typed_completely(sandbox_target: Any, provider: Any) -> None:
    target = sandbox_target(STYLE, changes=OWN)
    with pytest.raises(FieldInvalid) as caught:
        STRATEGY.accept(target, {"client_id": "theirs"})
    assert caught.value.field == "client_secret"
    with pytest.raises(MisconfiguredProvider):
        STRATEGY.refresh(target, Credential(access_token=SecretStr("at")))
    assert provider.requests == []


def test_presents_probes_and_introspects(sandbox_target: Any, provider: Any) -> None:
    held = Credential(access_token=SecretStr("at"))
    provider.answers_with(200, {"sub": "client", "name": "Robot"}, path="/me")
    provider.answers_with(200, {"active": False}, path="/introspect")
    target = sandbox_target(STYLE)
    assert STRATEGY.present(target, held).headers == {"Authorization": "Bearer at"}
    assert STRATEGY.probe(target, held).verdict is ProbeVerdict.ALIVE
    assert STRATEGY.introspect(target, held).verdict is ProbeVerdict.DEAD
