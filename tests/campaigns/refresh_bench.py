"""How many refreshes a second the workers make, and what one costs each process: ``refresh`` and ``refresh_https``.

The provider takes 0.3 s for each answer and shares the machine with everything else. ``ideal_per_second`` is what 64
threads could do if a refresh cost nothing but that wait; with their helpers, the workers have more. The same
connections are first refreshed by one worker process and then by one for each processor: ``adds_up`` is the refreshes
for each second of CPU time with several, divided by those with one. Over https the provider shows a certificate of an
authority of the bench's own.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import trustme

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from providers.sandbox.client import SandboxControl, command_line
from providers.sandbox.waiting import until
from tests.campaigns.cpu import Meter
from tests.campaigns.stacks import database, extra_process, populate, scalar, wait_for_port

PROVIDER_SECONDS = 0.3
THREADS = 64
ENOUGH_OF_IDEAL = 0.85
ENOUGH_ADDED_UP = 0.9
_WORKERS = ("worker", *(f"worker-{number}" for number in range(2, (os.cpu_count() or 1) + 1)))
_DONE = "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted'"
_BEGUN = "SELECT count(*) FROM connections_refreshattempt"
_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
"""


def refresh(folder: Path, *, count: int, https: bool = False) -> dict[str, Any]:
    """Measure the refresh of ``count`` due connections, by one worker process and by one for each processor."""
    with _stack(folder, https=https) as (stack, sandbox, sandbox_pid), database(stack) as connected:
        populate(stack, count)
        sandbox.settings(delay_seconds={"token": PROVIDER_SECONDS})
        alone = _measure(stack, connected, sandbox_pid, count)
        for name in _WORKERS[1:]:
            stack.start_process(name)
        together = _measure(stack, connected, sandbox_pid, count) if len(_WORKERS) > 1 else alone
        entries = sandbox.log(grant_type="refresh_token")
    ideal = THREADS / PROVIDER_SECONDS
    reused = sum(entry.outcome == "refresh_reused" for entry in entries)
    adds_up = round(alone.cpu_ms["worker"] / together.cpu_ms["worker"], 2)
    share = round(together.per_second / ideal, 3)
    return {
        "bench": "refresh_https" if https else "refresh",
        "connections": count,
        "worker_processes": len(_WORKERS),
        "per_second": together.per_second,
        "ideal_per_second": round(ideal, 1),
        "share_of_ideal": share,
        "cpu_ms": together.cpu_ms,
        "one_process": {"per_second": alone.per_second, "cpu_ms": alone.cpu_ms},
        "adds_up": adds_up,
        "database_connections": together.database_connections,
        "requests": len(entries),
        "reused": reused,
        "ok": share >= ENOUGH_OF_IDEAL and adds_up >= ENOUGH_ADDED_UP and not reused and len(entries) == 4 * count,
    }


@dataclass(frozen=True)
class _Measured:
    """``cpu_ms`` is the CPU time of one refresh by kind of process."""

    per_second: float
    cpu_ms: dict[str, float]
    database_connections: int


@contextmanager
def _stack(folder: Path, *, https: bool) -> Iterator[tuple[LocalStack, SandboxControl, int]]:
    """Run a stack with one worker so far, and its provider; yields its control and its process id too."""
    folder.mkdir(parents=True)
    address = f"127.0.0.1:{(port := any_free_port())}"
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "certificate.pem"))
    overrides = {
        "LATCHKEY_SWEEP_SECONDS": "1",
        "LATCHKEY_PROBE_SECONDS": "3600,3600,3600",
        "SANDBOX_URL": f"{'https' if https else 'http'}://{address}",
        "EGRESS_CA_FILE": str(folder / "authority.pem"),
    }
    with LocalStack(state_dir=folder / "stack", processes=("worker", "beat"), seed=False, overrides=overrides) as stack:
        options: dict[str, Any] = {"certificate": folder / "certificate.pem"} if https else {}
        arguments = command_line(port=port, state=folder / "sandbox", **options)
        with extra_process(stack, *arguments) as provider:
            wait_for_port(port)
            control = SandboxControl(overrides["SANDBOX_URL"], ca_file=overrides["EGRESS_CA_FILE"])
            yield stack, control, provider.pid


def _measure(stack: LocalStack, connected: "psycopg.Connection[Any]", sandbox_pid: int, count: int) -> _Measured:
    """Refresh all connections twice: the first time warms up the workers that run now."""
    _refresh_all(connected, count)
    named = {"worker": _WORKERS, "postgres": ["postgres"], "valkey": ["valkey"], "beat": ["beat"]}
    groups = {kind: [pid for name in names if (pid := stack.pid(name))] for kind, names in named.items()}
    meter = Meter(groups | {"sandbox": [sandbox_pid]})
    elapsed, most_connections = _refresh_all(connected, count)
    return _Measured(round(count / elapsed, 1), meter.milliseconds_each(count), most_connections)


def _refresh_all(connected: "psycopg.Connection[Any]", count: int) -> tuple[float, int]:
    """Make all connections due; return the seconds from the first attempt on, and the most sessions of the database."""
    done, begun = scalar(connected, _DONE), scalar(connected, _BEGUN)
    connected.execute("UPDATE connections_connection SET refresh_due_at = now(), next_attempt_at = NULL")
    until(lambda: scalar(connected, _BEGUN) > begun, "the first refresh", seconds=60)
    began, most = time.monotonic(), 0

    def are_done() -> bool:
        nonlocal most
        most = max(most, scalar(connected, _SESSIONS) - 1)
        return bool(scalar(connected, _DONE) >= done + count)

    until(are_done, "the end of the refreshes", seconds=120, pause=0.1)
    return time.monotonic() - began, most
