"""PostgreSQL's programs: what is missing or too old is said with what to do, and no password is on a command line."""

from pathlib import Path

import pytest
from django.core.management.base import CommandError
from django.db import connection as database

from connections.management.backups import programs

pytestmark = pytest.mark.usefixtures("transactional_db")


def test_a_missing_program_is_named_with_its_package(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"There is no pg_dump here: install .* postgresql-client-15"):
        programs.find("pg_dump", folder=str(tmp_path), least=15)


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ("pg_dump (PostgreSQL) 13.4", "is of PostgreSQL 13, and version 15 or later is needed"),
        ("something else", "is not PostgreSQL's pg_dump"),
        ("pg_dump (PostgreSQL) 15.1", ""),
        ("pg_dump (PostgreSQL) 19devel", ""),
    ],
)
def test_only_a_program_that_is_new_enough_will_do(tmp_path: Path, says: str, error: str) -> None:
    (tmp_path / "pg_dump").write_text(f"#!/bin/sh\necho '{says}'\n")
    (tmp_path / "pg_dump").chmod(0o755)
    if not error:
        assert programs.find("pg_dump", folder=str(tmp_path), least=15).major >= 15
        return
    with pytest.raises(CommandError, match=error):
        programs.find("pg_dump", folder=str(tmp_path), least=15)


def test_the_environment_leads_to_the_database_and_to_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSERVICE", "elsewhere")
    found = programs.environment()
    assert "PGSERVICE" not in found
    wanted = database.settings_dict
    assert (found["PGDATABASE"], found["PGPASSWORD"]) == (wanted["NAME"], wanted["PASSWORD"])
    assert found["PGHOST"] == wanted["HOST"] and found["PGPORT"] == str(wanted["PORT"])
