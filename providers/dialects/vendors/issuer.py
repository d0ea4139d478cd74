"""What every vendor does that issues tokens: reading the request for one, knowing its client, and the answer."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from providers.dialects.answers import put, written
from providers.dialects.certificates import thumbprint
from providers.dialects.keys import APP, KEYS, certificate_of, claims_of_client
from providers.dialects.matching import values_in
from providers.dialects.vendors.stand_in import CLIENT_SECRET, Refused, StandIn
from providers.dialects.wire import Request

RENEWED = ("code", "device", "password")
_SECONDS_AWRY = 7  # a lifetime that no entry has as its default


@dataclass
class Issuer(StandIn):
    """Issues tokens, and knows which of them live."""

    issued: int = 0

    def _parameters(self, request: Request) -> dict[str, str]:
        """Return the parameters of a token request by the RFC's names."""
        return self._by_our_names(self._sent(request))

    def _sent(self, request: Request) -> dict[str, str]:
        kinds = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
        for form in self.fixture.format.split("|"):
            if form == "query":
                if not request.body:
                    return request.query
            elif request.content_type == kinds[form]:
                return dict(request.json) if form == "json" else request.form
        raise Refused(400, {"error": "invalid_request"}, f"the body is {request.content_type}")

    def _by_our_names(self, sent: dict[str, str]) -> dict[str, str]:
        found = dict(sent)
        for name, own in self.fixture.names.items():
            if own == "*":
                continue
            if name in sent:
                raise Refused(400, {"error": "invalid_request"}, f"{name} is not a name of this vendor's")
            if own != "-" and own in found:
                found[name] = found.pop(own)
        return found

    def _check_client(self, request: Request, sent: Mapping[str, str], *, ways: str = "") -> None:
        id_name, secret_name = self.fixture.client_names
        posted = (sent.get(id_name), sent.get(secret_name))
        scheme, _, coded = request.headers.get("Authorization", "").partition(" ")
        pair = ("", "")
        if scheme == "Basic":
            first, _, second = base64.b64decode(coded).decode().partition(":")
            pair = (unquote_plus(first), unquote_plus(second))
        mine = (self.known["client_id"], self.typed.get("client_secret", CLIENT_SECRET))
        fits = {
            "post": posted == mine and not scheme,
            "basic": pair == mine and posted[1] is None,
            "secret": posted[1] == mine[1] and not scheme,
            "key": posted[1] is None and not scheme and self._is_proven(request, sent),
            "none": posted == (mine[0], None) and not scheme,
            "absent": posted[1] is None and not scheme and "client_assertion" not in sent,
            "": True,
        }
        if not any(fits[way] for way in (ways or self.fixture.client).split("|")):
            raise Refused(*self.fixture.wrong_client, "the client does not prove itself as it should")

    def _is_proven(self, request: Request, sent: Mapping[str, str]) -> bool:
        key = self.fixture.signed
        whose, algorithm = (APP, "RS256") if key is None else (KEYS[key.key][0], key.algorithm)
        claims = claims_of_client(sent, whose=whose, algorithm=algorithm)
        known = {**self.known, "token_url": request.address}
        if certificate := certificate_of(whose, algorithm):
            known["certificate"] = thumbprint(certificate)
        for name, template in self.fixture.proof.items():
            value = str(claims.get(name, ""))
            found = values_in(template, value, known)
            if found is None or not all(self._is_supplied(text) for text in found.values()):
                self.complaints.append(f"{name} of the assertion is {value!r} and not {template!r}")
                return False
        return True

    def _issue(self, *, is_first: bool) -> dict[str, Any]:
        said = self.fixture
        self.issued += 1
        access = f"access-{self.issued}"
        tokens: dict[str, Any] = {"token_type": "Bearer"}
        put(tokens, said.token_name, access)
        self.live.add(access)
        if said.kind in RENEWED and said.refresh != "none" and (is_first or said.refresh != "stays"):
            put(tokens, said.refresh_name, f"refresh-{self.issued}")
            self.renewable.add(f"refresh-{self.issued}")
        if self.told_lifetime is not None:
            put(tokens, said.expiry, written(self.told_lifetime, said.expiry_form))
        for name, value in said.answer.items():
            put(tokens, name, value)
        if not said.tokens_at:
            return tokens | said.around
        whole: dict[str, Any] = dict(said.around)
        put(whole, said.tokens_at, tokens)
        return whole

    @property
    def told_lifetime(self) -> int | None:
        said = self.fixture
        if said.lifetime is None or not said.expiry:
            return None
        return said.lifetime - (60 if said.expiry_form == "minutes" else _SECONDS_AWRY)

    def _is_alive(self, placeholder: str, value: str) -> bool:
        return value in self.live
