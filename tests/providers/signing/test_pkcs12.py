"""PKCS #12 files of several programs are read; those that are dear to open are not, wherever they hide it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import PrivateFormat, load_der_private_key, pkcs12

from providers.sandbox.mutual_tls import MutualTls
from providers.signing.ber import elements, written
from providers.signing.bounds import UnusableKey
from providers.signing.pkcs12 import read_pkcs12
from tests.providers.signing.crafted import (
    EC_KEY,
    closed_part,
    encrypted,
    file_of,
    identifier,
    key_bag,
    octets,
    open_part,
    pbes1,
    pbkdf2,
    pkcs8_dsa,
    scrypt,
    sealed,
    sequence,
)

SANDBOX = MutualTls()
CERTIFICATE = x509.load_pem_x509_certificate(SANDBOX.issue("alice").certificate.encode())
DEAR = pbkdf2(2**31 - 1)


@pytest.fixture(autouse=True)
def prompt() -> Iterator[None]:
    began = time.process_time()
    yield
    assert time.process_time() - began < 15  # what is refused here would take minutes


def certificate_of(key: pkcs12.PKCS12PrivateKeyTypes) -> x509.Certificate:
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now)  # type: ignore[arg-type]  # EC or RSA
    return builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]  # EC or RSA


def ec_key() -> pkcs12.PKCS12PrivateKeyTypes:
    return load_der_private_key(EC_KEY, None)  # type: ignore[return-value]  # EC


def own_bag() -> bytes:
    return key_bag(sequence_of(*encrypted(EC_KEY, passphrase="x")))


def sequence_of(algorithm: bytes, held: bytes) -> bytes:
    return sequence(algorithm, octets(held))


def certificate_bag(certificate: x509.Certificate) -> bytes:
    der = certificate.public_bytes(pkcs12.serialization.Encoding.DER)
    held = sequence(identifier("2a864886f70d01091601"), written(0xA0, octets(der)))
    return sequence(identifier("2a864886f70d010c0a0103"), written(0xA0, held))


@pytest.mark.parametrize("kind", [None, pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC])
def test_what_programs_write_is_read(kind: pkcs12.PBES | None) -> None:
    builder = PrivateFormat.PKCS12.encryption_builder()
    builder = builder if kind is None else builder.key_cert_algorithm(kind)
    key = ec_key()
    packed = pkcs12.serialize_key_and_certificates(
        b"x", key, certificate_of(key), [CERTIFICATE], builder.build(b"a passphrase")
    )
    read, first, others = read_pkcs12(packed, passphrase="a passphrase")
    assert read.private_numbers() == key.private_numbers()  # type: ignore[union-attr]  # EC
    assert first.public_key() == key.public_key()
    assert others == [CERTIFICATE]
    for wrong in ("another", ""):
        with pytest.raises(UnusableKey, match="passphrase"):
            read_pkcs12(packed, passphrase=wrong)


def test_a_file_whose_lengths_are_not_told_ahead_is_read() -> None:
    """Some browsers write BER: each constructed value ends with a mark, and the contents come in pieces."""
    algorithm, held = encrypted(sequence(certificate_bag(certificate_of(ec_key()))), passphrase="x")

    def untold(tag: int, content: bytes) -> bytes:
        return bytes([tag, 0x80]) + content + b"\x00\x00"

    def in_pieces(data: bytes) -> bytes:
        return untold(0x24, b"".join(octets(data[at : at + 100]) for at in range(0, len(data), 100)))

    def part(data: bytes) -> bytes:
        return untold(0x30, identifier("2a864886f70d010701") + untold(0xA0, in_pieces(data)))

    pieces = untold(0xA0, octets(held[:16]) + octets(held[16:]))
    contents = untold(0x30, identifier("2a864886f70d010701") + algorithm + pieces)
    closed = untold(0x30, identifier("2a864886f70d010706") + untold(0xA0, untold(0x30, b"\x02\x01\x00" + contents)))
    packed = untold(0x30, b"\x02\x01\x03" + part(untold(0x30, closed + part(untold(0x30, own_bag())))))
    assert read_pkcs12(packed, passphrase="x")[0].private_numbers() == ec_key().private_numbers()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "packed",
    [
        file_of(open_part(key_bag(sealed(DEAR)))),
        file_of(open_part(key_bag(sealed(pbes1(2**31 - 1))))),
        file_of(open_part(own_bag()), closed_part(DEAR, bytes(64))),
        file_of(closed_part(pbes1(2**31 - 1), bytes(64)), open_part(own_bag())),
        file_of(open_part(own_bag()), *(closed_part(pbkdf2(400_000), bytes(64)) for _ in range(4))),
        file_of(open_part(own_bag()), *(closed_part(scrypt(2**15), bytes(64)) for _ in range(2))),
        file_of(open_part(key_bag(sealed(pbkdf2(700_000)))), closed_part(pbkdf2(700_000), bytes(64))),
    ],
    ids=["key", "key, PKCS 12's own", "certificates", "certificates first", "many", "scrypt", "key and certificates"],
)
def test_a_file_that_is_dear_to_open_is_refused(packed: bytes) -> None:
    with pytest.raises(UnusableKey, match=r"with fewer rounds, as .* `openssl pkcs12 -export -iter 100000`"):
        read_pkcs12(packed, passphrase="x")


def test_a_key_that_is_hidden_in_an_encrypted_part_is_never_opened() -> None:
    hidden = encrypted(sequence(key_bag(sealed(DEAR)), certificate_bag(certificate_of(ec_key()))), passphrase="x")
    packed = file_of(closed_part(*hidden), open_part(own_bag()))
    assert read_pkcs12(packed, passphrase="x")[1] is not None
    with pytest.raises(UnusableKey, match="does not hold both"):
        read_pkcs12(file_of(closed_part(*hidden)), passphrase="x")


def test_a_seal_over_the_whole_is_not_paid_for() -> None:
    """Its rounds are the file's word, too. What it would prove, opening the parts proves as well."""
    key = ec_key()
    encryption = PrivateFormat.PKCS12.encryption_builder().build(b"x")
    packed = pkcs12.serialize_key_and_certificates(b"x", key, certificate_of(key), None, encryption)
    version, contents, seal = elements(elements(packed)[0].content)
    digest, salt, _rounds = elements(seal.content)
    dear = sequence(digest.whole, salt.whole, b"\x02\x04\x7f\xff\xff\xff")
    assert read_pkcs12(sequence(version.whole, contents.whole, dear), passphrase="x")[0].key_size == 256


def test_a_key_in_it_has_the_bounds_of_every_key() -> None:
    with pytest.raises(UnusableKey, match="RSA keys have 2048 to 4096 bits"):
        read_pkcs12(file_of(open_part(key_bag(sealed(pbkdf2(1), bytes(3000))))), passphrase="x")
    made_up = sequence_of(*encrypted(pkcs8_dsa(2_000), passphrase="x"))
    with pytest.raises(UnusableKey, match="of this kind are not used here"):
        read_pkcs12(file_of(open_part(key_bag(made_up))), passphrase="x")


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x30",
        b"\x30\x80" * 20_000,
        b"\x24\x80" * 20_000,
        b"\x30\x00" * 30_000,
        file_of(),
        sequence(),
        file_of(open_part()),
    ],
)
def test_what_is_no_such_file_is_refused(packed: bytes) -> None:
    with pytest.raises(UnusableKey):
        read_pkcs12(packed, passphrase="x")
