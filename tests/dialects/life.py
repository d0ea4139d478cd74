"""The whole life of one entry at the stand-in of its fixture, as the strategies live it; no database has a part in it.

``Life.run`` raises at the first step that does not go as the vendor has it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from providers import egress
from providers.catalog.fields import Param, SecretField
from providers.catalog.methods import Method
from providers.catalog.resolve import Target, resolve
from providers.catalog.schema import CatalogEntry
from providers.catalog.template import render
from providers.errors import (
    AddressRefused,
    AuthorizationPending,
    ClientRejected,
    GrantRejected,
    ProviderError,
    ProviderUnavailable,
)
from providers.oauth.authorization_response import read_response
from providers.oauth.protected_resource import discover_server
from providers.strategies import strategy_for
from providers.strategies.base import Strategy
from providers.strategies.workspaces import workspaces
from providers.values import (
    Account,
    AuthorizationRequest,
    ClientRegistration,
    CodeGrant,
    Credential,
    Obtained,
)
from providers.vocabulary import ClientAuthentication, ParamScope, ProbeVerdict
from tests.dialects.fixture import STYLES, Fixture, read_answer
from tests.dialects.keys import client_key
from tests.dialects.matching import names_in
from tests.dialects.stand_in import CALLBACK, CLIENT_ID, CLIENT_SECRET, DEVICE_CODE, StandIn
from tests.dialects.typing_in import as_placeholders, values_for
from tests.dialects.wire import answered_by

_MEANINGS: dict[str, type[ProviderError]] = {
    "grant": GrantRejected,
    "client": ClientRejected,
    "later": ProviderUnavailable,
    "address": AddressRefused,
}
_OWN_SCOPES = ("own.one", "own.two")


class Disagreement(AssertionError):
    """The entry and the fixture do not agree; the text says where."""


@dataclass
class Life:
    """``entry`` lived by ``style`` at the vendor of ``fixture``."""

    fixture: Fixture
    entry: CatalogEntry
    style: str
    chosen: dict[str, str] = field(default_factory=dict)
    step: str = "begin"
    discovered: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> None:
        """Live it. Raises ``Disagreement``."""
        try:
            with answered_by(self.vendor.respond):
                self._live()
        except Disagreement:
            raise
        except (AssertionError, ProviderError, LookupError, ValueError) as error:
            told = getattr(error, "evidence", None)
            reasons = "; ".join(self.vendor.complaints[-2:]) if "vendor" in vars(self) else ""
            said = f"{type(error).__name__}: {told.detail if told is not None else error}"
            raise Disagreement(f"{self.step}: {said} [{reasons}]") from error

    # --- what everybody brings ----------------------------------------------------------------------------------------
    @cached_property
    def strategy(self) -> Strategy:
        return strategy_for(self.style)

    @cached_property
    def method(self) -> Method:
        return self.entry.methods[self.style]

    @cached_property
    def fields(self) -> tuple[SecretField, ...]:
        return self.entry.fields_of(self.style)

    @cached_property
    def values(self) -> dict[str, str]:
        """A value for each parameter that a person supplies, and for each typed field."""
        supplied: list[Param | SecretField] = [*self.entry.params_of(ParamScope.APP), *self._given]
        return values_for([*supplied, *self.fields])

    @property
    def _given(self) -> tuple[Param, ...]:
        """The parameters of one connection: the end user types them, or the operator's backend gives them."""
        return (*self.entry.typed_params(self.style), *self.entry.params_of(ParamScope.INVITATION))

    @cached_property
    def typed(self) -> dict[str, str]:
        return {item.name: self.values[item.name] for item in self.fields}

    @cached_property
    def vendor(self) -> StandIn:
        said = self.fixture
        secret = frozenset(item.name for item in self.fields if item.secret)
        carried = [*said.headers.values(), *said.query.values(), *said.body.values(), said.probe, said.api]
        carried += [*said.demands.values(), *said.demand_headers.values()]
        given = {*said.answer, *(["token"] if said.kind == "login" else [])}
        wanted = [name for template in carried for name in names_in(template) if name not in given]
        filled = self._filled_in()
        params = {param.name: filled[param.name] for param in self._given}
        typed = dict(self.typed)
        if said.kind in ("key", "login"):
            typed = as_placeholders(list(dict.fromkeys(wanted)), {**params, **typed}, secret)
        supplied = frozenset({*self.values.values(), *filled.values()})
        return StandIn(said, typed=typed, supplied=supplied)

    def _filled_in(self) -> dict[str, str]:
        params = {param.name: param for param in self.entry.params}
        return {name: params[name].filled_in(value) for name, value in self.values.items() if name in params}

    def target(self, *, secret: str = CLIENT_SECRET, before_callback: bool = False) -> Target:
        """Return the target as a connection has it."""
        app = {param.name: self.values[param.name] for param in self.entry.params_of(ParamScope.APP)}
        given = {param.name: self.values[param.name] for param in self._given}
        secrets = () if self._is_public else (SecretStr(secret),)
        return resolve(
            entry=self.entry,
            style=self.style,
            registration=ClientRegistration(
                CLIENT_ID, secrets, CALLBACK, app, client_key() if self.method.needs_app_key else None
            ),
            discovered=self.discovered,
            params={**given, **self.chosen},
            before_callback=before_callback,
        )

    @property
    def _is_public(self) -> bool:
        oauth = self.method.oauth
        return oauth is not None and oauth.client_authentication is ClientAuthentication.NONE

    # --- the life -----------------------------------------------------------------------------------------------------
    def _live(self) -> None:
        if self.fixture.server:
            self._discover()
        obtained = getattr(self, f"_connect_by_{self.fixture.kind}")()
        held = obtained.credential
        if self.fixture.kind not in ("key", "oauth1"):
            self._check_lifetime(obtained)
            self._check_answer(obtained)
        self._choose(held)
        self._use(held)
        self._probe(held, alive=True)
        held = self._renew(obtained)
        self._understand(held)
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

    def _connect_by_code(self) -> Obtained:
        self.step = "authorization request"
        before = self.target(before_callback=True)
        verifier = self.strategy.new_verifier(before)
        scopes = self.entry.default_scopes
        if self.fixture.offline:
            asked = self.entry.with_required_scopes(scopes)
            assert self.fixture.offline in asked, f"{self.fixture.offline} is not asked for"
        self._check_separator(before, verifier)
        left = self.strategy.depart(before, AuthorizationRequest("state-1", scopes, verifier))
        answer = self.vendor.consent(left.url)
        self.step = "authorization response"
        response = read_response(answer, entry=self.entry, style=self.style)
        assert (response.code, response.state, response.error) == (answer[self.fixture.code_name][0], left.state, "")
        self.chosen |= response.params
        for param in self.entry.params_of(ParamScope.CALLBACK):
            brought = self.fixture.callback.get(param.callback or "")
            assert brought or param.default, f"the vendor's answer has no {param.callback}"
            if brought:
                self.chosen[param.name] = brought
        self.step = "code exchange"
        return self.strategy.exchange_code(self.target(), CodeGrant(SecretStr(response.code), left.kept, scopes))

    def _check_separator(self, before: Target, verifier: str | None) -> None:
        said = self.fixture
        if said.separator is None:
            return
        url = self.strategy.depart(before, AuthorizationRequest("state-1", _OWN_SCOPES, verifier)).url
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        asked = [value.split(said.separator) for value in query.values() if "own.one" in value]
        assert asked and {*_OWN_SCOPES} <= {*asked[0]}, f"scopes are not separated by {said.separator!r}"

    def _connect_by_machine(self) -> Obtained:
        self.step = "token request"
        return self.strategy.accept(self.target(), self.typed)

    _connect_by_password = _connect_by_machine

    def _connect_by_key(self) -> Obtained:
        self.step = "typing in"
        return self.strategy.accept(self.target(), self.typed)

    _connect_by_login = _connect_by_key

    def _connect_by_oauth1(self) -> Obtained:
        self.step = "temporary credentials"
        before = self.target(before_callback=True)
        left = self.strategy.depart(before, AuthorizationRequest("state-1", self.entry.default_scopes))
        self.step = "authorization request"
        answer = self.vendor.agree(left.url)
        response = read_response(answer, entry=self.entry, style=self.style)
        assert (response.code, response.state, response.error) == (answer["oauth_verifier"][0], left.state, "")
        self.chosen |= response.params
        self.step = "token credentials"
        return self.strategy.exchange_code(self.target(), CodeGrant(SecretStr(response.code), left.kept))

    def _connect_by_device(self) -> Obtained:
        self.step = "device authorization"
        given = self.strategy.ask_for_code(self.target(), _OWN_SCOPES)
        if self.fixture.separator is not None:
            assert {*_OWN_SCOPES} <= {*self.vendor.scopes}, "scopes are not separated as they should"
        try:
            self.strategy.poll(self.target(), SecretStr(DEVICE_CODE))
        except AuthorizationPending:
            return self.strategy.poll(self.target(), given.device_code)
        raise Disagreement("polling: a wait is not taken for one")

    def _check_lifetime(self, obtained: Obtained) -> None:
        self.step = "lifetime"
        told, found = self.vendor.told_lifetime, obtained.lifetime_seconds
        if told is not None:
            assert found is not None and abs(found - told) <= 2, f"it is {found} and not {told} seconds"
        elif self.fixture.lifetime is not None:
            assert found == self.fixture.lifetime, f"it is {found} and not {self.fixture.lifetime} seconds"

    def _check_answer(self, obtained: Obtained) -> None:
        self.step = "token response"
        held = obtained.credential
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

    def _probe(self, held: Credential, *, alive: bool) -> None:
        self.step = "probe"
        said, target = self.fixture, self.target()
        if said.probe:
            assert self.strategy.capabilities(target).probes, "the entry has no probe"
        if not said.probe:
            return
        probed = target
        if said.me is None and target.entry.probe is not None:  # where the account stands is not known
            bare = target.entry.probe.model_copy(update={"account_id": "", "lists_workspaces": False})
            probed = replace(target, entry=target.entry.model_copy(update={"probe": bare}))
        calls = self.vendor.calls.count("probe")
        found = self.strategy.probe(probed, held)
        expected = ProbeVerdict.ALIVE if alive else ProbeVerdict.DEAD
        assert found.verdict is expected, f"it says {found.verdict}: {found.detail}"
        assert not alive or self.vendor.calls.count("probe") > calls, (
            f"the probe asks elsewhere: {self.vendor.calls[-1]}"
        )
        if alive and said.account:
            account = found.account or Account("")
            assert account.id == said.account, f"it names {account.id!r}"

    def _renew(self, obtained: Obtained) -> Credential:
        self.step = "refresh"
        target, held = self.target(), obtained.credential
        if not self.strategy.can_refresh(target, held):
            assert self.fixture.kind in ("key", "oauth1") or self.fixture.refresh == "none", "it cannot be refreshed"
            return held
        assert self.fixture.kind != "key"
        again = self.strategy.refresh(target, held)
        self._check_lifetime(again)
        self.step = "refresh"
        renewed: Credential = again.credential
        assert renewed.access_token != held.access_token, "a refresh brings nothing new"
        self._use(renewed)
        self._refuse_client(renewed)
        self.step = "second refresh"
        return self.strategy.refresh(target, renewed).credential

    def _refuse_client(self, held: Credential) -> None:
        self.step = "wrong client"
        if self._is_public or self.fixture.client in ("", "none", "key"):
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
            if self.strategy.can_refresh(self.target(), held):
                self._refuses(_MEANINGS[meaning], lambda: self.strategy.refresh(self.target(), held))
            else:
                self._refuses(_MEANINGS[meaning], getattr(self, f"_connect_by_{self.fixture.kind}"))

    def _end(self, held: Credential) -> None:
        self.vendor.end()
        self._probe(held, alive=False)
        if self.strategy.can_refresh(self.target(), held) and self.fixture.kind in ("code", "device", "password"):
            self.step = "dead grant"
            self._refuses(GrantRejected, lambda: self.strategy.refresh(self.target(), held))
        self.vendor.ended = False

    def _refuses(self, expected: type[ProviderError], act: Callable[[], object]) -> None:
        found: ProviderError | None = None
        try:
            act()
        except ProviderError as error:
            found = error
        assert isinstance(found, expected), f"{type(found).__name__} in place of {expected.__name__}"

    def _revoke(self) -> None:
        self.step = "revocation"
        if not self.fixture.revoke or self.fixture.kind == "key" or "revoke" in self.fixture.unsaid:
            return
        self.vendor.waits = 0
        self.vendor.complaints.clear()
        obtained = getattr(self, f"_connect_by_{self.fixture.kind}")() if self.fixture.kind != "device" else None
        if obtained is None:
            return
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
