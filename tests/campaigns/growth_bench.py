"""What a vend and a refresh cost as the tables grow: ``growth``.

One stack is measured three times: with few connections, with a million, and with an audit trail as well. Each time the
same connections are vended and refreshed, and what counts is the CPU time of all processes for one of them. ``more`` is
the share by which that exceeds the first time's.
"""

import subprocess
import sys
import uuid
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from config.local.demo.stack import LocalStack
from providers.sandbox.waiting import until
from tests.campaigns.cpu import Meter
from tests.campaigns.load import run_load
from tests.campaigns.stacks import database, populate, scalar
from tests.campaigns.vending import vend_requests

FEW, MANY = 1_000, 1_000_000
REFRESHED = 400
AUDIT_ROWS = 1_000_000
ROUNDS = 2
MOST_MORE = 0.20
_DONE = """
SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted' AND claimed_at > now() - interval '1 hour'
"""
_DUE = "UPDATE connections_connection SET refresh_due_at = now(), next_attempt_at = NULL WHERE id = ANY (%s)"


def growth(folder: Path, *, many: int = MANY, audit_rows: int = AUDIT_ROWS, seconds: float = 2.0) -> dict[str, Any]:
    """Measure a vend for ``seconds`` a round and a refresh; ``ok`` says that neither costs over a fifth more."""
    overrides = {
        "DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings",
        "LATCHKEY_SWEEP_SECONDS": "1",
        "LATCHKEY_PROBE_SECONDS": "3600,3600,3600",
    }
    processes = ("web", "worker", "beat", "sandbox")
    with (
        LocalStack(state_dir=folder, processes=processes, seed=False, overrides=overrides) as stack,
        database(stack) as connected,
    ):
        populated = populate(stack, FEW)
        measured = [_measure(stack, connected, populated, seconds)]
        for option, count in (("--connections", many - FEW), ("--audit-rows", audit_rows)):
            _fill(stack, option, str(count))
            measured.append(_measure(stack, connected, populated, seconds))
    more = {
        kind: [round(sum(later[kind].values()) / sum(measured[0][kind].values()) - 1, 3) for later in measured[1:]]
        for kind in measured[0]
    }
    return {
        "bench": "growth",
        "connections": [FEW, many, many],
        "audit_rows": [0, 0, audit_rows],
        "vend_cpu_ms": [taken["vend"] for taken in measured],
        "refresh_cpu_ms": [taken["refresh"] for taken in measured],
        "more": more,
        "ok": max(*more["vend"], *more["refresh"]) <= MOST_MORE,
    }


def _fill(stack: LocalStack, *arguments: str) -> None:
    command = [sys.executable, "-m", "tests.campaigns.growth_fill", *arguments]
    subprocess.run(command, env=stack.environment, check=True)


def _measure(
    stack: LocalStack, connected: "psycopg.Connection[Any]", populated: dict[str, Any], seconds: float
) -> dict[str, dict[str, float]]:
    """Return the CPU time of one vend and of one refresh by kind of process, in milliseconds: medians of the rounds."""
    web = stack.urls["web"]
    requests = vend_requests(web, populated)
    rounds: dict[str, list[dict[str, float]]] = {"vend": [], "refresh": []}
    for number in range(ROUNDS + 1):
        meter = _meter(stack, "web", "postgres")
        load = run_load(web, requests, seconds=seconds)
        if load.unexpected:
            raise SystemExit(f"unexpected answer {load.unexpected[0]!r}")
        vended = meter.milliseconds_each(load.count)
        meter = _meter(stack, "worker", "postgres", "valkey")
        _refresh(connected, populated["connections"][:REFRESHED])
        refreshed = meter.milliseconds_each(REFRESHED)
        if number:  # the first round warms up
            rounds["vend"].append(vended)
            rounds["refresh"].append(refreshed)
    return {
        kind: {name: round(median(one[name] for one in taken), 3) for name in taken[0]}
        for kind, taken in rounds.items()
    }


def _meter(stack: LocalStack, *names: str) -> Meter:
    return Meter({name: [pid for pid in [stack.pid(name)] if pid] for name in names})


def _refresh(connected: "psycopg.Connection[Any]", ids: list[str]) -> None:
    done = scalar(connected, _DONE)
    connected.execute(_DUE, [[uuid.UUID(connection_id) for connection_id in ids]])
    until(lambda: scalar(connected, _DONE) >= done + len(ids), "the end of the refreshes", seconds=180, pause=0.1)
