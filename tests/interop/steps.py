"""What the tests do and look at on both sides: Latchkey's answers and rows, and the foreign server's store and log."""

from types import SimpleNamespace
from typing import Any

from connections.access.secrets import open_credential
from connections.models import Connection, CredentialVersion
from providers.values import Credential
from tests.flows import EndUser
from tests.interop.foreign import ForeignServer
from tests.interop.serving import fingerprint


def row(connection_id: str) -> Connection:
    """Return the connection as the database has it now."""
    return Connection.objects.select_related("provider_app", "tenant").get(id=connection_id)


def state(connection_id: str) -> tuple[str, str]:
    """Return status and reason."""
    connection = row(connection_id)
    return connection.status, connection.reason


def held(connection_id: str) -> Credential:
    """Return the credential that Latchkey holds now."""
    connection = row(connection_id)
    return open_credential(connection, CredentialVersion.objects.get(id=connection.current_version_id or ""))


def tokens_of(credential: Credential) -> dict[str, str]:
    """Return the fingerprints of the tokens, named as the servers name them."""
    kinds = {"access_token": credential.access_token, "refresh_token": credential.refresh_token}
    return {kind: fingerprint(token.get_secret_value()) for kind, token in kinds.items() if token is not None}


def live_grants(server: ForeignServer, client_id: str) -> list[SimpleNamespace]:
    """Return the rows of the server's store that still work."""
    return [grant for grant in server.grants(client_id) if grant.is_live]


def assert_is_the_only_grant(server: ForeignServer, client_id: str, connection_id: str) -> None:
    """Check that the server's one live grant holds exactly the tokens that Latchkey holds."""
    (grant,) = live_grants(server, client_id)
    kept = {"access_token": grant.access_token, "refresh_token": grant.refresh_token}
    assert kept == tokens_of(held(connection_id))


def use(server: ForeignServer, user: EndUser, connection_id: str) -> dict[str, Any]:
    """Vend a credential, call the protected resource with it as a caller would, and return the vend."""
    vended = user.vend(connection_id)
    assert vended.status_code == 200, vended.content
    answer: dict[str, Any] = vended.json()
    files = server.files(answer["credential"]["headers"])
    assert (files.status_code, files.json()["owner"]) == (200, user.name)
    return answer
