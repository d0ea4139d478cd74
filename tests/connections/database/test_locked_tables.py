"""Migrations lock no table that is in use for long: squawk reads the SQL that each of them runs.

An upgrade runs while web processes vend and workers refresh. A statement that writes a table anew, or reads all of it
under a lock, stops both for as long as that takes. Each migration from ``FIRST`` on is read; those before were made
before anybody ran this. A new table may have anything: nobody waits for it.
"""

import importlib
import json
import subprocess
import sysconfig
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as database
from django.db import migrations as operations
from django.db import models
from django.db.migrations.loader import MigrationLoader

from connections.apps import MIGRATION_LOCK_TIMEOUT

FIRST = "0055"
SQUAWK = Path(sysconfig.get_path("scripts")) / "squawk"
# About style, and what Django writes by itself. None of these locks anything.
NOT_ASKED = (
    "prefer-robust-stmts",  # a migration is one transaction, so none is left half done
    "prefer-text-field",
    "prefer-identity",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "require-statement-timeout",  # how long a statement takes that locks nobody out is its own affair
)
# Migration and rule: why it breaks the rule all the same.
_FEW = "there is a row for each registration at a provider, so it is over in milliseconds"
EXCUSED: dict[tuple[str, str], str] = {
    ("0057_push_believed_once", "require-concurrent-index-creation"): (
        "only the entrance of pushes writes to the table, and a provider whose push was refused sends it again"
    ),
    ("0063_bulk_rows_begun", "disallowed-unique-constraint"): (
        "there is a row for each job that somebody ordered within 90 days, so it is over in milliseconds"
    ),
    **dict.fromkeys(
        (
            ("0059_secret_sources", "require-concurrent-index-creation"),
            ("0059_secret_sources", "constraint-missing-not-valid"),
        ),
        _FEW,
    ),
}

CONNECTION = 'ALTER TABLE "connections_connection"'
PLANTED = {
    "an index that is not made concurrently": (
        'CREATE INDEX "x" ON "connections_connection" ("label");',
        "require-concurrent-index-creation",
    ),
    "a column with a default that is volatile": (
        f'{CONNECTION} ADD COLUMN "x" timestamptz DEFAULT clock_timestamp() NOT NULL;',
        "adding-field-with-default",
    ),
    "a column that must not be null and has no default": (
        f'{CONNECTION} ADD COLUMN "x" text NOT NULL;',
        "adding-required-field",
    ),
    "a type that is written anew": (
        f'{CONNECTION} ALTER COLUMN "failures" TYPE bigint;',
        "changing-column-type",
    ),
    "a foreign key that is checked at once": (
        f'{CONNECTION} ADD CONSTRAINT "x" FOREIGN KEY ("party") REFERENCES "connections_tenant" ("id");',
        "adding-foreign-key-constraint",
    ),
    "a constraint that is checked at once": (
        f'{CONNECTION} ADD CONSTRAINT "x" CHECK ("failures" >= 0);',
        "constraint-missing-not-valid",
    ),
    "a column that becomes required": (
        f'{CONNECTION} ALTER COLUMN "party" SET NOT NULL;',
        "adding-not-nullable-field",
    ),
    "a unique constraint that makes its index": (
        f'{CONNECTION} ADD CONSTRAINT "x" UNIQUE ("label");',
        "disallowed-unique-constraint",
    ),
    "a column that the release before still reads": (
        f'{CONNECTION} DROP COLUMN "label";',
        "ban-drop-column",
    ),
    "a column under another name": (
        f'{CONNECTION} RENAME COLUMN "label" TO "name";',
        "renaming-column",
    ),
}


def migrations() -> list[str]:
    known = MigrationLoader(None).graph.nodes
    return sorted(name for app, name in known if app == "connections" and name >= FIRST)


def rules_broken(sql: str) -> set[str]:
    """Return the rules that a migration with this SQL breaks, as ``migrate`` would run it."""
    ran = subprocess.run(
        [SQUAWK, "--reporter=json", "--assume-in-transaction", "--pg-version=14", f"--exclude={','.join(NOT_ASKED)}"],
        input=f"SET lock_timeout = '{MIGRATION_LOCK_TIMEOUT}';\n{sql}",
        capture_output=True,
        text=True,
        check=False,
    )
    return {one["rule_name"] for one in json.loads(ran.stdout)}


def sql_of(name: str) -> str:
    out = StringIO()
    call_command("sqlmigrate", "connections", name, stdout=out)
    return "\n".join(line for line in out.getvalue().splitlines() if line not in ("BEGIN;", "COMMIT;"))


@pytest.mark.parametrize("name", migrations())
def test_a_migration_locks_nobody_out(db: None, name: str) -> None:
    broken = rules_broken(sql_of(name))
    excused = {rule for migration, rule in EXCUSED if migration == name}
    assert broken == excused, "split it up, or excuse it with a reason"


@pytest.mark.parametrize(("sql", "rule"), PLANTED.values(), ids=PLANTED)
def test_what_would_lock_is_found(sql: str, rule: str) -> None:
    assert rule in rules_broken(sql)


def test_a_harmless_change_is_let_through() -> None:
    assert rules_broken(f'{CONNECTION} ADD COLUMN "x" timestamptz NULL;') == set()


def stop_the_release_before(made: list[Any]) -> list[str]:
    """Return the added columns without which no row can be inserted: that release knows nothing of them.

    Django drops the default of a column once it has been added, unless the database is to keep it.
    """
    return [
        f"{one.model_name}.{one.name}"
        for one in made
        if isinstance(one, operations.AddField)
        and not (
            one.field.null
            or one.field.many_to_many
            or one.field.db_default is not models.NOT_PROVIDED
            or one.field.generated
        )
    ]


@pytest.mark.parametrize("name", migrations())
def test_the_release_before_can_still_insert(name: str) -> None:
    """During an upgrade its processes run on the tables of the new one."""
    migration = importlib.import_module(f"connections.migrations.{name}").Migration
    assert stop_the_release_before(migration.operations) == [], "give it a db_default, or let it be null"


def test_a_column_that_stops_the_release_before_is_found() -> None:
    number = models.PositiveIntegerField
    added = {
        "required": number(),
        "defaulted_by_us": number(default=1),
        "null": number(null=True),
        "defaulted_by_the_database": number(default=1, db_default=1),
        "many": models.ManyToManyField("connections.Tenant"),
    }
    made = [operations.AddField("clientuse", name, field) for name, field in added.items()]
    assert stop_the_release_before(made) == ["clientuse.required", "clientuse.defaulted_by_us"]


@pytest.mark.usefixtures("transactional_db")
def test_migrate_waits_for_no_lock_for_long_and_leaves_the_session_as_it_was() -> None:
    seen = []
    with database.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        before = cursor.fetchone()
    with database.execute_wrapper(lambda run, sql, *more: (seen.append(sql), run(sql, *more))[1]):
        call_command("migrate", verbosity=0)
    assert any("lock_timeout" in str(sql) for sql in seen)
    with database.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == before
