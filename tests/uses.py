"""The pytest plugin that prints who may use whose connection: caller, subject and grant, and what came of each action.

A test of the matrix (``tests/connections/lifecycle/policy/test_matrix.py``) makes the calls, and has its report carry
what came of them. An action that is denied is printed by the rule that denies it.
"""

from typing import Any

PROPERTY = "use"
_HEAD = ("caller", "subject", "connection", "grant", "vend", "GET", "POST")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the table, in the order of the tests."""
    rows = [
        (report.nodeid, tuple(told))
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
        for key, told in getattr(report, "user_properties", [])
        if key == PROPERTY and report.when == "call"
    ]
    if not rows:
        return
    terminalreporter.section("who may use whose connection")
    table = [_HEAD, *(told for _, told in sorted(rows))]
    widths = [max(len(row[column]) for row in table) for column in range(len(_HEAD))]
    for row in table:
        terminalreporter.write_line(
            "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        )
