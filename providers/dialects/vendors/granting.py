"""An authorization server: consent in a browser, codes to enter, and the grants of OAuth 2.0 at the token endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from providers.dialects.answers import proves
from providers.dialects.matching import address_values, values_in
from providers.dialects.vendors.issuer import RENEWED, Issuer
from providers.dialects.vendors.stand_in import CLIENT_ID, Refused
from providers.dialects.wire import Request

DEVICE_CODE, USER_CODE = "device-code-1", "WDJB-MJHT"
_GRANTS = {
    "code": "authorization_code",
    "machine": "client_credentials",
    "password": "password",
    "device": "urn:ietf:params:oauth:grant-type:device_code",
}


@dataclass
class Granting(Issuer):
    """Keeps its codes with their challenges."""

    codes: dict[str, str] = field(default_factory=dict)

    # --- the browser --------------------------------------------------------------------------------------------------
    def consent(self, url: str) -> dict[str, list[str]]:
        """Say yes to an authorization request (RFC 6749 §4.1.1)."""
        said, parts = self.fixture, urlsplit(url)
        template, _, own = said.authorize.partition("?")
        self._bind(values_in(template, url.partition("?")[0], self.known, is_address=True), url)
        sent = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        wanted = {"client_id": CLIENT_ID, "redirect_uri": self.callback, "response_type": "code"}
        wanted |= dict(pair.split("=", 1) for pair in own.split("&") if pair) | said.asks
        for name, template in wanted.items():
            if template == "-":
                assert name not in sent, f"the request has {name}"
            elif template == "{random}":
                assert sent.get(name), f"the request lacks {name}"
            elif template != "*":
                found = values_in(template, sent.get(name, ""), self.known)
                assert found is not None, f"{name} is {sent.get(name)!r} and not {template!r}"
                self.known |= found
        self._check_challenge(sent)
        state = sent.get(said.state_name, "")
        assert state, "the request has no state"
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = sent.get("code_challenge", "")
        answer = {said.code_name: [code], said.state_name: [state]}
        return answer | {name: [value] for name, value in said.callback.items()}

    def _check_challenge(self, sent: Mapping[str, str]) -> None:
        if self.fixture.pkce == "refused":
            assert "code_challenge" not in sent, "a challenge is sent where it breaks the request"
        if self.fixture.pkce == "required" or "code_challenge" in sent:
            assert sent.get("code_challenge"), "there is no challenge"
            assert sent.get("code_challenge_method") == "S256"

    # --- the token endpoint -------------------------------------------------------------------------------------------
    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        sent, said = self._parameters(request), self.fixture
        is_renewal = said.kind in RENEWED and self._is_renewal(sent)
        self._check_client(request, sent, ways=said.refresh_client if is_renewal else "")
        dead = Refused(*said.dead, "the grant is dead")
        known = {**self.known, "redirect_uri": self.callback}
        for name, template in {**said.demands, **(said.refresh_demands if is_renewal else {})}.items():
            if values_in(template, str(sent.get(name, "")), known) is None:
                raise Refused(400, {"error": "invalid_request"}, f"{name} is {sent.get(name)!r}, not {template!r}")
        if is_renewal:
            return self._renew(request, sent, dead)
        if self._has_grant_type and (grant := sent.get("grant_type", "-")) != (said.grant or _GRANTS[said.kind]):
            raise Refused(400, {"error": "unsupported_grant_type"}, f"grant_type is {grant!r}")
        if said.kind == "code":
            challenge = self.codes.pop(sent.get("code", ""), None)
            comes_back = said.names.get("redirect_uri") or sent.get("redirect_uri") == self.callback
            if challenge is None or not comes_back:
                raise dead
            if not proves(challenge, sent.get("code_verifier", "")):
                raise Refused(*said.dead, "the verifier does not fit the challenge")
        if said.kind == "device" and sent.get("device_code") != DEVICE_CODE:
            raise dead
        if said.kind == "device" and self.waits:
            self.waits -= 1
            return said.pending
        if said.kind == "password" and [sent.get("username"), sent.get("password")] != [
            self.typed["username"],
            self.typed["password"],
        ]:
            raise dead
        if self.ended:
            raise dead
        return 200, self._issue(is_first=True)

    @property
    def _has_grant_type(self) -> bool:
        return self.fixture.names.get("grant_type") not in ("-", "*")

    def _is_renewal(self, sent: Mapping[str, str]) -> bool:
        if self._has_grant_type:
            return sent.get("grant_type") == self.fixture.refresh_grant
        return "refresh_token" in sent

    def _renew(self, request: Request, sent: Mapping[str, str], dead: Refused) -> tuple[int, Any]:
        _, expected = self.fixture.endpoints("refresh_at" if self.fixture.refresh_at else "token")[0]
        if address_values(expected, request.url, self.known, {}) is None and self.fixture.format != "query":
            raise Refused(404, {"error": "no_such_address"}, "refreshes go to another address")
        used = sent.get("refresh_token", "")
        if used not in self.renewable:
            raise dead
        if self.fixture.refresh not in ("stays", "adds"):
            self.renewable.discard(used)
        return 200, self._issue(is_first=False)

    def _device(self, request: Request) -> tuple[int, Any]:
        sent = self._parameters(request)
        if sent.get("client_id") != CLIENT_ID:
            raise Refused(400, {"error": "invalid_client"}, "there is no client id")
        separator = self.fixture.separator or " "
        self.scopes = tuple(filter(None, sent.get("scope", "").split(separator)))
        verification = "https://vendor.example/device"
        return 200, {
            "device_code": DEVICE_CODE,
            "user_code": USER_CODE,
            "verification_uri": verification,
            "expires_in": 900,
            "interval": 5,
        }
