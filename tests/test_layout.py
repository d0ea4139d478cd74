"""The layout: each package's docstring is a map of it, and no file grows into a drawer."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PRODUCT = ("config", "connections", "providers")
PACKAGES = [
    path.parent
    for top in PRODUCT
    for path in sorted((ROOT / top).rglob("__init__.py"))
    if path.parent.name not in {"migrations", "commands"}
]
FILES = [path for top in (*PRODUCT, "tests") for path in sorted((ROOT / top).rglob("*.py"))]
MOST_LINES = 440
_NO_MODULES = {"connect"}  # rooms that a docstring mentions
_PARTICIPLE = re.compile(r"_?(?!need|shred)[a-z]+ed(_|$)")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_package_s_docstring_names_each_of_its_modules(package: Path) -> None:
    docstring = ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""
    modules = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert {name for name in modules | packages if f"``{name}``" not in docstring} == set()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_each_module_has_its_test_file_or_is_named_in_the_room_s_tests(package: Path) -> None:
    room = ROOT / "tests" / package.relative_to(ROOT)
    path = room / "__init__.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else ""
    named = set(re.findall(r"``(\w+)``", docstring or ""))
    modules = {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    tested = {module for module in modules if (room / f"test_{module}.py").exists()}
    assert modules - tested - named == set()
    assert named - modules - tested <= _NO_MODULES, "it names a module that is not there"
    for file in re.findall(r"``([\w/]+\.py)``", docstring or ""):
        assert (room / file).exists() or (ROOT / file).exists(), file


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_can_be_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_what_acts_is_named_by_a_verb() -> None:
    """A function that returns nothing does something: it is not named by what has been done already."""
    acting = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] != "tests" and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Constant) and node.returns.value is None
        if _PARTICIPLE.match(node.name)
    ]
    assert acting == []
