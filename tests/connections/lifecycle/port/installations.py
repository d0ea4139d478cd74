"""A second installation: a database of its own on the same server, and other keys, for tests of what moves there."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection

from config.local.supervisor.environment import generate_secrets
from connections.lifecycle.refresh import presence
from tests.connections.lifecycle.sessions import session
from tests.public_urls import at


def _enter(name: str) -> None:
    presence.stop()
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    connection.settings_dict["NAME"] = name


class Elsewhere:
    """Another installation, made and migrated. ``entered`` is a block in which this process is that one."""

    def __init__(self) -> None:
        self.name = f"elsewhere_{uuid.uuid4().hex[:12]}"
        made = generate_secrets()
        self._settings = {name: made[name].split(",") for name in ("FERNET_KEYS", "KEK_KEYS", "AUDIT_KEYS")}
        with session("") as here:
            here.execute(f"CREATE DATABASE {self.name} TEMPLATE template0")
        with self.entered():
            call_command("migrate", verbosity=0)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Be that installation until the block ends."""
        here = str(connection.settings_dict["NAME"])
        _enter(self.name)
        try:
            with at(f"https://{secrets.token_hex(4)}.example", **self._settings):
                yield
        finally:
            _enter(here)

    def drop(self) -> None:
        """Remove its database."""
        with session("") as here:
            here.execute(f"DROP DATABASE {self.name} WITH (FORCE)")
