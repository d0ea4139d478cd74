"""The table of cases says what is true: each of its tests exists, and each test of this folder is in it."""

import tests.field
from tests.table import rows_of, unknown_tests, unlisted_tests


def test_every_row_names_tests_that_exist() -> None:
    rows = rows_of(tests.field)
    assert len(rows) >= 23
    assert all(rows.values())
    assert not unknown_tests(rows)


def test_every_test_of_this_folder_is_in_a_row() -> None:
    assert not unlisted_tests(rows_of(tests.field), "tests/field", beside="test_cases.py")
