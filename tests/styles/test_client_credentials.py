"""OAuth 2.0 client credentials, through a whole life: of the provider app's registration, and of the end user's own."""

from connections.models import Connection, ProviderApp
from providers.catalog.methods import ClientCredentialsMethod
from providers.sandbox.client import SandboxProcess
from tests.styles.contract import StyleContract, TypedStyleContract

OWN = """
name = "Played"
base_url = "{issuer}"
[[params]]
name = "issuer"
label = "Issuer"
scope = "app"
pattern = "^http://.+$"
[client_credentials]
own_registration = true
token_url = "{issuer}/token"
revocation_url = "{issuer}/revoke"
introspection_url = "{issuer}/introspect"
[probe]
url = "{issuer}/me"
account_id = "/sub"
"""


class TestClientCredentialsOfTheirOwn(TypedStyleContract):
    style = ClientCredentialsMethod.style
    entry = OWN
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        sandbox.control.register_client("machine", client_secret="secret-of-alices-own", scopes=["profile.read"])
        return {"client_id": "machine", "client_secret": "secret-of-alices-own"}

    def account_of(self, app: ProviderApp) -> str:
        return "machine"

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.register_client("machine", client_secret="another", scopes=["profile.read"])
        sandbox.control.revoke(client_id="machine")


class TestClientCredentials(StyleContract):
    style = ClientCredentialsMethod.style
    auth_method = "bearer"
    renews = True
    revokes = True
    dies = False

    def account_of(self, app: ProviderApp) -> str:
        return app.client_id

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        sandbox.control.revoke(client_id=connection.provider_app.client_id)
