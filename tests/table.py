"""Tables of tests in docstrings: a row of plain words, and below it, indented, the tests that show it."""

import ast
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]


def rows_of(folder: ModuleType) -> dict[str, list[str]]:
    """Return the tests of each row in the docstring of ``folder``, as ``path::name``; the prose above is left out."""
    rows: dict[str, list[str]] = {}
    row = ""
    _, _, table = (folder.__doc__ or "").partition("\n\n")
    for line in table.split("\n\n", 1)[1].splitlines():
        if line.startswith("    "):
            rows[row].append(line.strip())
        elif line.strip():
            row = line
            rows[row] = []
    return rows


def unknown_tests(rows: dict[str, list[str]]) -> list[str]:
    """Return the tests that are listed and do not exist; which cases a test has is not looked at."""
    return [
        test
        for named in rows.values()
        for test in named
        if _function_of(test).partition("::")[2] not in named_in(ROOT / test.partition("::")[0])
    ]


def cases_of(rows: dict[str, list[str]], test: str) -> list[str]:
    """Return the cases of ``test`` (``path::name``) that are listed, each as it is named between its brackets."""
    return [
        listed.partition("[")[2].rstrip("]")
        for named in rows.values()
        for listed in named
        if _function_of(listed) == test and "[" in listed
    ]


def _function_of(test: str) -> str:
    return test.partition("[")[0]


def unlisted_tests(rows: dict[str, list[str]], folder: str, *, beside: str) -> set[str]:
    """Return the tests of ``folder`` that no row lists; ``beside`` is the module that checks the table."""
    listed = {_function_of(test) for named in rows.values() for test in named}
    found = {
        f"{folder}/{path.name}::{name}"
        for path in (ROOT / folder).glob("test_*.py")
        if path.name != beside
        for name in named_in(path)
    }
    return found - listed


def named_in(path: Path) -> set[str]:
    """Return the names of the tests of one module; none where it is missing."""
    if not path.is_file():
        return set()
    return {
        node.name
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
