"""What a sweep costs: ``python -m tests.campaigns.sweep_bench``. It follows what is due, not what there is.

Two databases of one server hold the same thousand due connections, one among ten thousand, the other among a million.
A measuring process at each is told by a line on its standard input what to do, and answers with a line of JSON; passes
alternate between the two, so that what else the machine does befalls both. A pass is ``sweep_refreshes`` until nothing
is left to send, tasks on the broker included; ``database`` is the part of it that PostgreSQL takes: a little more where
the due rows lie on a thousand pages instead of four hundred, and no more than that.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.local.demo.stack import LocalStack

FEW, MANY, DUE = 10_000, 1_000_000, 1_000
ROUNDS = 9
MOST_MORE = 0.20


def sweep(folder: Path, *, many: int = MANY, rounds: int = ROUNDS) -> dict[str, Any]:
    """Measure both, and return the figures; ``ok`` says that the million costs at most a fifth more."""
    with (
        LocalStack(state_dir=folder, processes=(), seed=False, durable=False) as stack,
        _measuring(stack, "few", FEW) as few,
        _measuring(stack, "many", many) as several,
    ):
        pairs = [(_pass(few), _pass(several)) for _ in range(rounds + 1)][1:]  # the first one warms up
        shared = _tell(several, "share")
        peaks = [_tell(process, "memory")["rss_mb"] for process in (few, several)]
    # Compared pass by pass: two that follow each other saw the same machine.
    more = {key: statistics.median(b[key] / a[key] for a, b in pairs) - 1 for key in ("seconds", "database")}
    more["memory"] = peaks[1] / peaks[0] - 1
    return {
        "bench": "sweep",
        "connections": [FEW, many],
        "due": DUE,
        "pass_ms": _medians(pairs, "seconds"),
        "database_ms": _medians(pairs, "database"),
        "rss_mb": peaks,
        "more": {name: round(share, 3) for name, share in more.items()},
        "two_at_once": shared,
        "ok": max(more["seconds"], more["memory"]) <= MOST_MORE and shared["sent"] == DUE and shared["twice"] == 0,
    }


def _pass(process: "subprocess.Popen[str]") -> dict[str, float]:
    measured = _tell(process, "pass")
    if measured["sent"] != DUE:
        raise SystemExit(f"{measured['sent']} of {DUE} were sent")
    return measured


def _medians(pairs: list[tuple[dict[str, float], dict[str, float]]], key: str) -> list[float]:
    return [round(1000 * statistics.median(one[key] for one in side), 1) for side in zip(*pairs, strict=True)]


@contextmanager
def _measuring(stack: LocalStack, name: str, count: int) -> "Iterator[subprocess.Popen[str]]":
    """Run a measuring process on a filled database of its own, and give it a share of the broker."""
    given = urlsplit(stack.environment["DATABASE_URL"])
    database = f"sweep_{name}"
    with psycopg.connect(given._replace(path="/template1").geturl(), autocommit=True) as connected:
        source = sql.Identifier(given.path.lstrip("/"))  # migrated, and empty
        connected.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), source))
    redis = urlsplit(stack.environment["REDIS_URL"])
    environment = {
        **stack.environment,
        "DATABASE_URL": given._replace(path=f"/{database}").geturl(),
        "REDIS_URL": redis._replace(path="/2" if name == "few" else "/3").geturl(),
    }
    arguments = [sys.executable, "-m", "tests.campaigns.sweep_passes", str(count), str(DUE)]
    process = subprocess.Popen(
        arguments, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    try:
        if _answer(process) != {"filled": count}:
            raise SystemExit(f"{name}: could not be filled")
        yield process
    finally:
        process.stdin.close()  # type: ignore[union-attr] # it was asked for above
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tell(process: "subprocess.Popen[str]", command: str) -> dict[str, Any]:
    assert process.stdin is not None
    process.stdin.write(f"{command}\n")
    return _answer(process)


def _answer(process: "subprocess.Popen[str]") -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit(f"the measuring process ended with {process.wait()}")
    answer: dict[str, Any] = json.loads(line)
    return answer


def main() -> None:
    """Run the bench and print its line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int, default=MANY, help="connections of the larger database")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="passes at each, of which the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-", dir="/var/tmp") as folder:
        print(json.dumps(sweep(Path(folder), many=options.many, rounds=options.rounds)), flush=True)


if __name__ == "__main__":
    main()
