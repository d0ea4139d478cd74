"""The layout: each package's docstring is a map of it, and no file grows into a drawer."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PRODUCT = ("config", "connections", "providers")
PACKAGES = [
    path.parent
    for top in PRODUCT
    for path in sorted((ROOT / top).rglob("__init__.py"))
    if path.parent.name not in {"migrations", "commands"}
]
FILES = [
    path
    for top in (*PRODUCT, "tests")
    for path in sorted((ROOT / top).rglob("*.py"))
    if path.parent.name != "migrations"  # these are written by Django
]
MOST_LINES = {"tests": 440}  # and of the product
MOST_OF_PRODUCT = 400
_NO_MODULES = {"connect"}  # rooms that a docstring mentions
_PARTICIPLE = re.compile(r"_?(?!need|shred)[a-z]+ed(_|$)")


@cache
def docstring(file: Path) -> str:
    """Return the docstring of a file, or nothing."""
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "") if file.exists() else ""


def modules(package: Path) -> set[str]:
    """Return the names of a package's modules."""
    return {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}


def home(package: Path) -> Path:
    """Return the folder of a package's tests."""
    return ROOT / "tests" / package.relative_to(ROOT)


def test_a_package_s_docstring_names_each_of_its_modules() -> None:
    unnamed = []
    for package in PACKAGES:
        packages = {path.parent.name for path in package.glob("*/__init__.py")}
        text = docstring(package / "__init__.py")
        unnamed += [package / name for name in modules(package) | packages if f"``{name}``" not in text]
    assert PACKAGES
    assert unnamed == []


ROOMS = ROOT / "connections/lifecycle"


def test_each_room_says_what_it_promises_and_what_it_changes() -> None:
    lacking = [
        f"{package.name} {said}"
        for package in PACKAGES
        if package.parent == ROOMS
        for said in ("Promise:", "(In|Comes in):", "(Out|Goes out):", "Changes:")
        if not re.search(rf"\b{said} ", re.sub(r"\s+", " ", docstring(package / "__init__.py")))
    ]
    assert lacking == []


def test_the_map_of_rooms_has_them_in_the_order_of_the_import_rules() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = [rule["layers"] for rule in rules if rule.get("containers") == ["connections.lifecycle"]]
    groups = re.findall(r"(?:^- ``\w+``.*\n(?:  .*\n)*)+", docstring(ROOMS / "__init__.py"), re.MULTILINE)
    assert [set(re.findall(r"^- ``(\w+)``", group, re.MULTILINE)) for group in groups] == [
        set(layer.split(" | ")) for layer in layers
    ]


def test_each_module_has_its_test_file_or_is_named_in_the_room_s_tests() -> None:
    homeless = []
    for package in PACKAGES:
        room = home(package)
        named = set(re.findall(r"``(\w+)``", docstring(room / "__init__.py")))
        tested = {module for module in modules(package) if (room / f"test_{module}.py").exists()}
        homeless += [package / module for module in modules(package) - tested - named]
    assert homeless == []


def test_the_room_s_tests_name_only_modules_and_files_that_are_there() -> None:
    missing = []
    for package in PACKAGES:
        room = home(package)
        text = docstring(room / "__init__.py")
        missing += [room / name for name in set(re.findall(r"``(\w+)``", text)) - modules(package) - _NO_MODULES]
        for file in re.findall(r"``([\w/]+\.py)``", text):
            if not (room / file).exists() and not (ROOT / file).exists():
                missing.append(room / file)
    assert missing == []


def test_a_file_can_be_read_in_one_sitting() -> None:
    lines = {path: path.read_text(encoding="utf-8").count("\n") for path in FILES}
    most = {path: MOST_LINES.get(path.relative_to(ROOT).parts[0], MOST_OF_PRODUCT) for path in FILES}
    assert {path: count for path, count in lines.items() if count > most[path]} == {}


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
