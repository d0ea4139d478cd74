"""The throw-away database of the drills: makes it on the configured server, and drops it whatever happens."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg import sql

from connections.database.pool import direct_parameters


class NoDatabase(Exception):
    """No throw-away database can be made; the text says why."""


class Server:
    """The configured server, for statements about whole databases. Its connection never enters a transaction."""

    def __init__(self, connected: "psycopg.Connection[Any]", name: str) -> None:
        self._connected = connected
        self.name = name

    def create(self) -> None:
        """Make the database."""
        self._execute("CREATE DATABASE {} TEMPLATE template0")

    def drop(self) -> None:
        """Drop the database, and end all sessions that are still connected to it."""
        self._execute("DROP DATABASE IF EXISTS {} WITH (FORCE)")

    def allow_connections(self, *, allowed: bool) -> None:
        """Allow or forbid new connections to the database."""
        self._execute("ALTER DATABASE {} ALLOW_CONNECTIONS " + ("true" if allowed else "false"))

    def cut_connections(self) -> None:
        """End every session at the database."""
        self._connected.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.name]
        )

    def _execute(self, statement: str) -> None:
        self._connected.execute(sql.SQL(statement).format(sql.Identifier(self.name)))


@contextmanager
def throwaway_database() -> Iterator[Server]:
    """Make an empty database with a name of its own, and point this process at it, until the block ends.

    Raises ``NoDatabase``, with nothing made, where the server or the role does not allow it.
    """
    configured = connections[DEFAULT_DB_ALIAS].settings_dict["NAME"]
    name = f"latchkey_drill_{secrets.token_hex(6)}"
    try:
        connected = psycopg.connect(**direct_parameters(), autocommit=True)
    except psycopg.OperationalError:
        raise NoDatabase("The database server cannot be reached; check DATABASE_URL.") from None
    with connected:
        allowed = connected.execute(
            "SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        if allowed is None or not allowed[0]:
            raise NoDatabase(
                "The drills need a database of their own, and the role of DATABASE_URL may not create one: "
                "ALTER ROLE … CREATEDB, or run the drills with a DATABASE_URL whose role may."
            )
        server = Server(connected, name)
        try:
            server.create()
            point_at(name)
            call_command("migrate", verbosity=0, interactive=False)
            yield server
        finally:
            point_at(configured)
            server.drop()


def point_at(name: str) -> None:
    """Make ``name`` the database of this process, in all threads."""
    hang_up()
    for known in (connections[DEFAULT_DB_ALIAS].settings_dict, connections.settings[DEFAULT_DB_ALIAS]):
        known["NAME"] = name


def hang_up() -> None:
    """Close this thread's database connection, and the idle ones in the process's pool."""
    default = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    default.close()
    default.close_pool()
