"""What holds for every auth style, whatever it does: inherited by the test of each style."""

import base64
from collections.abc import Callable, Mapping
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from providers.catalog.resolve import Target
from providers.catalog.schema import CatalogEntry
from providers.errors import ClientRejected, FieldInvalid, ProviderError, ProviderUnavailable
from providers.response import Response
from providers.strategies.base import Strategy
from providers.values import AuthorizationRequest, CodeGrant, Credential, Obtained, SubjectGrant
from providers.vocabulary import ProbeVerdict
from tests.providers.conftest import Provider
from tests.providers.strategies.conftest import merged

VERIFIER = SecretStr("v" * 43)
# A host that the end user names, as entries of self-hosted products have it.
TYPED_HOST = {"name": "host", "label": "Host", "default": "127.0.0.1", "pattern": r"[a-z0-9.]+"}


def pair_in(header: str) -> str:
    """Return the user name and password of a Basic header, "" of any other text."""
    scheme, _, packed = header.partition(" ")
    return base64.b64decode(packed).decode() if scheme == "Basic" else ""


class StrategyContract:
    """A subclass names its strategy, and the answer by which the provider gives a credential: None where it is typed.

    ``kept`` is what an authorization request kept, ``typed`` what the end user types, ``url_key`` the
    address in the entry's section at which credentials are given.
    """

    strategy: ClassVar[Strategy]
    entry_class: ClassVar[type[CatalogEntry]] = CatalogEntry
    changes: ClassVar[Mapping[str, Any]] = {}
    answer: ClassVar[Mapping[str, Any] | bytes | None]
    kept: ClassVar[SecretStr] = VERIFIER
    typed: ClassVar[Mapping[str, str]] = {}
    url_key: ClassVar[str] = "token_url"

    @pytest.fixture
    def make_target(self, sandbox_target: Callable[..., Target]) -> Callable[..., Target]:
        def make(typed_params: dict[str, str] | None = None, **changes: Any) -> Target:
            document = merged(deepcopy(dict(self.changes)), changes)
            return sandbox_target(
                self.strategy.style, changes=document, params=typed_params, entry_class=self.entry_class
            )

        return make

    @pytest.fixture
    def target(self, make_target: Callable[..., Target]) -> Target:
        return make_target()

    def moved_to(self, url: str) -> dict[str, Any]:
        """Return what the entry's section says if credentials are given at ``url``."""
        return {self.url_key: url}

    def give(self, target: Target, provider: Provider) -> Obtained:
        """Obtain a first credential, in whichever way the style does."""
        if self.answer is not None:
            provider.answers_with(200, self.answer)
        return self.ask(target)

    def ask(self, target: Target) -> Obtained:
        """Make the one call by which the style gets a credential."""
        if self.strategy.redirects:
            return self.strategy.exchange_code(target, CodeGrant(SecretStr("code-1"), self.kept))
        if self.strategy.shows_code:
            return self.strategy.poll(target, SecretStr("code-1"))
        if self.strategy.per_subject:
            return self.strategy.exchange_subject(target, SubjectGrant(SecretStr("subject-1")))
        return self.strategy.accept(target, self.typed)

    def test_it_is_what_its_entries_describe(self, target: Target) -> None:
        assert self.strategy.style == self.strategy.method.style == target.style
        assert type(target.method) is self.strategy.method
        assert self.strategy.method.section() in type(target.entry).model_fields
        assert self.strategy.title
        assert self.strategy.invitation.format(name="Acme")

    def test_it_fills_in_hooks_and_replaces_no_shared_step(self) -> None:
        shared = ("capabilities", "can_refresh", "exchange_code", "accept", "refresh", "reread", "present", "probe")
        shared += ("ask_for_code", "poll", "exchange_subject")
        assert not {*shared} & vars(type(self.strategy)).keys()

    def test_what_it_gives_survives_being_stored(self, target: Target, provider: Provider) -> None:
        held = self.give(target, provider).credential
        assert Credential.from_bytes(held.to_bytes()) == held
        assert held.main_secret()

    def test_a_caller_gets_what_authenticates_a_request(self, target: Target, provider: Provider) -> None:
        held = self.give(target, provider).credential
        found = self.strategy.present(target, held)
        assert found.proxy_only is target.method.proxy_only
        if found.proxy_only:
            assert (found.value, found.token_type) == (None, None)
            assert not (found.headers or found.query or found.body)
            secrets = [held.access_token, held.refresh_token, *held.fields.values()]
            shown = [found.base_url, *found.params.values()]
            assert not any(secret.get_secret_value() in text for secret in secrets if secret for text in shown)
            return
        secret = found.value.get_secret_value() if found.value is not None else ""
        assert secret
        shown = [*found.headers.values(), *found.query.values(), *found.body.values(), found.base_url]
        assert any(secret in text for text in [*shown, *map(pair_in, shown)])
        assert secret not in repr(found)

    def test_the_probe_tells_the_living_from_the_dead(self, target: Target, provider: Provider) -> None:
        assert self.strategy.capabilities(target).probes is not self.strategy.per_subject
        held = self.give(target, provider).credential
        provider.answers[:] = []
        provider.answers_with(200, {"sub": "acct-1", "name": "Globex"})
        provider.answers_with(401, {})
        found = self.strategy.probe(target, held)
        assert (found.verdict, found.account and found.account.id) == (ProbeVerdict.ALIVE, "acct-1")
        assert self.strategy.probe(target, held).verdict is ProbeVerdict.DEAD

    def test_without_a_probe_it_has_none(self, make_target: Callable[..., Target]) -> None:
        assert not self.strategy.capabilities(make_target(probe=None)).probes

    def test_a_refresh_brings_the_next_credential_where_there_is_one(self, target: Target, provider: Provider) -> None:
        held = self.give(target, provider).credential
        can = self.strategy.capabilities(target)
        assert self.strategy.can_refresh(target, held) is can.refreshes
        if not can.refreshes:
            with pytest.raises(NotImplementedError):
                self.strategy.refresh(target, held)
            return
        following = self.strategy.refresh(target, held)
        assert following.credential.main_secret()
        assert following.credential.fields == held.fields
        bare = Credential(access_token=SecretStr("at"), fields=held.fields)
        assert self.strategy.can_refresh(target, bare) is not can.needs_refresh_token

    def test_what_is_not_asked_of_it_is_a_programming_error(self, target: Target, provider: Provider) -> None:
        held = self.give(target, provider).credential
        can, strategy = self.strategy.capabilities(target), self.strategy
        closed: list[Callable[[], object]] = []
        if not can.introspects:
            closed.append(lambda: strategy.introspect(target, held))
        if not can.revokes:
            closed.append(lambda: strategy.revoke(target, held))
        if not strategy.redirects:
            closed.append(lambda: strategy.exchange_code(target, CodeGrant(SecretStr("code"), None)))
            closed.append(lambda: strategy.depart(target, AuthorizationRequest("state", ())))
            closed.append(lambda: strategy.issuer_agrees(target, None))
            assert strategy.new_verifier(target) is None
        if not strategy.shows_code:
            closed.append(lambda: strategy.ask_for_code(target, ()))
            closed.append(lambda: strategy.poll(target, SecretStr("code")))
        if not strategy.per_subject:
            closed.append(lambda: strategy.exchange_subject(target, SubjectGrant(SecretStr("subject"))))
        for call in closed:
            with pytest.raises(NotImplementedError, match=strategy.style):
                call()

    def test_what_is_typed_is_checked_before_anybody_is_called(self, target: Target, provider: Provider) -> None:
        if self.strategy.by_consent:
            return
        with pytest.raises(FieldInvalid):
            self.strategy.accept(target, {**self.typed, "unheard_of": "x"})
        for name in self.typed:
            with pytest.raises(FieldInvalid):
                self.strategy.accept(target, {**self.typed, name: " "})
        assert provider.requests == []

    def test_an_unreachable_provider_is_a_named_failure_without_secrets(
        self, target: Target, provider: Provider
    ) -> None:
        if self.answer is None:
            return
        provider.answers_with(503, {"error": "down"})
        with pytest.raises(ProviderUnavailable) as caught:
            self.ask(target)
        assert not any(
            secret in str(caught.value) for secret in (*self.typed.values(), "code-1", "subject-1", "client-secret")
        )

    def test_a_refusal_by_a_host_that_was_typed_is_marked_as_such(
        self, make_target: Callable[..., Target], provider: Provider
    ) -> None:
        if self.answer is None:
            return
        port = provider.url.rpartition(":")[2]
        section = self.strategy.method.section()
        issuer = {"name": "issuer", "label": "Issuer", "scope": "app", "pattern": ".+"}
        changed: dict[str, Any] = {
            "params": [issuer, TYPED_HOST],
            section: self.moved_to(f"http://{{host}}:{port}/token"),
        }
        provider.answers_with(401, {"error": "invalid_client"})
        for host, is_typed in (("127.0.0.1", False), ("localhost", True)):
            target = make_target({"host": host}, **changed)
            assert target.has_typed_host is is_typed
            with pytest.raises(ProviderError) as caught:
                self.ask(target)
            if isinstance(caught.value, ClientRejected):
                assert caught.value.by_typed_host is is_typed

    def test_an_answer_that_was_kept_is_read_as_it_would_have_been(self, target: Target, provider: Provider) -> None:
        if target.method.oauth is None or self.answer is None:
            return
        given = self.give(target, provider)
        kept = Response(200, {}, provider.answers[-1][1])
        found = self.strategy.reread(target, kept, previous=None, received_at=datetime.now(UTC))
        assert found.credential.access_token == given.credential.access_token
