"""Assertions of SAML 2.0 as the sandbox judges them (RFC 7522 §3): by the same rules as the others that are signed.

The signature has to be by one of the client's ``jwks``, whose modulus it carries. Only what is signed is read. Needs
the extra ``saml``.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from providers.sandbox.assertions import Refused, Replays

_SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
_MODULUS = ".//{http://www.w3.org/2000/09/xmldsig#}Modulus"


class SamlAssertion:
    """An assertion whose signature is good, by whichever key it carries. Raises ``Refused`` of any other text."""

    def __init__(self, text: str) -> None:
        from lxml import etree  # noqa: PLC0415 (comes with an extra)
        from signxml.verifier import SignatureConfiguration, XMLVerifier  # noqa: PLC0415 (likewise)

        try:
            packed = text.translate(str.maketrans("-_", "+/"))
            document = base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
            settings = SignatureConfiguration(require_x509=False, location="./")
            # A list comes only where several signatures are expected.
            self._root: Any = XMLVerifier().verify(document, expect_config=settings).signed_xml  # type: ignore[union-attr]
            self._modulus = _number(etree.fromstring(document).findtext(_MODULUS))
        except (binascii.Error, ValueError):
            raise Refused("no_token") from None
        except Exception as error:  # noqa: BLE001 (the libraries name many)
            raise Refused("bad_signature" if "signature" in type(error).__name__.lower() else "no_token") from None

    @property
    def issuer(self) -> str:
        """Who says to have signed it."""
        return self._text("Issuer")

    def judge(
        self, *, keys: Sequence[Mapping[str, Any]], audiences: Sequence[str], replays: Replays, now: float
    ) -> dict[str, Any]:
        """Return iss, sub and kid of what one of ``keys`` has signed for this server. Raises ``Refused``."""
        signing = [key for key in keys if key.get("kty") == "RSA" and _number(key.get("n")) == self._modulus]
        if not signing or not self._modulus:
            raise Refused("unknown_key")
        confirmed = self._root.find(f".//{_SAML}SubjectConfirmationData")
        conditions = self._root.find(f"{_SAML}Conditions")
        if conditions is None or confirmed is None:
            raise Refused("no_times")
        if self._text("Conditions/AudienceRestriction/Audience") not in audiences:
            raise Refused("wrong_audience")
        if confirmed.get("Recipient") not in audiences:
            raise Refused("wrong_audience")
        begins, ends = _moment(conditions.get("NotBefore")), _moment(conditions.get("NotOnOrAfter"))
        if min(ends, _moment(confirmed.get("NotOnOrAfter"))) <= now:
            raise Refused("assertion_expired")
        if begins > now:
            raise Refused("issued_in_the_future")
        if not replays.show(self.issuer, str(self._root.get("ID")), until=ends, now=now):
            raise Refused("replayed")
        subject = self._text("Subject/NameID")
        return {"iss": self.issuer, "sub": subject, "kid": str(signing[0].get("kid", ""))}

    def _text(self, path: str) -> str:
        return str(self._root.findtext("/".join(f"{_SAML}{step}" for step in path.split("/"))) or "")


def _number(encoded: object) -> int:
    """Return the number in Base64 of either alphabet; 0 if there is none."""
    text = "".join(str(encoded or "").split()).translate(str.maketrans("-_", "+/"))
    return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4)), "big")


def _moment(text: str | None) -> float:
    try:
        return datetime.strptime(text or "", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refused("no_times") from None
