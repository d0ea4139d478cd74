"""The whole life of one entry at the stand-in of its fixture, as the strategies live it; no database has a part in it.

``Life.run`` raises at the first step that does not go as the vendor has it.
"""

import time
from collections.abc import Callable
from dataclasses import replace

from pydantic import SecretStr

from providers import egress
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import render
from providers.dialects.certificates import DAYS
from providers.dialects.connecting import Connecting, Disagreement
from providers.dialects.fixture import STYLES, Fixture, read_answer
from providers.dialects.keys import STRANGER
from providers.dialects.vendors.exchange import Exchanging
from providers.dialects.vendors.signatures import Signing
from providers.dialects.wire import Answer, Request, answered_by
from providers.errors import (
    AddressRefused,
    ClientRejected,
    GrantRejected,
    InteractionRequired,
    ProviderError,
    ProviderUnavailable,
)
from providers.oauth.discovery import discover
from providers.oauth.protected_resource import discover_server
from providers.strategies.workspaces import workspaces
from providers.values import Account, Credential, Obtained, ProbeResult
from providers.vocabulary import ProbeVerdict

_MEANINGS: dict[str, type[ProviderError]] = {
    "grant": GrantRejected,
    "client": ClientRejected,
    "later": ProviderUnavailable,
    "address": AddressRefused,
    "interaction": InteractionRequired,
}
# A credential of these is never exchanged for the next one.
_LASTING = ("key", "oauth1", "sigv4", "mtls", "exchange")


class Life(Connecting):
    """``entry`` lived by ``style`` at the vendor of ``fixture``."""

    def run(self) -> None:
        """Live it. Raises ``Disagreement``."""
        try:
            with answered_by(self.respond):
                self._live()
        except Disagreement:
            raise
        except (AssertionError, ProviderError, LookupError, ValueError) as error:
            told = getattr(error, "evidence", None)
            reasons = "; ".join(self.vendor.complaints[-2:]) if "vendor" in vars(self) else ""
            said = f"{type(error).__name__}: {told.detail if told is not None else error}"
            raise Disagreement(f"{self.step}: {said} [{reasons}]") from error

    def respond(self, request: Request) -> Answer:
        """Answer a request as the vendor does."""
        return self.vendor.respond(request)

    def _live(self) -> None:
        if self.fixture.server:
            self._discover()
        elif self.fixture.issuer and self.method.oauth is not None and self.method.oauth.discover:
            self.step = "discovery"
            self.discovered = discover(render(self.method.oauth.issuer, self._filled_in()))
        obtained = self.connect()
        held = obtained.credential
        self._check_lifetime(obtained)
        self._check_answer(obtained)
        self._choose(held)
        self._use(held)
        self._probe(held, ProbeVerdict.ALIVE)
        self._understand_probes(held)
        held = self._renew(obtained)
        self._understand(held)
        self._mistake_the_key()
        self._end(held)
        self._revoke()

    def _discover(self) -> None:
        """Ask the MCP server that the entry names where to go."""
        self.step = "discovery"
        filled = self._filled_in()
        server = render(self.method.server, filled) if self.method.server else self.fixture.server
        assert server == self.fixture.server, f"the entry's server is {server}"
        found = discover_server(server)
        self.discovered = found.discovered
        self.chosen["resource"] = found.resource

    # --- the first credential -----------------------------------------------------------------------------------------
    def _check_lifetime(self, obtained: Obtained) -> None:
        self.step = "lifetime"
        told, found = self.vendor.told_lifetime, obtained.lifetime_seconds
        if self._signs_each_token:
            token = obtained.credential.access_token
            assert isinstance(self.vendor, Signing) and token is not None
            self.vendor.judge_jwt(token.get_secret_value())
            left = self.vendor.ends[token.get_secret_value()] - time.time()
            assert found is not None and 0 < found <= left + 2, f"it is {found}, and the vendor takes it for {left:.0f}"
        elif self.fixture.kind == "mtls":
            assert found is not None and abs(found - DAYS * 86_400) < 60, f"it is {found}, and not the certificate's"
        elif self.fixture.kind not in _LASTING or self.fixture.kind == "exchange":
            if told is not None:
                assert found is not None and abs(found - told) <= 2, f"it is {found} and not {told} seconds"
            elif self.fixture.lifetime is not None:
                assert found == self.fixture.lifetime, f"it is {found} and not {self.fixture.lifetime} seconds"

    @property
    def _signs_each_token(self) -> bool:
        return self.fixture.kind == "jwt" and not self.fixture.token

    def _check_answer(self, obtained: Obtained) -> None:
        self.step = "token response"
        held = obtained.credential
        if self._signs_each_token or self.fixture.kind in ("key", "oauth1", "sigv4", "mtls"):
            return
        assert held.access_token is not None
        assert held.access_token.get_secret_value() in self.vendor.live, "another member is taken for the token"
        can = self.strategy.capabilities(self.target())
        if self.fixture.kind in ("code", "device", "password"):
            brings = self.fixture.refresh != "none"
            assert (held.refresh_token is not None) is brings, "the refresh token is not found"
            if self.fixture.refresh == "rotates":
                assert can.rotates, "the entry does not say that refresh tokens rotate"

    def _choose(self, held: Credential) -> None:
        self.step = "workspace"
        target = self.target()
        if target.lacks_workspace:
            self.chosen |= workspaces(target, held)[0].params

    def _use(self, held: Credential) -> None:
        self.step = "use"
        target = self.target()
        shown = self.strategy.present(target, held)
        if shown.proxy_only or not self.fixture.api:
            is_there = not self.fixture.api or self.vendor.has_api_at(shown.base_url)
            assert is_there, f"it is used at {shown.base_url}"
            return
        assert shown.base_url, "there is no address to use it at"
        answer = egress.request(
            "POST" if shown.body else "GET",
            f"{shown.base_url.rstrip('/')}/latchkey",
            headers=shown.headers,
            params=shown.query,
            json=shown.body or None,
        )
        assert answer.status == 200, f"the API answers {answer.status} at {shown.base_url}"

    # --- the probe ----------------------------------------------------------------------------------------------------
    def _probe(self, held: Credential, expected: ProbeVerdict) -> ProbeResult | None:
        """Probe ``held``, and return the result, which is as ``expected``; None if no probe is known."""
        self.step = "probe"
        said, target = self.fixture, self.target()
        if said.probe:
            assert self.strategy.capabilities(target).probes, "the entry has no probe"
        if not said.probe:
            return None
        probed = target
        if said.me is None and target.entry.probe is not None:  # where the account stands is not known
            bare = target.entry.probe.model_copy(update={"account_id": "", "lists_workspaces": False})
            probed = replace(target, entry=target.entry.model_copy(update={"probe": bare}))
        calls = self.vendor.calls.count("probe")
        found = self.strategy.probe(probed, held)
        is_alive = expected is ProbeVerdict.ALIVE
        is_asked = self.vendor.calls.count("probe") > calls
        assert not is_alive or is_asked, f"the probe asks elsewhere: {found.detail}"
        assert found.verdict is expected, f"it says {found.verdict}: {found.detail}"
        if is_alive and said.account:
            account = found.account or Account("")
            assert account.id == said.account, f"it names {account.id!r}"
        return found

    def _understand_probes(self, held: Credential) -> None:
        for said, meaning in self.fixture.probe_meanings.items():
            self.vendor.scripted_probes.append(read_answer(said))
            self._probe(held, ProbeVerdict(meaning))

    # --- the next credential ------------------------------------------------------------------------------------------
    def _renew(self, obtained: Obtained) -> Credential:
        self.step = "refresh"
        target, held = self.target(), obtained.credential
        if not self.strategy.can_refresh(target, held):
            assert self.fixture.kind in _LASTING or self.fixture.refresh == "none", "it cannot be refreshed"
            return held
        assert self.fixture.kind != "key"
        again = self.strategy.refresh(target, held)
        self._check_lifetime(again)
        self.step = "refresh"
        renewed: Credential = again.credential
        is_new = renewed.access_token != held.access_token
        assert is_new or self._signs_each_token, "a refresh brings nothing new"
        self._use(renewed)
        self._refuse_client(renewed)
        self.step = "second refresh"
        return self.strategy.refresh(target, renewed).credential

    def _refuse_client(self, held: Credential) -> None:
        self.step = "wrong client"
        if self._is_public or self.fixture.signed is not None or self.fixture.client in ("", "none", "key"):
            return
        if not self.method.registers_client:
            wrong = replace(held, fields={**held.fields, "client_secret": SecretStr("mistyped")})
            self._refuses(GrantRejected, lambda: self.strategy.refresh(self.target(), wrong))
            return
        self._refuses(ClientRejected, lambda: self.strategy.refresh(self.target(secret="mistyped"), held))

    def _understand(self, held: Credential) -> None:
        for said, meaning in self.fixture.meanings.items():
            self.step = f"answer {said}"
            self.vendor.scripted.append(read_answer(said))
            expected = _MEANINGS[meaning]
            if expected is ClientRejected and not self.method.registers_client:
                expected = GrantRejected  # whoever typed it is to mend it
            if self.strategy.can_refresh(self.target(), held):
                self._refuses(expected, lambda: self.strategy.refresh(self.target(), held))
            else:
                self._refuses(expected, self.connect)

    def _mistake_the_key(self) -> None:
        """Sign with a key that the vendor does not know: whoever brought it is told."""
        kind, ours = self.fixture.kind, self.method.needs_app_key
        if kind == "exchange":
            self.step = "wrong client"
            assert isinstance(self.vendor, Exchanging)
            subject = self.vendor.sign_in()
            self._refuses(ClientRejected, lambda: self.exchanged(subject, secret="mistyped"))
        elif kind == "sigv4" or self._signs_each_token or kind == "mtls":
            self.step = "wrong key"
            wrong = (
                {**self.typed, "secret_access_key": "mistyped" * 5} if kind == "sigv4" else self.typed_with(STRANGER)
            )
            self._probe(self.strategy.accept(self.target(), wrong).credential, ProbeVerdict.DEAD)
        elif self.fixture.signed is not None:
            self.step = "wrong key"
            typed = self.typed if ours else self.typed_with(STRANGER)
            target = self.target(key=STRANGER) if ours else self.target()
            self._refuses(ClientRejected if ours else GrantRejected, lambda: self.strategy.accept(target, typed))

    # --- the end ------------------------------------------------------------------------------------------------------
    def _end(self, held: Credential) -> None:
        self.vendor.end()
        self._probe(held, ProbeVerdict.DEAD)
        self.step = "dead grant"
        if isinstance(self.vendor, Exchanging):
            subject = self.vendor.sign_in()
            self._refuses(GrantRejected, lambda: self.exchanged(subject))
        elif self.strategy.can_refresh(self.target(), held) and self._is_told_of_the_end:
            self._refuses(GrantRejected, lambda: self.strategy.refresh(self.target(), held))
        self.vendor.ended = False

    @property
    def _is_told_of_the_end(self) -> bool:
        return self.fixture.kind in ("code", "device", "password", "assertion", "saml", "jwt", "login") and not (
            self._signs_each_token
        )

    def _refuses(self, expected: type[ProviderError], act: Callable[[], object]) -> None:
        """Raise ``AssertionError`` unless ``act`` is refused as ``expected``."""
        found: ProviderError | None = None
        try:
            act()
        except ProviderError as error:
            found = error
        assert isinstance(found, expected), f"{type(found).__name__} in place of {expected.__name__}"

    def _revoke(self) -> None:
        self.step = "revocation"
        if not self.fixture.revoke or self.fixture.kind in ("key", "device") or "revoke" in self.fixture.unsaid:
            return
        self.vendor.waits = 0
        self.vendor.complaints.clear()
        obtained = self.connect()
        self.step = "revocation"
        target = self.target()
        assert self.strategy.capabilities(target).revokes, "the entry has no revocation"
        self.strategy.revoke(target, obtained.credential)
        assert self.vendor.ended, "nothing is revoked"


def style_of(entry: CatalogEntry, fixture: Fixture, named: str) -> str:
    """Return the style of ``entry`` that ``fixture`` is about: the ``named`` one, if an alias names one.

    Raises ``Disagreement`` if the entry describes no such way to connect.
    """
    able = [style for style in entry.methods if style in STYLES[fixture.kind] and named in ("", style)]
    if not able:
        raise Disagreement(f"it describes {', '.join(entry.methods)} and no {fixture.kind}")
    return able[0]
