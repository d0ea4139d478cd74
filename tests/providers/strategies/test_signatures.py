"""What is signed for an entry: the claims, the key, and what an end user typed for it."""

import base64
import hashlib
import json
import time
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from pydantic import SecretStr

from providers.catalog.resolve import resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.signed_methods import JwtBearerMethod, SignedJwtMethod
from providers.errors import (
    ClientRejected,
    FieldInvalid,
    GrantRejected,
    MisconfiguredProvider,
    ProviderError,
    ProviderUnavailable,
)
from providers.signing.keys import make_key_pair
from providers.strategies import strategy_for
from providers.strategies.signatures import signed_token
from providers.values import ClientKey, ClientRegistration, Credential
from providers.vocabulary import SigningAlgorithm

PAIRS = {one: make_key_pair(one) for one in SigningAlgorithm if not one.is_symmetric}
ES256, RS256 = SigningAlgorithm.ES256, SigningAlgorithm.RS256
SIGNED = strategy_for(SignedJwtMethod.style)
KEY_FIELD = {"name": "private_key", "label": "Key", "pattern": r"^[\x20-\x7e\n]+$", "multiline": True}
FIELDS = [
    {"name": "account", "label": "Account", "secret": False},
    {"name": "nickname", "label": "Nickname", "secret": False, "optional": True},
    KEY_FIELD,
]


def target(token: dict[str, Any], *, key: ClientKey | None = None, **section: Any) -> Any:
    """Return a target whose entry signs as ``token`` says."""
    document = {
        "slug": "acme",
        "name": "Acme",
        "params": [{"name": "region", "label": "Region", "default": "eu"}],
        "scopes": [{"name": name, "description": name, "default": True} for name in ("a", "b")],
        "signed_jwt": {"fields": FIELDS, "token": {"lifetime_seconds": 300, **token}, **section},
    }
    entry = CatalogEntry.model_validate(document)
    registration = ClientRegistration("app-1", key=key)
    return resolve(entry=entry, style=SignedJwtMethod.style, registration=registration, discovered={}, params={})


def typed(algorithm: SigningAlgorithm = ES256, **fields: str) -> dict[str, str]:
    return {"account": "ACME", "private_key": PAIRS[algorithm].private_key.get_secret_value(), **fields}


def read(token: str, algorithm: SigningAlgorithm = ES256) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(
        token, PAIRS[algorithm].public_key, algorithms=[algorithm], options={"verify_aud": False}
    )
    return found


@pytest.mark.parametrize("algorithm", PAIRS)
def test_each_algorithm_signs_with_a_typed_key(algorithm: SigningAlgorithm, egress_policy: Any) -> None:
    obtained = SIGNED.accept(target({"algorithm": algorithm}), typed(algorithm))
    assert obtained.credential.access_token is not None
    assert read(obtained.credential.access_token.get_secret_value(), algorithm)["exp"] > time.time() + 290
    assert obtained.lifetime_seconds == 300


def test_claims_and_header_are_filled_in_and_what_is_empty_is_left_out(egress_policy: Any) -> None:
    claims = {
        "iss": "{account}.{region}",
        "nick": "{nickname}",
        "scope": "{scopes}",
        "client": "{client_id}",
        "level": 3,
        "nested": {"who": ["{account}", True]},
    }
    described = target({"algorithm": "ES256", "kid": "{account}", "header": {"typ": "at+jwt"}, "claims": claims})
    obtained = SIGNED.accept(described, typed())
    assert obtained.credential.access_token is not None
    token = obtained.credential.access_token.get_secret_value()
    found = read(token)
    times = {name: found.pop(name) for name in ("iat", "exp", "jti")}
    assert found == {
        "iss": "ACME.eu",
        "scope": "a b",
        "client": "app-1",
        "level": 3,
        "nested": {"who": ["ACME", True]},
    }
    assert times["iat"] <= time.time() - 29
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "at+jwt", "kid": "ACME"}
    again = SIGNED.refresh(described, obtained.credential).credential.access_token
    assert again is not None
    assert read(again.get_secret_value())["jti"] != times["jti"]


def test_a_key_can_be_named_by_its_digest(egress_policy: Any) -> None:
    described = target({"algorithm": "RS256", "claims": {"iss": "{account}.SHA256:{public_key_sha256}"}, "jti": False})
    token = SIGNED.accept(described, typed(RS256)).credential.access_token
    assert token is not None
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    der = serialization.load_pem_public_key(PAIRS[RS256].public_key.encode()).public_bytes(*form)
    expected = base64.b64encode(hashlib.sha256(der).digest()).decode()
    claims = read(token.get_secret_value(), RS256)
    assert claims["iss"] == f"ACME.SHA256:{expected}"
    assert "jti" not in claims


@pytest.mark.parametrize(
    ("written", "encoding"),
    [("6b65793132333435", "hex"), ("a2V5MTIzNDU=", "base64"), ("a2V5MTIzNDU", "base64"), ("key12345", "text")],
)
def test_a_shared_secret_is_read_as_the_entry_says(written: str, encoding: str, egress_policy: Any) -> None:
    described = target({"algorithm": "HS256", "key_encoding": encoding})
    token = SIGNED.accept(described, typed(private_key=written)).credential.access_token
    assert token is not None
    assert jwt.decode(token.get_secret_value(), b"key12345", algorithms=["HS256"])


@pytest.mark.parametrize(
    ("token", "given"),
    [
        ({"algorithm": "ES256"}, "canary"),
        ({"algorithm": "RS256"}, PAIRS[ES256].private_key.get_secret_value()),
        ({"algorithm": "HS256", "key_encoding": "hex"}, "canary"),
        ({"algorithm": "HS256", "key_encoding": "base64"}, "can@ry"),
        ({"algorithm": "HS256"}, PAIRS[ES256].private_key.get_secret_value()),
        ({"algorithm": "HS256"}, PAIRS[ES256].public_key),
        ({"algorithm": "HS256"}, "ssh-ed25519 AAAAcanary"),
        (
            {"algorithm": "HS256", "key_encoding": "base64"},
            base64.b64encode(PAIRS[RS256].public_key.encode()).decode(),
        ),
    ],
)
def test_a_key_that_does_not_fit_is_told_at_once_and_not_quoted(
    token: dict[str, Any], given: str, egress_policy: Any
) -> None:
    with pytest.raises(FieldInvalid) as caught:
        SIGNED.accept(target(token), typed(private_key=given))
    assert caught.value.field == "private_key"
    assert "canary" not in str(caught.value)


def test_the_app_s_key_signs_only_as_the_entry_wants(egress_policy: Any) -> None:
    keys = {name: ClientKey("k", name, pair.private_key) for name, pair in PAIRS.items()}
    described = {"algorithm": "ES256", "key": "app", "claims": {"iss": "{client_id}"}}
    token = signed_token(target(described, key=keys[ES256], fields=[]), Credential()).get_secret_value()
    assert read(token)["iss"] == "app-1"
    assert jwt.get_unverified_header(token)["kid"] == "k"
    for key, told in ((keys[RS256], "wants ES256, and the provider app's key signs RS256"), (None, "no key")):
        with pytest.raises(MisconfiguredProvider, match=told):
            signed_token(target(described, key=key, fields=[]), Credential())
    with pytest.raises(MisconfiguredProvider, match="lacks its private_key"):
        signed_token(target({"algorithm": "ES256"}), Credential())


def test_neither_the_key_nor_its_file_can_be_vended(egress_policy: Any) -> None:
    obtained = SIGNED.accept(target({"algorithm": "ES256"}), typed())
    shown = SIGNED.present(target({"algorithm": "ES256"}), obtained.credential)
    assert "PRIVATE" not in f"{shown.headers}{shown.query}{shown.body}{shown.params}"
    assert shown.value == obtained.credential.access_token


def test_who_typed_the_key_is_to_blame_for_its_refusal(sandbox_target: Any, provider: Any) -> None:
    file = json.dumps({"client_id": "ann", "private_key_id": "k1", "private_key": typed()["private_key"]})
    strategy = strategy_for(JwtBearerMethod.style)
    provider.answers_with(401, {"error": "invalid_client"})
    with pytest.raises(GrantRejected):
        strategy.accept(sandbox_target(JwtBearerMethod.style), {"key_file": file})
    secret = {"jwt_bearer": {"client_authentication": "client_secret_post"}}
    with pytest.raises(ClientRejected):
        strategy.accept(sandbox_target(JwtBearerMethod.style, changes=secret), {"key_file": file})


def test_the_scopes_go_into_the_claim_or_else_into_the_parameter(sandbox_target: Any, provider: Any) -> None:
    file = json.dumps({"client_id": "ann", "private_key_id": "k1", "private_key": typed()["private_key"]})
    strategy = strategy_for(JwtBearerMethod.style)
    provider.answers_with(200, {"access_token": "at-12345678"})
    strategy.accept(sandbox_target(JwtBearerMethod.style), {"key_file": file, "subject": "bob"})
    assert "scope" not in provider.last.form
    claims = read(provider.last.form["assertion"])
    assert (claims["scope"], claims["sub"], claims["aud"]) == ("profile.read", "bob", f"{provider.url}/token")
    assert "client_id" in provider.last.form  # the app of this test has one
    plain = {"jwt_bearer": {"assertion": {"claims": {"iss": "{signer}", "scope": None}}}}
    strategy.accept(sandbox_target(JwtBearerMethod.style, changes=plain), {"key_file": file})
    assert provider.last.form["scope"] == "profile.read"


@pytest.mark.parametrize(
    ("file", "told"), [("{", "no JSON"), ("[]", "holds no client_id"), ("{}", "holds no client_id")]
)
def test_a_file_that_is_none_is_told(sandbox_target: Any, provider: Any, file: str, told: str) -> None:
    with pytest.raises(ProviderError, match=told):
        strategy_for(JwtBearerMethod.style).accept(sandbox_target(JwtBearerMethod.style), {"key_file": file})
    assert provider.requests == []


@pytest.mark.parametrize(
    "value", ["a\x00b", "a\nb", "a\r\nX-Header: b", "\ud800", "a\u202eb", "jörg@acme.example", "x" * 2000, "a\u2028b"]
)
@pytest.mark.parametrize("member", ["client_id", "private_key_id"])
def test_a_file_holds_nothing_that_no_header_or_column_takes(
    sandbox_target: Any, provider: Any, member: str, value: str
) -> None:
    whole = {"client_id": "ann", "private_key_id": "k1", "private_key": typed()["private_key"]}
    file = json.dumps(whole | {member: value})
    with pytest.raises(FieldInvalid, match=f"its {member} is too long, or has characters"):
        strategy_for(JwtBearerMethod.style).accept(sandbox_target(JwtBearerMethod.style), {"key_file": file})
    assert provider.requests == []


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_client"])
def test_a_refusal_by_a_server_with_another_clock_is_nobody_s_fault(
    sandbox_target: Any, provider: Any, error: str
) -> None:
    file = json.dumps({"client_id": "ann", "private_key_id": "k1", "private_key": typed()["private_key"]})
    strategy = strategy_for(JwtBearerMethod.style)
    for seconds in (-600, 600):
        provider.answers.clear()
        theirs = formatdate(time.time() + seconds, usegmt=True)
        provider.answers_with(400, {"error": error}, headers={"Date": theirs})
        with pytest.raises(ProviderUnavailable, match=r"by our clock, which is (599|600|601) s from its own"):
            strategy.accept(sandbox_target(JwtBearerMethod.style), {"key_file": file})
    provider.answers.clear()
    provider.answers_with(400, {"error": error}, headers={"Date": formatdate(time.time() - 30, usegmt=True)})
    with pytest.raises(GrantRejected):
        strategy.accept(sandbox_target(JwtBearerMethod.style), {"key_file": file})


@pytest.mark.parametrize(
    ("error", "expected"), [("invalid_grant", GrantRejected), ("invalid_client", ProviderUnavailable)]
)
def test_another_clock_excuses_no_dead_grant_where_the_signature_only_says_who_we_are(
    sandbox_target: Any, provider: Any, error: str, expected: type[ProviderError]
) -> None:
    style = "oauth2_authorization_code"
    target = sandbox_target(style, changes={"authorization_code": {"client_authentication": "private_key_jwt"}})
    key = ClientKey("k", ES256, PAIRS[ES256].private_key)
    target = replace(target, registration=replace(target.registration, key=key))
    provider.answers_with(400, {"error": error}, headers={"Date": formatdate(time.time() - 600, usegmt=True)})
    with pytest.raises(expected):
        strategy_for(style).refresh(target, Credential(refresh_token=SecretStr("rt-12345678")))


def test_another_clock_excuses_no_refusal_of_what_is_not_signed(sandbox_target: Any, provider: Any) -> None:
    provider.answers_with(400, {"error": "invalid_grant"}, headers={"Date": "Mon, 01 Jan 2024 00:00:00 GMT"})
    held = Credential(refresh_token=SecretStr("rt-12345678"))
    with pytest.raises(GrantRejected):
        strategy_for("oauth2_authorization_code").refresh(sandbox_target("oauth2_authorization_code"), held)
