"""The short version of the fault campaign (``make faults``): every row with few trials, on private stacks."""

import json
import subprocess
import sys
from pathlib import Path

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


def run(*rows: str) -> list[str]:
    """Run these rows and return those that missed their target, with what was measured."""
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
    missed = [f"{row['row']}: {row['measured']}" for row in document["rows"] if not row["ok"]]
    assert document["ok"] is (not missed)
    assert ran.returncode == bool(missed)
    return missed


@pytest.mark.parametrize("rows", GROUPS, ids="-".join)
def test_the_promises_hold_under_faults(rows: tuple[str, ...]) -> None:
    assert run(*rows) == []


def test_no_row_is_left_out() -> None:
    assert {row for group in (*GROUPS, LONG_ONLY) for row in group} == set(ROWS)
