"""The table of faults says what is true: each of its tests exists, and each test of this folder is in it."""

import tests.faults
from connections.drills.matrix import SCENARIOS
from tests.campaigns.test_faults_short import SHORT
from tests.table import cases_of, rows_of, unknown_tests, unlisted_tests


def test_every_row_names_tests_that_exist() -> None:
    rows = rows_of(tests.faults)
    assert len(rows) >= 21
    assert all(rows.values())
    assert not unknown_tests(rows)


def test_every_test_of_this_folder_is_in_a_row() -> None:
    assert not unlisted_tests(rows_of(tests.faults), "tests/faults", beside="test_matrix.py")


def test_every_scenario_of_the_drills_is_in_a_row() -> None:
    listed = cases_of(rows_of(tests.faults), "tests/faults/test_scenarios.py::test_the_promise_is_kept")
    assert set(listed) == {scenario.name for scenario in SCENARIOS}


def test_the_rows_of_the_campaign_that_are_named_are_run() -> None:
    listed = cases_of(rows_of(tests.faults), "tests/campaigns/test_faults_short.py::test_the_promise_holds_at_scale")
    assert set(listed) <= set(SHORT)
