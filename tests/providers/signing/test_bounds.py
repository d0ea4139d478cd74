"""What would hold the process up is refused before it is opened or checked, with what to do instead."""

import base64
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from providers.signing.bounds import MOST_ROUNDS, UnusableKey, check_opening, check_public
from providers.signing.keys import load_private_key
from tests.providers.signing.crafted import (
    EC_KEY,
    encrypted,
    identifier,
    octets,
    pbes1,
    pbkdf2,
    pkcs8_dsa,
    pkcs8_rsa,
    scrypt,
    sealed,
    sequence,
)

RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NUMBERS = RSA_KEY.private_numbers()
PATIENCE_SECONDS = 3.0  # what is refused here would take minutes


@pytest.fixture(autouse=True)
def prompt() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < PATIENCE_SECONDS


def pem(label: str, der: bytes) -> str:
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----\n"


@pytest.mark.parametrize(
    "algorithm",
    [
        pbkdf2(MOST_ROUNDS + 1),
        pbkdf2(2**31 - 1),
        pbkdf2(2**63),
        pbes1(2**31 - 1),
        pbes1(2**31 - 1, kind="2a864886f70d01050a"),
        scrypt(2**20),
        scrypt(2, block=2**24),
        scrypt(2, lanes=2**24),
    ],
    ids=["one too many", "PBKDF2", "overflow", "PKCS 12's own", "PKCS 5's own", "scrypt", "its blocks", "its lanes"],
)
def test_an_encrypted_key_that_is_dear_to_open_is_refused(algorithm: bytes) -> None:
    with pytest.raises(UnusableKey, match="with fewer rounds, as `openssl pkcs8 -topk8 -iter 100000`"):
        load_private_key(pem("ENCRYPTED PRIVATE KEY", sealed(algorithm)), passphrase="x")


def test_the_rounds_that_programs_write_are_opened() -> None:
    for rounds in (2048, 600_000):
        key = load_private_key(
            pem("ENCRYPTED PRIVATE KEY", sequence_of(*encrypted(EC_KEY, passphrase="x", rounds=rounds))), passphrase="x"
        )
        assert key.key_size == 256


def sequence_of(algorithm: bytes, held: bytes) -> bytes:
    return sequence(algorithm, octets(held))


@pytest.mark.parametrize(
    "der",
    [b"", b"\x30", sealed(sequence(identifier("2a03"), sequence(b""))), sequence(), b"\x30\x80" * 3000, b"\x24\x80"],
)
def test_what_is_no_encrypted_key_is_refused(der: bytes) -> None:
    with pytest.raises(UnusableKey):
        check_opening(der)


@dataclass(frozen=True)
class Numbers:
    """Which numbers of a real key are replaced."""

    p: int | None = None
    q: int | None = None
    d: int | None = None
    dmp1: int | None = None
    n: int | None = None
    e: int | None = None


@pytest.mark.parametrize(
    ("made_up", "told"),
    [
        (Numbers(p=2**4423 - 1), "do not belong together"),  # a prime: to show that it is one takes a minute
        (Numbers(q=2**20_000 + 1), "too long"),
        (Numbers(d=2**4096), "do not belong together"),
        (Numbers(dmp1=2**4096 + 1), "do not belong together"),
        (Numbers(n=2**4300 + 1), "has 4301 bits: use one of 2048 to 4096"),
        (Numbers(e=2**2047 + 1), "public exponent"),
    ],
)
def test_an_rsa_key_whose_numbers_take_long_to_check_is_refused(made_up: Numbers, told: str) -> None:
    numbers = rsa.RSAPrivateNumbers(
        p=made_up.p or NUMBERS.p,
        q=made_up.q or NUMBERS.q,
        d=made_up.d or NUMBERS.d,
        dmp1=made_up.dmp1 or NUMBERS.dmp1,
        dmq1=NUMBERS.dmq1,
        iqmp=NUMBERS.iqmp,
        public_numbers=rsa.RSAPublicNumbers(made_up.e or 65537, made_up.n or NUMBERS.public_numbers.n),
    )
    with pytest.raises(UnusableKey, match=told):
        load_private_key(pem("PRIVATE KEY", pkcs8_rsa(numbers)))


def test_a_dsa_key_of_any_size_is_refused() -> None:
    with pytest.raises(UnusableKey, match="too long"):
        load_private_key(pem("PRIVATE KEY", pkcs8_dsa(40_000)))
    with pytest.raises(UnusableKey, match="of this kind are not used here"):
        load_private_key(pem("PRIVATE KEY", pkcs8_dsa(2_000)))


def test_openssh_keys_have_the_same_bounds() -> None:
    long = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    openssh = serialization.PrivateFormat.OpenSSH
    text = long.private_bytes(serialization.Encoding.PEM, openssh, serialization.NoEncryption()).decode()
    assert load_private_key(text).key_size == 2048
    with pytest.raises(UnusableKey, match="too long"):
        load_private_key(pem("OPENSSH PRIVATE KEY", b"openssh-key-v1\x00" + bytes(9000)))


def test_an_encrypted_openssh_key_is_refused_whatever_its_rounds() -> None:
    def text(data: bytes) -> bytes:
        return len(data).to_bytes(4) + data

    options = text(b"saltsaltsaltsalt") + (2**32 - 1).to_bytes(4)
    held = b"openssh-key-v1\x00" + text(b"aes256-ctr") + text(b"bcrypt") + text(options) + bytes(200)
    with pytest.raises(UnusableKey, match="ssh-keygen -p -m PKCS8"):
        load_private_key(pem("OPENSSH PRIVATE KEY", held), passphrase="x")


def test_a_public_key_with_an_unusual_exponent_verifies_nothing() -> None:
    modulus = NUMBERS.public_numbers.n
    check_public(rsa.RSAPublicNumbers(65537, modulus).public_key())
    with pytest.raises(UnusableKey, match="65537"):
        check_public(rsa.RSAPublicNumbers(2**2047 + 1, modulus).public_key())
    with pytest.raises(UnusableKey, match="8192"):
        check_public(rsa.RSAPublicNumbers(65537, 2**16383 + 1).public_key())
