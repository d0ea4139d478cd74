"""What tests of a refresh look at: the stored connection, its credential, its attempts, and the provider's log."""

from typing import Any

from connections.models import Connection, CredentialVersion, RefreshAttempt, Stage
from providers.sandbox.client import SandboxProcess


def refreshes(sandbox: SandboxProcess) -> list[Any]:
    """Return the provider's log of refreshes, oldest first."""
    return sandbox.control.log(grant_type="refresh_token")


def reload(connection: Connection) -> Connection:
    """Return the connection as it is now, with its provider app."""
    return Connection.objects.select_related("provider_app").get(id=connection.id)


def current(connection: Connection) -> CredentialVersion:
    """Return the version that is vended."""
    return CredentialVersion.objects.get(connection=connection, stage=Stage.CURRENT)


def last_attempt(connection: Connection) -> RefreshAttempt:
    """Return the newest attempt."""
    attempt = RefreshAttempt.objects.filter(connection=connection).first()
    assert attempt is not None
    return attempt
