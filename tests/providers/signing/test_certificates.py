"""Certificates: of the right key, in one chain, and with an end."""

from datetime import UTC, datetime

import pytest

from providers.signing.bounds import UnusableKey
from providers.signing.certificates import certificate_members, certificate_thumbprint, read_certificates
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.providers.signing.certified import authority, certificate_of

PAIR = make_key_pair(SigningAlgorithm.PS256)
AUTHORITY = authority()
OWN, ROOT = certificate_of(PAIR, issuer=AUTHORITY, days=30), certificate_of(AUTHORITY)


def test_a_chain_is_read_in_its_order_and_tells_when_the_first_ends() -> None:
    chain = read_certificates(f"a comment\n{OWN}\n\n{ROOT}", public_key=PAIR.public_key)
    assert chain.pem == OWN + ROOT
    assert 29 <= (chain.ends_at - datetime.now(UTC)).days <= 30


def test_its_members_of_a_jwk_hold_the_certificates() -> None:
    members = certificate_members(OWN + ROOT)
    assert members["x5t#S256"] == certificate_thumbprint(OWN)
    assert [f"-----BEGIN CERTIFICATE-----\n{der[:64]}" in OWN + ROOT for der in members["x5c"]] == [True, True]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("pem", "told"),
    [
        ("", "no certificate in PEM"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "no certificate in PEM"),
        (ROOT, "of another key"),
        (ROOT + OWN, "of another key"),
        (OWN + certificate_of(authority()), "no chain"),
    ],
)
def test_what_does_not_fit_is_told(pem: str, told: str) -> None:
    with pytest.raises(UnusableKey, match=told):
        read_certificates(pem, public_key=PAIR.public_key)
