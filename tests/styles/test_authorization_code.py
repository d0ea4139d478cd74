"""OAuth 2.0 by consent, through a whole life."""

from connections.models import Connection, ProviderApp
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser, Invitation
from tests.styles.contract import StyleContract


class TestAuthorizationCode(StyleContract):
    style = AuthorizationCodeMethod.style
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"

    def go_through(self, alice: EndUser, invitation: Invitation, sandbox: SandboxProcess, app: ProviderApp) -> str:
        return alice.finish(invitation)

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(username="alice")
