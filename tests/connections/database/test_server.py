"""A server that cannot keep what the tables promise is refused before anything is made there."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database

from connections.database import server
from connections.management.doctor.constraints import constraints
from connections.management.doctor.findings import Level
from connections.management.doctor.storage import database as look
from connections.models import Connection

pytestmark = pytest.mark.django_db


def test_migrate_refuses_a_server_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    version = server.server_version()
    assert version == database.connection.info.server_version
    call_command("migrate", verbosity=0)
    monkeypatch.setattr(server, "OLDEST_SERVER", version + 1)
    with pytest.raises(CommandError, match=r"PostgreSQL \d+ is too old: .* Use PostgreSQL \d+ or later"):
        call_command("migrate", verbosity=0)
    assert any("is too old" in found.says for found in look() if found.level is Level.FAULT)


@pytest.mark.parametrize(("version", "is_enough"), [(149_999, False), (150_000, True), (190_001, True)])
def test_from_15_on_there_is_every_constraint(version: int, is_enough: bool) -> None:
    if is_enough:
        server.check_server(version)
        return
    with pytest.raises(server.ServerTooOld):
        server.check_server(version)


def test_a_constraint_that_was_left_out_is_named_and_can_be_made() -> None:
    assert list(constraints()) == []
    named = {
        constraint.name: model._meta.db_table
        for model in database.introspection.installed_models(database.introspection.table_names())
        if model._meta.app_label == Connection._meta.app_label
        for constraint in model._meta.constraints
        if getattr(constraint, "nulls_distinct", None) is False
    }
    assert len(named) >= 5
    with database.cursor() as cursor:
        for name, table in named.items():
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}; DROP INDEX IF EXISTS {name}")
        found = list(constraints())
        assert len(found) == len(named)
        for each in found:
            assert any(name in each.says for name in named)
            cursor.execute(each.what_to_do.partition(": ")[2].removesuffix("."))
    assert list(constraints()) == []
