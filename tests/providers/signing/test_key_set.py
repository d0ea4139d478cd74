"""The JWK Set: what a provider finds a key by, and nothing that signs."""

import jwt

from providers.signing.key_set import PublishedKey, key_set
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.providers.signing.certified import certificate_of


def test_each_key_is_found_by_its_kid_and_verifies() -> None:
    pairs = {f"key-{one}": make_key_pair(one) for one in (SigningAlgorithm.ES256, SigningAlgorithm.EDDSA)}
    found = key_set(PublishedKey(kid, pair.algorithm, pair.public_key) for kid, pair in pairs.items())
    assert [(key["kid"], key["alg"], key["use"]) for key in found["keys"]] == [
        ("key-ES256", "ES256", "sig"),
        ("key-EdDSA", "EdDSA", "sig"),
    ]
    read = jwt.PyJWKSet.from_dict(found)
    for kid, pair in pairs.items():
        token = jwt.encode({"sub": "x"}, pair.private_key.get_secret_value(), algorithm=pair.algorithm)
        assert jwt.decode(token, read[kid]) == {"sub": "x"}


def test_certificates_stand_beside_their_key() -> None:
    pair = make_key_pair(SigningAlgorithm.ES256)
    (shown,) = key_set([PublishedKey("k", pair.algorithm, pair.public_key, certificate_of(pair))])["keys"]
    assert shown["x5c"]
    assert shown["x5t#S256"]
