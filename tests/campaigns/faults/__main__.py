"""``python -m tests.campaigns.faults [--only ROW…] [--scale 0.01] [--minutes 240] [--json]``: see the package."""

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn, TextIO

from config.local.demo.stack import LocalStack
from config.local.supervisor.state import make_folder
from config.local.supervisor.watchdog import Watchdog
from tests.campaigns.faults.figures import Figure, as_table
from tests.campaigns.faults.lean import zygote
from tests.warm.start import Warm

if TYPE_CHECKING:
    from tests.campaigns.faults.ground import Ground

# Imported by name once the stack is up: the product reads its settings from the environment when it is imported.
ROWS = {
    "in_flight": ("in_flight", "in_flight"),
    "kills": ("kills", "with_grace"),
    "kills_strict": ("kills", "strict"),
    "restarts": ("restarts", "restarts"),
    "herd": ("herd", "herd"),
    "imports": ("imports", "imports"),
    "day": ("day", "day"),
    "transients": ("transients", "transients"),
    "revocation": ("revocation", "by_probe"),
    "revocation_reported": ("revocation", "by_report"),
    "revocation_pushed": ("revocation", "by_push"),
    "malformed": ("malformed", "malformed"),
    "ciphertext": ("ciphertext", "ciphertext"),
    "canaries": ("canaries", "canaries"),
    "restored": ("restored", "by_dump"),
    "restored_to_a_moment": ("restored", "to_a_moment"),
}
_OVERRIDES = {
    "LATCHKEY_SWEEP_SECONDS": "0.5",
    "LATCHKEY_LOG_FORMAT": "json",
    "LATCHKEY_PROBE_SECONDS": "600,3600,21600",
}


def main() -> int:
    """Run the rows that are named, or all; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaigns.faults", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=ROWS, metavar="ROW", help=f"of {', '.join(ROWS)}")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full counts (default: %(default)s)")
    parser.add_argument("--minutes", type=int, help="of the simulated day (default: that share of 1,440)")
    parser.add_argument("--json", action="store_true", help="print the last line alone")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):  # SIGINT is ignored where a shell runs this in the background
        signal.signal(number, _interrupt)
    figures: list[Figure] = []
    with os.fdopen(os.dup(2), "w", buffering=1) as progress, _ground(options.scale, options.minutes) as ground:
        for row in options.only or ROWS:
            figures.append(_run(row, ground, progress))
            if not options.json:
                print(f"{figures[-1].seconds:7.1f} s  {row:<20} {figures[-1].verdict}", file=progress)
    if not options.json:
        print(as_table(figures))
    is_kept = all(figure.is_kept for figure in figures)
    print(json.dumps({"ok": is_kept, "scale": options.scale, "rows": [figure.as_dict() for figure in figures]}))
    return 0 if is_kept else 1


def _run(row: str, ground: "Ground", progress: TextIO) -> Figure:
    module, name = ROWS[row]
    began = time.monotonic()
    try:
        figure: Figure = getattr(importlib.import_module(f"tests.campaigns.faults.{module}"), name)(ground)
    except Exception as error:  # noqa: BLE001 (a row that breaks has missed its target)
        traceback.print_exc(file=progress)
        lean = (ground.stack.state_dir / "logs" / "lean.log").read_text(errors="replace").splitlines()
        print("\n".join(line for line in lean if not line.startswith("{"))[-2000:], file=progress)
        ground.control.clear_faults()  # or they would break the rows that follow as well
        figure = Figure(row, row, f"the campaign broke: {type(error).__name__}: {error}"[:300], "a verdict", False)
    return Figure(
        row, figure.measure, figure.measured, figure.target, figure.is_kept, figure.facts, time.monotonic() - began
    )


@contextmanager
def _ground(scale: float, minutes: int | None) -> "Iterator[Ground]":
    """Start the private stack and the zygote, and set the product up in this process."""
    for name in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(name, None)  # the campaign restarts its database and flushes its Redis
    folder = make_folder(Path(tempfile.mkdtemp(prefix="latchkey-faults-", dir="/var/tmp")))
    make_folder(folder / "logs")
    watchdog = Watchdog()
    watchdog.remove(folder)
    with _own_log(folder / "logs" / "campaign.log"), Warm() as warm:
        stack = LocalStack(
            state_dir=folder,
            processes=("sandbox",),
            seed=False,
            overrides=_OVERRIDES,
            durable=False,
            restart=False,
            popen=warm,
        )
        try:
            stack.start()
            if stack.postgres is not None:
                watchdog.remove(stack.postgres.place)
            os.environ.update(stack.environment)
            with zygote(stack, folder) as forking:
                # The product reads its settings from the environment, which holds them only now.
                import tests.campaigns.faults.unthrottled  # noqa: F401 (it lifts the budget when it is imported)
                from tests.campaigns.faults.ground import Ground

                yield Ground(stack, forking, scale=scale, minutes=minutes)
        finally:
            stack.destroy()
            watchdog.close()


@contextmanager
def _own_log(path: Path) -> Iterator[None]:
    """Send what the product logs in this process (to standard error) to a file."""
    printed, log = os.dup(2), os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    try:
        yield
    finally:
        os.dup2(printed, 2)
        os.close(printed)
        os.close(log)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
