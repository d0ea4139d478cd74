"""OAuth 1.0a: what is signed and sent at each leg, and what is believed of the answers."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from oauthlib.common import Request
from oauthlib.oauth1.rfc5849 import signature
from pydantic import SecretStr

from providers.catalog.oauth1_method import OAuth1Method
from providers.catalog.resolve import Target
from providers.errors import (
    ClientRejected,
    GrantRejected,
    MalformedResponse,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
)
from providers.strategies.oauth1 import OAuth1
from providers.values import AuthorizationRequest, ClientKey, CodeGrant, Credential
from providers.vocabulary import ProbeVerdict, SigningAlgorithm
from tests.providers.conftest import Provider, Received

STYLE, STRATEGY = OAuth1Method.style, OAuth1()
ASKED = AuthorizationRequest(state="ours", scopes=())
TEMPORARY = b"oauth_token=tmp%2B1&oauth_token_secret=tmp-secret&oauth_callback_confirmed=true"
TOKEN = b"oauth_token=tok-12345678&oauth_token_secret=tok-secret&user_id=77"
FORM = {"Content-Type": "text/html"}  # as many of these servers label their forms
GRANT = CodeGrant(SecretStr("verifier-1"), SecretStr(json.dumps(["tmp+1", "tmp-secret"])))
HELD = Credential(access_token=SecretStr("tok-12345678"), fields={"token_secret": SecretStr("tok-secret")})


@pytest.fixture
def make_target(sandbox_target: Callable[..., Target]) -> Callable[..., Target]:
    return lambda **section: sandbox_target(STYLE, changes={"oauth1": section})


@pytest.fixture
def target(make_target: Callable[..., Target]) -> Target:
    return make_target()


def oauth_of(received: Received) -> dict[str, str]:
    """Return the parameters of the header with the signature."""
    scheme, _, rest = received.headers["Authorization"].partition(" ")
    assert scheme == "OAuth"
    pairs = (part.strip().partition("=") for part in rest.split(","))
    return {name: unquote(value.strip('"')) for name, _, value in pairs}


def is_signed_with(received: Received, provider: Provider, secret: str, token_secret: str = "") -> bool:
    """Whether the signature is the one of HMAC-SHA256 over this request with these secrets (RFC 5849 §3.4.2)."""
    given = {name: value for name, value in oauth_of(received).items() if name != "realm"}
    request = Request(f"{provider.url}{received.target}", received.method)
    request.params = [(name, value) for name, value in given.items() if name != "oauth_signature"]
    request.params += [(name, values[0]) for name, values in parse_qs(urlsplit(received.target).query).items()]
    request.signature = given["oauth_signature"]
    return bool(signature.verify_hmac_sha256(request, secret, token_secret))


def test_temporary_credentials_are_asked_for_and_their_token_is_the_state(target: Target, provider: Provider) -> None:
    provider.answers_with(200, TEMPORARY, headers=FORM)
    found = STRATEGY.depart(target, ASKED)
    sent = provider.last
    assert (sent.method, sent.path, sent.body) == ("POST", "/oauth1/request_token", b"")
    given = oauth_of(sent)
    assert given["oauth_callback"] == "https://latchkey.example/connect/callback/1"
    assert (given["oauth_consumer_key"], given["oauth_signature_method"]) == ("client", "HMAC-SHA256")
    assert is_signed_with(sent, provider, "client-secret")
    assert not is_signed_with(sent, provider, "another")
    assert found.url == f"{provider.url}/oauth1/authorize?oauth_token=tmp%2B1"
    assert found.state == "tmp+1"
    assert "tmp-secret" not in repr(found) + found.url


def test_the_verifier_brings_a_token_signed_with_both_secrets(
    make_target: Callable[..., Target], provider: Provider
) -> None:
    provider.answers_with(200, TOKEN, headers=FORM)
    target = make_target(realm="a realm", extra_response_fields={"user": "/user_id"})
    held = STRATEGY.exchange_code(target, GRANT).credential
    sent = provider.last
    given = oauth_of(sent)
    assert (given["oauth_token"], given["oauth_verifier"], given["realm"]) == ("tmp+1", "verifier-1", "a realm")
    assert is_signed_with(sent, provider, "client-secret", "tmp-secret")
    assert (held.access_token, held.fields["token_secret"]) == (SecretStr("tok-12345678"), SecretStr("tok-secret"))
    assert held.extra == {"user": "77"}


def test_a_plus_sign_that_the_server_did_not_encode_stays_one(target: Target, provider: Provider) -> None:
    provider.answers_with(200, b"oauth_token=a+b/c==&oauth_token_secret=d+e==\r\n", headers=FORM)
    held = STRATEGY.exchange_code(target, GRANT).credential
    assert (held.access_token, held.fields["token_secret"]) == (SecretStr("a+b/c=="), SecretStr("d+e=="))


def test_the_probe_is_signed_with_the_token(target: Target, provider: Provider) -> None:
    provider.answers_with(200, {"sub": "acct-1"})
    assert STRATEGY.probe(target, HELD).verdict is ProbeVerdict.ALIVE
    assert oauth_of(provider.last)["oauth_token"] == "tok-12345678"
    assert is_signed_with(provider.last, provider, "client-secret", "tok-secret")


def test_while_secrets_are_rotated_each_is_tried_before_a_token_is_called_dead(
    target: Target, provider: Provider
) -> None:
    both = replace(target.registration, client_secrets=(SecretStr("new"), SecretStr("old")))
    rotating = replace(target, registration=both)

    def responder(received: Received) -> tuple[int, bytes, dict[str, str]]:
        right = is_signed_with(received, provider, "old", "tok-secret")
        return (200, b'{"sub": "acct-1"}', {"Content-Type": "application/json"}) if right else (401, b"", {})

    provider.responder = responder
    assert STRATEGY.probe(rotating, HELD).verdict is ProbeVerdict.ALIVE
    assert STRATEGY.probe(target, HELD).verdict is ProbeVerdict.DEAD


@pytest.mark.parametrize("method", ["RSA-SHA1", "RSA-SHA256", "RSA-SHA512"])
def test_rsa_signs_with_the_key_of_the_provider_app(
    make_target: Callable[..., Target], provider: Provider, method: str
) -> None:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    target = make_target(signature_method=method)
    key = ClientKey(kid="k", algorithm=SigningAlgorithm.RS256, private_key=SecretStr(pem))
    keyed = replace(target, registration=replace(target.registration, key=key))
    provider.answers_with(200, {"sub": "acct-1"})
    assert STRATEGY.probe(keyed, HELD).verdict is ProbeVerdict.ALIVE
    given = oauth_of(provider.last)
    request = Request(f"{provider.url}{provider.last.target}", "GET")
    request.params = [(name, value) for name, value in given.items() if name != "oauth_signature"]
    request.signature = given["oauth_signature"]
    verify = getattr(signature, f"verify_{method.lower().replace('-', '_')}")
    assert verify(request, made.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode())


def test_a_key_that_cannot_sign_is_named_without_being_shown(
    make_target: Callable[..., Target], provider: Provider
) -> None:
    target = make_target(signature_method="RSA-SHA1")
    key = ClientKey(kid="k", algorithm=SigningAlgorithm.RS256, private_key=SecretStr("planted-key"))
    for registration in (replace(target.registration, key=key), target.registration):
        with pytest.raises(MisconfiguredProvider) as caught:
            STRATEGY.depart(replace(target, registration=registration), ASKED)
        assert "planted" not in repr(caught.value)
    assert provider.requests == []


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, TEMPORARY.replace(b"true", b"false"), MisconfiguredProvider),
        (200, b"oauth_token=a&oauth_token_secret=b", MisconfiguredProvider),
        (200, b"oauth_token=&oauth_token_secret=b&oauth_callback_confirmed=true", MalformedResponse),
        (200, b"oauth_token=%20&oauth_token_secret=b&oauth_callback_confirmed=true", MalformedResponse),
        (200, b"<html>", MalformedResponse),
        (401, b"oauth_problem=consumer_key_unknown", ClientRejected),
        (401, b"", ClientRejected),
        (503, b"", ProviderUnavailable),
    ],
)
def test_what_is_no_temporary_credential_ends_there(
    target: Target, provider: Provider, status: int, body: bytes, expected: type[ProviderError]
) -> None:
    provider.answers_with(status, body, headers=FORM)
    with pytest.raises(expected) as caught:
        STRATEGY.depart(target, ASKED)
    assert "client-secret" not in repr(caught.value)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (401, b"", GrantRejected),
        (401, b"oauth_problem=token_expired", GrantRejected),
        (400, b"oauth_problem=verifier_invalid", GrantRejected),
        (401, b"oauth_problem=signature_invalid", ClientRejected),
        (200, b"oauth_token_secret=b", MalformedResponse),
        (500, b"", ProviderUnavailable),
    ],
)
def test_what_brings_no_token_says_whose_fault_that_is(
    target: Target, provider: Provider, status: int, body: bytes, expected: type[ProviderError]
) -> None:
    provider.answers_with(status, body, headers=FORM)
    with pytest.raises(expected):
        STRATEGY.exchange_code(target, GRANT)


def test_without_what_was_kept_nothing_is_sent(target: Target, provider: Provider) -> None:
    with pytest.raises(GrantRejected):
        STRATEGY.exchange_code(target, CodeGrant(SecretStr("verifier"), None))
    assert provider.requests == []


def test_an_entry_may_add_to_the_address(make_target: Callable[..., Target], provider: Provider) -> None:
    provider.answers_with(200, TEMPORARY, headers=FORM)
    target = make_target(
        authorization_url="{issuer}/page?a=1", authorization_params={"expiration": "never", "oauth_token": "not this"}
    )
    query = parse_qs(urlsplit(STRATEGY.depart(target, ASKED).url).query)
    assert query == {"a": ["1"], "expiration": ["never"], "oauth_token": ["tmp+1"]}


def challenge(parameters: str) -> dict[str, str]:
    return {"WWW-Authenticate": f'OAuth realm="acme", {parameters}'}


@pytest.mark.parametrize(
    ("status", "body", "headers", "verdict"),
    [
        (401, b"oauth_problem=token_rejected", {}, ProbeVerdict.DEAD),
        (401, b"oauth_problem=token_revoked", {}, ProbeVerdict.DEAD),
        (401, b"", challenge('oauth_problem="token_expired"'), ProbeVerdict.DEAD),
        (401, b"", challenge('error="token_rejected", error_description="Invalid login"'), ProbeVerdict.DEAD),
        (401, b"", {}, ProbeVerdict.DEAD),
        (401, b"oauth_problem=timestamp_refused&oauth_acceptable_timestamps=1-2", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=nonce_used", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=consumer_key_unknown", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=consumer_key_refused", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=signature_invalid", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=signature_method_rejected", {}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=parameter_absent&oauth_parameters_absent=oauth_nonce", {}, ProbeVerdict.UNAVAILABLE),
        (401, {"oauth_problem": "timestamp_refused"}, {}, ProbeVerdict.UNAVAILABLE),
        (401, b"Unauthorized", challenge('oauth_problem="nonce_used"'), ProbeVerdict.UNAVAILABLE),
        (401, b"Unauthorized", challenge('error="consumer_key_unknown"'), ProbeVerdict.UNAVAILABLE),
        (401, b"", {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=token_rejected", {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}, ProbeVerdict.UNAVAILABLE),
        (401, b"oauth_problem=token_revoked", {"Date": "Mon, 01 Jan 2024 00:00:00 GMT"}, ProbeVerdict.DEAD),
    ],
)
def test_only_a_refusal_of_the_token_kills_it(
    target: Target, provider: Provider, status: int, body: object, headers: dict[str, str], verdict: ProbeVerdict
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"} if isinstance(body, bytes) else {}
    provider.answers_with(status, body, headers=form | headers)
    assert STRATEGY.probe(target, HELD).verdict is verdict


def test_an_entry_says_more_of_its_refusals(make_target: Callable[..., Target], provider: Provider) -> None:
    rules = [{"status": 401, "contains": "invalid key", "means": "client_rejected"}]
    provider.answers_with(401, b"invalid key")
    assert STRATEGY.probe(make_target(errors=rules), HELD).verdict is ProbeVerdict.UNAVAILABLE
    assert STRATEGY.probe(make_target(), HELD).verdict is ProbeVerdict.DEAD


def test_a_secret_that_the_server_does_not_know_yet_gives_way_to_the_other(target: Target, provider: Provider) -> None:
    both = replace(target.registration, client_secrets=(SecretStr("new"), SecretStr("old")))
    rotating = replace(target, registration=both)

    def responder(received: Received) -> tuple[int, bytes, dict[str, str]]:
        right = is_signed_with(received, provider, "old", "tok-secret")
        said = b'{"sub": "acct-1"}' if right else b'{"oauth_problem": "signature_invalid"}'
        return (200 if right else 401, said, {"Content-Type": "application/json"})

    provider.responder = responder
    assert STRATEGY.probe(rotating, HELD).verdict is ProbeVerdict.ALIVE


def test_a_clock_that_is_wrong_ends_no_connecting(target: Target, provider: Provider) -> None:
    provider.answers_with(401, b"", headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})
    with pytest.raises(ProviderUnavailable, match="by our clock"):
        STRATEGY.exchange_code(target, GRANT)
