"""OAuth 2.0 by consent, through a whole life: the request carried by the browser, or pushed for a named API."""

from connections.models import Connection, ProviderApp
from providers.catalog.methods import AuthorizationCodeMethod
from providers.sandbox.client import SandboxProcess
from tests.flows import EndUser, Invitation
from tests.styles.contract import StyleContract

PUSHED = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[[scopes]]
name = "profile.read"
description = "See your name"
default = true
[authorization_code]
issuer = "{issuer}"
authorization_url = "{issuer}/authorize"
pushed_authorization_url = "{issuer}/par"
request_delivery = "pushed"
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
resource = "{issuer}/me"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


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


class TestPushedAuthorizationRequest(TestAuthorizationCode):
    entry = PUSHED
    client = {"pushes": True}

    def test_the_browser_carries_a_reference_and_each_request_names_the_api(
        self, connection: Connection, sandbox: SandboxProcess
    ) -> None:
        asked = [entry for entry in sandbox.control.log() if entry.endpoint in ("par", "authorize", "token")]
        assert [entry.outcome for entry in asked if entry.endpoint != "authorize"] == ["pushed", "issued"]
        assert {entry.resource for entry in asked if entry.outcome != "sign_in"} == {f"{sandbox.url}/me"}
