"""An authorization server that gives tokens for assertions (RFC 7521 §4.1): JWTs (RFC 7523), or SAML (RFC 7522)."""

import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from providers.dialects.keys import KEYS, private_key
from providers.dialects.matching import is_carried
from providers.dialects.vendors.signatures import BadClaims, BadSignature, Judge
from providers.dialects.vendors.stand_in import Refused
from providers.dialects.wire import Request

_GRANTS = {
    "assertion": "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "saml": "urn:ietf:params:oauth:grant-type:saml2-bearer",
}


class Asserting(Judge):
    """Gives no refresh token: the next assertion buys the next token."""

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        sent, said = self._parameters(request), self.fixture
        self.known["token_url"] = request.address
        self._check_client(request, sent)
        if (grant := sent.get("grant_type", "-")) != _GRANTS[said.kind]:
            raise Refused(400, {"error": "unsupported_grant_type"}, f"grant_type is {grant!r}")
        if why := is_carried(said.demands, sent, self._is_known):
            raise Refused(400, {"error": "invalid_request"}, why)
        try:
            judge = self.judge_jwt if said.kind == "assertion" else self._judge_saml
            judge(sent.get("assertion", ""))
        except BadSignature as error:
            raise Refused(*said.wrong_client, str(error)) from None
        except BadClaims as error:
            raise Refused(*said.dead, str(error)) from None
        if self.ended:
            raise Refused(*said.dead, "the account is gone")
        return 200, self._issue(is_first=True)

    def _is_known(self, placeholder: str, value: str) -> bool:
        return value == self.known[placeholder] if placeholder in self.known else value in self.supplied

    def _judge_saml(self, text: str) -> None:
        from providers.dialects.vendors import saml  # noqa: PLC0415 (lxml comes with an extra)

        keys = [private_key(whose, "RS256").public_key() for whose in KEYS[self.signed.key]]
        try:
            found = saml.opened(text, [key for key in keys if isinstance(key, rsa.RSAPublicKey)])
        except ValueError as error:
            raise BadClaims(str(error)) from None
        if found is None:
            raise BadSignature("the assertion is not signed by a key that is known")
        self._compare(self.signed.claims, found.said)
        if not found.begins <= time.time() < found.ends:
            raise BadClaims("the assertion is not valid now")
