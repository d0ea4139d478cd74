"""What each detour taken for speed gains: the product with it and without it, in turns, against the yardstick.

Prints a line of JSON a detour. ``cpu_ms`` is the CPU time of the processes that serve, ``database_cpu_ms`` that of
PostgreSQL, each for one vend, proxied call or refresh: figures that a busy machine disturbs less than rates.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from providers.sandbox.waiting import until
from tests.campaigns.cpu import cpu_seconds
from tests.campaigns.load import Load, request_bytes, run_load
from tests.campaigns.ordinary import ON_PROXIED, ON_REFRESHES, ON_VENDS, WITHOUT
from tests.campaigns.proxy_bench import upstream
from tests.campaigns.stacks import control, database, extra_process, populate, scalar, wait_for_port
from tests.campaigns.vending import bare_requests, vend_requests

ROUNDS = 9
_HERE = "http://127.0.0.1"
_SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings", "LATCHKEY_PROBE_SECONDS": "3600,3600,3600"}
_GRANIAN = "-m granian --host 127.0.0.1 --port {port} --workers 2 --no-access-log --log-level error {application}"
_WORKER = (
    "-m celery -q -A tests.campaigns.bench_processes worker -P threads -c 64 -l WARNING --without-gossip"
    " --without-mingle -Q celery,refresh,probe,webhooks"
)
_PRODUCT = "--interface asgi tests.campaigns.bench_processes:application"
_YARDSTICK = "--interface wsgi --blocking-threads 8 tests.campaigns.bare_wsgi:application"


@dataclass(frozen=True)
class Cost:
    """What one vend, proxied call or refresh took, in milliseconds of CPU time, and how many there were a second."""

    per_second: float
    cpu_ms: float
    database_cpu_ms: float


def measure(folder: Path, names: Sequence[str], *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure these detours: of a call for ``seconds`` a round, of a refresh by 50 a second of that."""
    if on := [name for name in names if name in ON_VENDS]:
        yield from _on_vends(folder / "vends", on, seconds=seconds)
    if on := [name for name in names if name in ON_PROXIED]:
        yield from _on_proxied(folder / "proxied", on, seconds=seconds)
    if on := [name for name in names if name in ON_REFRESHES]:
        yield from _on_refreshes(folder / "refreshes", on, count=max(200, int(50 * seconds)))


def _on_vends(folder: Path, names: Sequence[str], *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure the detours that a vend takes, one after the other, each beside the product and the yardstick."""
    with LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False, overrides=_SETTINGS) as stack:
        populated = populate(stack, 50)
        asked = vend_requests(_HERE, populated)
        yield from _on_calls(stack, names, asked, bare_requests(_HERE, populated), seconds=seconds)


def _on_proxied(folder: Path, names: Sequence[str], *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure the detours that a proxied call takes, likewise: it calls an API that answers a small document."""
    with (
        LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False, overrides=_SETTINGS) as stack,
        upstream() as api,
    ):
        populated = populate(stack, 1, "--api", api)
        url = f"{_HERE}/api/v1/connections/{populated['connections'][0]}/proxy/small"
        headers = {"Authorization": f"Bearer {populated['key']}", "Latchkey-End-User": "user-0"}
        asked = [request_bytes("GET", url, headers=headers)]
        yield from _on_calls(stack, names, asked, bare_requests(_HERE, populated), seconds=seconds)


def _on_calls(
    stack: LocalStack, names: Sequence[str], asked: list[bytes], bare_asked: list[bytes], *, seconds: float
) -> Iterator[dict[str, Any]]:
    """Measure the detours of the calls that ``asked`` makes, each beside the product and the yardstick."""
    with _server(stack, _YARDSTICK) as bare:
        for name in names:
            with _server(stack, _PRODUCT) as product, _server(stack, _PRODUCT, without=name) as ordinary:
                servers = {"bare": (bare, bare_asked), "with": (product, asked), "without": (ordinary, asked)}
                rounds = []
                for warm in (True, *[False] * ROUNDS):
                    length = 1.0 if warm else seconds
                    costs = {key: _called(stack, *server, length) for key, server in servers.items()}
                    if not warm:
                        rounds.append(costs)
            yield _figures(name, rounds, yardstick="bare")


@dataclass(frozen=True)
class _Server:
    port: int
    pid: int


@contextmanager
def _server(stack: LocalStack, application: str, *, without: str = "") -> Iterator[_Server]:
    port = any_free_port()
    arguments = _GRANIAN.format(port=port, application=application).split()
    with extra_process(stack, *arguments, environment={WITHOUT: without}) as process:
        wait_for_port(port, seconds=60)
        yield _Server(port, process.pid)


def _called(stack: LocalStack, server: _Server, requests: list[bytes], seconds: float) -> Cost:
    loads: list[Load] = []

    def run() -> int:
        loads.append(run_load(f"http://127.0.0.1:{server.port}", requests, seconds=seconds))
        if loads[0].unexpected:
            raise SystemExit(f"unexpected answer {loads[0].unexpected[0]!r}")
        return loads[0].count

    return _cost_of(stack, server.pid, run)


def _on_refreshes(folder: Path, names: Sequence[str], *, count: int) -> Iterator[dict[str, Any]]:
    """Measure the detours of a refresh: ``count`` due connections by a worker with, and by one without each."""
    overrides = _SETTINGS | {"LATCHKEY_SWEEP_SECONDS": "1"}
    with (
        LocalStack(state_dir=folder, processes=("web", "beat", "sandbox"), seed=False, overrides=overrides) as stack,
        database(stack) as connected,
    ):
        populate(stack, count)
        control(stack).settings(delay_seconds={"token": 0.1})
        for name in names:
            rounds: list[dict[str, Cost]] = [{} for _ in range(ROUNDS)]
            for key, without in (("with", ""), ("without", name)):
                with extra_process(stack, *_WORKER.split(), environment={WITHOUT: without}, seconds=30) as worker:
                    _refresh(stack, worker.pid, connected, count)
                    for costs in rounds:
                        costs[key] = _refresh(stack, worker.pid, connected, count)
            yield _figures(name, rounds)


def _refresh(stack: LocalStack, pid: int, connected: "psycopg.Connection[Any]", count: int) -> Cost:
    def run() -> int:
        done = "SELECT count(*) FROM connections_refreshattempt WHERE state = 'promoted'"
        before = scalar(connected, done)
        connected.execute("UPDATE connections_connection SET refresh_due_at = now(), next_attempt_at = NULL")
        until(lambda: scalar(connected, done) >= before + count, "the end of the refreshes", seconds=120)
        return count

    return _cost_of(stack, pid, run)


def _cost_of(stack: LocalStack, pid: int, run: Callable[[], int]) -> Cost:
    postgres = stack.pid("postgres")
    assert postgres is not None
    began, cpu, database_cpu = time.monotonic(), cpu_seconds(pid), cpu_seconds(postgres)
    count = run()
    elapsed = time.monotonic() - began
    return Cost(
        per_second=count / elapsed,
        cpu_ms=1000 * (cpu_seconds(pid) - cpu) / count,
        database_cpu_ms=1000 * (cpu_seconds(postgres) - database_cpu) / count,
    )


def _figures(name: str, rounds: list[dict[str, Cost]], *, yardstick: str = "") -> dict[str, Any]:
    """Return the median of each figure, and for each round the share of CPU time that is saved."""
    figures: dict[str, Any] = {"bench": "detours", "detour": name}
    for key in ("with", "without"):
        figures[key] = {
            "cpu_ms": round(median(costs[key].cpu_ms for costs in rounds), 3),
            "database_cpu_ms": round(median(costs[key].database_cpu_ms for costs in rounds), 3),
            "per_second": round(median(costs[key].per_second for costs in rounds), 1),
        }
        if yardstick:
            shares = [costs[key].per_second / costs[yardstick].per_second for costs in rounds]
            figures[key]["share_of_bare"] = round(median(shares), 3)
    spent = [[costs[key].cpu_ms + costs[key].database_cpu_ms for key in ("with", "without")] for costs in rounds]
    figures["cpu_saved"] = sorted(round(1 - less / more, 3) for less, more in spent)
    return figures
