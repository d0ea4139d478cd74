"""How an entry is connected, by the kind of its life: each brings a first credential, or an error that says why not."""

from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.dialects.bringing import Bringing
from providers.dialects.vendors.exchange import Exchanging
from providers.dialects.vendors.granting import DEVICE_CODE
from providers.dialects.vendors.stand_in import CLIENT_SECRET
from providers.errors import AuthorizationPending
from providers.oauth.authorization_response import read_response
from providers.values import AuthorizationRequest, CodeGrant, Obtained, SubjectGrant
from providers.vocabulary import ParamScope

OWN_SCOPES = ("own.one", "own.two")


class Disagreement(AssertionError):
    """The entry and the fixture do not agree; the text says where."""


class Connecting(Bringing):
    """The steps up to the first credential."""

    def connect(self) -> Obtained:
        """Connect as the fixture's kind is connected. Raises ``AssertionError`` and ``ProviderError``."""
        found: Obtained = getattr(self, f"_connect_by_{self.fixture.kind}")()
        return found

    def _consent(self, url: str) -> dict[str, list[str]]:
        return self.vendor.consent(url)

    def _connect_by_code(self) -> Obtained:
        self.step = "authorization request"
        before = self.target(before_callback=True)
        verifier = self.strategy.new_verifier(before)
        scopes = self.entry.default_scopes
        if self.fixture.offline:
            asked = self.entry.with_required_scopes(scopes)
            assert self.fixture.offline in asked, f"{self.fixture.offline} is not asked for"
        self._check_separator(before, verifier)
        left = self.strategy.depart(before, AuthorizationRequest("state-1", scopes, verifier, nonce="nonce-1"))
        answer = self._consent(left.url)
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
        url = self.strategy.depart(before, AuthorizationRequest("state-1", OWN_SCOPES, verifier)).url
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        asked = [value.split(said.separator) for value in query.values() if "own.one" in value]
        assert asked and {*OWN_SCOPES} <= {*asked[0]}, f"scopes are not separated by {said.separator!r}"

    def _connect_by_typing(self) -> Obtained:
        self.step = "what is typed"
        return self.strategy.accept(self.target(), self.typed)

    _connect_by_machine = _connect_by_password = _connect_by_key = _connect_by_login = _connect_by_typing
    _connect_by_jwt = _connect_by_assertion = _connect_by_saml = _connect_by_sigv4 = _connect_by_mtls = (
        _connect_by_typing
    )

    def _connect_by_oauth1(self) -> Obtained:
        self.step = "temporary credentials"
        before = self.target(before_callback=True)
        left = self.strategy.depart(before, AuthorizationRequest("state-1", self.entry.default_scopes))
        self.step = "authorization request"
        answer = self._consent(left.url)
        response = read_response(answer, entry=self.entry, style=self.style)
        assert (response.code, response.state, response.error) == (answer["oauth_verifier"][0], left.state, "")
        self.chosen |= response.params
        self.step = "token credentials"
        return self.strategy.exchange_code(self.target(), CodeGrant(SecretStr(response.code), left.kept))

    def _connect_by_device(self) -> Obtained:
        self.step = "device authorization"
        given = self.strategy.ask_for_code(self.target(), OWN_SCOPES)
        if self.fixture.separator is not None:
            assert {*OWN_SCOPES} <= {*self.vendor.scopes}, "scopes are not separated as they should"
        try:
            self.strategy.poll(self.target(), SecretStr(DEVICE_CODE))
        except AuthorizationPending:
            return self.strategy.poll(self.target(), given.device_code)
        raise Disagreement("polling: a wait is not taken for one")

    def _connect_by_exchange(self) -> Obtained:
        self.step = "exchange"
        assert isinstance(self.vendor, Exchanging)
        obtained = self.exchanged(self.vendor.sign_in())
        if self.fixture.separator is not None:
            assert {*OWN_SCOPES} <= {*self.vendor.scopes}, "scopes are not separated as they should"
        return obtained

    def exchanged(self, subject: str, *, secret: str = CLIENT_SECRET) -> Obtained:
        """Return what the token of somebody is exchanged for."""
        grant = SubjectGrant(SecretStr(subject), OWN_SCOPES)
        return self.strategy.exchange_subject(self.target(secret=secret), grant)
