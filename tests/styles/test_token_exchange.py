"""Token exchange, through a whole life: the connection is made once, and subjects' tokens are exchanged in vends."""

from typing import Any

from connections.lifecycle.probe.probe import probe
from connections.models import Connection, ProviderApp, SubjectToken, Trigger
from providers.catalog.exchange_method import TokenExchangeMethod
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser, Invitation
from tests.styles.contract import ALICE, StyleContract

MICROSOFT = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[token_exchange]
form = "on_behalf_of"
token_url = "{issuer}/token"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


class TestTokenExchange(StyleContract):
    style = TokenExchangeMethod.style
    auth_method = "bearer"
    probed = False

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        """Connect, and sign in at the product, whose identity provider is the sandbox too."""
        sandbox.control.register_client("product", client_secret="secret-of-the-product", scopes=["profile.read"])
        self.subject_token = self.sign_in(sandbox)
        return super().go_through(alice, invitation, sandbox, app)

    def sign_in(self, sandbox: SandboxProcess) -> str:
        """Return a fresh token of alice's."""
        (issued,) = sandbox.control.mint("product", username="alice", scope="profile.read")
        token: str = issued["access_token"]
        return token

    def account_of(self, app: ProviderApp) -> str:
        return ""

    def acts_as(self, app: ProviderApp) -> str:
        return ALICE

    def vended(self, alice: EndUser, connection: Connection) -> dict[str, Any]:
        answer = alice.vend(str(connection.id), subject_token=self.subject_token)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()["credential"]
        return found

    def proxy_headers(self) -> dict[str, str]:
        return {"Latchkey-Subject-Token": self.subject_token}

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(client_id="product")

    # --- where its life differs ---------------------------------------------------------------------------------------
    def test_it_is_connected_in_the_widget(self, connection: Connection, app: ProviderApp) -> None:
        assert (connection.status, connection.provider_account_id) == ("active", "")
        assert connection.verified_at is None, "there is nothing yet that could be tried"

    def test_it_is_renewed_before_it_ends_or_lasts(self, connection: Connection, alice: EndUser) -> None:
        """The connection lasts; a token that is near its end is exchanged anew when somebody asks."""
        assert connection.refresh_due_at is None
        before = self.vended(alice, connection)
        assert self.vended(alice, connection)["value"] == before["value"]
        SubjectToken.objects.update(kept_until="2020-01-01T00:00Z")
        after = self.vended(alice, connection)
        assert after["value"] != before["value"]
        assert self.use(after).status_code == 200

    def test_a_probe_proves_that_it_works(self, connection: Connection, sandbox: SandboxProcess) -> None:
        """There is nothing to prove between two vends, and nobody is asked."""
        sandbox.control.clear_log()
        assert probe(connection.id, trigger=Trigger.SWEEP).verdict is None
        assert sandbox.control.log() == []

    def test_a_dead_one_is_noticed_before_a_caller_finds_out_and_mended_by_connecting_again(
        self, connection: Connection, alice: EndUser, app: ProviderApp, sandbox: SandboxProcess
    ) -> None:
        """A subject's token that died is told by its refusal, and mended by a fresh one: the connection stays."""
        self.kill(sandbox, connection)
        refused = alice.vend(str(connection.id), subject_token=self.subject_token)
        assert (refused.status_code, refused.json()["code"]) == (409, "subject_token_refused")
        self.subject_token = self.sign_in(sandbox)
        assert self.use(self.vended(alice, connection)).status_code == 200


class TestOnBehalfOf(TestTokenExchange):
    entry = MICROSOFT
