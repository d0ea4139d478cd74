from typing import Any

import pytest

from providers.catalog.pointer import text_at, value_at

DOCUMENT: dict[str, Any] = {"a": {"b": [{"id": "x"}, 2]}, "a/b": {"c~d": "y"}, "": "empty", "n": None, "t": True}


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", DOCUMENT),
        ("/a/b/0/id", "x"),
        ("/a/b/1", 2),
        ("/a~1b/c~0d", "y"),
        ("/", "empty"),
        ("/n", None),
        ("/a/b/2", None),
        ("/a/b/-1", None),
        ("/a/b/²", None),
        ("/a/b/0/id/x", None),
        ("/nope/id", None),
    ],
)
def test_value_is_found_or_is_not_there(pointer: str, expected: object) -> None:
    assert value_at(DOCUMENT, pointer) == expected


def test_anything_may_be_pointed_into() -> None:
    assert value_at(None, "/a") is None
    assert value_at([], "/0") is None
    assert value_at("text", "") == "text"


def test_text_is_printable_or_nothing() -> None:
    assert text_at({"a": "x\x00\u202ey"}, "/a") == "xy"
    assert text_at({"a": 12345678901234567890}, "/a") == "12345678901234567890"
    for other in (True, None, 1.5, {}, []):
        assert text_at({"a": other}, "/a") == ""
