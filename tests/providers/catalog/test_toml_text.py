"""What is written as TOML is read back as it was, whatever it holds."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.catalog import loader
from providers.catalog.toml_text import toml_text

FILES = sorted(Path(loader.__file__).parent.glob("*.toml"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(2**60), 2**60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def test_every_entry_of_the_catalogue_comes_back_as_it_was() -> None:
    assert FILES
    for file in FILES:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        assert tomllib.loads(toml_text(document)) == document, file.name


@given(st.dictionaries(TEXTS, VALUES, max_size=5))
@settings(max_examples=150, deadline=None)
def test_so_does_any_other_document(document: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(document)) == document


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "\n"),
        ({"bearer_token": {}}, "[bearer_token]\n"),
        ({"name": "A", "probe": {"url": "u"}}, 'name = "A"\n\n[probe]\nurl = "u"\n'),
        ({"a": {"b": {"c": "x" * 120}}}, f'[a.b]\nc = "{"x" * 120}"\n'),
        ({"scopes": [{"name": "s", "default": True}]}, '[[scopes]]\nname = "s"\ndefault = true\n'),
        ({"x": {"pattern": r"^\d+$"}}, "[x]\npattern = '^\\d+$'\n"),
        ({"no bare key": "\x7f\x00"}, '"no bare key" = "\\u007f\\u0000"\n'),
    ],
)
def test_it_reads_as_a_person_would_write_it(document: dict[str, Any], text: str) -> None:
    assert toml_text(document) == text
