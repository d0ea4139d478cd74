"""Signed tokens: verified by another library, and named by their key and certificate."""

import hashlib
import time
import warnings

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc import jwt as other_jwt
from joserfc.jwk import JWKRegistry
from pydantic import SecretStr

from providers.signing.bounds import UnusableKey
from providers.signing.keys import base64url, make_key_pair, public_jwk
from providers.signing.tokens import sign, sign_as_client, sign_with_secret
from providers.values import ClientKey
from providers.vocabulary import SigningAlgorithm
from tests.providers.signing.certified import certificate_of

PAIRS = {one: make_key_pair(one) for one in SigningAlgorithm if not one.is_symmetric}


@pytest.mark.parametrize("algorithm", PAIRS)
def test_another_library_believes_it(algorithm: SigningAlgorithm) -> None:
    pair = PAIRS[algorithm]
    token = sign({"sub": "x"}, private_key=pair.private_key, algorithm=algorithm, header={"kid": "k"})
    read = other_jwt.decode(
        token, JWKRegistry.import_key(public_jwk(pair.public_key)), algorithms=[algorithm, "Ed25519"]
    )
    assert (read.claims, read.header) == ({"sub": "x"}, {"alg": algorithm, "typ": "JWT", "kid": "k"})


def test_our_own_are_named_by_key_and_certificate() -> None:
    pair = PAIRS[SigningAlgorithm.PS256]
    certificate = certificate_of(pair)
    key = ClientKey("k1", SigningAlgorithm.PS256, pair.private_key, certificate)
    header = jwt.get_unverified_header(sign_as_client({}, key, header={"typ": "other"}))
    der = x509.load_pem_x509_certificate(certificate.encode()).public_bytes(Encoding.DER)
    assert header == {
        "alg": "PS256",
        "typ": "other",
        "kid": "k1",
        "x5t#S256": base64url(hashlib.sha256(der).digest()),
    }


def test_a_shared_secret_signs_however_short_the_provider_made_it() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        token = sign_with_secret({"sub": "x"}, secret=b"short", header={"kid": "k"})
    assert jwt.decode(token, b"short", algorithms=["HS256"]) == {"sub": "x"}


@pytest.mark.parametrize("pem", ["canary", PAIRS[SigningAlgorithm.ES256].private_key.get_secret_value()])
def test_a_key_that_does_not_sign_is_told_without_being_quoted(pem: str) -> None:
    with pytest.raises(UnusableKey, match=r"does not sign by RS256|cannot be read") as caught:
        sign({}, private_key=SecretStr(pem), algorithm=SigningAlgorithm.RS256)
    assert caught.value.__cause__ is None
    with pytest.raises(UnusableKey):
        sign_with_secret({}, secret=b"")


def test_a_known_rsa_key_is_not_checked_anew_each_time() -> None:
    pair = PAIRS[SigningAlgorithm.RS256]
    took = []
    for _ in range(10):
        began = time.process_time()
        sign({}, private_key=pair.private_key, algorithm=SigningAlgorithm.RS256)
        took.append(time.process_time() - began)
    assert min(took) < 0.05
