"""Assertions of SAML: what they say, and that nothing of it can be changed without being noticed."""

import base64
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree
from pydantic import SecretStr
from signxml import SignatureConfiguration, XMLVerifier
from signxml.exceptions import InvalidSignature

from providers.sandbox.assertions import Refused, Replays
from providers.sandbox.saml import SamlAssertion
from providers.signing.bounds import UnusableKey
from providers.signing.key_set import PublishedKey, key_set
from providers.signing.keys import KeyPair, make_key_pair
from providers.signing.saml import Statement, sign_statement
from providers.vocabulary import SigningAlgorithm
from tests.providers.signing.certified import certificate_of

PAIR, OTHER = (make_key_pair(SigningAlgorithm.RS256) for _ in "12")
NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "ds": "http://www.w3.org/2000/09/xmldsig#"}
AUDIENCE = "https://as.example/token"


def signed(pair: KeyPair = PAIR, *, certificates: str = "", **changes: Any) -> bytes:
    said: dict[str, Any] = {
        "issuer": "client-1",
        "subject": "alice <&>",
        "name_id_format": "urn:format",
        "audience": AUDIENCE,
        "recipient": AUDIENCE,
        "lifetime_seconds": 300,
        "attributes": {"api_key": "k<1>"},
        **changes,
    }
    return sign_statement(Statement(**said), private_key=pair.private_key, certificates=certificates)


def judged(
    assertion: bytes, *, pair: KeyPair = PAIR, replays: Replays | None = None, after: float = 0
) -> dict[str, Any]:
    keys = key_set([PublishedKey("k1", pair.algorithm, pair.public_key)])["keys"]
    shown = SamlAssertion(base64.urlsafe_b64encode(assertion).rstrip(b"=").decode())
    return shown.judge(keys=keys, audiences=(AUDIENCE,), replays=replays or Replays(), now=time.time() + after)


def test_it_says_what_rfc_7522_wants() -> None:
    root = etree.fromstring(signed())
    assert [etree.QName(child).localname for child in root][:3] == ["Issuer", "Signature", "Subject"]
    confirmation = root.find(".//saml:SubjectConfirmation", NS)
    assert confirmation.get("Method") == "urn:oasis:names:tc:SAML:2.0:cm:bearer"
    assert confirmation[0].get("Recipient") == AUDIENCE
    assert root.findtext(".//saml:NameID", namespaces=NS) == "alice <&>"
    assert root.findtext(".//saml:Attribute/saml:AttributeValue", namespaces=NS) == "k<1>"
    conditions = root.find("saml:Conditions", NS)
    begins, ends = (
        datetime.strptime(conditions.get(name), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        for name in ("NotBefore", "NotOnOrAfter")
    )
    assert ends - begins == timedelta(seconds=330)
    assert begins < datetime.now(UTC) < ends


def test_its_certificate_verifies_it() -> None:
    certificate = certificate_of(PAIR)
    written = signed(certificates=certificate)
    settings = SignatureConfiguration(location="./")
    assert XMLVerifier().verify(written, x509_cert=certificate, expect_config=settings)
    with pytest.raises(InvalidSignature):
        XMLVerifier().verify(written.replace(b"client-1", b"client-2"), x509_cert=certificate, expect_config=settings)


def test_the_sandbox_believes_it_once() -> None:
    written, replays = signed(), Replays()
    assert judged(written, replays=replays) == {"iss": "client-1", "sub": "alice <&>", "kid": "k1"}
    with pytest.raises(Refused, match="replayed"):
        judged(written, replays=replays)


@pytest.mark.parametrize(
    ("changes", "terms", "outcome"),
    [
        ({"audience": "https://other.example"}, {}, "wrong_audience"),
        ({"recipient": "https://other.example"}, {}, "wrong_audience"),
        ({}, {"pair": OTHER}, "unknown_key"),
        ({}, {"after": 1000}, "assertion_expired"),
        ({}, {"after": -1000}, "issued_in_the_future"),
    ],
)
def test_the_sandbox_refuses_what_breaks_a_rule(changes: dict[str, Any], terms: dict[str, Any], outcome: str) -> None:
    with pytest.raises(Refused, match=outcome):
        judged(signed(**changes), **terms)


@pytest.mark.parametrize(("part", "instead"), [(b"client-1", b"client-2"), (b"alice", b"bob!!"), (b"</saml:Iss", b"x")])
def test_the_sandbox_notices_a_change(part: bytes, instead: bytes) -> None:
    with pytest.raises(Refused, match=r"bad_signature|no_token"):
        judged(signed().replace(part, instead))


@pytest.mark.parametrize("pem", ["canary", make_key_pair(SigningAlgorithm.EDDSA).private_key.get_secret_value()])
def test_a_key_that_does_not_sign_is_told_without_being_quoted(pem: str) -> None:
    pair = KeyPair(SigningAlgorithm.RS256, SecretStr(pem), "")
    with pytest.raises(UnusableKey, match="has to be an RSA key") as caught:
        signed(pair)
    assert caught.value.__cause__ is None
