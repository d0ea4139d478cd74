"""``python -m tests.campaigns.ha [--only ROW…] [--watch 25] [--json]``: see the package's docstring."""

import argparse
import json
import sys
import tempfile
from pathlib import Path

from tests.campaigns.ha.losses import LOSSES, Row, play
from tests.campaigns.ha.scene import scene

_WIDTHS = (38, 8, 38, 8, 8, 8, 6)


def main() -> int:
    """Play the losses that are named, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.ha", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=LOSSES, metavar="ROW", help=f"of {', '.join(LOSSES)}")
    parser.add_argument("--watch", type=float, default=25.0, help="seconds of load for each (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print the last line alone")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="latchkey-ha-") as folder, scene(Path(folder)) as installation:
        if not options.json:
            print(_line("what was lost", "vends", "failed", "outage", "late", "again", "lost"))
        for name in options.only or LOSSES:
            rows.append(play(name, installation, seconds=options.watch))
            if not options.json:
                print(_told(rows[-1]), flush=True)
    is_kept = all(row.is_kept for row in rows)
    print(json.dumps({"ok": is_kept, "rows": [row.as_dict() for row in rows]}))
    return 0 if is_kept else 1


def _told(row: Row) -> str:
    seen = row.seen
    failed = ", ".join(f"{count} {answer}" for answer, count in seen.answers.items() if answer != "200") or "0"
    return _line(
        row.loss.what,
        str(sum(seen.answers.values())),
        failed,
        f"{seen.outage_seconds:.1f} s",
        f"{seen.late_seconds:.0f} s",
        str(row.presented_again),
        str(row.lost) + ("" if row.is_kept else " !"),
    )


def _line(*cells: str) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    sys.exit(main())
