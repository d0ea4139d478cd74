"""The keys of an issuer: fetched seldom, whoever brings whatever tokens, and used on while they cannot be had."""

import json
import threading
from typing import Any

import jwt
import pytest

from providers.errors import ProviderError
from providers.oauth import issuer_keys
from providers.oauth.issuer_keys import KeySource, keys_of, usable_keys, verified_claims
from tests.issuing import (
    Issuer,
    asked_for_keys,
    key_of,
    public_jwk,
    publish,
    sign,
    signed_with_the_public_key,
    unsigned,
)
from tests.providers.conftest import Provider

pytestmark = pytest.mark.usefixtures("egress_policy")


@pytest.fixture
def source(provider: Provider) -> KeySource:
    """The keys of an issuer that publishes its metadata."""
    publish(provider, public_jwk("one"))
    return KeySource(issuer=provider.url)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass for the keys that are kept."""
    for kept in issuer_keys._known.values():
        kept.fetched_at -= seconds
        kept.tried_at -= seconds


def refused(token: str, source: Any, **options: Any) -> None:
    with pytest.raises((jwt.PyJWTError, ValueError, TypeError)):
        verified_claims(token, source, **options)


@pytest.mark.parametrize("key", ["one", "ec-one", "ed-one"])
def test_a_token_is_believed_by_the_key_that_signed_it(provider: Provider, key: str) -> None:
    publish(provider, public_jwk("other"), public_jwk(key))
    source = KeySource(jwks_url=f"{provider.url}/keys")
    assert verified_claims(sign({"sub": "a"}, key), source) == {"sub": "a"}


def test_keys_are_found_by_the_metadata_and_kept(provider: Provider, source: KeySource) -> None:
    for _ in range(5):
        verified_claims(sign({"sub": "a"}, "one"), source)
    assert asked_for_keys(provider) == 1


def test_metadata_of_another_issuer_leads_nowhere(provider: Provider, source: KeySource) -> None:
    provider.answers_with(
        body={"issuer": "https://other.example", "jwks_uri": f"{provider.url}/keys"},
        path="/.well-known/openid-configuration",
    )
    with pytest.raises(ProviderError):
        verified_claims(sign({"sub": "a"}, "one"), source)
    assert asked_for_keys(provider) == 0


def test_a_new_key_is_looked_for_and_bad_tokens_fetch_no_more_than_once_in_a_while(
    provider: Provider, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified_claims(sign({"sub": "a"}, "one"), source)
    for number in range(20):
        refused(sign({"sub": "a"}, "two", header={"kid": f"unknown-{number}"}), source)
    assert asked_for_keys(provider) == 1  # they were fetched just now
    later(monkeypatch, 11)
    for number in range(20):
        refused(sign({"sub": "a"}, "two", header={"kid": f"unknown-{number}"}), source)
    assert asked_for_keys(provider) == 2
    publish(provider, public_jwk("one"), public_jwk("two"))
    refused(sign({"sub": "a"}, "two"), source)
    later(monkeypatch, 11)
    assert verified_claims(sign({"sub": "a"}, "two"), source) == {"sub": "a"}
    assert asked_for_keys(provider) == 3


def test_a_key_that_was_withdrawn_is_believed_for_minutes_at_the_most(
    provider: Provider, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified_claims(sign({"sub": "a"}, "one"), source)
    publish(provider, public_jwk("two"))
    assert verified_claims(sign({"sub": "a"}, "one"), source)
    later(monkeypatch, 301)
    refused(sign({"sub": "a"}, "one"), source)


@pytest.mark.parametrize("outage", ["status", "redirect", "page", "gone", "huge"])
def test_while_keys_cannot_be_had_the_last_good_ones_serve_for_an_hour(
    provider: Provider, source: KeySource, monkeypatch: pytest.MonkeyPatch, outage: str
) -> None:
    verified_claims(sign({"sub": "a"}, "one"), source)
    answers: dict[str, tuple[int, Any, dict[str, str]]] = {
        "status": (503, b"", {}),
        "redirect": (302, b"", {"Location": "http://169.254.169.254/"}),
        "page": (200, b"<html>", {}),
        "gone": (404, b"", {}),
        "huge": (200, json.dumps({"keys": ["x" * 1000] * 1000}).encode(), {}),
    }
    status, body, headers = answers[outage]
    provider.answers_with(status, body, headers=headers, path="/keys")
    before = asked_for_keys(provider)
    later(monkeypatch, 301)
    for _ in range(10):
        assert verified_claims(sign({"sub": "a"}, "one"), source)
    assert asked_for_keys(provider) == before + 1
    later(monkeypatch, 3600)
    for _ in range(10):
        with pytest.raises((ProviderError, jwt.PyJWTError)):
            verified_claims(sign({"sub": "a"}, "one"), source)
    assert asked_for_keys(provider) == before + 2


@pytest.mark.usefixtures("strict_egress")
def test_a_host_that_moved_to_an_address_of_ours_is_not_asked() -> None:
    for host in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]"):
        with pytest.raises(ProviderError) as caught:
            keys_of(KeySource(jwks_url=f"https://{host}/keys"))
        assert caught.value.evidence.sent is False


def test_one_thread_fetches_and_the_others_use_what_is_kept(
    provider: Provider, source: KeySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified_claims(sign({"sub": "a"}, "one"), source)
    later(monkeypatch, 301)
    entered, leave = threading.Event(), threading.Event()
    answer = provider.by_path["/keys"]
    metadata = provider.by_path["/.well-known/openid-configuration"]

    def respond(request: Any) -> Any:
        if request.path != "/keys":
            return metadata
        entered.set()
        leave.wait(60)
        return answer

    provider.responder = respond
    slow = threading.Thread(target=verified_claims, args=(sign({"sub": "a"}, "one"), source))
    slow.start()
    assert entered.wait(60)
    for _ in range(5):
        assert verified_claims(sign({"sub": "a"}, "one"), source)
    assert slow.is_alive(), "they waited for it"
    leave.set()
    slow.join()
    assert asked_for_keys(provider) == 2


@pytest.mark.parametrize(
    "keys",
    [
        [{"kty": []}, 1, None, "x", {"kty": "RSA", "n": 7, "e": "AQAB"}, {"kty": "RSA", "n": "AQ", "e": "AQAB"}],
        [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}],
        [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "one"}],
        [public_jwk("one", use="enc")],
        [public_jwk("one", alg="HS256")],
        [public_jwk("one", key_ops=["encrypt"])],
        [public_jwk("one", key_ops="verify")],
        [public_jwk("one", kid=None)],
        [public_jwk("two", kid=f"one-{number}") for number in range(60)] + [public_jwk("one")],
    ],
)
def test_odd_keys_sign_for_nobody(provider: Provider, keys: list[Any]) -> None:
    provider.answers_with(200, {"keys": keys}, path="/keys")
    refused(sign({"sub": "a"}, "one"), KeySource(jwks_url=f"{provider.url}/keys"))


def test_two_keys_of_one_name_are_both_tried() -> None:
    keys = (public_jwk("two", kid="same"), public_jwk("one", kid="same"))
    assert verified_claims(sign({"sub": "a"}, "one", header={"kid": "same"}), keys) == {"sub": "a"}


def test_many_keys_of_one_name_do_not_make_one_token_dear() -> None:
    keys = (*[public_jwk("two", kid="same")] * 40, public_jwk("one", kid="same"))
    refused(sign({"sub": "a"}, "one", header={"kid": "same"}), keys)


@pytest.mark.parametrize(
    "kid",
    ["../../etc/passwd", "' OR 1=1 --", "x" * 100_000, 7, ["one"], {"kid": "one"}, "", "http://169.254.169.254/keys"],
)
def test_a_key_is_named_and_nothing_else(provider: Provider, source: KeySource, kid: Any) -> None:
    refused(unsigned({"sub": "a"}, {"alg": "RS256", "kid": kid}, "AAAA"), source)
    assert all(request.path == "/keys" or request.path.startswith("/.well-known/") for request in provider.requests)


def test_neither_none_nor_a_shared_key_signs_for_an_issuer() -> None:
    keys = (public_jwk("one"),)
    claims = Issuer().said()
    refused(unsigned(claims, {"alg": "none", "kid": "one"}), keys)
    refused(unsigned(claims, {"alg": "None", "kid": "one"}), keys)
    refused(signed_with_the_public_key(claims, "one"), keys)
    refused(signed_with_the_public_key(claims, "one"), keys, algorithms=["HS256"])


def test_an_algorithm_that_is_not_allowed_is_refused() -> None:
    keys = (public_jwk("one"), public_jwk("ec-one"))
    assert verified_claims(sign({"sub": "a"}, "ec-one"), keys, algorithms=["ES256"])
    refused(sign({"sub": "a"}, "one"), keys, algorithms=["ES256"])


@pytest.mark.parametrize("header", ["jku", "x5u"])
def test_addresses_of_keys_in_a_token_are_ignored(provider: Provider, header: str) -> None:
    publish(provider, public_jwk("two"))
    token = sign({"sub": "a"}, "two", header={header: f"{provider.url}/keys", "kid": "one"})
    refused(token, (public_jwk("one"),))
    assert provider.requests == []


def test_a_key_in_a_token_is_ignored() -> None:
    refused(sign({"sub": "a"}, "two", header={"jwk": public_jwk("two"), "kid": "one"}), (public_jwk("one"),))


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"b64": False}])
def test_what_has_to_be_understood_and_is_not_is_refused(header: dict[str, Any]) -> None:
    assert verified_claims(sign({"sub": "a"}, "one"), (public_jwk("one"),))
    refused(unsigned({"sub": "a"}, {"alg": "RS256", "kid": "one", **header}, "AAAA"), (public_jwk("one"),))


def test_keys_that_can_sign_for_nobody_are_counted_out() -> None:
    weak = public_jwk("one") | {"n": "AQ"}
    assert usable_keys([public_jwk("one"), public_jwk("ec-one"), public_jwk("ed-one")]) == 3
    assert usable_keys([weak, {"kty": "oct", "k": "AA"}, "x", public_jwk("one", use="enc")]) == 0
    assert key_of("one") is key_of("one")
