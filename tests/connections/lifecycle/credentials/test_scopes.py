from connections.lifecycle.credentials.scopes import sync_scopes
from connections.models import Connection


def said_of_scopes(connection: Connection) -> dict[str, tuple[bool, bool]]:
    return {scope.name: (scope.is_requested, scope.is_granted) for scope in connection.scopes.all()}


def test_what_was_requested_last_is_what_counts(connection: Connection) -> None:
    """However often a scope is named, and whatever was granted before."""
    assert said_of_scopes(connection) == {"files.read": (True, True), "profile.read": (True, True)}
    before = dict(connection.scopes.values_list("name", "updated_at"))
    granted, requested = ("files.read", "profile.read"), ("files.read", "files.write", "files.read")
    sync_scopes(connection, connection.scopes.all(), granted=granted, requested=requested)
    assert said_of_scopes(connection) == {
        "files.read": (True, True),
        "files.write": (True, False),
        "profile.read": (False, True),
    }
    after = dict(connection.scopes.values_list("name", "updated_at"))
    assert after["files.read"] == before["files.read"]
    assert after["profile.read"] > before["profile.read"]
