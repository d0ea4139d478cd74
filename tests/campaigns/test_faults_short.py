"""The short version of the fault campaign (``make faults``): every row with few trials, on one private stack."""

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.campaigns.faults.__main__ import ROWS

ROOT = Path(__file__).resolve().parents[2]
# These differ from ``revocation`` in who tells, and need a web server, and a machine that does nothing else.
# ``restored_to_a_moment`` differs from ``restored`` in how the database is put back, and starts a second server.
LONG_ONLY = ("revocation_reported", "revocation_pushed", "restored_to_a_moment")
SHORT = tuple(row for row in ROWS if row not in LONG_ONLY)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The campaign's document. It is run once, by the first worker of this test run that gets here."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # what the workers have in common
    kept = folder / "campaign.json"
    with (folder / "campaign.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_text(json.dumps(run(*SHORT)))
    return json.loads(kept.read_text())


def run(*rows: str) -> Any:
    """Run these rows and return the document that it prints, with the exit code and what it wrote of its progress."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.faults", "--only", *rows, "--scale", "0.001", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=2400,  # beside other stacks it takes three times as long
    )
    document = json.loads(ran.stdout.splitlines()[-1]) if ran.stdout else {"ok": None, "rows": []}
    return document | {"exit_code": ran.returncode, "told": ran.stderr[-3000:]}


@pytest.mark.parametrize("row", SHORT)
def test_the_promise_holds_at_scale(row: str, campaign: Any) -> None:
    found = [one for one in campaign["rows"] if one["row"] == row]
    assert found, campaign["told"]
    print(f"{found[0]['seconds']} s: {found[0]['measured']}")
    assert found[0]["ok"], (found[0]["measured"], campaign["told"])


def test_says_whether_all_hold_and_so_does_its_exit_code(campaign: Any) -> None:
    assert [one["row"] for one in campaign["rows"]] == list(SHORT)
    assert campaign["ok"] is all(one["ok"] for one in campaign["rows"])
    assert campaign["exit_code"] == (0 if campaign["ok"] else 1)
