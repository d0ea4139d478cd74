"""A small authorization server with an API, to be given one vendor's dialect.

It keeps codes and tokens, and is as strict as the vendor about how it is asked: who the client is and how it proves
it, form or JSON, the code challenge, single-use codes, rotation. Where things are and how answers look is each
subclass's. It runs on loopback; an address of the vendor's becomes a path that begins with the vendor's host.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote_plus, urlsplit

from providers.catalog.loader import entry
from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.values import ClientRegistration, SecretStr

CLIENT_ID = "client-1.2"
CLIENT_SECRET = "sk:live/+ secret"
CALLBACK = "https://latchkey.example/connect/callback/1"
_URL_PARTS = ("authorization_code", "probe", "workspaces", "base_url")

Answer = tuple[int, Any, dict[str, str]]


def refused(status: int, body: Any) -> Answer:
    return status, body, {}


@dataclass
class Issued:
    """What one answer of the token endpoint brings."""

    access_token: str
    refresh_token: str | None
    scope: str
    is_first: bool


@dataclass
class Vendor:
    """The vendor at ``url``. ``live`` access tokens work; ``renewable`` refresh tokens can be used."""

    slug: ClassVar[str]
    token_path: ClassVar[str]
    probe_path: ClassVar[str]
    revoke_path: ClassVar[str] = ""
    revoke_method: ClassVar[str] = "POST"
    probe_method: ClassVar[str] = "GET"
    proves_by: ClassVar[str] = "post"
    takes_json: ClassVar[bool] = False
    takes_pkce: ClassVar[bool] = True
    rotates: ClassVar[bool] = False
    token_headers: ClassVar[Mapping[str, str]] = {}
    api_headers: ClassVar[Mapping[str, str]] = {}
    scope_parameter: ClassVar[str] = "scope"
    app_params: ClassVar[Mapping[str, str]] = {}

    url: str
    codes: dict[str, str] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    renewable: set[str] = field(default_factory=set)
    scripted: list[Answer] = field(default_factory=list)
    scope: str = ""
    issued: int = 0

    # --- The dialect ---

    def tokens(self, issued: Issued) -> dict[str, Any]:
        """Return the token response."""
        raise NotImplementedError

    def me(self) -> Answer:
        """Answer the probe of a live token."""
        raise NotImplementedError

    def dead_grant(self) -> Answer:
        return refused(400, {"error": "invalid_grant", "error_description": "gone"})

    def wrong_client(self) -> Answer:
        return refused(401, {"error": "invalid_client"})

    def dead_token(self) -> Answer:
        return refused(401, {"error": "invalid_token"})

    def revoke(self, request: Any) -> Answer:
        """Answer the revocation endpoint, as RFC 7009 has it."""
        if not self.is_our_client(request):
            return self.wrong_client()
        self.forget(self.parameters(request).get("token", ""))
        return 200, {}, {}

    def other(self, request: Any) -> Answer:
        return refused(404, {"error": "no such path", "path": request.path})

    # --- The machinery ---

    def respond(self, request: Any) -> tuple[int, bytes, dict[str, str]]:
        status, body, headers = self.scripted.pop(0) if self.scripted else self._answer(request)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return status, raw, {"Content-Type": "application/json"} | headers

    def _answer(self, request: Any) -> Answer:
        if request.path == self.token_path and request.method == "POST":
            return self._token(request)
        if request.path == self.probe_path and request.method == self.probe_method:
            return self.me() if self.is_live(request) else self.dead_token()
        if request.path == self.revoke_path and request.method == self.revoke_method:
            return self.revoke(request)
        return self.other(request)

    def consent(self, authorization_url: str) -> str:
        """Say yes to an authorization request, as the person would, and return the code."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(authorization_url).query).items()}
        assert (query["client_id"], query["redirect_uri"], query["response_type"]) == (CLIENT_ID, CALLBACK, "code")
        code = f"code-{len(self.codes) + self.issued + 1}"
        self.codes[code] = query.get("code_challenge", "")
        self.scope = query.get(self.scope_parameter, "")
        return code

    def forget(self, token: str) -> None:
        """End the grant that ``token`` belongs to: there is one."""
        if token in self.live | self.renewable:
            self.end_grant()

    def end_grant(self) -> None:
        self.live.clear()
        self.renewable.clear()

    def is_our_client(self, request: Any) -> bool:
        pair = f"{quote_plus(CLIENT_ID)}:{quote_plus(CLIENT_SECRET)}"
        basic = "Basic " + base64.b64encode(pair.encode()).decode()
        sent = self.parameters(request)
        if self.proves_by == "basic":
            return request.headers.get("Authorization") == basic and "client_secret" not in sent
        posted = (sent.get("client_id"), sent.get("client_secret"))
        return posted == (CLIENT_ID, CLIENT_SECRET) and "Authorization" not in request.headers

    def parameters(self, request: Any) -> dict[str, str]:
        kind = request.headers.get("Content-Type", "")
        if self.takes_json:
            return dict(request.json) if kind == "application/json" else {}
        return dict(request.form) if kind == "application/x-www-form-urlencoded" else {}

    def is_live(self, request: Any) -> bool:
        if any(request.headers.get(name) != value for name, value in self.api_headers.items()):
            return False
        return request.headers.get("Authorization", "").removeprefix("Bearer ") in self.live

    def _token(self, request: Any) -> Answer:
        if any(request.headers.get(name) != value for name, value in self.token_headers.items()):
            return refused(400, {"error": "invalid_request"})
        if not self.is_our_client(request):
            return self.wrong_client()
        sent = self.parameters(request)
        match sent.get("grant_type"):
            case "authorization_code":
                challenge = self.codes.pop(sent.get("code", ""), None)
                if challenge is None or sent.get("redirect_uri") != CALLBACK:
                    return self.dead_grant()
                if not self._proves(challenge, sent.get("code_verifier", "")):
                    return self.dead_grant()
                return 200, self.tokens(self._issue(is_first=True)), {}
            case "refresh_token":
                used = sent.get("refresh_token", "")
                if used not in self.renewable:
                    return self.dead_grant()
                if self.rotates:
                    self.renewable.discard(used)
                return 200, self.tokens(self._issue(is_first=False)), {}
        return refused(400, {"error": "unsupported_grant_type"})

    def _proves(self, challenge: str, verifier: str) -> bool:
        if not self.takes_pkce:
            return not challenge and not verifier
        digest = hashlib.sha256(verifier.encode()).digest()
        return challenge == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def _issue(self, *, is_first: bool) -> Issued:
        self.issued += 1
        refresh_token = f"refresh-{self.issued}" if is_first or self.rotates else None
        issued = Issued(f"access-{self.issued}", refresh_token, self.scope, is_first)
        self.live.add(issued.access_token)
        if refresh_token:
            self.renewable.add(refresh_token)
        return issued


def at_loopback(described: CatalogEntry, url: str) -> CatalogEntry:
    """Return the entry with every address of the vendor's turned into a path below ``url``, otherwise unchanged."""
    document = described.model_dump()
    for part in _URL_PARTS:
        document[part] = _moved(document[part], url)
    return CatalogEntry.model_validate(document)


def _moved(value: Any, url: str) -> Any:
    if isinstance(value, str):
        return re.sub(r"^https://", f"{url}/", value)
    if isinstance(value, dict):
        return {name: _moved(item, url) for name, item in value.items()}
    return [_moved(item, url) for item in value] if isinstance(value, list | tuple) else value


def target_at(
    vendor: Vendor, *, secret: str = CLIENT_SECRET, params: Mapping[str, str] | None = None, client_id: str = CLIENT_ID
) -> Target:
    """Return the target of the vendor's entry as a connection with ``params`` has it."""
    return resolve(
        entry=at_loopback(entry(vendor.slug), vendor.url),
        style=AuthorizationCodeMethod.style,
        registration=ClientRegistration(client_id, (SecretStr(secret),), CALLBACK, dict(vendor.app_params)),
        discovered={},
        params=params or {},
    )
