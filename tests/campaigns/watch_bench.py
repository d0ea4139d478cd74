"""What it costs to watch how API clients are used, and how soon a canary that is touched is told of: ``watching``.

One stack has a long audit trail. It vends, while worker and beat run (and watch, every two seconds) and then while they
do not: so what is told of watching is too much rather than too little, for the other sweeps are in it. What a look
reads is counted by the database.
"""

import time
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
import requests

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.cpu import Meter
from tests.campaigns.load import run_load
from tests.campaigns.stacks import database, populate, scalar
from tests.campaigns.vending import vend_requests

CONNECTIONS = 200
AUDIT_ROWS = 1_000_000
ROUNDS = 3
CANARIES = 5
TOLD_WITHIN_SECONDS = 5.0
MOST_READ_A_VEND = 3.0
_READ = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'connections_auditevent'"
_WATCHED_TO = "SELECT audit_id FROM connections_watchposition"
_LAST = "SELECT max(id) FROM connections_auditevent"
_TOLD = "SELECT count(*) FROM connections_outboxevent WHERE type = 'use.suspected'"


def watching(folder: Path, *, audit_rows: int = AUDIT_ROWS, seconds: float = 2.0) -> dict[str, Any]:
    """Measure vends with and without; ``ok`` says that a look reads no more than is new, and that canaries are told."""
    overrides = {"DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings", "LATCHKEY_PROBE_SECONDS": "3600,3600,3600"}
    processes = ("web", "worker", "beat", "sandbox")
    with (
        LocalStack(state_dir=folder, processes=processes, seed=False, overrides=overrides) as stack,
        database(stack) as connected,
    ):
        populated = populate(stack, CONNECTIONS)
        stack.run("fill", "-m", "tests.campaigns.growth_fill", "--audit-rows", str(audit_rows))
        told = [_told_after(stack, connected, populated["key"]) for _ in range(CANARIES)]
        with_it = _measure(stack, connected, populated, seconds)
        for name in ("beat", "worker"):
            stack.stop_process(name)
        without = _measure(stack, connected, populated, seconds, looks=False)
    return {
        "bench": "watching",
        "audit_rows": audit_rows,
        "vends_per_second": with_it["per_second"],
        "vends_per_second_without": without["per_second"],
        "vend_cpu_ms": with_it["cpu"],
        "vend_cpu_ms_without": without["cpu"],
        "audit_rows_read_a_vend": with_it["read"],
        "seconds_until_a_canary_is_told": [round(one, 2) for one in told],
        "ok": with_it["read"] <= MOST_READ_A_VEND and max(told) <= TOLD_WITHIN_SECONDS,
    }


def _measure(
    stack: LocalStack,
    connected: "psycopg.Connection[Any]",
    populated: dict[str, Any],
    seconds: float,
    *,
    looks: bool = True,
) -> dict[str, Any]:
    """Return vends a second, the CPU time of one by kind of process, and the audit rows read for it: medians."""
    web = stack.urls["web"]
    names = ("web", "worker", "beat", "postgres", "valkey")
    rounds: list[dict[str, Any]] = []
    for number in range(ROUNDS + 1):
        if looks:
            until(lambda: scalar(connected, _WATCHED_TO) == scalar(connected, _LAST), "a look at all that there is")
        meter = Meter({name: [pid for pid in [stack.pid(name)] if pid] for name in names})
        before = scalar(connected, _READ)
        load = run_load(web, vend_requests(web, populated), seconds=seconds)
        if load.unexpected:
            raise SystemExit(f"unexpected answer {load.unexpected[0]!r}")
        if looks:
            until(lambda: scalar(connected, _WATCHED_TO) == scalar(connected, _LAST), "a look at these vends")
        time.sleep(1.5)  # the database counts what a session has read when that has been idle for a second
        read = (scalar(connected, _READ) - before) / load.count
        if number:  # the first round warms up
            rounds.append({"per_second": load.per_second, "cpu": meter.milliseconds_each(load.count), "read": read})
    return {
        "per_second": median(one["per_second"] for one in rounds),
        "cpu": {name: round(median(one["cpu"][name] for one in rounds), 3) for name in names},
        "read": round(median(one["read"] for one in rounds), 2),
    }


def _told_after(stack: LocalStack, connected: "psycopg.Connection[Any]", key: str) -> float:
    """Return how many seconds after a vend of a canary there is an event of it."""
    canary = stack.run("canary", "-m", "tests.campaigns.canary").split()[-1]
    connected.execute(
        "UPDATE connections_finding SET resolved_at = now(), verdict = 'expected' WHERE resolved_at IS NULL"
    )
    before, began = scalar(connected, _TOLD), time.monotonic()
    answer = requests.post(
        f"{stack.urls['web']}/api/v1/connections/{canary}/credential",
        json={"end_user": "archive"},
        headers={"Authorization": f"Bearer {key}"},
        timeout=30,
    )
    assert answer.ok, answer.text[:300]
    until(lambda: scalar(connected, _TOLD) > before, "an event of the canary", seconds=60, pause=0.05)
    return time.monotonic() - began
