"""What the catalogue costs a process: time until it can be used, and memory, with what was compiled and without.

Each figure is of processes of their own that have imported everything else. ``compile_ms`` is the yardstick: the time
of a process that has to read and check every file.
"""

import json
import statistics
import subprocess
import sys
from typing import Any

MOST_MILLISECONDS = 100.0
MOST_MB = 30.0
ROUNDS = 5
_MEASURED = """
import gc, json, sys, time
from providers.catalog import loader

def megabytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096 / 1e6

gc.collect()
before, began = megabytes(), time.perf_counter()
if sys.argv[1] == "without":
    loader._KEPT_IN = loader._KEPT_IN.parent / "none" / "none" / "none"
entries = loader.load_catalog()
loader.entry("sandbox")
milliseconds = (time.perf_counter() - began) * 1000
if sys.argv[1] == "all":
    list(entries.values())
print(json.dumps([milliseconds, megabytes() - before, len(entries)]))
"""


def catalogue() -> dict[str, Any]:
    """Load the catalogue in several processes; return medians, and whether they are ok. Keeps what it compiles."""
    _load("kept")
    used = [_load("kept") for _ in range(ROUNDS)]
    milliseconds = round(statistics.median(figures[0] for figures in used), 1)
    megabytes = round(statistics.median(figures[1] for figures in used), 1)
    _, all_megabytes, entries = _load("all")
    return {
        "bench": "catalogue",
        "entries": entries,
        "start_ms": milliseconds,
        "mb": megabytes,
        "mb_all_used": round(all_megabytes, 1),
        "compile_ms": round(_load("without")[0]),
        "most_ms": MOST_MILLISECONDS,
        "most_mb": MOST_MB,
        "ok": milliseconds <= MOST_MILLISECONDS and max(megabytes, all_megabytes) <= MOST_MB,
    }


def _load(how: str) -> list[Any]:
    command = [sys.executable, "-c", _MEASURED, how]
    figures: list[Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1])
    return figures
