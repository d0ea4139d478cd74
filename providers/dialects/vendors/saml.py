"""An assertion of SAML 2.0 as its receiver reads it (saml-core-2.0 §2, xmldsig-core §3.2): nothing of it is ours."""

import base64
import binascii
import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"


@dataclass(frozen=True)
class Assertion:
    """What it says, and between which epochs: ``said`` has issuer, subject, audience, recipient and the attributes."""

    said: dict[str, str]
    begins: float
    ends: float


def opened(text: str, keys: Sequence[rsa.RSAPublicKey]) -> Assertion | None:
    """Return the assertion that is written in plain Base64, None unless one of ``keys`` has signed it.

    Raises ``ValueError`` where it is no assertion of SAML.
    """
    try:
        root = etree.fromstring(base64.b64decode(text, validate=True))
    except (binascii.Error, etree.XMLSyntaxError) as error:
        raise ValueError(f"it is no XML in Base64: {error}") from None
    if root.tag != f"{_SAML}Assertion" or [child.tag for child in root[:2]] != [f"{_SAML}Issuer", f"{_DS}Signature"]:
        raise ValueError("it does not begin with an issuer and a signature")
    if not any(_has_signed(key, root) for key in keys):
        return None
    confirmed = root.find(f"{_SAML}Subject/{_SAML}SubjectConfirmation")
    data = None if confirmed is None else confirmed.find(f"{_SAML}SubjectConfirmationData")
    conditions = root.find(f"{_SAML}Conditions")
    if confirmed is None or confirmed.get("Method") != _BEARER or data is None or conditions is None:
        raise ValueError("it has no bearer or no conditions")
    if root.find(f"{_SAML}AuthnStatement/{_SAML}AuthnContext") is None:
        raise ValueError("it does not say how the subject was authenticated")
    attributes = {
        str(item.get("Name")): item.findtext(f"{_SAML}AttributeValue") or ""
        for item in root.iterfind(f"{_SAML}AttributeStatement/{_SAML}Attribute")
    }
    said = {
        "issuer": root.findtext(f"{_SAML}Issuer") or "",
        "subject": root.findtext(f"{_SAML}Subject/{_SAML}NameID") or "",
        "audience": conditions.findtext(f"{_SAML}AudienceRestriction/{_SAML}Audience") or "",
        "recipient": data.get("Recipient") or "",
    }
    ends = min(_moment(conditions.get("NotOnOrAfter")), _moment(data.get("NotOnOrAfter")))
    return Assertion(said | attributes, _moment(conditions.get("NotBefore")), ends)


def _has_signed(key: rsa.RSAPublicKey, root: Any) -> bool:
    signature = root.find(f"{_DS}Signature")
    info = signature.find(f"{_DS}SignedInfo")
    reference = info.find(f"{_DS}Reference")
    transforms = {item.get("Algorithm") for item in reference.iter(f"{_DS}Transform")}
    if reference.get("URI") != f"#{root.get('ID')}" or transforms != {_ENVELOPED, _EXCLUSIVE}:
        return False
    bare = copy.deepcopy(root)
    bare.remove(bare.find(f"{_DS}Signature"))
    digest = hashlib.sha256(_canonical(bare)).digest()
    if base64.b64decode(reference.findtext(f"{_DS}DigestValue") or "") != digest:
        return False
    value = base64.b64decode(signature.findtext(f"{_DS}SignatureValue") or "")
    try:
        key.verify(value, _canonical(info), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _canonical(element: Any) -> bytes:
    found: bytes = etree.tostring(element, method="c14n", exclusive=True)
    return found


def _moment(text: str | None) -> float:
    return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
