"""Assertions of SAML 2.0 (OASIS saml-core-2.0), as RFC 7522 §3 wants them, signed by ``signxml`` on lxml.

Both come with the extra ``saml``; they are imported when the first assertion is signed, because few need them.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from providers.signing.bounds import UnusableKey
from providers.signing.tokens import BACKDATED_SECONDS

_SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
_SIGNATURES = "http://www.w3.org/2000/09/xmldsig#"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"  # noqa: S105 - no password
_BASIC_NAME = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"


@dataclass(frozen=True, slots=True)
class Statement:
    """What an assertion says: who signs about whom, for which server, and for how many seconds."""

    issuer: str
    subject: str
    name_id_format: str
    audience: str
    recipient: str
    lifetime_seconds: int
    attributes: Mapping[str, str] = field(default_factory=dict)


def sign_statement(statement: Statement, *, private_key: SecretStr, certificates: str = "") -> bytes:
    """Return the assertion as XML, with an enveloped signature by RSA and SHA-256 (exclusive canonical form).

    ``private_key`` and ``certificates`` are PEM; the certificates, or else the public key, go into the signature.
    Raises ``UnusableKey``, also if the libraries are not installed.
    """
    try:
        from lxml import etree  # noqa: PLC0415 (comes with an extra)
        from signxml.algorithms import CanonicalizationMethod  # noqa: PLC0415 (likewise)
        from signxml.signer import XMLSigner  # noqa: PLC0415 (likewise)
    except ImportError:
        raise UnusableKey("Assertions of SAML need the extra `saml`: pip install latchkey[saml].") from None
    document = _written(statement, etree)
    signer = XMLSigner(c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    # SAML wants the signature behind the issuer: signxml puts it where this element stands.
    document.insert(1, etree.Element(f"{{{_SIGNATURES}}}Signature", nsmap={"ds": _SIGNATURES}, Id="placeholder"))
    try:
        signed = signer.sign(
            document,
            key=private_key.get_secret_value(),
            cert=certificates or None,
            reference_uri=document.get("ID"),
            always_add_key_value=not certificates,
        )
    except Exception:  # noqa: BLE001 (the libraries name many, and theirs may quote the key)
        raise UnusableKey("The key does not sign assertions of SAML: it has to be an RSA key.") from None
    found: bytes = etree.tostring(signed)
    return found


def _written(statement: Statement, etree: Any) -> Any:
    now = datetime.now(UTC).replace(microsecond=0)
    begins, ends = now - timedelta(seconds=BACKDATED_SECONDS), now + timedelta(seconds=statement.lifetime_seconds)
    root = etree.Element(
        f"{{{_SAML}}}Assertion",
        nsmap={"saml": _SAML},
        ID=f"_{uuid.uuid4().hex}",
        Version="2.0",
        IssueInstant=_instant(begins),
    )

    def add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
        child = etree.SubElement(parent, f"{{{_SAML}}}{name}", **attributes)
        child.text = text or None
        return child

    add(root, "Issuer", statement.issuer)
    subject = add(root, "Subject")
    add(subject, "NameID", statement.subject, Format=statement.name_id_format)
    confirmation = add(subject, "SubjectConfirmation", Method=_BEARER)
    add(confirmation, "SubjectConfirmationData", NotOnOrAfter=_instant(ends), Recipient=statement.recipient)
    conditions = add(root, "Conditions", NotBefore=_instant(begins), NotOnOrAfter=_instant(ends))
    add(add(conditions, "AudienceRestriction"), "Audience", statement.audience)
    authentication = add(root, "AuthnStatement", AuthnInstant=_instant(begins), SessionIndex=f"_{uuid.uuid4().hex}")
    add(add(authentication, "AuthnContext"), "AuthnContextClassRef", _PASSWORD)
    if statement.attributes:
        stated = add(root, "AttributeStatement")
        for name, value in statement.attributes.items():
            add(add(stated, "Attribute", Name=name, NameFormat=_BASIC_NAME), "AttributeValue", value)
    return root


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
