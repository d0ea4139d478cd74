"""How many vends of a valid token a second, how long each takes, and what it costs each process: ``vend_fresh``.

Two yardsticks in the same run: the bare callable does the least that a vend has to do, in the same server, and the
constant view answers through all of Django. ``ok`` is a ratio to the first of them, because machines differ.
"""

from pathlib import Path
from typing import Any

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from tests.campaigns.cpu import Meter
from tests.campaigns.load import Load, request_bytes, run_load
from tests.campaigns.stacks import extra_process, populate, wait_for_port
from tests.campaigns.vending import bare_requests, vend_requests

CALLERS = 32
ENOUGH_OF_BARE = 0.75
_BARE = (
    "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 2 --blocking-threads 8"
    " --no-access-log --log-level error tests.campaigns.bare_wsgi:application"
)


def vend_fresh(folder: Path, *, seconds: float) -> dict[str, Any]:
    """Measure the vend of a valid token, a constant view and the bare callable, in turns, on the same machine."""
    overrides = {"DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings"}
    with LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False, overrides=overrides) as stack:
        populated = populate(stack, 50)
        web = stack.urls["web"]
        vends = vend_requests(web, populated)
        bares = bare_requests("http://127.0.0.1", populated)
        constant = [request_bytes("GET", f"{web}/bench/constant")]
        groups = {name: [pid] for name in ("web", "postgres", "valkey") if (pid := stack.pid(name)) is not None}
        port = any_free_port()
        with extra_process(stack, *_BARE.format(port=port).split()):
            wait_for_port(port)
            rounds: list[dict[str, Any]] = []
            for is_warm in (False, True, True, True):
                length = seconds if is_warm else 2.0
                meter = Meter(groups)
                measured: dict[str, Any] = {"vend": run_load(web, vends, connections=CALLERS, seconds=length)}
                measured["cpu_ms"] = meter.milliseconds_each(measured["vend"].count)
                measured |= {
                    "alone": run_load(web, vends, connections=1, seconds=length / 2),
                    "trivial": run_load(web, constant, connections=CALLERS, seconds=length / 2),
                    "bare": run_load(f"http://127.0.0.1:{port}", bares, connections=CALLERS, seconds=length),
                }
                for name, load in measured.items():
                    if isinstance(load, Load) and load.unexpected:
                        raise SystemExit(f"{name}: unexpected answer {load.unexpected[0]!r}")
                if is_warm:
                    rounds.append(measured)
    rounds.sort(key=lambda measured: measured["vend"].per_second / measured["bare"].per_second)
    return _figures(rounds[len(rounds) // 2])


def _figures(measured: dict[str, Any]) -> dict[str, Any]:
    vend, alone, trivial, bare = (measured[name] for name in ("vend", "alone", "trivial", "bare"))
    share = round(vend.per_second / bare.per_second, 3)
    return {
        "bench": "vend_fresh",
        "callers": CALLERS,
        "per_second": vend.per_second,
        "p50_ms": vend.p50_ms,
        "p99_ms": vend.p99_ms,
        "alone_p50_ms": alone.p50_ms,
        "cpu_ms": measured["cpu_ms"],
        "trivial_per_second": trivial.per_second,
        "bare_per_second": bare.per_second,
        "share_of_bare": share,
        "ok": share >= ENOUGH_OF_BARE,
    }
