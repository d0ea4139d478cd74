"""The catalogue's own entries against the sandbox as it really runs: nothing here is scripted."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from providers.catalog.loader import entry
from providers.catalog.methods import ApiKeyMethod, AuthorizationCodeMethod, ClientCredentialsMethod
from providers.catalog.resolve import Target, resolve
from providers.errors import ClientRejected, GrantRejected, ProviderError
from providers.oauth import pkce
from providers.oauth.discovery import discover
from providers.sandbox.client import SandboxProcess, start_sandbox
from providers.strategies import strategy_for
from providers.values import AuthorizationRequest, ClientRegistration, CodeGrant, Obtained
from providers.vocabulary import ProbeVerdict
from tests.person import Person

CALLBACK = "https://latchkey.example/connect/callback/1"
SECRET = "s:e+c r/e=t"
SCOPES = ("profile.read", "files.read")


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    client = {"client_id": "client:1", "client_secret": SECRET, "name": "Latchkey", "redirect_uris": [CALLBACK]}
    with start_sandbox(clients=[{**client, "scopes": [*SCOPES, "openid"]}]) as process:
        yield process


@pytest.fixture
def server(running: SandboxProcess, egress_policy: Any) -> SandboxProcess:
    running.control.clear_faults()
    return running


def target_at(server: SandboxProcess, style: str, *, slug: str = "sandbox", secret: str = SECRET) -> Target:
    return resolve(
        entry=entry(slug),
        style=style,
        registration=ClientRegistration("client:1", (SecretStr(secret),), CALLBACK, {"issuer": server.url}),
        discovered=discover(server.url) if slug == "oidc" else {},
        params={},
    )


def connect(target: Target) -> Obtained:
    strategy = strategy_for(target.style)
    verifier = pkce.new_verifier()
    url = strategy.depart(target, AuthorizationRequest("state-1", SCOPES, verifier)).url
    answer = parse_qs(urlsplit(Person("alice").authorize(url)).query)
    assert answer["state"] == ["state-1"]
    assert answer["iss"] == [target.endpoints.issuer]
    return strategy.exchange_code(target, CodeGrant(SecretStr(answer["code"][0]), SecretStr(verifier), SCOPES))


@pytest.mark.parametrize("slug", ["sandbox", "oidc"])
def test_a_person_connects_and_the_grant_lives_until_it_is_revoked(server: SandboxProcess, slug: str) -> None:
    target = target_at(server, AuthorizationCodeMethod.style, slug=slug)
    strategy = strategy_for(target.style)
    first = connect(target)
    assert first.lifetime_seconds == 60
    assert first.scopes is None or set(first.scopes) - {"offline_access"} == set(SCOPES)
    second = strategy.refresh(target, first.credential)
    assert second.credential.refresh_token != first.credential.refresh_token
    alive = strategy.probe(target, second.credential)
    assert alive.verdict is ProbeVerdict.ALIVE
    assert alive.account is not None
    assert alive.account.id
    known = strategy.introspect(target, second.credential)
    assert known.verdict is ProbeVerdict.ALIVE
    assert set(known.scopes or ()) == set(SCOPES)
    assert 0 < (known.expires_in_seconds or 0) <= 60
    strategy.revoke(target, second.credential)
    assert strategy.probe(target, second.credential).verdict is ProbeVerdict.DEAD
    assert strategy.introspect(target, second.credential).verdict is ProbeVerdict.DEAD
    with pytest.raises(GrantRejected):
        strategy.refresh(target, second.credential)


def test_a_machine_gets_a_token_of_its_own(server: SandboxProcess) -> None:
    target = target_at(server, ClientCredentialsMethod.style)
    strategy = strategy_for(target.style)
    found = strategy.accept(target, {})
    assert found.credential.refresh_token is None
    assert strategy.probe(target, found.credential).verdict is ProbeVerdict.ALIVE
    assert strategy.refresh(target, found.credential).credential.access_token != found.credential.access_token


def test_a_pasted_key_works_until_it_is_revoked(server: SandboxProcess) -> None:
    target = target_at(server, ApiKeyMethod.style)
    strategy = strategy_for(target.style)
    held = strategy.accept(target, {"api_key": server.control.api_key("bob") + "\n"}).credential
    assert strategy.probe(target, held).verdict is ProbeVerdict.ALIVE
    server.control.revoke_api_keys("bob")
    assert strategy.probe(target, held).verdict is ProbeVerdict.DEAD


def test_a_wrong_client_secret_is_our_fault_and_not_the_grants(server: SandboxProcess) -> None:
    held = connect(target_at(server, AuthorizationCodeMethod.style)).credential
    wrong = target_at(server, AuthorizationCodeMethod.style, secret="wrong")
    with pytest.raises(ClientRejected):
        strategy_for(wrong.style).refresh(wrong, held)


def test_a_code_is_worth_nothing_without_its_verifier(server: SandboxProcess) -> None:
    target = target_at(server, AuthorizationCodeMethod.style)
    strategy = strategy_for(target.style)
    url = strategy.depart(target, AuthorizationRequest("s", SCOPES, pkce.new_verifier())).url
    code = parse_qs(urlsplit(Person("alice").authorize(url)).query)["code"][0]
    with pytest.raises(ProviderError):
        strategy.exchange_code(target, CodeGrant(SecretStr(code), SecretStr(pkce.new_verifier()), SCOPES))
