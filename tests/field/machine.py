"""A connection by client credentials at the stage's provider: the end user types a client id and a secret."""

from connections.models import Connection, ProviderApp
from providers.catalog.methods import ClientCredentialsMethod
from tests.connections.consent.steps import submit
from tests.field.stage import Stage
from tests.flows import completion_code

ENTRY = """
name = "Field"
base_url = "<url>/api"
[client_credentials]
own_registration = true
token_url = "<url>/token"
<method>
[probe]
url = "<url>/me"
account_id = "/id"
"""


def describe_machine(stage: Stage, *, method: str = "") -> ProviderApp:
    """Make the stage's entry and app ones of client credentials; ``method`` is TOML for its section."""
    stage.write(ENTRY, method=method)
    return stage.register(auth_style=ClientCredentialsMethod.style, client_id="", client_secrets=[])


def connect_machine(stage: Stage, app: ProviderApp) -> Connection:
    """Connect alice by what she types."""
    invitation = stage.invite()
    stage.alice.start(invitation)
    held = submit(stage.alice, f"/connect/{invitation.id}/method/{app.id}", client_id="m-1", client_secret="secret-1")
    answer = stage.alice.complete(invitation, completion_code(held))
    assert answer.status_code == 200, answer.content
    return Connection.objects.get(id=answer.json()["connection"]["id"])
