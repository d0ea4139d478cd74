"""OAuth 1.0a, through a whole life: each request is signed by us, and nothing is handed out."""

from connections.models import Connection, ProviderApp
from providers.catalog.oauth1_method import OAuth1Method
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser, Invitation
from tests.styles.contract import StyleContract


class TestOAuth1(StyleContract):
    style = OAuth1Method.style
    client = {"signs": True}
    auth_method = "oauth1"
    proxy_only = True

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        return alice.finish(invitation)

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(username="alice")
