"""A trial: a life that is written down as it goes, for whoever writes an entry.

Each step tells what was sent, what the stand-in answered, and how the entry read it. Secrets are told by what they are,
not by their values. ``unproven`` says of what the dialect is silent: there the stand-in takes whatever comes.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from providers.catalog.methods import OAuthMethod
from providers.dialects.connecting import Disagreement
from providers.dialects.fixture import Fixture
from providers.dialects.hints import keys_behind
from providers.dialects.life import Life
from providers.dialects.vendors.stand_in import CLIENT_SECRET
from providers.dialects.wire import Answer, Request
from providers.errors import ProviderError
from providers.values import Credential, Obtained, ProbeResult
from providers.vocabulary import ProbeVerdict

_LONGEST = 240
# Their values are secret or meaningless, whatever they are.
_HIDDEN = re.compile(
    r"(?i)^(code|code_verifier|code_challenge|state|nonce|.*secret.*|.*password.*|passwd|.*assertion|.*signature|"
    r"jwt|saml.*|.*token|.*api_?key|device_code|oauth_nonce|x-amz-security-token)$"
)
_NO_SECRET = re.compile(r"(?i)^(token_type|.*token_type|.*assertion_type|token_type_hint|oauth_signature_method)$")
_PLAIN_HEADERS = frozenset({"host", "user-agent", "accept-encoding", "connection", "content-length", "accept"})
_SCHEMES = re.compile(r"(?i)^(oauth|aws4-hmac-sha256) ")
_TOKEN = re.compile(r"\b(access|refresh)-\d+\b")
_SIGNED = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")
_CODED = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_SILENT = {
    "separator": "what stands between scopes",
    "pkce": "whether a code challenge is needed, or breaks the request",
    "client": "how the client proves itself at the token endpoint",
    "lifetime": "how long an access token lives, and where that is told",
    "refresh": "whether a refresh token is replaced at each use (the stand-in replaced it)",
    "probe": "the probe",
    "me": "what the probe answers, and whose account it names",
    "api": "where the credential is used",
    "revoke": "revocation",
    "dead": "the answer to a dead grant (the RFC's was played)",
    "wrong_client": "the answer to a wrong client secret (the RFC's was played)",
    "refusal": "the API's answer to a dead credential (a bare 401 was played)",
}
_OF_KINDS: Mapping[str, frozenset[str]] = {
    "separator": frozenset({"code", "device", "machine", "exchange"}),
    "pkce": frozenset({"code"}),
    "client": frozenset({"code", "machine", "device", "password", "exchange"}),
    "lifetime": frozenset({"code", "machine", "device", "password", "login", "assertion", "saml", "exchange"}),
    "refresh": frozenset({"code", "device", "password"}),
    "dead": frozenset({"code", "device", "password", "assertion", "saml", "exchange"}),
    "wrong_client": frozenset({"code", "machine", "device", "password", "exchange"}),
    "revoke": frozenset({"code", "machine", "password", "login"}),
}


@dataclass
class Step:
    """One step of a trial: its name, and its lines, each of a kind: ``sent``, ``answered`` or ``read``."""

    name: str
    lines: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Trial(Life):
    """A life that is written down. After ``attempt``, ``steps`` are its steps, and ``problem`` says where it ended."""

    steps: list[Step] = field(default_factory=list)
    problem: str = ""
    keys: list[str] = field(default_factory=list)

    def attempt(self) -> bool:
        """Live the life. Return whether entry and dialect agree; if not, ``problem`` and ``keys`` say about what."""
        try:
            self.run()
        except Disagreement as disagreement:
            self.problem = self._plain(str(disagreement))
            _, _, reason = self.problem.partition(": ")
            section = self.method.section()
            self.keys = list(keys_behind(self.step, reason, section=section, style=self.style))
            return False
        if not any(kind == "answered" for step in self.steps for kind, _ in step.lines):
            self.problem = "the dialect says nothing that could be tried: give it an api, or a probe"
        return not self.problem

    # --- what is written down -----------------------------------------------------------------------------------------
    def _write(self, kind: str, text: str) -> None:
        if not self.steps or self.steps[-1].name != self.step:
            self.steps.append(Step(self.step))
        text = self._plain(text)
        self.steps[-1].lines.append((kind, text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"))

    def respond(self, request: Request) -> Answer:
        """Answer a request as the vendor does, and write both down."""
        for line in _told_of_request(request):
            self._write("sent", line)
        complaints = len(self.vendor.complaints)
        status, headers, body = super().respond(request)
        self._write("answered", f"{status} {_told_of_body(headers.get('Content-Type', ''), body)}".rstrip())
        for complaint in self.vendor.complaints[complaints:]:
            self._write("answered", f"because {complaint.partition(': ')[2]}")
        return status, headers, body

    def _consent(self, url: str) -> dict[str, list[str]]:
        parts = urlsplit(url)
        self._write("sent", f"the end user's browser: {parts.scheme}://{parts.netloc}{parts.path}")
        self._write("sent", f"    {_told_of_pairs(dict(parse_qsl(parts.query, keep_blank_values=True)))}")
        answer = super()._consent(url)
        self._write("answered", f"back to the redirect URI with {', '.join(answer)}")
        return answer

    def _check_lifetime(self, obtained: Obtained) -> None:
        self._write("read", "; ".join(self._readings(obtained)))
        super()._check_lifetime(obtained)

    def _readings(self, obtained: Obtained) -> Iterator[str]:
        held, method = obtained.credential, self.method.oauth
        if held.access_token is not None:
            yield f"access token{_from(method, 'access_token')}"
        if held.refresh_token is not None:
            yield f"refresh token{_from(method, 'refresh_token')}"
        lifetime, told = obtained.lifetime_seconds, _told_lifetime(method)
        yield f"lifetime {lifetime} s, {told}" if lifetime is not None else "no lifetime"
        if obtained.scopes:
            yield f"scopes {', '.join(obtained.scopes)}"
        if held.extra:
            yield f"kept {', '.join(f'{name}={value}' for name, value in held.extra.items())}"

    def _use(self, held: Credential) -> None:
        self.step = "use"
        shown = self.strategy.present(self.target(), held)
        if shown.proxy_only:
            self._write("read", "it is signed or sent by Latchkey alone: nobody is handed it")
        super()._use(held)

    def _choose(self, held: Credential) -> None:
        before = dict(self.chosen)
        super()._choose(held)
        if self.chosen != before:
            self._write("read", f"workspace {self.chosen}")

    def _probe(self, held: Credential, expected: ProbeVerdict) -> ProbeResult | None:
        found = super()._probe(held, expected)
        if found is not None:
            account = "" if found.account is None else f", account {found.account.id} {found.account.name}".rstrip()
            self._write("read", f"{found.verdict.value}{account}")
        return found

    def _refuses(self, expected: type[ProviderError], act: Any) -> None:
        super()._refuses(expected, act)
        self._write("read", f"{expected.__name__}: {_MEANS.get(expected.__name__, 'as it should be')}")

    def _revoke(self) -> None:
        ended = len(self.steps)
        super()._revoke()
        if self.step == "revocation" and len(self.steps) > ended:
            self._write("read", "revoked, and dead at the vendor")

    def _plain(self, text: str) -> str:
        """Return ``text`` with each secret told by what it is, also where it is written in Base64."""
        text = _SIGNED.sub("[signed token]", text)
        text = _CODED.sub(lambda found: self._decoded(found[0]), text)
        for value, name in sorted(self._secrets.items(), key=lambda pair: -len(pair[0])):
            text = text.replace(value, f"[{name}]")
        return _TOKEN.sub(r"[\1 token]", text)

    def _decoded(self, coded: str) -> str:
        try:
            text = base64.b64decode(coded, validate=True).decode("ascii")
        except (binascii.Error, ValueError):
            return coded
        holds_one = _TOKEN.search(text) or any(value in text for value in self._secrets)
        return f"base64({text})" if holds_one else coded

    @property
    def _secrets(self) -> dict[str, str]:
        known = {CLIENT_SECRET: "client secret", "mistyped": "wrong client secret"}
        return known | {self.values[item.name]: item.name for item in self.fields if item.secret}


_MEANS = {
    "GrantRejected": "the end user has to connect again",
    "ClientRejected": "our registration is wrong",
    "ProviderUnavailable": "to be tried again",
    "AddressRefused": "our address is not on their list",
}


def unproven(fixture: Fixture) -> list[str]:
    """Return what ``fixture`` does not say: there the stand-in takes whatever comes. No I/O."""
    silent = [
        told
        for name, told in _SILENT.items()
        if fixture.kind in _OF_KINDS.get(name, {fixture.kind})
        and (name not in fixture.model_fields_set or getattr(fixture, name) in ("", None))
        and not (name == "me" and not fixture.probe)
    ]
    if fixture.kind not in ("oauth1", "sigv4", "mtls") and not (fixture.headers or fixture.query or fixture.body):
        silent.append("how a call carries the credential")
    return silent


def _from(method: OAuthMethod | None, name: str) -> str:
    if method is None:
        return ""
    return f" from {method.token_pointer}/{getattr(method.token_fields, name).lstrip('/')}"


def _told_lifetime(method: OAuthMethod | None) -> str:
    if method is None:
        return "as the style has it"
    return f"from {method.expiry.field} in {method.expiry.format}, else the entry's {method.default_lifetime_seconds}"


def _told_of_request(request: Request) -> Iterator[str]:
    parts = urlsplit(request.url)
    yield f"{request.method} {parts.scheme}://{parts.netloc}{unquote(parts.path)}"
    if request.query:
        yield f"    ?{_told_of_pairs(request.query)}"
    for name, value in request.headers.items():
        if name.lower() not in _PLAIN_HEADERS:
            yield f"    {name}: {_told_of_header(name, value)}"
    if request.certificate:
        yield "    with our client certificate"
    if request.body:
        yield f"    {_told_of_body(request.content_type, request.body)}"


def _told_of_header(name: str, value: str) -> str:
    scheme = _SCHEMES.match(value)
    if scheme and scheme[1].lower() in ("oauth", "aws4-hmac-sha256"):
        return f"{scheme[1]} [signed]"
    return _hidden(name, value)


def _told_of_pairs(pairs: Mapping[str, str]) -> str:
    return " ".join(f"{name}={_hidden(name, value)}" for name, value in pairs.items())


def _told_of_body(content_type: str, body: bytes) -> str:
    text = body.decode("utf-8", errors="replace")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _told_of_pairs(dict(parse_qsl(text, keep_blank_values=True)))
    try:
        return json.dumps(_hidden_in(json.loads(text)), ensure_ascii=False)
    except ValueError:
        return text


def _hidden_in(document: Any) -> Any:
    if isinstance(document, list):
        return [_hidden_in(item) for item in document]
    if not isinstance(document, dict):
        return document
    items = document.items()
    return {name: _hidden(name, value) if isinstance(value, str) else _hidden_in(value) for name, value in items}


def _hidden(name: str, value: str) -> str:
    if _TOKEN.fullmatch(value) or value == CLIENT_SECRET:
        return value  # told by what it is
    return f"[{name}]" if value and _HIDDEN.match(name) and not _NO_SECRET.match(name) else value
