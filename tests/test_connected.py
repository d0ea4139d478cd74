from typing import Any

from django.db.models import Model

from connections.models import Connection, CredentialVersion, ProviderApp, Scope
from providers.sandbox.client import SandboxProcess
from tests.connected import connect_at
from tests.flows import EndUser

# What differs between any two connections: names, times that were read from the clock, ciphertexts.
_OWN = {
    *("id", "connection_id", "grant_id", "current_version_id", "end_user"),
    *("secrets", "fingerprint", "refresh_fingerprint"),
    *("status_changed_at", "authorized_at", "access_expires_at", "refresh_due_at", "probe_due_at", "verified_at"),
    *("received_at", "created_at", "updated_at"),
}


def told(row: Model) -> dict[str, Any]:
    """Return what a row says; of a value that is its own only whether there is one."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    return {name: value is not None if name in _OWN else value for name, value in values.items()}


def all_told(connection: Connection) -> list[Any]:
    version = CredentialVersion.objects.get(connection=connection)
    assert version.id == connection.current_version_id
    assert (version.grant_id, version.access_expires_at) == (connection.grant_id, connection.access_expires_at)
    assert connection.verified_at == connection.authorized_at
    scopes = Scope.objects.filter(connection=connection).order_by("name")
    return [told(connection), told(version), [told(scope) for scope in scopes]]


def test_it_is_as_connecting_leaves_it(alice: EndUser, app: ProviderApp, sandbox: SandboxProcess) -> None:
    scopes = ("profile.read", "files.read")
    walked = Connection.objects.get(id=alice.connect(scopes=list(scopes))["id"])
    made = connect_at(sandbox, app, end_user="bob", scopes=scopes)
    assert all_told(made) == all_told(walked)
