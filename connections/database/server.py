"""The database's server: which version it is, and from which on it keeps what the tables promise."""

from django.db import DEFAULT_DB_ALIAS, connections

# As the server counts. Below it there is no UNIQUE NULLS NOT DISTINCT, and Django leaves such constraints out.
OLDEST_SERVER = 150_000


class ServerTooOld(Exception):
    """The server cannot have all of the tables' constraints. Says what to do."""


def server_version(using: str = DEFAULT_DB_ALIAS) -> int:
    """Return the server's version as it counts: 150004 for 15.4. One query."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        (version,) = cursor.fetchone()
    return int(version)


def check_server(version: int) -> None:
    """Raise ``ServerTooOld`` for a version that is not enough. No I/O."""
    if version < OLDEST_SERVER:
        raise ServerTooOld(
            f"PostgreSQL {version // 10_000} is too old: it would leave out constraints that keep rows unique. Use"
            f" PostgreSQL {OLDEST_SERVER // 10_000} or later."
        )
