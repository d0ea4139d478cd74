"""The role that ``OPERATIONS.md`` has everything but ``migrate`` run as, made by the SQL that is written there."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as database
from psycopg import sql

from config.local.supervisor.state import PROJECT_ROOT

_SQL = re.compile(r"### Two roles\n.*?```sql\n(.*?)```", re.DOTALL)


def documented_rights(*, role: str, owner: str, name: str) -> list[sql.Composable]:
    """Return the statements of the page for these names, one by one."""
    found = _SQL.search((PROJECT_ROOT / "OPERATIONS.md").read_text(encoding="utf-8"))
    assert found is not None
    text = found[1]
    for written, ours in (
        ("latchkey_app", f'"{role}"'),
        ("latchkey_owner", f'"{owner}"'),
        ("DATABASE latchkey ", f'DATABASE "{name}" '),
    ):
        assert written in text
        text = text.replace(written, ours)
    return [sql.SQL(each) for each in text.split(";") if each.strip()]  # type: ignore[arg-type]  # our page


def make_role(connected: Any, role: str) -> None:
    """Make a role with a password that is its name, and give it what the page says, as the owner who is connected."""
    connected.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), sql.Literal(role)))
    for each in documented_rights(role=role, owner=connected.info.user, name=connected.info.dbname):
        connected.execute(each)


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Let this process's connections to the database be those of a role that ``make_role`` has made."""
    before = {key: database.settings_dict[key] for key in ("USER", "PASSWORD")}
    _connect_as({"USER": role, "PASSWORD": role})
    try:
        yield
    finally:
        _connect_as(before)


def _connect_as(who: dict[str, Any]) -> None:
    database.close()
    database.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one
    database.settings_dict.update(who)
