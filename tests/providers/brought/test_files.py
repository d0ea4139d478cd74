"""Rows from files as people have them: any charset, any line ends, any size."""

import io
import itertools
import json
import tracemalloc
from typing import Any

import pytest

from providers.brought.files import charset_of, rows_of
from providers.brought.json_stream import LARGEST_ROW, BrokenFile

TEXT = 'end_user,access_token\r\n"José",abc\r\n\r\n"two\r\nlines",def\r\n'


def rows(content: bytes, form: str = "csv", **options: Any) -> list[tuple[int, Any]]:
    return list(rows_of(io.BytesIO(content), form=form, **options))


@pytest.mark.parametrize(
    "charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)  # fmt: skip
def test_the_charset_is_found_out(charset: str) -> None:
    content = TEXT.encode(charset)
    assert rows(content) == [
        (2, {"end_user": "José", "access_token": "abc"}),
        (4, {"end_user": "two\r\nlines", "access_token": "def"}),
    ]


def test_a_charset_that_is_named_is_not_found_out() -> None:
    assert rows("end_user\nИмя\n".encode("koi8-r"), charset="koi8-r") == [(2, {"end_user": "Имя"})]
    with pytest.raises(BrokenFile, match="charset"):
        rows("end_user\nJosé\n".encode("cp1252"), charset="utf-8")


def test_text_that_is_cut_in_a_letter_is_still_found_out() -> None:
    assert charset_of(io.BytesIO("é".encode() * 600_000)) == "utf-8"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_usual_delimiter_will_do(delimiter: str) -> None:
    content = delimiter.join(["end_user", "scopes"]) + "\r" + delimiter.join(["a", '"x, y; z"'])
    assert rows(content.encode()) == [(2, {"end_user": "a", "scopes": "x, y; z"})]


def test_lines_count_from_the_first_of_the_file() -> None:
    assert rows(b"\n\nend_user\n\nalice\n") == [(5, {"end_user": "alice"})]


def test_more_cells_than_columns_are_told() -> None:
    assert rows(b"end_user\nalice,bob\n") == [(2, {"end_user": "alice", "": "more cells than columns"})]


@pytest.mark.parametrize(
    "content",
    [
        b'end_user\nalice\n"never closed\n',
        b'end_user\n"bad"quote\n',
        b"end_user,end_user\na,b\n",
        b"end_user\n" + b"x" * (LARGEST_ROW + 1),
    ],
)
def test_a_broken_file_is_told_with_its_line(content: bytes) -> None:
    with pytest.raises(BrokenFile) as broken:
        rows(content)
    assert broken.value.line > 0


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a": 1}, {"a": [2]}]',
        b'\xef\xbb\xbf [\n{"a": 1}\n,{"a": [2]}]\n',
        b'{"connections": [{"a": 1},{"a": [2]}]}',
        b'{"a": 1}\n{"a": [2]}\n',
        b'{"a": 1}\r\n\r\n{"a": [2]}',
    ],
)
def test_objects_come_from_a_list_or_one_after_the_other(content: bytes) -> None:
    assert [row for _, row in rows(content, "json")] == [{"a": 1}, {"a": [2]}]


def test_each_object_has_its_number_and_a_fault_its_line() -> None:
    assert [number for number, _ in rows(b'[{"a":\n 1}, {"a": 2}]', "json")] == [1, 2]
    with pytest.raises(BrokenFile) as broken:
        rows(b'[\n {"a":\n 1},\n nonsense]', "json")
    assert broken.value.line == 4


@pytest.mark.parametrize(
    "content", [b'[{"a": 1}, {"a"', b'[{"a": 1}', b'{"a": 1}\nnonsense', b'["' + b"x" * (LARGEST_ROW * 2), b"[" * 9999]
)
def test_a_document_that_is_cut_off_is_told(content: bytes) -> None:
    with pytest.raises(BrokenFile):
        rows(content, "json")


def test_an_empty_file_has_no_rows() -> None:
    assert rows(b"") == rows(b"end_user\n") == rows(b"", "json") == rows(b"[]", "json") == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_large_file_is_read_in_constant_memory(form: str, tmp_path: Any) -> None:
    path = tmp_path / "large"
    row = {"end_user": "alice", "access_token": "x" * 400}
    with path.open("w") as file:
        file.write("end_user,access_token\n" if form == "csv" else "[")
        line = ",".join(row.values()) + "\n" if form == "csv" else json.dumps(row) + ",\n"
        file.writelines(itertools.repeat(line, 40_000))  # 17 MB
        file.write("" if form == "csv" else json.dumps(row) + "]")
    with path.open("rb") as source:
        tracemalloc.start()
        count = sum(1 for _ in rows_of(source, form=form))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count >= 40_000
    assert peak < 4_000_000
