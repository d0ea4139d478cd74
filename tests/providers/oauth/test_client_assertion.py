"""private_key_jwt: at each endpoint a fresh assertion, for one audience, and no secret beside it."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from providers.catalog.device_method import DeviceAuthorizationMethod
from providers.catalog.methods import ClientCredentialsMethod
from providers.catalog.resolve import Target
from providers.errors import ClientRejected, MisconfiguredProvider, ProviderError
from providers.oauth import device, introspection, revocation, token_endpoint
from providers.signing.keys import make_key_pair
from providers.values import ClientKey, ClientRegistration, CodeGrant, Credential
from providers.vocabulary import SigningAlgorithm

PAIR = make_key_pair(SigningAlgorithm.ES256)
KEY = ClientKey("key-1", SigningAlgorithm.ES256, PAIR.private_key)
REGISTRATION = ClientRegistration(
    client_id="client:1", client_secrets=(SecretStr("never-sent"), SecretStr("nor-this")), key=KEY
)
HELD = Credential(access_token=SecretStr("at-1"), refresh_token=SecretStr("rt-1"))
KEYED = {"client_authentication": "private_key_jwt", "issuer": "https://as.example"}


def read(form: dict[str, str], audience: str = "https://as.example") -> dict[str, Any]:
    """Return the claims of the assertion in a form, whose signature is checked."""
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    assert jwt.get_unverified_header(form["client_assertion"])["kid"] == "key-1"
    options = {"verify_aud": False}
    claims: dict[str, Any] = jwt.decode(
        form["client_assertion"], PAIR.public_key, algorithms=["ES256"], options=options
    )
    assert claims["aud"] == audience  # a string, and no list of one
    return claims


CALLS: dict[str, Callable[[Target], object]] = {
    "code": lambda target: token_endpoint.exchange_code(
        target=target, grant=CodeGrant(SecretStr("code"), SecretStr("v" * 43))
    ),
    "refresh": lambda target: token_endpoint.refresh(target=target, credential=HELD),
    "revoke": lambda target: revocation.revoke(
        target=target, registration=target.registration, credential=Credential(access_token=SecretStr("at-1"))
    ),
    "introspect": lambda target: introspection.introspect(
        target=target, registration=target.registration, credential=HELD
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("sent_as", ["form", "json"])
def test_each_request_proves_who_we_are(
    make_target: Callable[..., Target], provider: Any, call: Callable[[Target], object], sent_as: str
) -> None:
    target = make_target(registration=REGISTRATION, token_request_format=sent_as, **KEYED)
    provider.answers_with(200, {"access_token": "at-2", "active": True})
    call(target)
    (sent,) = provider.requests
    claims = read(sent.form if sent_as == "form" else sent.json)
    assert (claims["iss"], claims["sub"]) == ("client:1", "client:1")
    assert "Authorization" not in sent.headers
    assert "never-sent" not in str(sent.form)


def test_an_entry_may_add_claims_but_none_of_ours(make_target: Callable[..., Target], provider: Any) -> None:
    provider.answers_with(200, {"access_token": "at-2"})
    added = {"claims": {"scope": "{scopes}", "region": "{region}-{client_id}", "iss": "somebody"}}
    target = make_target(registration=REGISTRATION, client_assertion=added, **KEYED)
    CALLS["refresh"](target)
    claims = read(provider.last.form)
    assert claims["scope"] == " ".join(target.entry.default_scopes)
    assert (claims["region"], claims["iss"]) == ("eu-client:1", "client:1")


def test_a_machine_and_a_device_prove_themselves_alike(make_target: Callable[..., Target], provider: Any) -> None:
    provider.answers_with(200, {"access_token": "at-2"})
    target = make_target(ClientCredentialsMethod.style, registration=REGISTRATION, **KEYED)
    token_endpoint.client_credentials(target=target, registration=target.registration)
    read(provider.last.form)
    code = {"device_code": "dc", "user_code": "AB", "verification_uri": "https://as.example/device"}
    provider.answers[:] = []
    provider.answers_with(200, code)
    there = {"device_authorization_url": f"{provider.url}/device"}
    target = make_target(DeviceAuthorizationMethod.style, registration=REGISTRATION, **KEYED, **there)
    device.ask_for_code(target=target, scopes=())
    read(provider.last.form)


def test_an_assertion_is_for_one_request_and_a_short_time(make_target: Callable[..., Target], provider: Any) -> None:
    target = make_target(registration=REGISTRATION, **KEYED)
    provider.answers_with(200, {"access_token": "at-2"})
    for _ in "12":
        token_endpoint.refresh(target=target, credential=HELD)
    first, second = (read(sent.form) for sent in provider.requests)
    assert first["jti"] != second["jti"]
    now = time.time()
    assert now - 60 < first["iat"] < now - 20  # a server whose clock is slow has been there already
    assert now + 60 < first["exp"] < now + 130


@pytest.mark.parametrize(
    ("changes", "audience"),
    [
        ({"issuer": ""}, "{token}"),
        ({"client_assertion": {"audience": "https://{region}.as.example"}}, "https://eu.as.example"),
    ],
)
def test_the_audience_is_the_token_endpoint_or_what_the_entry_says(
    make_target: Callable[..., Target], provider: Any, changes: dict[str, Any], audience: str
) -> None:
    target = make_target(registration=REGISTRATION, **{**KEYED, **changes})
    provider.answers_with(200, {"access_token": "at-2"})
    token_endpoint.refresh(target=target, credential=HELD)
    read(provider.last.form, audience.replace("{token}", target.endpoints.token))


def test_an_entry_may_say_who_signs_and_for_how_long(make_target: Callable[..., Target], provider: Any) -> None:
    said = {"issuer": "host-of-{client_id}", "subject": "{region}", "lifetime_seconds": 600}
    provider.answers_with(200, {"access_token": "at-2"})
    target = make_target(registration=REGISTRATION, **KEYED, client_assertion=said)
    token_endpoint.refresh(target=target, credential=HELD)
    claims = read(provider.last.form)
    assert (claims["iss"], claims["sub"]) == ("host-of-client:1", "eu")
    assert claims["exp"] - claims["iat"] == 630


def test_a_refusal_of_the_assertion_is_a_refusal_of_the_client_and_is_asked_once(
    make_target: Callable[..., Target], provider: Any
) -> None:
    provider.answers_with(401, {"error": "invalid_client"})
    with pytest.raises(ClientRejected):
        token_endpoint.refresh(target=make_target(registration=REGISTRATION, **KEYED), credential=HELD)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("key", [None, replace(KEY, private_key=SecretStr("canary"))])
def test_without_a_key_that_signs_nothing_is_sent(
    make_target: Callable[..., Target], provider: Any, key: ClientKey | None
) -> None:
    target = make_target(registration=replace(REGISTRATION, key=key), **KEYED)
    with pytest.raises(MisconfiguredProvider) as caught:
        token_endpoint.refresh(target=target, credential=HELD)
    assert "canary" not in str(caught.value)
    assert provider.requests == []
    assert isinstance(caught.value, ProviderError)
    assert not caught.value.sent
