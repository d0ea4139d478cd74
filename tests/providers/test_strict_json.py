"""A body has one meaning, or none."""

import json

import pytest

from providers import strict_json

NO_JSON = {
    "nothing": b"",
    "no JSON": b"payload=%7B%7D",
    "half of it": b'{"a": ',
    "latin-1": '{"a": "é"}'.encode("latin-1"),
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, inside": b'[{"b": {"a": 1, "a": 1}}]',
    "not a number": b'{"a": NaN}',
    "without end": b'{"a": -Infinity}',
    "a number that is none of ours": b'{"a": [-1e400]}',
    "a number without end": b'{"a": ' + b"9" * 5000 + b"}",
    "two documents": b"{} {}",
    "deep": b"[" * 65 + b"]" * 65,
    "very deep": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 70 + b"1" + b"}" * 70,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_has_no_single_meaning_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (each has words of its own)
        strict_json.parse(body, deepest=64)


@pytest.mark.parametrize("document", [{}, [], "a", 1, None, {"é": ["\u2028", {"a": 1.5}]}, [[[[1]]]]])
def test_what_is_json_is_read(document: object) -> None:
    assert strict_json.parse(json.dumps(document).encode(), deepest=64) == document
    assert strict_json.parse(json.dumps(document, ensure_ascii=False).encode(), deepest=64) == document
