"""Key pairs: made here, brought in every usual form of PEM, and shown by their public half alone."""

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import JWKRegistry

from providers.signing.bounds import UnusableKey
from providers.signing.keys import load_private_key, make_key_pair, public_jwk, read_key_pair, thumbprint
from providers.vocabulary import SigningAlgorithm

PAIRS = {one: make_key_pair(one) for one in SigningAlgorithm if not one.is_symmetric}
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
NO_PASSPHRASE = serialization.NoEncryption()


@pytest.mark.parametrize("algorithm", PAIRS)
def test_what_it_signs_its_public_half_verifies(algorithm: SigningAlgorithm) -> None:
    pair = PAIRS[algorithm]
    token = jwt.encode({"sub": "x"}, pair.private_key.get_secret_value(), algorithm=algorithm)
    assert jwt.decode(token, pair.public_key, algorithms=[algorithm]) == {"sub": "x"}
    assert jwt.decode(token, jwt.PyJWK(public_jwk(pair.public_key) | {"alg": algorithm})) == {"sub": "x"}


@pytest.mark.parametrize("algorithm", PAIRS)
def test_its_jwk_holds_the_public_half_and_nothing_else(algorithm: SigningAlgorithm) -> None:
    shown = public_jwk(PAIRS[algorithm].public_key)
    assert not shown.keys() & {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
    assert not JWKRegistry.import_key(shown).is_private


@pytest.mark.parametrize("algorithm", PAIRS)
def test_its_thumbprint_is_what_another_library_finds(algorithm: SigningAlgorithm) -> None:
    pair = PAIRS[algorithm]
    assert thumbprint(pair.public_key) == JWKRegistry.import_key(public_jwk(pair.public_key)).thumbprint()


@pytest.mark.parametrize("algorithm", PAIRS)
def test_a_key_that_is_brought_is_the_same_key(algorithm: SigningAlgorithm) -> None:
    pair = PAIRS[algorithm]
    assert read_key_pair(f"\n{pair.private_key.get_secret_value()} ", algorithm=algorithm) == pair
    assert "PRIVATE" not in repr(pair)


def test_older_forms_of_pem_are_read() -> None:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pkcs1 = made.private_bytes(serialization.Encoding.PEM, TRADITIONAL, NO_PASSPHRASE).decode()
    openssh = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, NO_PASSPHRASE
    ).decode()
    assert "RSA PRIVATE KEY" in pkcs1
    first = read_key_pair(pkcs1, algorithm=SigningAlgorithm.RS256)
    assert first.public_key == read_key_pair(openssh, algorithm=SigningAlgorithm.RS256).public_key


def test_an_encrypted_key_opens_with_its_passphrase_and_no_other() -> None:
    made = ec.generate_private_key(ec.SECP256R1())
    sealed = made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"right")
    ).decode()
    assert read_key_pair(sealed, algorithm=SigningAlgorithm.ES256, passphrase="right").public_key
    for passphrase, told in (("", "give its passphrase"), ("wrong", "passphrase is another")):
        with pytest.raises(UnusableKey, match=told):
            read_key_pair(sealed, algorithm=SigningAlgorithm.ES256, passphrase=passphrase)
    plain = PAIRS[SigningAlgorithm.ES256].private_key.get_secret_value()
    with pytest.raises(UnusableKey, match="leave the passphrase out"):
        load_private_key(plain, passphrase="needless")


@pytest.mark.parametrize(
    ("made", "algorithm"),
    [
        (rsa.generate_private_key(public_exponent=65537, key_size=1024), SigningAlgorithm.RS256),
        (ec.generate_private_key(ec.SECP384R1()), SigningAlgorithm.ES256),
        (ec.generate_private_key(ec.SECP256R1()), SigningAlgorithm.PS256),
        (ec.generate_private_key(ec.SECP256R1()), SigningAlgorithm.EDDSA),
    ],
)
def test_a_key_of_another_kind_is_refused_by_what_would_be_right(made: object, algorithm: SigningAlgorithm) -> None:
    pem = made.private_bytes(serialization.Encoding.PEM, TRADITIONAL, NO_PASSPHRASE).decode()  # type: ignore[attr-defined]
    with pytest.raises(UnusableKey, match=f"^{algorithm} needs an"):
        read_key_pair(pem, algorithm=algorithm)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary-secret",
        "-----BEGIN PRIVATE KEY-----\ud800",
        "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----",
    ],
)
def test_what_is_no_key_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(UnusableKey) as caught:
        load_private_key(text)
    assert "canary" not in str(caught.value)
    assert "Y2FuYXJ5" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_shared_secret_is_no_key_pair() -> None:
    with pytest.raises(UnusableKey):
        make_key_pair(SigningAlgorithm.HS256)
    with pytest.raises(UnusableKey):
        read_key_pair(PAIRS[SigningAlgorithm.ES256].private_key.get_secret_value(), algorithm=SigningAlgorithm.HS256)
