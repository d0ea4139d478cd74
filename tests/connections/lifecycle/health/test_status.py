"""Status: one gate for every change of a connection's status, kept by the table of states."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import connections
from connections.database.clock import database_now
from connections.lifecycle.health.status import change_status
from connections.models import MAY_BECOME, REASONS_OF, AuditEvent, Connection, OutboxEvent, Reason, Status

PRODUCT = Path(connections.__file__).parent
GATE = ["lifecycle/health/status.py", "models/connection.py"]  # the mutator that it calls, in one line
_WRITERS = ("update", "_set", "bulk_update", "update_or_create")


@pytest.mark.parametrize("before", Status)
def test_only_the_steps_of_the_table_are_taken(connection: Connection, before: Status) -> None:
    for after in Status:
        Connection.objects.filter(id=connection.id).update(status=before, reason=REASONS_OF[before][0])
        connection.refresh_from_db()
        reason = REASONS_OF[after][0]
        if after in MAY_BECOME[before]:
            change_status(connection, after, reason, now=database_now())
            assert Connection.objects.get(id=connection.id).status == after
            audited = AuditEvent.objects.filter(action="connection.status").latest("id")
            assert (audited.decision, audited.detail["from"], audited.detail["reason"]) == (after, before, reason)
            event = OutboxEvent.objects.latest("id")
            assert (event.payload["status"], event.payload["previous_status"]) == (after, before)
        else:
            with pytest.raises(ValueError, match="does not become"):
                change_status(connection, after, reason, now=database_now())


def test_a_connection_changes_by_named_mutators_alone() -> None:
    names = {path: str(path.relative_to(PRODUCT)) for path in sorted(PRODUCT.rglob("*.py"))}
    past = [
        name
        for path, name in names.items()
        # The showcase lays out connections before they are stored: there is no state yet that they could leave.
        if not name.startswith(("migrations/", "models/", "management/showcase/"))
        and any(_goes_past_the_mutators(node) for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    ]
    assert past == []
    for source in ("connection.failures = 1", "connection.save()", "locked._set(failures=1)"):
        assert any(_goes_past_the_mutators(node) for node in ast.walk(ast.parse(source)))


def _goes_past_the_mutators(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id="connection"))]):
            return True
        case (
            ast.Call(func=ast.Attribute(value=ast.Name(id="connection"), attr="save"))
            | ast.Call(func=ast.Attribute(attr="_set"))
        ):
            return True
    return False


def test_no_code_goes_past_the_gate() -> None:
    past = [f"{path}:{line}" for path, line in _writes() if path not in GATE]
    assert past == []


def test_the_search_for_code_past_the_gate_finds_what_it_looks_for() -> None:
    found = [*_written("row.status = 'active'"), *_written("rows.update(reason='x')"), *_written("row.become(1)")]
    found += _written("SQL = \"UPDATE connections_connection AS c\\n   SET failures = 1, status = 'active' WHERE\"")
    found += _written("rows.update(**{'status': 1})")
    assert len(found) == 5
    assert not _written('SQL = "SELECT id FROM connections_connection WHERE status = 1"')
    assert [path for path, _ in _writes()] == GATE


def _writes() -> Iterator[tuple[str, int]]:
    for path in sorted(PRODUCT.rglob("*.py")):
        name = str(path.relative_to(PRODUCT))
        if not name.startswith("migrations/"):
            yield from ((name, line) for line in _written(path.read_text(encoding="utf-8")))


def _written(source: str) -> list[int]:
    return sorted({node.lineno for node in ast.walk(ast.parse(source)) if _writes_status(node)})


def _writes_status(node: ast.AST) -> bool:
    names = {"status", "reason"}
    match node:
        case ast.Assign(targets=targets):
            return any(isinstance(target, ast.Attribute) and target.attr in names for target in targets)
        case ast.Call(func=ast.Attribute(attr="become")):
            return True
        case ast.Call(func=ast.Attribute(attr=attr), keywords=keywords) if attr in _WRITERS:
            given = {word.arg for word in keywords} | {
                key.value
                for word in keywords
                if word.arg is None and isinstance(word.value, ast.Dict)
                for key in word.value.keys
                if isinstance(key, ast.Constant)
            }
            return not names.isdisjoint(given)
        case ast.Constant(value=str(text)):
            changed = re.search(
                r"UPDATE connections_connection\b.*?\bSET\b(.*?)(?:\bWHERE\b|\bFROM\b|$)", text, re.DOTALL
            )
            return changed is not None and re.search(r"\b(status|reason)\s*=", changed[1]) is not None
    return False


def test_every_reason_of_the_table_is_given_by_some_use_case() -> None:
    """``awaiting_confirmation`` is what a connection begins with."""
    given = {
        node.attr
        for path in (PRODUCT / "lifecycle").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason"
    }
    reasons = [reason for reasons in REASONS_OF.values() for reason in reasons]
    assert sorted(reasons) == sorted(Reason), "each belongs to one status"
    assert {reason.name for reason in Reason} - given == {"AWAITING_CONFIRMATION"}
    assert Connection().reason == Reason.AWAITING_CONFIRMATION
