"""A vendor that speaks the dialect of one fixture, and nothing else: it says why it refuses what it refuses.

It keeps what was typed, finds the endpoint of every request, checks its credential as the vendor would, and answers as
the vendor does. ``complaints`` are its reasons: a life that goes wrong is explained by the last of them.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.dialects.answers import flat, texts, well_known
from providers.dialects.fixture import Fixture
from providers.dialects.matching import address_values, is_carried, names_in, values_in
from providers.dialects.wire import Answer, Request

CLIENT_ID, CLIENT_SECRET = "client-0a1b2c3d", "secret-4e5f6a7b8c9d"
CALLBACK = "https://latchkey.example/connect/callback/1"
# Placeholders whose value is the caller's own choice.
_ANY = frozenset({"any", "date", "version", "yyyymm", "uuid"})
_RESOURCE = "oauth-protected-resource"
CREDENTIALS = frozenset({"token", "access_token", "jwt"})


class Refused(AssertionError):
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
    live: set[str] = field(default_factory=set)
    renewable: set[str] = field(default_factory=set)
    ended: bool = False
    waits: int = 1
    scopes: tuple[str, ...] = ()
    scripted: list[tuple[int, Any]] = field(default_factory=list)
    scripted_probes: list[tuple[int, Any]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known |= {name: value for name, value in flat(self.fixture.answer).items() if isinstance(value, str)}
        self.known |= self.fixture.callback
        said = [*texts(self.fixture.pages), *texts(self.fixture.me), *self.fixture.callback.values()]
        self.supplied |= frozenset(said)
        self.known |= {"client_id": CLIENT_ID, "random": "x"} | dict(self.typed)

    # --- requests -----------------------------------------------------------------------------------------------------
    def respond(self, request: Request) -> Answer:
        """Answer a request."""
        try:
            status, document = self._answer(request)
        except Refused as refusal:
            self.complaints.append(f"{request.method} {request.address}: {refusal}")
            status, document = refusal.answer
        return self._written(status, document)

    def _written(self, status: int, document: Any) -> Answer:
        if isinstance(document, str):  # what is not JSON is said in plain text
            return status, {"Content-Type": "text/plain"}, document.encode()
        headers = {"Content-Type": "application/json"}
        if self.fixture.server and status == 401:
            headers["WWW-Authenticate"] = f'Bearer resource_metadata="{well_known(self.fixture.server, _RESOURCE)}"'
        return status, headers, json.dumps(document).encode()

    def _answer(self, request: Request) -> tuple[int, Any]:
        said = self.fixture
        if said.issuer and request.method == "GET" and (document := self._metadata(request.url)) is not None:
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
            ("temporary", self._temporary),
            ("token", self._token),
            ("refresh_at", self._token),
            ("revoke", self._revoke),
            ("probe", self._probe),
        ):
            for method, template in said.endpoints(name):
                if request.method == method and self._is_at(template, request, others=name):
                    self.calls.append(name)
                    return answer(request)
        if said.api and self.has_api_at(request.address):
            self._check_credential(request)
            self.calls.append(f"api: {request.method} {request.url}")
            return 200, {}
        raise Refused(404, {"error": "no_such_address"}, "there is no such address")

    def _metadata(self, url: str) -> dict[str, Any] | None:
        """Return the metadata of the MCP server or of the authorization server, None if ``url`` has neither."""
        said = self.fixture
        if said.server and url == well_known(said.server, _RESOURCE):
            return {"resource": said.server, "authorization_servers": [said.issuer]}
        if url != well_known(said.issuer, "oauth-authorization-server"):
            return None
        told = {"userinfo_endpoint": said.probe, "revocation_endpoint": said.revoke}
        return {name: address for name, address in told.items() if address and not said.server} | {
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

    def has_api_at(self, address: str) -> bool:
        """Whether the API, or something above it at the same host, is at ``address``."""
        template = self.fixture.api.rstrip("/")
        origin = "/".join(template.split("/")[:3]) if not template.startswith("{") else template
        found = values_in(template, address, self.known, at_start=True, is_address=True)
        if found is None:  # an entry may begin its paths higher up
            found = values_in(origin, address, self.known, at_start=True, is_address=True)
        return found is not None

    def _bind(self, found: dict[str, str] | None, url: str) -> None:
        assert found is not None, f"{url} is not {self.fixture.authorize}"
        for name, value in found.items():
            if name in CREDENTIALS:
                if not self._accepts(name, value):
                    raise Refused(*self.fixture.refusal, f"{name} in the address is not accepted")
            elif not self._is_supplied(value):
                raise Refused(404, {"error": "no_such_host"}, f"{name} is {value!r}, which nobody supplied")
        self.known |= {name: value for name, value in found.items() if name not in CREDENTIALS}

    def _is_typed(self, placeholder: str, value: str) -> bool:
        return value in self.supplied and self.known.get(placeholder, value) == value

    # --- what only some vendors have ----------------------------------------------------------------------------------
    def consent(self, url: str) -> dict[str, list[str]]:
        """Say yes to the request that sends an end user here, and return the parameters of the answer.

        Fails on a wrong request.
        """
        raise AssertionError(f"nobody is sent to {url}")

    @property
    def told_lifetime(self) -> int | None:
        """The lifetime that a token response names, None if it names none."""
        return None

    def _device(self, request: Request) -> tuple[int, Any]:
        raise Refused(404, {}, "there are no codes to enter")

    def _temporary(self, request: Request) -> tuple[int, Any]:
        raise Refused(404, {}, "there are no temporary credentials")

    def _token(self, request: Request) -> tuple[int, Any]:
        raise Refused(404, {}, "there are no tokens")

    def _revoke(self, request: Request) -> tuple[int, Any]:
        text = f"{request.url} {request.body.decode()} {list(request.headers.values())}"
        if not any(name in text for name in self.live | self.renewable | {*texts(self.fixture.answer)}):
            raise Refused(200, {}, "revocation names no token of ours")
        self.end()
        return 200, {}

    # --- the API ------------------------------------------------------------------------------------------------------
    def _probe(self, request: Request) -> tuple[int, Any]:
        self._check_credential(request)
        lacking = [word for word in re.findall(r"\w+", self.fixture.probe_sends) if word not in request.body.decode()]
        if lacking:
            raise Refused(400, {"error": "bad_request"}, f"the probe does not send {', '.join(lacking)}")
        if self.scripted_probes:
            return self.scripted_probes.pop()
        if self.fixture.server:
            server = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
            return 200, {"jsonrpc": "2.0", "id": request.json.get("id"), "result": server}
        return 200, {} if self.fixture.me is None else self.fixture.me

    def _check_credential(self, request: Request, *, alone: bool = False) -> None:
        """Refuse a request without a live credential. ``alone``: nothing else that a call carries is asked for."""
        said = self.fixture
        wanted = said.headers
        if alone:
            secret = {*CREDENTIALS, "key"}
            wanted = {name: template for name, template in wanted.items() if secret & {*names_in(template)}}
        body: dict[str, str] = {}
        if said.body:
            body = request.json if request.content_type == "application/json" else request.form
        why = (
            is_carried(wanted, request.headers, self._accepts)
            or is_carried(said.query, request.query, self._accepts)
            or is_carried(said.body, body, self._accepts)
        )
        if why or self.ended:
            raise Refused(*said.refusal, why or "the credential is dead")

    def _accepts(self, placeholder: str, value: str) -> bool:
        if placeholder in CREDENTIALS:
            return self._is_alive(placeholder, value)
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

    def _is_alive(self, placeholder: str, value: str) -> bool:
        """Whether ``value`` is a token that opens the API."""
        return value == self.typed.get(placeholder)

    def _is_supplied(self, value: str) -> bool:
        plain = value.casefold()
        return any(plain in given.casefold() or given.casefold() in plain for given in self.supplied)

    def end(self) -> None:
        """End whatever was granted."""
        self.ended = True
        self.live.clear()
        self.renewable.clear()
