"""The table of faults says what is true: each of its tests exists, and each test of this folder is in it."""

import ast
from pathlib import Path

import tests.faults

ROOT = Path(__file__).resolve().parents[2]


def listed() -> dict[str, list[str]]:
    """Return the tests of each row, as ``path::name``."""
    rows: dict[str, list[str]] = {}
    row = ""
    _, _, table = (tests.faults.__doc__ or "").partition("\n\n")
    for line in table.split("\n\n", 1)[1].splitlines():
        if line.startswith("    "):
            rows[row].append(line.strip())
        elif line.strip():
            row = line
            rows[row] = []
    return rows


def named_in(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_row_names_tests_that_exist() -> None:
    rows = listed()
    assert len(rows) >= 21
    for row, named in rows.items():
        assert named, f"{row} has no test"
        for test in named:
            path, _, name = test.partition("::")
            assert name in named_in(ROOT / path), test


def test_every_test_of_this_folder_is_in_a_row() -> None:
    named = {test for row in listed().values() for test in row}
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        if path.name != Path(__file__).name:
            missing = {f"tests/faults/{path.name}::{name}" for name in named_in(path)} - named
            assert not missing
