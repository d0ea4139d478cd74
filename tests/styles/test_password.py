"""The password grant, through a whole life: with a refresh token, and where only the password brings the next token."""

import pytest

from connections.access.secrets import open_credential
from connections.access.targets import access_to
from connections.journal.audit import SYSTEM
from connections.lifecycle.provision.provider_apps import Registration, save_provider_app
from connections.models import Connection, CredentialVersion, ProviderApp, Tenant
from connections.refusals import AppMisconfigured, InvalidRequest
from providers.catalog.password_method import PasswordMethod
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser
from tests.styles.contract import TypedStyleContract

KEEPS = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[password_grant]
legacy = true
keeps_password = true
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


def held_by(connection: Connection) -> dict[str, str]:
    """Return what was typed and is stored with the current credential."""
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    fields = open_credential(connection, version).fields
    return {name: value.get_secret_value() for name, value in fields.items()}


class TestPassword(TypedStyleContract):
    style = PasswordMethod.style
    client = {"allows_legacy": True}
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"
    stored = {"username": "alice"}

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"username": "alice", "password": "alice"}

    def mistyped(self, sandbox: SandboxProcess) -> dict[str, str]:
        return {"username": "alice", "password": "not-the-password"}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(username="alice")

    def test_of_what_was_typed_only_what_is_needed_again_is_stored(self, connection: Connection) -> None:
        assert held_by(connection) == self.stored

    def test_it_is_off_until_an_operator_allows_it(self, app: ProviderApp, acme: Tenant) -> None:
        said = {"provider": app.provider, "auth_style": self.style, "client_id": "c", "params": app.params}
        with pytest.raises(InvalidRequest) as refused:
            save_provider_app(Registration(**said), tenant=None, actor=SYSTEM)
        assert refused.value.extra["field"] == "allows_legacy"
        assert save_provider_app(Registration(**said, allows_legacy=True), tenant=None, actor=SYSTEM).allows_legacy

    def test_it_is_off_again_as_soon_as_the_word_is_taken_back(
        self, connection: Connection, app: ProviderApp, alice: EndUser, sandbox: SandboxProcess
    ) -> None:
        ProviderApp.objects.update(allows_legacy=False)
        app.refresh_from_db()
        with pytest.raises(AppMisconfigured, match="legacy"):
            access_to(app, {})
        sandbox.control.clear_log()
        self.try_to_end(connection)
        invitation = alice.invite(provider=app.provider)
        alice.start(invitation)
        assert self.submit(alice, invitation, app, self.typed(sandbox)).status_code == 502
        assert sandbox.control.log(endpoint="token") == []


class TestPasswordThatIsKept(TestPassword):
    entry = KEEPS
    client = {"allows_legacy": True, "grant_types": ["password"]}
    stored = {"username": "alice", "password": "alice"}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.settings(locked=["alice"])
        sandbox.control.revoke(username="alice")
