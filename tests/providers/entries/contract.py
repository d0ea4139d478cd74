"""What holds for every entry that sends a person to a vendor, whatever the dialect: inherited by each entry's test."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from providers.catalog.methods import AuthorizationCodeMethod
from providers.catalog.resolve import Target
from providers.errors import ClientRejected, GrantRejected, MalformedResponse, ProviderError, ProviderUnavailable
from providers.oauth import pkce
from providers.strategies import strategy_for
from providers.strategies.workspaces import workspaces
from providers.values import Account, AuthorizationRequest, CodeGrant, Obtained, SecretStr
from providers.vocabulary import ProbeVerdict
from tests.providers.entries.vendor import CALLBACK, CLIENT_ID, CLIENT_SECRET, Vendor, target_at

STRATEGY = strategy_for(AuthorizationCodeMethod.style)
VERIFIER = "v" * 43
DEAD, ALIVE = ProbeVerdict.DEAD, ProbeVerdict.ALIVE
FORBIDDEN, UNAVAILABLE = ProbeVerdict.FORBIDDEN, ProbeVerdict.UNAVAILABLE
GRANT, CLIENT, LATER, ODD = GrantRejected, ClientRejected, ProviderUnavailable, MalformedResponse


def default_scopes(target: Target) -> tuple[str, ...]:
    return target.entry.default_scopes


def authorization_url(target: Target, scopes: tuple[str, ...] | None = None) -> str:
    asked = default_scopes(target) if scopes is None else scopes
    return STRATEGY.depart(target, AuthorizationRequest("state-1", asked, VERIFIER)).url


def exchange(vendor: Vendor, target: Target) -> Obtained:
    """Connect as far as the token response."""
    return redeem(target, vendor.consent(authorization_url(target)))


def redeem(target: Target, code: str) -> Obtained:
    return STRATEGY.exchange_code(target, CodeGrant(SecretStr(code), SecretStr(VERIFIER), default_scopes(target)))


def connect(vendor: Vendor, params: Mapping[str, str]) -> tuple[Target, Obtained]:
    """Connect, and choose the first workspace where there is a choice."""
    target = target_at(vendor, params=params)
    obtained = exchange(vendor, target)
    if target.lacks_workspace:
        chosen = workspaces(target, obtained.credential)[0]
        target = target_at(vendor, params={**params, **chosen.params})
    return target, obtained


class EntryContract:
    """A subclass names its vendor and what is expected of the entry there."""

    vendor_class: ClassVar[type[Vendor]]
    params: ClassVar[Mapping[str, str]] = {}
    authorize_path: ClassVar[str]
    authorization: ClassVar[Mapping[str, str]]  # the parameters that are the vendor's own, and the scopes
    separator: ClassVar[str] = " "
    sends_challenge: ClassVar[bool] = True
    may_lose_tokens: ClassVar[bool | None] = None  # where a lost answer may cost the grant; None: as the vendor rotates
    lifetime: ClassVar[int | None] = 3600
    scopes: ClassVar[tuple[str, ...] | None]
    extra: ClassVar[Mapping[str, str]] = {}
    account: ClassVar[Account]
    observed_scopes: ClassVar[tuple[str, ...] | None] = None
    headers: ClassVar[Mapping[str, str]] = {"Authorization": "Bearer access-1"}
    base_url: ClassVar[str]
    answers: ClassVar[list[tuple[int, Any, type[ProviderError]]]]  # of the token endpoint, and what they mean
    probes: ClassVar[list[tuple[int, Any, ProbeVerdict]]]

    @pytest.fixture
    def vendor(self, provider: Any, egress_policy: Any) -> Vendor:
        vendor = self.vendor_class(url=provider.url)
        provider.responder = vendor.respond
        return vendor

    @pytest.fixture
    def target(self, vendor: Vendor) -> Target:
        return target_at(vendor, params=self.params)

    def placed(self, text: str, vendor: Vendor) -> str:
        return text.replace("https://", f"{vendor.url}/")

    def test_sends_the_person_to_the_vendor_with_its_parameters(self, vendor: Vendor, target: Target) -> None:
        url = urlsplit(authorization_url(target))
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        challenge = {"code_challenge": pkce.challenge(VERIFIER), "code_challenge_method": "S256"}
        assert url.path == self.authorize_path
        assert query == {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "state": "state-1",
            **(challenge if self.sends_challenge else {}),
            **self.authorization,
        }

    def test_asks_for_the_scopes_without_which_nothing_works(self, target: Target) -> None:
        method = target.entry.authorization_code
        assert method is not None
        query = parse_qs(urlsplit(authorization_url(target, scopes=("own.one", "own.two"))).query)
        asked = query[method.scope_parameter][0].split(self.separator)
        assert asked == ["own.one", "own.two", *(scope.name for scope in target.entry.scopes if scope.required)]

    def test_code_becomes_a_credential_once(self, vendor: Vendor, target: Target) -> None:
        code = vendor.consent(authorization_url(target))
        obtained = redeem(target, code)
        held = obtained.credential
        assert held.access_token == SecretStr("access-1")
        assert held.refresh_token == SecretStr("refresh-1")
        assert held.extra == {name: self.placed(value, vendor) for name, value in self.extra.items()}
        assert (obtained.lifetime_seconds, obtained.scopes) == (self.lifetime, self.scopes)
        with pytest.raises(GrantRejected):
            redeem(target, code)

    def test_refresh_keeps_or_rotates_as_the_vendor_does(self, vendor: Vendor, target: Target) -> None:
        first = exchange(vendor, target)
        second = STRATEGY.refresh(target, first.credential)
        assert second.credential.access_token == SecretStr("access-2")
        assert second.credential.refresh_token == SecretStr("refresh-2" if vendor.rotates else "refresh-1")
        assert second.credential.extra == first.credential.extra
        assert (second.lifetime_seconds, second.scopes) == (self.lifetime, self.scopes)
        assert STRATEGY.refresh(target, second.credential).credential.access_token == SecretStr("access-3")
        expected = vendor.rotates if self.may_lose_tokens is None else self.may_lose_tokens
        assert STRATEGY.capabilities(target).rotates is expected
        if vendor.rotates:
            with pytest.raises(GrantRejected):
                STRATEGY.refresh(target, first.credential)

    def test_dead_grant_is_told_from_a_wrong_client(self, vendor: Vendor, target: Target) -> None:
        held = exchange(vendor, target).credential
        with pytest.raises(ClientRejected):
            STRATEGY.refresh(target_at(vendor, secret="mistyped", params=self.params), held)
        STRATEGY.refresh(target, held)
        vendor.end_grant()
        with pytest.raises(GrantRejected):
            STRATEGY.refresh(target, held)

    def test_answers_of_the_token_endpoint_mean_what_the_vendor_says(self, vendor: Vendor, target: Target) -> None:
        held = exchange(vendor, target).credential
        for status, body, expected in self.answers:
            vendor.scripted.append((status, body, {}))
            with pytest.raises(ProviderError) as caught:
                STRATEGY.refresh(target, held)
            assert isinstance(caught.value, expected), body

    def test_probe_names_the_account_and_sees_the_end(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, self.params)
        found = STRATEGY.probe(target, obtained.credential)
        assert (found.verdict, found.account, found.scopes) == (ALIVE, self.account, self.observed_scopes)
        vendor.end_grant()
        assert STRATEGY.probe(target, obtained.credential).verdict is DEAD

    def test_answers_to_the_probe_mean_what_the_vendor_says(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, self.params)
        for status, body, expected in self.probes:
            vendor.scripted.append((status, body, {}))
            assert STRATEGY.probe(target, obtained.credential).verdict is expected, body

    def test_presents_what_a_caller_needs(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, self.params)
        found = STRATEGY.present(target, obtained.credential)
        assert found.headers == self.headers
        assert found.base_url == self.placed(self.base_url, vendor)
        assert found.query == {}
        assert "access-1" not in repr(found)

    def test_revoked_grant_is_dead_and_revoking_it_again_does_no_harm(self, vendor: Vendor) -> None:
        target, obtained = connect(vendor, self.params)
        assert STRATEGY.capabilities(target).revokes is bool(vendor.revoke_path)
        if not vendor.revoke_path:
            return
        STRATEGY.revoke(target, obtained.credential)
        assert not vendor.renewable
        assert STRATEGY.probe(target, obtained.credential).verdict is DEAD
        STRATEGY.revoke(target, obtained.credential)

    def test_no_secret_is_in_an_address(self, vendor: Vendor, provider: Any) -> None:
        target, obtained = connect(vendor, self.params)
        STRATEGY.probe(target, obtained.credential)
        if STRATEGY.capabilities(target).introspects:
            STRATEGY.introspect(target, obtained.credential)
        STRATEGY.refresh(target, obtained.credential)
        if vendor.revoke_path:
            STRATEGY.revoke(target, obtained.credential)
        addresses = " ".join(request.target for request in provider.requests)
        for secret in ("access-", "refresh-", "code-", CLIENT_SECRET, "secret"):
            assert secret not in addresses
