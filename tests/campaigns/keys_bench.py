"""All three kinds of keys rotate beneath a load: ``make bench ARGS="--only keys"``.

Eight workers refresh and callers vend meanwhile. ``keys rewrap`` and ``keys rotate`` are each killed three times and go
on. Afterwards nothing needs the old keys, they are taken away, and every connection is vended once more.
"""

import statistics
import time
from pathlib import Path
from typing import Any

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.rotation import FOLLOWED_SECONDS, VENDED, KeyLists, Vends, ended, keys
from tests.campaigns.stacks import QUICK, database, populate, scalar

CONNECTIONS = 100_000
WORKERS = 8
CALLERS = 3
KILLS = 3
# Callers who vend as fast as they can would leave two processors nothing to rotate with.
PAUSE_SECONDS = 0.03
DUE_EACH_SECOND = 20
_LONG_SECONDS = 3600.0
_REFRESHED = "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted'"
_UNREADABLE = "SELECT count(*) FROM connections_connection WHERE undecryptable_at IS NOT NULL"
# Refreshes come due as they do in a day: a few every second, all the time.
_SPREAD = """
UPDATE connections_connection SET refresh_due_at = now() + make_interval(secs => row.number / %s)
FROM (SELECT id, row_number() OVER (ORDER BY random()) AS number FROM connections_connection) AS row
WHERE row.id = connections_connection.id
"""


def rotation(folder: Path, *, count: int = CONNECTIONS) -> dict[str, Any]:
    """Rotate everything over ``count`` connections, and return the figures; ``ok`` says that nobody noticed."""
    folder.mkdir(parents=True)
    lists = KeyLists(folder)
    given = {f"{name}_FILE": str(path) for name, path in lists.paths.items()} | dict.fromkeys(lists.paths, "")
    processes = ("web", "worker", "beat", "sandbox")
    with (
        LocalStack(
            state_dir=folder / "stack", processes=processes, seed=False, workers=WORKERS, overrides=QUICK | given
        ) as stack,
        database(stack) as connected,
    ):
        populated = populate(stack, count, "--alike")
        connected.execute("UPDATE connections_datakey SET created_at = created_at - interval '100 days'")
        connected.execute(_SPREAD, [DUE_EACH_SECOND])
        with Vends(stack, populated, callers=CALLERS, pause_seconds=PAUSE_SECONDS) as vends:
            lists.add_last()
            time.sleep(FOLLOWED_SECONDS)
            lists.move_first()
            time.sleep(FOLLOWED_SECONDS)
            took = {
                "rewrap": _killed_and_ended(stack, "rewrap"),
                "rotate": _killed_and_ended(stack, "rotate", "--all", "--older-than", "1"),
            }
            status = ended(keys(stack, "status", "--exact"), seconds=_LONG_SECONDS)
            fernet = next(
                line.split()[1] for line in status.splitlines() if line.startswith("FERNET") and " 2 " in line
            )
            for old in ("old", fernet):
                ended(keys(stack, "retire", old), seconds=_LONG_SECONDS)
            lists.remove_old()
            time.sleep(FOLLOWED_SECONDS)
        afterwards = vends.vend_each()
        refreshes, unreadable = scalar(connected, _REFRESHED), scalar(connected, _UNREADABLE)
    failed = {answer: times for answer, times in (vends.answers + afterwards).items() if answer != VENDED}
    return {
        "bench": "keys",
        "connections": count,
        "workers": WORKERS,
        "kills": 2 * KILLS,
        "seconds": took,
        "vends": vends.answers.total(),
        "failed": failed,
        "vend_ms_p95": round(1000 * statistics.quantiles(vends.seconds, n=20)[-1], 1),
        "refreshes": refreshes,
        "unreadable": unreadable,
        "vended_afterwards": afterwards[VENDED],
        "ok": not failed and not unreadable and afterwards[VENDED] == count and refreshes > 0,
    }


def _killed_and_ended(stack: LocalStack, *words: str) -> float:
    """Run the command, kill it each time that it has changed something, and let the last one end."""
    began = time.monotonic()
    for kill in range(KILLS):
        running = keys(stack, *words)
        assert running.stderr is not None
        until(running.stderr.readline, f"the first progress of {words[0]}", seconds=120)
        time.sleep(1.0 + kill)
        running.kill()
        running.communicate()
        if running.returncode >= 0:
            raise SystemExit(f"keys {words[0]} ended before it was killed: use more connections")
    ended(keys(stack, *words), seconds=_LONG_SECONDS)
    return round(time.monotonic() - began, 1)
