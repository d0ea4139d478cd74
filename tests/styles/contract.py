"""A whole life, whatever the style: inherited by the tests of each.

alice connects in the widget, her backend confirms and vends, and what it gets is used at the sandbox's API as the vend
says. The sandbox's own log and its answers are the oracle.
"""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
import requests
from django.http import HttpResponse

from connections.access.secrets import open_credential
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    Connection,
    ConnectSession,
    CredentialVersion,
    Permission,
    ProviderApp,
    Revocation,
    SessionState,
    Tenant,
    Trigger,
)
from providers.catalog import loader
from providers.sandbox.client import SandboxProcess
from providers.strategies import strategy_for
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.factories import Caller, make_caller, make_sandbox_app
from tests.flows import SAME_ORIGIN, EndUser, Invitation, call, completion_code
from tests.proxied import address_of, proxied

ALICE = "person-1001"
_SHORTEST_SECRET = 8  # alice's password is her name
_STRIKES = 5  # more than any style needs until it is given up


class StyleContract:
    """A subclass names its style, what the style can do, and how alice connects by it.

    ``entry`` is an entry of the test's own, where the sandbox's does not describe it; ``client`` says how our client is
    registered at the sandbox. ``renews``: a refresh brings another credential; ``ends``: the credential has an end that
    was told, though no refresh brings another. ``revokes``: disconnecting ends it at the provider. ``proxy_only``: no
    caller is handed the credential. ``reason`` is why a connection needs its end user again when the provider refuses
    the credential; without ``dies`` the next credential is had without them. ``probed``: there is a credential to probe
    between vends; ``probe_endpoint`` is where the sandbox is asked. ``terms`` is what the backend adds to an
    invitation.
    """

    style: ClassVar[str]
    entry: ClassVar[str] = ""
    client: ClassVar[Mapping[str, Any]] = {}
    renews: ClassVar[bool] = False
    revokes: ClassVar[bool] = False
    reason: ClassVar[str] = "credential_dead"
    auth_method: ClassVar[str]
    probed: ClassVar[bool] = True
    proxy_only: ClassVar[bool] = False
    dies: ClassVar[bool] = True
    ends: ClassVar[bool] = False
    probe_endpoint: ClassVar[str] = "me"
    terms: ClassVar[Mapping[str, Any]] = {}

    # --- how alice connects by it -------------------------------------------------------------------------------------
    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        """What alice types into the widget, if anything."""
        return {}

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        """Go through the widget as far as the completion code."""
        alice.start(invitation)
        return completion_code(self.submit(alice, invitation, app, self.typed(sandbox)))

    def prepare(self, app: ProviderApp, sandbox: SandboxProcess) -> None:
        """Do what the operator does besides making the app."""

    def account_of(self, app: ProviderApp) -> str:
        """The account that the connection is of."""
        return ALICE

    def acts_as(self, app: ProviderApp) -> str:
        """Who a vended credential acts as."""
        return self.account_of(app)

    def url_of(self, sandbox: SandboxProcess) -> str:
        """Return the address of the sandbox at which it takes such a credential."""
        return sandbox.url

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        """Have the provider end what it gave, without telling anybody."""
        raise NotImplementedError

    # --- what is the same for all -------------------------------------------------------------------------------------
    def submit(
        self, alice: EndUser, invitation: Invitation, app: ProviderApp, typed: Mapping[str, str]
    ) -> HttpResponse:
        """Send the form of the method's page."""
        return alice.browser.post(f"/connect/{invitation.id}/method/{app.id}", typed, headers=SAME_ORIGIN)

    @pytest.fixture
    def app(self, sandbox: SandboxProcess, acme: Tenant, tmp_path: Path) -> Iterator[ProviderApp]:
        """acme's app of this style."""
        if self.entry:
            (tmp_path / "played.toml").write_text(self.entry, encoding="utf-8")
            loader.load_entry(tmp_path / "played.toml")  # what is wrong with it is told here
            loader.configure_catalog(tmp_path)
        provider = "played" if self.entry else "sandbox"
        made = make_sandbox_app(
            sandbox, at=self.url_of(sandbox), tenant=acme, provider=provider, style=self.style, **self.client
        )
        self.prepare(made, sandbox)
        yield made
        loader.configure_catalog(None)

    @pytest.fixture
    def alice(self, backend: Caller, app: ProviderApp) -> EndUser:
        return EndUser("alice", backend)

    @pytest.fixture
    def connection(self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> Connection:
        """A connection that alice made and her backend confirmed."""
        invitation = alice.invite(provider=app.provider, **self.terms)
        code = self.go_through(alice, invitation, sandbox, app)
        answer = alice.complete(invitation, code)
        assert answer.status_code == 200, answer.content
        return Connection.objects.get(id=answer.json()["connection"]["id"])

    def vended(self, alice: EndUser, connection: Connection) -> dict[str, Any]:
        """Return the credential that alice's backend gets."""
        answer = alice.vend(str(connection.id))
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()["credential"]
        return found

    def secrets_of(self, connection: Connection) -> list[str]:
        """Return the secrets of the connection's current credential, without those that are common words."""
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        held = open_credential(connection, version)
        typed = loader.entry(connection.provider).fields_of(self.style)
        shown = {item.name for item in typed if not item.secret}
        secrets = [held.access_token, held.refresh_token]
        secrets += [value for name, value in held.fields.items() if name not in shown]
        found = [secret.get_secret_value() for secret in secrets if secret is not None]
        return [secret for secret in found if len(secret) >= _SHORTEST_SECRET]

    def use(self, credential: Mapping[str, Any]) -> requests.Response:
        """Ask the sandbox who that is, with the credential where its vend says that it goes."""
        with requests.Session() as session:
            session.trust_env = False
            return session.request(
                "POST" if credential["body"] else "GET",
                f"{credential['base_url']}/me",
                headers=credential["headers"],
                params=credential["query"],
                json=credential["body"] or None,
                timeout=20,
            )

    def try_to_end(self, connection: Connection) -> Connection:
        """Probe, and let half a minute pass, until the connection is given up."""
        for _ in range(_STRIKES):
            probe(connection.id, trigger=Trigger.SWEEP)
            connection = reload(connection)
            if connection.status == "needs_reauth":
                break
            age(connection.id, seconds=31)
        return connection

    # --- the life -----------------------------------------------------------------------------------------------------
    def test_it_is_connected_in_the_widget(self, connection: Connection, app: ProviderApp) -> None:
        assert (connection.status, connection.provider_account_id) == ("active", self.account_of(app))
        assert connection.verified_at is not None

    def test_nothing_is_vended_before_the_confirmation(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        invitation = alice.invite(provider=app.provider, **self.terms)
        self.go_through(alice, invitation, sandbox, app)
        held = ConnectSession.objects.get(id=invitation.id)
        assert held.state == SessionState.HELD
        refused = alice.vend(str(held.connection_id))
        assert (refused.status_code, refused.json()["code"]) == (409, "pending")
        mismatch = alice.complete(invitation, "another-code")
        assert mismatch.json()["code"] == "completion_mismatch"
        assert not Connection.objects.exists()

    def check_proxy(self, connection: Connection, *, method: str) -> None:
        """The proxy uses the credential for whoever may not have it, and nothing of it comes back."""
        agent = make_caller(connection.tenant, "agent", [Permission.PROXY], proxy_rules=["* * /me"])
        address, body = address_of(connection, "me"), b"{}" if method == "POST" else None
        reply = proxied(agent, method, address, body=body, headers=self.proxy_headers())
        assert (reply.status, reply.outcome) == (200, "upstream"), reply
        assert reply.json()["sub"] == self.acts_as(connection.provider_app)
        if strategy_for(self.style).per_subject:
            assert proxied(agent, method, address, body=body).refused == (422, "subject_token_required")
        else:
            assert not any(secret in str(reply) for secret in self.secrets_of(connection))

    def proxy_headers(self) -> dict[str, str]:
        """What a caller adds to a proxied request."""
        return {}

    def test_what_is_vended_works_as_the_vend_says(self, connection: Connection, alice: EndUser) -> None:
        credential = self.vended(alice, connection)
        self.check_proxy(connection, method="POST" if credential["body"] else "GET")
        assert (credential["auth_method"], credential["proxy_only"]) == (self.auth_method, self.proxy_only)
        if self.proxy_only:
            assert (credential["value"], credential["token_type"]) == (None, None)
            assert (credential["headers"], credential["query"], credential["body"]) == ({}, {}, {})
            assert "through Latchkey's proxy only" in credential["notice"]
            secrets = self.secrets_of(connection)
            assert secrets
            assert not any(secret in str(credential) for secret in secrets)
            return
        assert credential["value"]
        assert credential["notice"] is None
        answer = self.use(credential)
        assert (answer.status_code, answer.json()["sub"]) == (200, self.acts_as(connection.provider_app))

    def test_it_is_renewed_before_it_ends_or_lasts(self, connection: Connection, alice: EndUser) -> None:
        before = self.vended(alice, connection)
        if not self.renews:
            assert (before["expires_at"] is not None, connection.refresh_due_at) == (self.ends, None)
            assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.NOT_REFRESHABLE
            return
        assert before["expires_at"] is not None
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        after = self.vended(alice, connection)
        assert after["value"] != before["value"]
        assert self.use(after).status_code == 200

    def test_a_probe_proves_that_it_works(self, connection: Connection, sandbox: SandboxProcess) -> None:
        sandbox.control.clear_log()
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.ALIVE
        assert [entry.outcome for entry in sandbox.control.log(endpoint=self.probe_endpoint)] == ["accepted"]

    def test_a_dead_one_is_noticed_before_a_caller_finds_out_and_mended_by_connecting_again(
        self, connection: Connection, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        before = self.vended(alice, connection)
        self.kill(sandbox, connection)
        ended = self.try_to_end(connection)
        if not self.dies:
            after = self.vended(alice, connection)
            assert (ended.status, self.use(after).status_code) == ("active", 200)
            assert after["value"] != before["value"]
            return
        assert (ended.status, ended.reason) == ("needs_reauth", self.reason)
        refused = alice.vend(str(connection.id))
        assert (refused.status_code, refused.json()["code"]) == (409, "reauthorization_required")
        sandbox.control.settings(locked=[])
        invitation = alice.invite(provider=app.provider, connection=str(connection.id))
        answer = alice.complete(invitation, self.go_through(alice, invitation, sandbox, app))
        assert answer.json()["connection"]["id"] == str(connection.id), answer.content
        mended = reload(connection)
        assert (mended.status, mended.reason) == ("active", "reconnected")
        self.vended(alice, mended)
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.ALIVE

    def test_a_provider_that_is_away_ends_nothing(self, connection: Connection, sandbox: SandboxProcess) -> None:
        sandbox.control.fault("status", endpoint=self.probe_endpoint, times=0)
        assert self.try_to_end(connection).status == "active"

    def test_disconnecting_ends_it(self, connection: Connection, alice: EndUser) -> None:
        credential = self.vended(alice, connection)
        left = call(alice.backend, "DELETE", f"/connections/{connection.id}")
        assert left.json()["status"] == "disconnected"
        assert alice.vend(str(connection.id)).status_code == 404
        revoked = revoke(connection.id)
        assert (revoked is Revocation.CONFIRMED) is self.revokes
        if self.proxy_only:
            return
        assert self.use(credential).status_code == (401 if self.revokes else 200)

    def test_nothing_secret_is_in_a_log_or_an_error(
        self,
        every_log_record: list[logging.LogRecord],
        connection: Connection,
        alice: EndUser,
        sandbox: SandboxProcess,
    ) -> None:
        secrets = [*filter(None, [self.vended(alice, connection)["value"]]), *self.secrets_of(connection)]
        assert secrets
        for fault in ("status", "lost_response", "html", "redirect", "rate_limited"):
            options = {"location": f"{sandbox.url}/me"} if fault == "redirect" else {}
            sandbox.control.fault(fault, endpoint=self.probe_endpoint, **options)
            told = probe(connection.id, trigger=Trigger.VEND).detail
            assert not any(secret in told for secret in secrets)
        written = [repr(vars(record)) for record in every_log_record]
        assert written, "a log that is empty proves nothing"
        assert not any(secret in text for secret in secrets for text in written)
        assert not any(secret in repr(entry) for secret in secrets for entry in sandbox.control.log())


class TypedStyleContract(StyleContract):
    """For styles by which the end user types something secret."""

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        """What alice types where she makes a mistake."""
        return {name: f"wrong-{value}" for name, value in self.typed(sandbox).items()}

    def test_a_mistake_is_told_and_leaves_nothing(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        mistyped = self.mistyped(sandbox)
        invitation = alice.invite(provider=app.provider, **self.terms)
        alice.start(invitation)
        page = self.submit(alice, invitation, app, mistyped)
        assert page.status_code == 422, page.content
        fields = {item.name: item for item in loader.entry(app.provider).fields_of(self.style)}
        secrets = [value for name, value in mistyped.items() if value and fields[name].secret]
        assert secrets
        assert not any(secret in page.content.decode() for secret in secrets)
        assert not Connection.objects.exists()
