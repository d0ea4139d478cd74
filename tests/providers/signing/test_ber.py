"""The structure of BER is read as X.690 has it, and nothing that is made to go deep or to end nowhere."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from providers.sandbox.mutual_tls import MutualTls
from providers.signing.ber import SEQUENCE, Element, elements, number, octets, only, written

CERTIFICATE = x509.load_pem_x509_certificate(MutualTls().issue("alice").certificate.encode())


def test_a_certificate_is_three_values_in_one() -> None:
    whole = CERTIFICATE.public_bytes(Encoding.DER)
    described, _, signature = elements(only(whole).content)
    assert described.whole == CERTIFICATE.tbs_certificate_bytes
    assert signature.content[1:] == CERTIFICATE.signature
    assert number(elements(described.content)[1]) == CERTIFICATE.serial_number


@given(st.integers(0, 0x1E), st.binary(max_size=70_000))
def test_what_is_written_is_read(tag: int, content: bytes) -> None:
    assert only(written(tag, content)) == Element(tag, content, written(tag, content))


def test_octets_are_put_together() -> None:
    assert octets(only(b"\x24\x80\x04\x01a\x04\x02bc\x00\x00")) == b"abc"
    assert octets(only(b"\x04\x03abc")) == b"abc"
    with pytest.raises(ValueError, match="not made of octets"):
        octets(only(b"\x24\x03\x02\x01\x01"))


@pytest.mark.parametrize(
    "data",
    [
        b"\x30",
        b"\x30\x05\x00",
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x1f\x01\x00",
        b"\x30\x80" * 40 + b"\x00\x00" * 40,
    ],
)
def test_what_is_cut_off_or_too_deep_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="cut off"):
        elements(data)


def test_a_number_is_one_that_counts() -> None:
    assert number(only(b"\x02\x02\x00\xff")) == 255
    for data in (b"\x02\x01\xff", b"\x02\x00", written(SEQUENCE, b"")):
        with pytest.raises(ValueError, match="no number"):
            number(only(data))
