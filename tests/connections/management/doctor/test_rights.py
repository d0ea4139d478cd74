"""A role with the rights that ``OPERATIONS.md`` names does all but ``migrate``; one that lacks some hears which."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection as database
from django.db.models import Q

from connections.journal.events import last_id, read_settled
from connections.journal.sealing import seal_settled
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.management.doctor import storage
from connections.management.doctor.examine import examine
from connections.management.doctor.findings import Finding, Level
from connections.models import Connection, OutboxEvent
from tests.connections.api.vending import vend
from tests.connections.lifecycle.clockwork import due
from tests.connections.management.backups.conftest import client_programs, passphrase
from tests.connections.management.conftest import Run
from tests.factories import Caller
from tests.roles import acting_as, make_role

__all__ = ["client_programs", "passphrase"]

ROWS, NUMBERS = ("SELECT", "INSERT", "UPDATE", "DELETE"), ("USAGE", "SELECT")


@pytest.fixture
def role(transactional_db: None) -> Iterator[str]:
    """A role that owns nothing, and has what the page gives it."""
    name = f"app_{uuid.uuid4().hex[:12]}"
    with database.cursor() as cursor:
        make_role(cursor.connection, name)
    yield name
    with database.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def of_rights(found: list[Finding]) -> list[Finding]:
    return [each for each in found if each.level is Level.FAULT and "Two roles" in each.what_to_do]


def test_everything_but_migrate_works_with_the_documented_rights(
    run: Run, role: str, connection: Connection, backend: Caller
) -> None:
    with acting_as(role):
        assert vend(backend, connection, end_user="alice").status_code == 200
        assert refresh(due(connection).id, trigger="sweep").outcome is Outcome.REFRESHED
        assert vend(backend, connection, end_user="alice").status_code == 200
        assert seal_settled(seconds=10, at_once=True) > 0
        events = read_settled(Q(), after=0, limit=100)
        assert (len(events.events), events.events[-1].id) == (OutboxEvent.objects.count(), last_id())
        assert of_rights(list(examine(asks=False))) == []


def test_a_backup_is_made_with_the_documented_rights(
    run: Run, role: str, client_programs: None, passphrase: str, tmp_path: Path
) -> None:
    with acting_as(role):
        ran = run("backup", "make", str(tmp_path / "made.backup"), "--passphrase-file", passphrase)
    assert ran.code == 0, ran.err


def test_what_an_upgrade_adds_is_granted_by_itself(role: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE added (id bigserial PRIMARY KEY, name text)")
    try:
        with acting_as(role), database.cursor() as cursor:
            cursor.execute("INSERT INTO added (name) VALUES ('a'); UPDATE added SET name = 'b'; DELETE FROM added")
            cursor.execute("SELECT last_value FROM added_id_seq")
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP TABLE added")


@pytest.mark.parametrize(
    ("privilege", "of"),
    [
        *((privilege, "TABLE connections_installation") for privilege in ROWS),
        *((privilege, "SEQUENCE connections_auditevent_id_seq") for privilege in NUMBERS),
        ("SELECT", "TABLE django_migrations"),
        ("INSERT", "TABLE django_session"),
        ("USAGE", "SCHEMA public"),
    ],
)
def test_a_right_that_is_missing_is_named(role: str, privilege: str, of: str) -> None:
    whose = f"{role}, PUBLIC" if of == "SCHEMA public" else role
    with database.cursor() as cursor:
        cursor.execute(f"REVOKE {privilege} ON {of} FROM {whose}")
    try:
        with acting_as(role):
            (found,) = of_rights(list(storage.database()))
        lacks = "may use no" if of == "SCHEMA public" else f"lacks {privilege} on"
        assert found.says.startswith(f"The role {role} {lacks} ")
        assert of.rpartition(" ")[2] in found.says
    finally:
        with database.cursor() as cursor:
            cursor.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")


def test_a_look_that_is_refused_does_not_ask_for_migrations(role: str) -> None:
    with database.cursor() as cursor:
        cursor.execute(f"REVOKE SELECT ON connections_installation FROM {role}")
    with acting_as(role):
        found = list(examine(asks=False))
    assert [each.area for each in of_rights(found)] == ["database", "quarantine"]
    assert not any("migrate" in each.what_to_do for each in found)
