"""``make bench``: how fast vends and refreshes are, against yardsticks taken in the same run.

Prints a line of JSON for each: ``vend_fresh`` (a valid token vended, audit row committed) against a constant view and a
bare WSGI callable in the same server, ``refresh`` and ``refresh_https`` (due connections against a provider that takes
0.3 s), ``sweep`` (what a sweep costs with many connections, against one with few, of which as many are due), and
``start`` (how soon web and worker work, and their memory). ``--only detours`` measures what each detour taken for speed
gains; ``--detours`` names some of them.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from tests.campaigns import detours_bench
from tests.campaigns.load import Load, request_bytes, run_load
from tests.campaigns.ordinary import ON_REFRESHES, ON_VENDS
from tests.campaigns.refresh_bench import refresh
from tests.campaigns.stacks import extra_process, populate, wait_for_port
from tests.campaigns.start_bench import start
from tests.campaigns.sweep_bench import sweep
from tests.campaigns.vending import bare_requests, vend_requests

_BARE = (
    "-m granian --interface wsgi --host 127.0.0.1 --port {port} --workers 2 --blocking-threads 8"
    " --no-access-log --log-level error tests.campaigns.bare_wsgi:application"
)


def main() -> None:
    """Run the benches that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    parser.add_argument("--connections", type=int, default=1000, help="due connections of the refresh benches")
    parser.add_argument("--only", choices=["vend_fresh", "refresh", "refresh_https", "sweep", "start", "detours"])
    parser.add_argument("--detours", nargs="+", choices=[*ON_VENDS, *ON_REFRESHES], default=[*ON_VENDS, *ON_REFRESHES])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-", dir="/var/tmp") as folder:
        if options.only in (None, "vend_fresh"):
            print(json.dumps(vend_fresh(Path(folder) / "vend", seconds=options.seconds)), flush=True)
        for name in ("refresh", "refresh_https"):
            if options.only in (None, name):
                is_https = name == "refresh_https"
                figures = refresh(Path(folder) / name, count=options.connections, https=is_https)
                print(json.dumps(figures), flush=True)
        if options.only in (None, "sweep"):
            print(json.dumps(sweep(Path(folder) / "sweep")), flush=True)
        if options.only in (None, "start"):
            print(json.dumps(start(Path(folder) / "start")), flush=True)
        if options.only == "detours":
            for figures in detours_bench.measure(Path(folder), options.detours, seconds=options.seconds):
                print(json.dumps(figures), flush=True)


def vend_fresh(folder: Path, *, seconds: float) -> dict[str, Any]:
    """Measure the vend of a valid token, a constant view and the bare callable, in turns, on the same server."""
    overrides = {"DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings"}
    with LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False, overrides=overrides) as stack:
        populated = populate(stack, 50)
        web = stack.urls["web"]
        vends = vend_requests(web, populated)
        bares = bare_requests("http://127.0.0.1", populated)
        constant = [request_bytes("GET", f"{web}/bench/constant")]
        port = any_free_port()
        with extra_process(stack, *_BARE.format(port=port).split()):
            wait_for_port(port)
            rounds = []
            for warm in (True, False, False, False):
                length = 2.0 if warm else seconds
                measured = {
                    "vend": run_load(web, vends, seconds=length),
                    "trivial": run_load(web, constant, seconds=length / 2),
                    "bare": run_load(f"http://127.0.0.1:{port}", bares, seconds=length),
                }
                for name, load in measured.items():
                    if load.unexpected:
                        raise SystemExit(f"{name}: unexpected answer {load.unexpected[0]!r}")
                if not warm:
                    rounds.append(measured)
    rounds.sort(key=lambda measured: measured["vend"].per_second / measured["bare"].per_second)
    return _vend_figures(rounds[len(rounds) // 2])


def _vend_figures(measured: dict[str, Load]) -> dict[str, Any]:
    vend, trivial, bare = measured["vend"], measured["trivial"], measured["bare"]
    return {
        "bench": "vend_fresh",
        "per_second": vend.per_second,
        "p50_ms": vend.p50_ms,
        "p99_ms": vend.p99_ms,
        "trivial_per_second": trivial.per_second,
        "bare_per_second": bare.per_second,
        "share_of_bare": round(vend.per_second / bare.per_second, 3),
        "share_of_trivial": round(vend.per_second / trivial.per_second, 3),
    }


if __name__ == "__main__":
    main()
