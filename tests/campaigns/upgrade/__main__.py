"""``python -m tests.campaigns.upgrade [--since REF] [--seconds 20] [--json]``: see the package's docstring."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.campaigns.upgrade.steps import STEPS, Row, installation, play
from tests.campaigns.upgrade.tree import describe, earlier_ref, migrations_between

_WIDTHS = (44, 7, 32, 9, 10, 6, 5)


def main() -> int:
    """Play all steps; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.upgrade", description=__doc__)
    parser.add_argument("--since", metavar="REF", help="a tag or commit; default: the newest tag, or last migration")
    parser.add_argument("--seconds", type=float, default=20.0, help="of load after each step (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the last line alone")
    options = parser.parse_args()
    ref = options.since or earlier_ref()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="latchkey-upgrade-") as folder, installation(ref, Path(folder)) as at:
        migrations = migrations_between(at.earlier.folder)
        if not options.json:
            print(f"from {describe(ref)}, with {len(migrations)} migrations: {', '.join(migrations) or 'none'}")
            print(_line("what runs", "vends", "failed", "slowest", "refreshes", "again", "lost"))
        for name in STEPS:
            rows.append(play(name, at, seconds=options.seconds))
            if not options.json:
                print(_told(rows[-1]), flush=True)
    is_kept = all(row.is_kept for row in rows)
    told = {"ok": is_kept, "since": describe(ref), "migrations": migrations, "rows": [row.as_dict() for row in rows]}
    print(json.dumps(told))
    return 0 if is_kept else 1


def _told(row: Row) -> str:
    failed = ", ".join(f"{count} {answer}" for answer, count in row.seen.answers.items() if answer != "200") or "0"
    return _line(
        STEPS[row.name].what,
        str(sum(row.seen.answers.values())),
        failed,
        f"{row.seen.slowest_seconds:.1f} s",
        str(row.refreshes),
        str(row.presented_again),
        str(row.lost) + ("" if row.is_kept else " !"),
    )


def _line(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
