"""A server of OAuth 1.0a (RFC 5849): temporary and lasting credentials, and a signature on each call."""

import base64
import hmac
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from oauthlib.oauth1.rfc5849.signature import base_string_uri, normalize_parameters, signature_base_string

from providers.dialects.matching import values_in
from providers.dialects.vendors.stand_in import CLIENT_ID, CLIENT_SECRET, Refused, StandIn
from providers.dialects.wire import Answer, Request

_TEMPORARY, _LASTING = "temporary-secret-1", "lasting-secret-1"
_CONFIRMED = "oauth_callback_confirmed"
_DIGESTS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}
_SKEW_SECONDS = 300


@dataclass
class OAuth1(StandIn):
    """Knows one client, one temporary token and one lasting one, and takes no nonce twice."""

    nonces: set[str] = field(default_factory=set)

    def _written(self, status: int, document: Any) -> Answer:
        if "oauth_token" in document:
            return status, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(document).encode()
        return super()._written(status, document)

    def _temporary(self, request: Request) -> tuple[int, Any]:
        if self._signed(request).get("oauth_callback") != self.callback:
            raise Refused(*self.fixture.refusal, "the callback is another one")
        return 200, {"oauth_token": "temporary-1", "oauth_token_secret": _TEMPORARY, _CONFIRMED: "true"}

    def consent(self, url: str) -> dict[str, list[str]]:
        """Say yes to the temporary token."""
        parts, said = urlsplit(url), self.fixture
        self._bind(values_in(said.authorize, url.partition("?")[0], self.known, is_address=True), url)
        sent = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert sent.get("oauth_token") == "temporary-1", "the temporary token is not sent"
        for name, template in said.asks.items():
            assert values_in(template, sent.get(name, ""), self.known) is not None, f"{name} is {sent.get(name)!r}"
        own = {"oauth_token": ["temporary-1"], "oauth_verifier": ["verifier-1"]}
        return own | {name: [value] for name, value in said.callback.items()}

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        if self._signed(request, token="temporary-1", secret=_TEMPORARY)["oauth_verifier"] != "verifier-1":
            raise Refused(*self.fixture.dead, "the verifier is another one")
        self.live.add("token-1")
        return 200, {"oauth_token": "token-1", "oauth_token_secret": _LASTING, **self.fixture.answer}

    def _check_credential(self, request: Request, *, alone: bool = False) -> None:
        sent = self._signed(request, token="token-1", secret=_LASTING)
        capitals = {name.upper(): value.upper().replace("-", "_") for name, value in self.known.items()}
        realm = values_in(self.fixture.realm, sent.get("realm", ""), capitals)
        if self.fixture.realm and realm is None:
            raise Refused(*self.fixture.refusal, f"the realm is {sent.get('realm')!r}")
        super()._check_credential(request, alone=alone)

    def _signed(self, request: Request, *, token: str = "", secret: str = "") -> dict[str, str]:
        """Return the parameters of the header ``Authorization``, whose signature is good. Raises ``Refused``."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        sent = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
        wanted = {"oauth_consumer_key": CLIENT_ID, "oauth_signature_method": self.fixture.signature}
        wanted |= {"oauth_token": token} if token else {}
        for name, value in wanted.items():
            if scheme != "OAuth" or sent.get(name) != value:
                raise Refused(*self.fixture.refusal, f"{name} is {sent.get(name)!r} and not {value!r}")
        self._check_age(sent)
        signed = [*request.query.items(), *((k, v) for k, v in sent.items() if k not in ("realm", "oauth_signature"))]
        pairs: Any = [(str(name), str(value)) for name, value in signed]  # its types know neither pairs nor all methods
        method: Any = request.method
        base = signature_base_string(method, base_string_uri(request.url), normalize_parameters(pairs))
        key = f"{quote(CLIENT_SECRET, safe='')}&{quote(secret, safe='')}".encode()
        digest = hmac.new(key, base.encode(), _DIGESTS[self.fixture.signature])
        if base64.b64encode(digest.digest()).decode() != sent.get("oauth_signature"):
            raise Refused(*self.fixture.refusal, "the signature does not fit")
        return sent

    def _check_age(self, sent: dict[str, str]) -> None:
        """Refuse what is old or was there before (RFC 5849 §3.3)."""
        nonce, moment = sent.get("oauth_nonce", ""), sent.get("oauth_timestamp", "")
        fresh = moment.isdigit() and abs(int(moment) - time.time()) <= _SKEW_SECONDS
        if not fresh or not nonce or nonce in self.nonces or sent.get("oauth_version", "1.0") != "1.0":
            raise Refused(*self.fixture.refusal, "the request is old, or was made before")
        self.nonces.add(nonce)
