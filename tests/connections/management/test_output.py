"""Tables, sheets and JSON."""

import json
import uuid
from datetime import UTC, datetime

from connections.management.output import as_json, plain, sheet, table


def test_a_table_aligns_its_columns_and_cuts_what_is_too_long() -> None:
    text = table(("name", "n"), [("a", 1), ("a" * 60, None)], nothing="none")
    lines = text.splitlines()
    assert lines[0] == "NAME" + " " * 46 + "N"
    assert lines[1].split() == ["a", "1"]
    assert lines[2].split() == ["a" * 47 + "…", "-"]


def test_the_last_column_of_a_table_is_shown_whole() -> None:
    assert table(("n", "name"), [(1, "a" * 60)], nothing="none").splitlines()[1].split() == ["1", "a" * 60]


def test_a_table_without_rows_is_a_sentence() -> None:
    assert table(("name",), [], nothing="There is nothing.") == "There is nothing."


def test_a_sheet_gives_a_list_a_line_for_each_item() -> None:
    assert sheet([("id", 7), ("scopes", ["a", "b"]), ("empty", [])]) == "id      7\nscopes  a\n        b\nempty   -"


def test_values_are_told_as_people_read_them() -> None:
    assert plain(True) == "yes"
    assert plain(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02 03:04:05 UTC"
    assert plain({"status": 400}) == "status=400"


def test_json_writes_ids_and_times_as_text() -> None:
    data = {"id": uuid.UUID(int=1), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    assert json.loads(as_json(data)) == {"id": str(uuid.UUID(int=1)), "at": "2026-01-02T00:00:00Z"}
