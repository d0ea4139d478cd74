"""Raw SQL beside the models: every statement of the product is found, and fails here when the models move away from it.

What a statement decides is compared with the rules in ``test_statement_rules``.
"""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection as database
from django.db import models

import connections.database
from connections.journal import audit
from connections.models import OPEN_STATES, VENDS
from providers.strategies import strategies

TABLES: dict[str, type[models.Model]] = {
    model._meta.db_table: model for model in apps.get_app_config("connections").get_models()
}
# Columns that an INSERT leaves to the database, or that are null until something happens to the row.
LEFT_OUT = {
    "connections_auditevent": {"id", "at", "operator", "detail"},
    "connections_bulkrow": {"id", "begun_at", "is_success", "facts"},
    "connections_credentialversion": set(),
    "connections_guesscount": set(),
    "connections_outboxevent": {"id"},
    "connections_refreshattempt": {"absent_since", "ended_at"},
}
# What columns hold that have no choices.
WORDS = {
    "detail": {"caller"},
    "action": {"credential.vend"},
    "decision": {audit.ALLOWED},
    "verified_by": {"refresh"},
    "type": {"connection.refreshed"},
    "locktype": {"advisory"},
    "auth_style": {strategy.style for strategy in strategies().values() if strategy.per_subject},
}
EMPTY = {"", "{}"}

_PARAMETER = re.compile(r"%\((\w+)\)s")
_VERB = re.compile(r"\s*(?:WITH|SELECT|INSERT|UPDATE|DELETE)\b")
_TABLE = re.compile(r"(?:FROM|JOIN|UPDATE|INTO|USING)\s+(connections_\w+)(?:\s+AS\s+(\w+))?")
_LITERAL = re.compile(r"'([^']*)'")
_COLUMN = r"(?:(?P<alias>\w+)\.)?(?P<column>\w+)"
_PAIRED = [
    re.compile(_COLUMN + r"\s*(?:=|<>)\s*(?P<values>'[^']*')"),
    re.compile(_COLUMN + r"\s+(?:NOT\s+)?IN\s*(?P<values>\((?:'[^']*'[,\s]*)+\))"),
    re.compile(r"(?P<values>'[^']*')\s*=\s*ANY\s*\(" + _COLUMN + r"\)"),
    re.compile(r"NULLIF\(" + _COLUMN + r",\s*(?P<values>'[^']*')"),
    re.compile(r"CASE\s+" + _COLUMN + r"\s+WHEN\s+(?P<values>'[^']*')"),
]
_OF_NO_COLUMN = re.compile(r"interval\s+'[^']*'|(?:nextval\(|decode\([a-z_.]+, )'[^']*'\)|\w+\(\) NOT IN \(''")
_INSERT = re.compile(
    r"INSERT INTO (?P<table>\w+)(?:\s+AS\s+\w+)?\s*\((?P<columns>[^)]*)\)\s*"
    r"(?:SELECT\s+(?P<selected>.*?)\s+FROM\b|VALUES\s*\((?P<given>(?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*)\))",
    re.DOTALL,
)


def statements() -> Iterator[tuple[str, str]]:
    """Return each statement of the product that names a table of ours, with where it stands."""
    for found in pkgutil.walk_packages(connections.__path__, "connections."):
        if found.name.startswith("connections.migrations"):
            continue
        module = importlib.import_module(found.name)
        texts = {str(value) for value in vars(module).values() if isinstance(value, str)}
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        # Most modules name no table: to parse them all would take every worker half a second.
        tree = ast.parse(source if "connections_" in source else "")
        # A text that is put together is looked at where its module holds it, whole.
        parts = {part for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in parts:
                texts.add(node.value)
        for number, text in enumerate(sorted(text for text in texts if _VERB.match(text) and _TABLE.search(text))):
            yield f"{found.name}-{number}", text


STATEMENTS = dict(statements())
every_statement = pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
every_insert = pytest.mark.parametrize(
    "statement",
    [text for text in STATEMENTS.values() if "INSERT INTO" in text],
    ids=[name for name, text in STATEMENTS.items() if "INSERT INTO" in text],
)


def columns_of(model: type[models.Model]) -> dict[str, Any]:
    return {field.column: field for field in model._meta.concrete_fields}


def choices_of(field: Any) -> set[str]:
    return {str(value) for value, _ in getattr(field, "base_field", field).choices or ()}


def values_allowed(statement: str, alias: str | None, column: str) -> set[str]:
    """Return what a column may hold: the one of the table behind ``alias``, or of any table with such a column."""
    tables = {name or table: TABLES[table] for table, name in _TABLE.findall(statement)}
    candidates = [tables[alias]] if alias in tables else list(tables.values())
    fields = [columns_of(model)[column] for model in candidates if column in columns_of(model)]
    return set().union(*(choices_of(field) for field in fields)) | WORDS.get(column, set())


def literals(text: str) -> list[str]:
    return _LITERAL.findall(text)


def split(text: str) -> list[str]:
    """Return the members of a list at its outermost commas."""
    members, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            members.append("")
        else:
            members[-1] += character
    return [member.strip() for member in members]


def inserted(statement: str) -> dict[str, list[tuple[str, str]]]:
    """Return the columns of each INSERT with what is put into them, by table."""
    return {
        found["table"]: list(zip(split(found["columns"]), split(found["selected"] or found["given"]), strict=True))
        for found in _INSERT.finditer(statement)
    }


def test_the_statements_are_found() -> None:
    assert len(STATEMENTS) >= 9
    assert {table for text in STATEMENTS.values() for table in inserted(text)} == set(LEFT_OUT)


@every_statement
def test_the_database_knows_every_column(statement: str, db: None) -> None:
    """A renamed column, or one of another type, fails where the statement is prepared."""
    names = sorted(set(_PARAMETER.findall(statement)))
    types = ", ".join("timestamptz" if name == "now" else "unknown" for name in names)
    unnamed = count(len(names) + 1)
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    numbered = re.sub("%s", lambda _: f"${next(unnamed)}", numbered)
    with database.cursor() as cursor:
        cursor.execute(f"PREPARE looked_at {f'({types})' if types else ''} AS {numbered}")
        cursor.execute("DEALLOCATE looked_at")


@every_insert
def test_every_insert_is_read(statement: str) -> None:
    assert len(_INSERT.findall(statement)) == statement.count("INSERT INTO"), "_INSERT cannot read it"


@pytest.mark.parametrize("module", sorted({name.rpartition("-")[0] for name in STATEMENTS}))
def test_a_module_with_raw_sql_is_in_the_list_that_says_why(module: str) -> None:
    assert f"``{module.removeprefix('connections.').removeprefix('database.')}``" in str(connections.database.__doc__)


@every_insert
def test_an_insert_names_every_column_that_nothing_else_fills(statement: str) -> None:
    for table, pairs in inserted(statement).items():
        columns = columns_of(TABLES[table])
        named = {column for column, _ in pairs}
        assert len(named) == len(pairs)
        assert named | LEFT_OUT[table] == set(columns), "decide what this INSERT says of the new column"
        for column in LEFT_OUT[table]:
            field = columns[column]
            is_made = field.primary_key or field.db_default is not models.NOT_PROVIDED
            assert field.null or is_made, f"{column} would be NULL"


@every_statement
def test_every_literal_is_a_value_of_its_column(statement: str) -> None:
    known = len(literals(_OF_NO_COLUMN.sub("", statement)))
    compared = 0
    for pattern in _PAIRED:
        for found in pattern.finditer(statement):
            values = literals(found["values"])
            compared += len(values)
            allowed = values_allowed(statement, found["alias"], found["column"]) | EMPTY
            assert set(values) <= allowed, f"{found['column']} never holds {set(values) - allowed}"
    for table, pairs in inserted(statement).items():
        for column, given in pairs:
            values = literals(given)
            compared += len(values)
            allowed = choices_of(columns_of(TABLES[table])[column]) | WORDS.get(column, set()) | EMPTY
            assert set(values) <= allowed, f"{table}.{column} never holds {set(values) - allowed}"
    assert compared == known, "a literal is compared with no column that this test knows"


@every_statement
def test_a_list_of_states_is_the_one_of_the_models(statement: str) -> None:
    for found in _PAIRED[1].finditer(statement):
        values = set(literals(found["values"]))
        if found["column"] == "status":
            assert values == set(VENDS)
        if found["column"] == "state" and "sent" in values and "in_doubt" in values:
            assert values - {"superseded"} == set(OPEN_STATES)
