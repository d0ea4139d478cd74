"""Mutators: several are saved by one UPDATE, and nothing else writes a connection."""

import ast
import re
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

import connections
from connections.database.clock import database_now
from connections.models import Connection
from tests.connections.api.stored import make_connection
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db


def test_what_a_block_changes_is_saved_once_at_its_end() -> None:
    connection = make_connection(make_tenant())
    before, now = connection.updated_at, database_now()
    with CaptureQueriesContext(database) as statements, connection.saved_once():
        connection.belong_to("account-7", "Seven")
        connection.verify(now, by="probe")
        assert Connection.objects.get().provider_account_id != "account-7"
    assert [one["sql"].split()[0] for one in statements] == ["SELECT", "UPDATE"]
    stored = Connection.objects.get()
    assert (stored.provider_account_id, stored.verified_at, stored.verified_by) == ("account-7", now, "probe")
    assert stored.updated_at > before


def test_after_the_block_each_change_is_saved_by_itself_again() -> None:
    connection = make_connection(make_tenant())
    with connection.saved_once():
        pass
    connection.name("work")
    assert Connection.objects.get().label == "work"


def test_a_block_that_raises_saves_nothing() -> None:
    connection = make_connection(make_tenant())
    with suppress(RuntimeError), connection.saved_once():
        connection.name("work")
        raise RuntimeError
    assert Connection.objects.get().label == ""
    connection.verify(None, by="")
    assert Connection.objects.get().label == ""


# --- Nothing else writes columns of a connection ----------------------------------------------------------------------
PRODUCT = Path(connections.__file__).parent
# The home of the mutators, and tools that make or damage rows of their own.
MAY_WRITE = ("models/", "migrations/", "drills/", "management/showcase/")


def root_of(node: ast.expr) -> str:
    """Return the name with which a chain of calls and attributes begins, "" for anything else."""
    while isinstance(node, ast.Attribute | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def names_of_connections(function: ast.FunctionDef) -> set[str]:
    """Return the names that stand for querysets of connections in a function."""
    names = {"Connection"} | {
        argument.arg
        for argument in (*function.args.args, *function.args.kwonlyargs)
        if argument.annotation
        and re.search(r"(QuerySet\[Connection\]|ConnectionQuerySet)", ast.unparse(argument.annotation))
    }
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and root_of(node.value) in names:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names


def updates(source: str) -> list[str]:
    """Return each call of ``update`` on a queryset of connections, as it is written."""
    return [
        ast.unparse(node)
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update"
        if root_of(node.func.value) in names_of_connections(function)
    ]


def test_rows_of_connections_are_written_by_named_mutators_alone() -> None:
    found = {
        str(file): written
        for path in PRODUCT.rglob("*.py")
        if not (file := path.relative_to(PRODUCT).as_posix()).startswith(MAY_WRITE)
        if (written := updates(path.read_text(encoding="utf-8")))
    }
    assert found == {}


@pytest.mark.parametrize(
    "written",
    [
        "Connection.objects.filter(id=1).update(party=None)",
        "rows = Connection.objects.all()\n    rows.exclude(id=1).update(party=None)",
        "rows = Connection.objects.all()\n    rows = rows.live()\n    rows.update(party=None)",
        "given.update(party=None)",
    ],
)
def test_any_other_way_to_write_them_is_seen(written: str) -> None:
    assert updates(f"def f(given: 'QuerySet[Connection]') -> None:\n    {written}")
    assert not updates(f"def f(given: 'QuerySet[Tenant]') -> None:\n    {written.replace('Connection', 'Tenant')}")
