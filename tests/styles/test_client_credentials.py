"""OAuth 2.0 client credentials, through a whole life: of the provider app's registration, and of the end user's own."""

from connections.models import Connection, ProviderApp
from providers.catalog.methods import ClientCredentialsMethod
from providers.sandbox.client import SandboxProcess
from providers.signing.keys import make_key_pair
from providers.vocabulary import SigningAlgorithm
from tests.flows import EndUser
from tests.styles.contract import StyleContract, TypedStyleContract
from tests.styles.signers import make_signer

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


class TestAKeyOfTheirOwn(TypedStyleContract):
    style = ClientCredentialsMethod.style
    entry = OWN.replace(
        "own_registration = true",
        'own_registration = true\nissuer = "{issuer}"\nclient_authentication = "private_key_jwt"\n'
        'client_assertion = { algorithm = "ES256" }',
    )
    auth_method = "bearer"
    renews = True
    revokes = True
    reason = "grant_rejected"

    def typed(self, sandbox: SandboxProcess) -> dict[str, str]:
        pem = make_signer(sandbox).private_key.get_secret_value()
        return {"client_id": "machine", "key_id": "", "private_key": pem}

    def account_of(self, app: ProviderApp) -> str:
        return "machine"

    def kill(self, sandbox: SandboxProcess, connection: Connection) -> None:
        make_signer(sandbox)
        sandbox.control.revoke(client_id="machine")

    def test_a_key_of_another_kind_is_told_by_what_would_be_right(self, alice: EndUser, app: ProviderApp) -> None:
        invitation = alice.invite(provider=app.provider)
        alice.start(invitation)
        wrong = make_key_pair(SigningAlgorithm.EDDSA).private_key.get_secret_value()
        page = self.submit(alice, invitation, app, {"client_id": "machine", "private_key": wrong})
        assert (page.status_code, "ES256 needs an EC key" in page.content.decode()) == (422, True)


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
