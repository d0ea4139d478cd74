from connections.lifecycle.credentials.scopes import record_requested_scopes
from connections.models import Connection


def said_of_scopes(connection: Connection) -> dict[str, tuple[bool, bool]]:
    return {scope.name: (scope.is_requested, scope.is_granted) for scope in connection.scopes.all()}


def test_what_was_requested_last_is_what_counts(connection: Connection) -> None:
    """However often a scope is named, and whatever was granted before."""
    assert said_of_scopes(connection) == {"files.read": (True, True), "profile.read": (True, True)}
    before = connection.scopes.get(name="files.read").updated_at
    record_requested_scopes(connection, ("files.read", "files.write", "files.read"))
    assert said_of_scopes(connection) == {
        "files.read": (True, True),
        "files.write": (True, False),
        "profile.read": (False, True),
    }
    assert connection.scopes.get(name="files.read").updated_at > before
