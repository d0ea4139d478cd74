"""Client certificates as people bring them: PEM, PKCS #12, joined lines, and what does not fit."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12

from providers.sandbox.mutual_tls import MutualTls
from providers.signing.bounds import UnusableKey
from providers.signing.client_certificates import read_client_certificate

SANDBOX = MutualTls()
ISSUED, OTHER = SANDBOX.issue("alice"), SANDBOX.issue("bob")
NOW = datetime.now(UTC)


def key_of(pem: str) -> serialization.pkcs12.PKCS12PrivateKeyTypes:
    key: serialization.pkcs12.PKCS12PrivateKeyTypes = serialization.load_pem_private_key(pem.encode(), None)  # type: ignore[assignment]  # EC
    return key


def packed(passphrase: str = "", *, with_key: bool = True) -> str:
    """Return what alice was issued as PKCS #12 in Base64, with the authority's certificate before her own."""
    own = x509.load_pem_x509_certificate(ISSUED.certificate.encode())
    above = [x509.load_pem_x509_certificate(pem.encode()) for pem in (OTHER.certificate, SANDBOX.authority)]
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    key = key_of(ISSUED.private_key) if with_key else None
    return b64encode(pkcs12.serialize_key_and_certificates(b"alice", key, own, above, encryption)).decode()


def encrypted(passphrase: str) -> str:
    form = serialization.PrivateFormat.PKCS8
    encryption = BestAvailableEncryption(passphrase.encode())
    return key_of(ISSUED.private_key).private_bytes(serialization.Encoding.PEM, form, encryption).decode()


@pytest.mark.parametrize(
    ("certificate", "private_key", "passphrase"),
    [
        (ISSUED.certificate, ISSUED.private_key, ""),
        (ISSUED.certificate + ISSUED.private_key, "", ""),
        (ISSUED.private_key + ISSUED.certificate, "", ""),
        (ISSUED.certificate.replace("\n", ""), ISSUED.private_key.replace("\n", " "), ""),
        (ISSUED.certificate.replace("\n", "\r\n"), encrypted("a passphrase"), "a passphrase"),
    ],
    ids=["two fields", "one field", "the key first", "lines joined by a form", "encrypted"],
)
def test_pem_is_read_however_it_was_pasted(certificate: str, private_key: str, passphrase: str) -> None:
    found = read_client_certificate(certificate, private_key=private_key, passphrase=passphrase, now=NOW)
    assert found.certificate.chain == ISSUED.certificate
    assert found.certificate.private_key.get_secret_value() == ISSUED.private_key
    assert abs(found.ends_at - NOW - timedelta(days=30)) < timedelta(minutes=5)
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize("passphrase", ["", "a passphrase"])
def test_pkcs12_brings_the_chain_in_order(passphrase: str) -> None:
    found = read_client_certificate(packed(passphrase), passphrase=passphrase, now=NOW)
    assert found.certificate.chain == ISSUED.certificate + SANDBOX.authority
    assert found.certificate.private_key.get_secret_value() == ISSUED.private_key


@pytest.mark.parametrize(
    ("certificate", "private_key", "passphrase", "says"),
    [
        (ISSUED.certificate, OTHER.private_key, "", "of another key"),
        (ISSUED.certificate, "", "", "no private key"),
        ("", ISSUED.private_key, "", "neither a certificate"),
        (ISSUED.private_key, ISSUED.private_key, "", "no certificate in PEM"),
        (ISSUED.certificate, encrypted("right"), "wrong", ""),
        (ISSUED.certificate, encrypted("right"), "", "is encrypted"),
        (ISSUED.certificate + OTHER.certificate, ISSUED.private_key, "", "no chain"),
        (packed("right"), "", "wrong", "the passphrase is another"),
        (packed(with_key=False), "", "", "does not hold both"),
        ("bm90IGEgZmlsZQ==", "", "", "neither a certificate"),
        ("no Base64!", "", "", "neither a certificate"),
    ],
)
def test_what_cannot_be_presented_is_told_without_quoting_it(
    certificate: str, private_key: str, passphrase: str, says: str
) -> None:
    with pytest.raises(UnusableKey) as caught:
        read_client_certificate(certificate, private_key=private_key, passphrase=passphrase, now=NOW)
    assert says in str(caught.value)
    assert "right" not in str(caught.value)


def test_a_certificate_that_has_ended_or_not_begun_is_refused() -> None:
    ended = SANDBOX.issue("alice", days=-1)
    with pytest.raises(UnusableKey, match="ended on"):
        read_client_certificate(ended.certificate, private_key=ended.private_key, now=NOW)
    with pytest.raises(UnusableKey, match="not valid before"):
        read_client_certificate(ISSUED.certificate, private_key=ISSUED.private_key, now=NOW - timedelta(days=90))
