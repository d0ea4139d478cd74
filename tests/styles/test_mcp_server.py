"""MCP servers, through a whole life: of the end user's own and of the operator's, registered in both ways."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from connections.access.secrets import open_credential
from connections.journal.audit import SYSTEM
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.lifecycle.provision.register_app import register_itself
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, CredentialVersion, ProviderApp, RegisteredClient, Tenant, Trigger
from providers.catalog import loader
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess
from providers.sandbox.tokens import fingerprint
from providers.vocabulary import ProbeVerdict
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import reload
from tests.flows import EndUser, Invitation, provider_link
from tests.person import parameters_of
from tests.published import published
from tests.styles.contract import ALICE, StyleContract

WAYS = ["document", "dynamic"]


class TestServerOfTheEndUsersOwn(StyleContract):
    """alice brings the address. Our client is registered by a document, which the authorization server fetches."""

    style = AuthorizationCodeMethod.style
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"
    probe_endpoint = "mcp"
    ways = WAYS
    way = "metadata_document"

    @pytest.fixture
    def sandbox(self, sandbox: SandboxProcess) -> SandboxProcess:
        sandbox.control.settings(
            registration=self.ways,
            mcp_server="one",
            mcp_stream=False,
            registration_lifetime=0,
            registration_managed=True,
        )
        return sandbox

    @pytest.fixture
    def app(self, sandbox: SandboxProcess, acme: Tenant, tmp_path: Path) -> Iterator[ProviderApp]:
        with published():
            app = save_provider_app(Registration(provider="mcp", auth_style=self.style), tenant=acme, actor=SYSTEM)
            register_itself(app, actor=SYSTEM)
            yield app

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"server": f"{sandbox.url}/mcp"}

    def account_of(self, app: ProviderApp) -> str:
        return ""  # an MCP server says who it is, not who we are

    def leave(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        """Go as far as the authorization request."""
        page = alice.start(invitation)
        if typed := self.typed(sandbox):
            page = self.submit(alice, invitation, app, typed)
        return provider_link(page)

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        returned = alice.person.authorize(self.leave(alice, invitation, sandbox, app))
        return str(parameters_of(alice.visit(returned)["Location"])["completion_code"])

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(username="alice")

    def use(self, credential: Mapping[str, Any]) -> requests.Response:
        """Call the server's tool."""
        call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "whoami", "arguments": {}}}
        return requests.post(credential["base_url"], json=call, headers=credential["headers"], timeout=20)

    def test_what_is_vended_works_as_the_vend_says(self, connection: Connection, alice: EndUser) -> None:
        credential = self.vended(alice, connection)
        assert (credential["auth_method"], bool(credential["value"])) == ("bearer", True)
        assert self.use(credential).json()["result"]["content"] == [{"type": "text", "text": ALICE}]

    def test_it_is_registered_as_the_server_offers_and_once_for_all_who_connect(
        self, connection: Connection, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        invitation = alice.invite(provider=app.provider)
        alice.complete(invitation, self.go_through(alice, invitation, sandbox, app))
        [client] = RegisteredClient.objects.all()
        assert (client.way, client.issuer) == (self.way, f"{sandbox.url}/as/one")
        registrations = sandbox.control.log(endpoint="register")
        assert [entry.outcome for entry in registrations] == (["registered"] if self.way == "dynamic" else [])
        assert {row.registered_client_id for row in Connection.objects.all()} == {client.id}

    def test_the_resource_is_named_in_every_request(
        self, connection: Connection, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger=Trigger.SWEEP).outcome is Outcome.REFRESHED
        asked = [entry for entry in sandbox.control.log() if entry.endpoint in ("authorize", "token")]
        assert {entry.endpoint for entry in asked} == {"authorize", "token"}
        assert {entry.grant_type for entry in asked} == {"", "authorization_code", "refresh_token"}
        processed = [entry.resource for entry in asked if entry.outcome != "sign_in"]
        assert set(processed) == {f"{sandbox.url}/mcp"}

    def test_it_asks_for_the_scopes_of_the_challenge(self, connection: Connection) -> None:
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        assert sorted(version.scopes) == ["files.read", "profile.read"]

    def test_a_stream_of_events_is_read_like_json(self, connection: Connection, sandbox: SandboxProcess) -> None:
        sandbox.control.settings(mcp_stream=True)
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is ProbeVerdict.ALIVE

    @pytest.mark.parametrize(("iss", "refuses"), [("{}/as/two", False), ("{}/as/one/", True)])
    def test_another_issuer_s_answer_ends_the_session_on_errors_too(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess, iss: str, refuses: bool
    ) -> None:
        invitation = alice.invite(provider=app.provider)
        link = self.leave(alice, invitation, sandbox, app)
        sandbox.control.fault("wrong_iss", endpoint="authorize", iss=iss.format(sandbox.url), times=0)
        page = alice.visit(alice.person.authorize(link, allow=not refuses))
        sandbox.control.clear_faults()
        assert 'data-failure="issuer"' in page.content.decode()
        assert sandbox.control.log(endpoint="token") == []

    def test_an_answer_at_another_client_s_callback_is_not_taken(
        self, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        invitation = alice.invite(provider=app.provider)
        returned = alice.person.authorize(self.leave(alice, invitation, sandbox, app))
        client = RegisteredClient.objects.get()
        assert str(client.id) in returned
        page = alice.visit(returned.replace(str(client.id), str(app.id)))
        assert page.status_code >= 400
        assert sandbox.control.log(endpoint="token") == []

    def test_a_server_that_moves_gets_a_client_of_its_own_and_none_of_the_earlier_credentials(
        self, connection: Connection, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        before = RegisteredClient.objects.get()
        version = CredentialVersion.objects.get(id=connection.current_version_id)
        held = open_credential(connection, version)
        assert held.refresh_token is not None and held.access_token is not None
        sandbox.control.settings(mcp_server="two")
        sandbox.control.clear_log()
        self.kill(sandbox, connection)
        ended = self.try_to_end(connection)
        assert (ended.status, ended.reason) == ("needs_reauth", self.reason)
        invitation = alice.invite(provider=app.provider, connection=str(connection.id))
        answer = alice.complete(invitation, self.go_through(alice, invitation, sandbox, app))
        assert answer.status_code == 200, answer.content
        after = RegisteredClient.objects.exclude(id=before.id).get()
        assert after.issuer == f"{sandbox.url}/as/two"
        assert reload(connection).registered_client_id == after.id
        earlier = {
            fingerprint(held.refresh_token.get_secret_value()),
            fingerprint(held.access_token.get_secret_value()),
        }
        at_two = [entry for entry in sandbox.control.log() if entry.client_id == after.client_id]
        assert at_two
        assert not any({entry.refresh_presented, entry.access_presented} & earlier for entry in at_two)
        told = {entry.refresh_presented for entry in sandbox.control.log(endpoint="token") if entry.refresh_presented}
        assert told <= earlier  # the dead one went to its own server, and nowhere else


class TestServerOfTheEndUsersOwnByRegistration(TestServerOfTheEndUsersOwn):
    ways = ["dynamic"]
    way = "dynamic"


class TestServerOfTheOperators(TestServerOfTheEndUsersOwn):
    """The entry names the server: nobody types anything, and the client is there before the first connect."""

    @pytest.fixture
    def app(self, sandbox: SandboxProcess, acme: Tenant, tmp_path: Path) -> Iterator[ProviderApp]:
        described = (loader.catalog_files()["mcp"]).read_text(encoding="utf-8")
        start, end = described.index("[[params]]"), described.index("[[params]]", described.index("[[params]]") + 1)
        fixed = (described[:start] + described[end:]).replace("{server}", f"{sandbox.url}/mcp")
        (tmp_path / "played.toml").write_text(fixed, encoding="utf-8")
        loader.load_entry(tmp_path / "played.toml")
        loader.configure_catalog(tmp_path)
        with published():
            app = save_provider_app(Registration(provider="played", auth_style=self.style), tenant=acme, actor=SYSTEM)
            done = register_itself(app, actor=SYSTEM)
            assert done.client is not None and done.client.way == self.way
            yield app
        loader.configure_catalog(None)

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {}
