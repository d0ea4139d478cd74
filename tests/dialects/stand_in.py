"""A vendor that speaks the dialect of one fixture, and nothing else: it says why it refuses what it refuses.

It keeps codes, tokens and what was typed, checks every request as the vendor would, and answers as the vendor does.
``complaints`` are its reasons: a life that goes wrong is explained by the last of them.
"""

import base64
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, unquote_plus, urlencode, urlsplit

from oauthlib.oauth1.rfc5849.signature import base_string_uri, normalize_parameters, signature_base_string

from tests.dialects.answers import flat, proves, put, texts, well_known, written
from tests.dialects.fixture import Fixture
from tests.dialects.keys import is_signed
from tests.dialects.matching import address_values, is_carried, names_in, values_in
from tests.dialects.wire import Answer, Request

CLIENT_ID, CLIENT_SECRET = "client-0a1b2c3d", "secret-4e5f6a7b8c9d"
CALLBACK = "https://latchkey.example/connect/callback/1"
DEVICE_CODE, USER_CODE = "device-code-1", "WDJB-MJHT"
_GRANTS = {
    "code": "authorization_code",
    "machine": "client_credentials",
    "password": "password",
    "device": "urn:ietf:params:oauth:grant-type:device_code",
}
_TEMPORARY, _LASTING = "temporary-secret-1", "lasting-secret-1"
_CONFIRMED = "oauth_callback_confirmed"
# Placeholders whose value is the caller's own choice.
_ANY = frozenset({"any", "date", "version", "yyyymm", "uuid"})
_RESOURCE = "oauth-protected-resource"
_SECONDS_AWRY = 7  # a lifetime that no entry has as its default


class _Refused(AssertionError):
    """The request is answered by this status and document."""

    def __init__(self, status: int, document: Any, why: str) -> None:
        super().__init__(why)
        self.answer = (status, document)


@dataclass
class StandIn:
    """``typed`` is what an end user typed, by the fixture's placeholders; ``supplied`` every value of a parameter."""

    fixture: Fixture
    typed: Mapping[str, str] = field(default_factory=dict)
    supplied: frozenset[str] = frozenset()
    callback: str = CALLBACK
    known: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    renewable: set[str] = field(default_factory=set)
    issued: int = 0
    ended: bool = False
    waits: int = 1
    scopes: tuple[str, ...] = ()
    scripted: list[tuple[int, Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known |= {name: value for name, value in flat(self.fixture.answer).items() if isinstance(value, str)}
        self.known |= self.fixture.callback
        self.supplied |= frozenset([*texts(self.fixture.pages), *self.fixture.callback.values()])
        self.known |= {"client_id": CLIENT_ID, "random": "x"} | dict(self.typed)

    # --- the browser --------------------------------------------------------------------------------------------------
    def consent(self, url: str) -> dict[str, list[str]]:
        """Say yes to an authorization request, and return the parameters of the answer. Fails on a wrong request."""
        said, parts = self.fixture, urlsplit(url)
        template, _, own = said.authorize.partition("?")
        self._bind(values_in(template, url.partition("?")[0], self.known, is_address=True), url)
        sent = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        names = {"client_id": "client_id", "redirect_uri": "redirect_uri", "response_type": "response_type"}
        wanted = {"client_id": CLIENT_ID, "redirect_uri": self.callback, "response_type": "code"}
        wanted |= dict(pair.split("=", 1) for pair in own.split("&") if pair) | said.asks
        for name, template in wanted.items():
            if template == "-":
                assert name not in sent, f"the request has {name}"
            elif template == "{random}":
                assert sent.get(name), f"the request lacks {name}"
            else:
                found = values_in(template, sent.get(name, ""), self.known)
                assert found is not None, f"{names.get(name, name)} is {sent.get(name)!r} and not {template!r}"
                self.known |= found
        self._check_challenge(sent)
        state = sent.get(said.state_name, "")
        assert state, "the request has no state"
        code = f"code-{len(self.codes) + 1}"
        self.codes[code] = sent.get("code_challenge", "")
        own = {said.code_name: [code], said.state_name: [state]}
        return own | {name: [value] for name, value in said.callback.items()}

    def _check_challenge(self, sent: Mapping[str, str]) -> None:
        if self.fixture.pkce == "refused":
            assert "code_challenge" not in sent, "a challenge is sent where it breaks the request"
        if self.fixture.pkce == "required" or "code_challenge" in sent:
            assert sent.get("code_challenge"), "there is no challenge"
            assert sent.get("code_challenge_method") == "S256"

    # --- requests -----------------------------------------------------------------------------------------------------
    def respond(self, request: Request) -> Answer:
        """Answer a request."""
        try:
            status, document = self._answer(request)
        except _Refused as refusal:
            self.complaints.append(f"{request.method} {request.address}: {refusal}")
            status, document = refusal.answer
        if self.fixture.kind == "oauth1" and "oauth_token" in document:
            return status, {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(document).encode()
        headers = {"Content-Type": "application/json"}
        if self.fixture.server and status == 401:
            headers["WWW-Authenticate"] = f'Bearer resource_metadata="{well_known(self.fixture.server, _RESOURCE)}"'
        return status, headers, json.dumps(document).encode()

    def _answer(self, request: Request) -> tuple[int, Any]:
        said = self.fixture
        if said.server and request.method == "GET" and (document := self._metadata(request.url)) is not None:
            return 200, document
        for page, document in said.pages.items():
            method, _, template = page.partition(" ")
            if request.method == method and self._is_at(template, request):
                self._check_credential(request, alone=True)
                if (method, template) in said.endpoints("probe"):
                    self.calls.append("probe")
                return 200, document
        for name, answer in (
            ("device", self._device),
            ("token", self._token),
            ("refresh_at", self._token),
            ("revoke", self._revoke),
            ("probe", self._probe),
        ):
            for method, template in said.endpoints(name):
                if request.method == method and self._is_at(template, request, others=name):
                    self.calls.append(name)
                    return answer(request)
        if said.temporary and self._is_at(said.temporary, request):
            self._check_signature(request)
            return 200, {"oauth_token": "temporary-1", "oauth_token_secret": _TEMPORARY, _CONFIRMED: "true"}
        if said.api and self._is_below(request):
            self._check_credential(request)
            self.calls.append(f"api: {request.method} {request.url}")
            return 200, {}
        raise _Refused(404, {"error": "no_such_address"}, "there is no such address")

    def _metadata(self, url: str) -> dict[str, Any] | None:
        """Return the metadata of the MCP server or of its authorization server, None if ``url`` has neither."""
        said = self.fixture
        if url == well_known(said.server, _RESOURCE):
            return {"resource": said.server, "authorization_servers": [said.issuer]}
        if url != well_known(said.issuer, "oauth-authorization-server"):
            return None
        return {
            "issuer": said.issuer,
            "authorization_endpoint": said.authorize,
            "token_endpoint": said.token,
            "response_types_supported": ["code"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _is_at(self, template: str, request: Request, *, others: str = "") -> bool:
        carried = self.fixture.query if others == "probe" else {}
        sent = request.url
        if others in ("token", "refresh_at") and self.fixture.format == "query":
            template, sent = template.partition("?")[0], request.address
        found = address_values(template, sent, self.known, carried)
        if found is not None:
            self._bind(found, request.address)
        return found is not None

    def _is_below(self, request: Request) -> bool:
        template = self.fixture.api.rstrip("/")
        origin = "/".join(template.split("/")[:3]) if not template.startswith("{") else template
        found = values_in(template, request.address, self.known, at_start=True, is_address=True)
        if found is None:  # an entry may begin its paths higher up
            found = values_in(origin, request.address, self.known, at_start=True, is_address=True)
        return found is not None

    def _bind(self, found: dict[str, str] | None, url: str) -> None:
        assert found is not None, f"{url} is not {self.fixture.authorize}"
        for name, value in found.items():
            if not self._is_supplied(value):
                self.complaints.append(f"{name} is {value!r}, which nobody supplied")
                raise _Refused(404, {"error": "no_such_host"}, self.complaints[-1])
        self.known |= found

    def _parameters(self, request: Request) -> dict[str, str]:
        kinds = {"form": "application/x-www-form-urlencoded", "json": "application/json"}
        for form in self.fixture.format.split("|"):
            if form == "query":
                if not request.body:
                    return request.query
            elif request.content_type == kinds[form]:
                return dict(request.json) if form == "json" else request.form
        raise _Refused(400, {"error": "invalid_request"}, f"the body is {request.content_type}")

    def _check_client(self, request: Request, sent: Mapping[str, str]) -> None:
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
            "key": posted[1] is None and not scheme and is_signed(sent, mine[0]),
            "none": posted == (mine[0], None) and not scheme,
            "": True,
        }
        if not any(fits[way] for way in self.fixture.client.split("|")):
            raise _Refused(*self.fixture.wrong_client, "the client does not prove itself as it should")

    def _log_in(self, request: Request) -> tuple[int, Any]:
        said = self.fixture
        sent = request.query if request.method == "GET" else self._parameters(request)
        why = is_carried(said.demands, sent, self._is_typed)
        why = why or is_carried(said.demand_headers, request.headers, self._is_typed)
        if why or self.ended:
            raise _Refused(*said.dead, why or "the account is gone")
        return 200, self._issue(is_first=True)

    def _is_typed(self, placeholder: str, value: str) -> bool:
        return value in self.supplied and self.known.get(placeholder, value) == value

    def _check_signature(self, request: Request, *, token: str = "", secret: str = "") -> dict[str, str]:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        sent = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
        wanted = {"oauth_consumer_key": CLIENT_ID, "oauth_signature_method": self.fixture.signature}
        wanted |= {"oauth_token": token} if token else {}
        for name, value in wanted.items():
            if scheme != "OAuth" or sent.get(name) != value:
                raise _Refused(*self.fixture.refusal, f"{name} is {sent.get(name)!r} and not {value!r}")
        signed = [*request.query.items(), *((k, v) for k, v in sent.items() if k not in ("realm", "oauth_signature"))]
        base = signature_base_string(
            request.method, base_string_uri(request.url), normalize_parameters([(str(k), str(v)) for k, v in signed])
        )
        key = f"{quote(CLIENT_SECRET, safe='')}&{quote(secret, safe='')}".encode()
        digest = hmac.new(key, base.encode(), {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}[self.fixture.signature])
        if base64.b64encode(digest.digest()).decode() != sent.get("oauth_signature"):
            raise _Refused(*self.fixture.refusal, "the signature does not fit")
        return sent

    def agree(self, url: str) -> dict[str, list[str]]:
        """Say yes to a request of OAuth 1.0a, and return the parameters of the answer."""
        parts, said = urlsplit(url), self.fixture
        assert url.partition("?")[0] == said.authorize, f"{url} is not {said.authorize}"
        sent = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert sent.get("oauth_token") == "temporary-1", "the temporary token is not sent"
        for name, template in said.asks.items():
            assert values_in(template, sent.get(name, ""), self.known) is not None, f"{name} is {sent.get(name)!r}"
        return {"oauth_token": ["temporary-1"], "oauth_verifier": ["verifier-1"]}

    def _token(self, request: Request) -> tuple[int, Any]:
        if self.scripted:
            return self.scripted.pop()
        if self.fixture.kind == "login":
            return self._log_in(request)
        if self.fixture.kind == "oauth1":
            if self._check_signature(request, token="temporary-1", secret=_TEMPORARY)["oauth_verifier"] != "verifier-1":
                raise _Refused(*self.fixture.dead, "the verifier is another one")
            self.live.add("token-1")
            return 200, {"oauth_token": "token-1", "oauth_token_secret": _LASTING, **self.fixture.answer}
        sent, said = self._parameters(request), self.fixture
        self._check_client(request, sent)
        dead = _Refused(*said.dead, "the grant is dead")
        for name, template in said.demands.items():
            if values_in(template, str(sent.get(name, "")), self.known) is None:
                raise _Refused(400, {"error": "invalid_request"}, f"{name} is {sent.get(name)!r}, not {template!r}")
        if said.kind in ("code", "device", "password") and sent.get("grant_type") == "refresh_token":
            return self._renew(request, sent, dead)
        if (grant := sent.get("grant_type", "-")) != (said.grant or _GRANTS[said.kind]):
            raise _Refused(400, {"error": "unsupported_grant_type"}, f"grant_type is {grant!r}")
        if said.kind == "code":
            challenge = self.codes.pop(sent.get("code", ""), None)
            if challenge is None or sent.get("redirect_uri") != self.callback:
                raise dead
            if not proves(challenge, sent.get("code_verifier", "")):
                raise _Refused(*said.dead, "the verifier does not fit the challenge")
        if said.kind == "device" and sent.get("device_code") != DEVICE_CODE:
            raise dead
        if said.kind == "device" and self.waits:
            self.waits -= 1
            return 400, {"error": "authorization_pending"}
        if said.kind == "password" and [sent.get("username"), sent.get("password")] != [
            self.typed["username"],
            self.typed["password"],
        ]:
            raise dead
        if self.ended:
            raise dead
        return 200, self._issue(is_first=True)

    def _renew(self, request: Request, sent: Mapping[str, str], dead: _Refused) -> tuple[int, Any]:
        _, expected = self.fixture.endpoints("refresh_at" if self.fixture.refresh_at else "token")[0]
        if address_values(expected, request.url, self.known, {}) is None and self.fixture.format != "query":
            raise _Refused(404, {"error": "no_such_address"}, "refreshes go to another address")
        used = sent.get("refresh_token", "")
        if used not in self.renewable:
            raise dead
        if self.fixture.refresh not in ("stays", "adds"):
            self.renewable.discard(used)
        return 200, self._issue(is_first=False)

    def _issue(self, *, is_first: bool) -> dict[str, Any]:
        said = self.fixture
        self.issued += 1
        access = f"access-{self.issued}"
        tokens: dict[str, Any] = {"token_type": "Bearer"}
        put(tokens, said.token_name, access)
        self.live.add(access)
        if said.kind not in ("machine", "login") and said.refresh != "none" and (is_first or said.refresh != "stays"):
            put(tokens, said.refresh_name, f"refresh-{self.issued}")
            self.renewable.add(f"refresh-{self.issued}")
        if self.told_lifetime is not None:
            put(tokens, said.expiry, written(self.told_lifetime, said.expiry_form))
        for name, value in said.answer.items():
            put(tokens, name, value)
        if not said.tokens_at:
            return tokens
        whole: dict[str, Any] = {}
        put(whole, said.tokens_at, tokens)
        return whole

    @property
    def told_lifetime(self) -> int | None:
        """The lifetime that a token response names, None if it names none."""
        said = self.fixture
        return None if said.lifetime is None or not said.expiry else said.lifetime - _SECONDS_AWRY

    def _device(self, request: Request) -> tuple[int, Any]:
        sent = self._parameters(request)
        if sent.get("client_id") != CLIENT_ID:
            raise _Refused(400, {"error": "invalid_client"}, "there is no client id")
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

    def _revoke(self, request: Request) -> tuple[int, Any]:
        text = f"{request.url} {request.body.decode()} {list(request.headers.values())}"
        if not any(name in text for name in self.live | self.renewable | {*texts(self.fixture.answer)}):
            raise _Refused(200, {}, "revocation names no token of ours")
        self.end()
        return 200, {}

    # --- the API ------------------------------------------------------------------------------------------------------
    def _probe(self, request: Request) -> tuple[int, Any]:
        self._check_credential(request)
        lacking = [word for word in re.findall(r"\w+", self.fixture.probe_sends) if word not in request.body.decode()]
        if lacking:
            raise _Refused(400, {"error": "bad_request"}, f"the probe does not send {', '.join(lacking)}")
        if self.fixture.server:
            server = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
            return 200, {"jsonrpc": "2.0", "id": request.json.get("id"), "result": server}
        return 200, {} if self.fixture.me is None else self.fixture.me

    def _check_credential(self, request: Request, *, alone: bool = False) -> None:
        """Refuse a request without a live credential. ``alone``: nothing else that a call carries is asked for."""
        said = self.fixture
        if said.kind == "oauth1":
            self._check_signature(request, token="token-1", secret=_LASTING)
        wanted = said.headers
        if alone:
            wanted = {name: template for name, template in wanted.items() if {"token", "key"} & {*names_in(template)}}
        body: dict[str, str] = {}
        if said.body:
            body = request.json if request.content_type == "application/json" else request.form
        why = (
            is_carried(wanted, request.headers, self._accepts)
            or is_carried(said.query, request.query, self._accepts)
            or is_carried(said.body, body, self._accepts)
        )
        if why or self.ended:
            raise _Refused(*said.refusal, why or "the credential is dead")

    def _accepts(self, placeholder: str, value: str) -> bool:
        if placeholder in ("token", "access_token"):
            return value in self.live if self.fixture.kind != "key" else value == self.typed.get(placeholder)
        if placeholder == "client_id" and self._is_supplied(value):  # an entry may ask for it a second time
            return True
        if placeholder in self.known:
            return value == self.known[placeholder]
        if placeholder in _ANY:
            return True
        if self._is_supplied(value) and value not in self.typed.values():
            self.known[placeholder] = value
            return True
        return False

    def _is_supplied(self, value: str) -> bool:
        plain = value.casefold()
        return any(plain in given.casefold() or given.casefold() in plain for given in self.supplied)

    def end(self) -> None:
        """End whatever was granted."""
        self.ended = True
        self.live.clear()
        self.renewable.clear()
