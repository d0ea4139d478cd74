"""The short version of the fault campaign (``make faults``): every row with few trials, on private stacks."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.faults.__main__ import ROWS

ROOT = Path(__file__).resolve().parents[2]
# A stack takes seconds to start, so rows share one; neither group takes much longer than the other.
GROUPS = (
    ("in_flight", "kills", "kills_strict", "ciphertext", "herd"),
    ("restarts", "transients", "malformed", "revocation", "canaries"),
)
# Differs from ``revocation`` only in who asks for the probe, and needs a web server as well.
LONG_ONLY = ("revocation_reported",)


@pytest.fixture(scope="module")
def results() -> Callable[[str], Any]:
    """Return a function that gives a row's result; its group is run when the first of its rows is asked for."""
    found: dict[str, Any] = {}

    def result(row: str) -> Any:
        if row not in found:
            (group,) = (group for group in GROUPS if row in group)
            found.update(run(*group))
        return found[row]

    return result


def run(*rows: str) -> dict[str, Any]:
    """Run these rows and return the result of each."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.faults", "--only", *rows, "--scale", "0.001", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    document = json.loads(ran.stdout.splitlines()[-1]) if ran.stdout else {"rows": []}
    assert [row["row"] for row in document["rows"]] == list(rows), ran.stderr[-3000:]
    missed = [row["row"] for row in document["rows"] if not row["ok"]]
    assert document["ok"] is (not missed)
    assert ran.returncode == bool(missed)
    return {row["row"]: row for row in document["rows"]}


@pytest.mark.parametrize("row", [row for group in GROUPS for row in group])
def test_the_promise_holds_at_scale(row: str, results: Callable[[str], Any]) -> None:
    result = results(row)
    print(f"{result['seconds']} s: {result['measured']}")
    assert result["ok"], result["measured"]


def test_no_row_is_left_out() -> None:
    assert {row for group in (*GROUPS, LONG_ONLY) for row in group} == set(ROWS)
