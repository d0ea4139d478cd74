"""No style is named outside the providers: whoever asks which one it is would have to change with each new one."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from providers.strategies import strategies

ROOT = Path(__file__).parents[3]
OUTSIDE = [
    path
    for folder in ("connections", "config")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
NAMES = {
    *strategies(),
    *(strategy.method.section() for strategy in strategies().values()),
    *(type(strategy).__module__ for strategy in strategies().values()),
    *(strategy.method.__name__ for strategy in strategies().values()),
}
# How RFC 6749 has the kind of a grant in a token request, as one of the staff's own logins sends it.
GRANT_TYPE = "grant_type"
# Callers of the API have API keys too, which audit rows and the demo's notes are about.
CALLERS_KEY = "api_key"


def test_names_are_looked_for() -> None:
    assert {"oauth2_authorization_code", "authorization_code", "ApiKeyMethod", "providers.strategies.api_key"} <= NAMES
    assert len(OUTSIDE) > 100
    planted = 'if app.auth_style == "api_key" or entry.client_credentials or x in ("oauth2_authorization_code",): pass'
    assert {name for _, name in named_in(ast.parse(planted))} == {
        "api_key",
        "client_credentials",
        "oauth2_authorization_code",
    }


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_style_is_named_here(path: Path) -> None:
    found = list(named_in(ast.parse(path.read_text(encoding="utf-8"))))
    assert not found, f"ask the strategy or the entry what the style can do: {found}"


def named_in(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line and name wherever a style is named: by a text, an attribute or an import."""
    of_others = {id(node) for node in ast.walk(tree) for node in _about_others(node)}
    for node in ast.walk(tree):
        name = None
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in of_others:
            name = node.value
        elif isinstance(node, ast.Attribute) and id(node) not in of_others:
            name = node.attr
        elif isinstance(node, ast.alias):
            name = node.name
        elif isinstance(node, ast.ImportFrom):
            name = node.module
        if name in NAMES:
            yield getattr(node, "lineno", 0), name


def _about_others(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what names something else by the same word: a caller's key in a mapping, a setting, a grant's kind."""
    if isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if _is(key, GRANT_TYPE))
        yield from (key for key in node.keys if _is(key, CALLERS_KEY))
    if isinstance(node, ast.Subscript) and _is(node.slice, CALLERS_KEY):
        yield node.slice
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
        yield from (argument for argument in node.args[:1] if _is(argument, CALLERS_KEY))
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "settings":
        yield node


def _is(node: ast.AST | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word
