"""``make bench``: how fast vends and refreshes are, against yardsticks taken in the same run.

Prints a line of JSON for each: ``vend_fresh`` (a valid token vended, audit row committed) against a constant view and a
bare WSGI callable in the same server, ``isolation`` and ``waiters`` (vends of valid tokens while many callers wait for
a slow provider, and how soon these have their answers), ``refresh`` and ``refresh_https`` (due connections against a
provider that takes 0.3 s), ``sweep`` (what a sweep costs with many connections, against one with few, of which as many
are due), ``growth`` (what a vend and a refresh cost with few connections, with a million, and with ``--audit-rows``
too), ``watching`` (what it costs to watch how clients are used, and how soon a canary is told), ``proxy`` (what the
proxy adds to a call, streams beside vends, a gigabyte either way, and equal shares),
``webhooks`` (how many events are delivered, and that none is lost while the worker is killed),
``pages`` (what the server takes for each page of the widget, against the constant view), ``admin`` (the operators'
pages with a million connections, against the same with a few thousand), ``start`` (how soon web,
worker, beat and a command work, and their memory), ``catalogue`` (what the entries add to that), and ``keys`` (all keys
rotate beneath a load, killed six times).
``--only detours`` measures what each detour taken for speed gains; ``--detours`` names some of them.
"""

import argparse
import json
import tempfile
from pathlib import Path

from tests.campaigns import detours_bench
from tests.campaigns.admin_bench import MANY, admin
from tests.campaigns.catalogue_bench import catalogue
from tests.campaigns.growth_bench import AUDIT_ROWS, growth
from tests.campaigns.isolation_bench import isolation
from tests.campaigns.keys_bench import CONNECTIONS as ROTATED
from tests.campaigns.keys_bench import rotation
from tests.campaigns.ordinary import ON_PROXIED, ON_REFRESHES, ON_VENDS
from tests.campaigns.pages_bench import pages
from tests.campaigns.proxy_bench import proxy
from tests.campaigns.refresh_bench import refresh
from tests.campaigns.start_bench import start
from tests.campaigns.sweep_bench import sweep
from tests.campaigns.vend_bench import vend_fresh
from tests.campaigns.watch_bench import watching
from tests.campaigns.webhooks_bench import webhooks

BENCHES = (
    "vend_fresh",
    "isolation",
    "refresh",
    "refresh_https",
    "sweep",
    "growth",
    "watching",
    "proxy",
    "webhooks",
    "pages",
    "admin",
    "start",
    "catalogue",
    "keys",
    "detours",
)


def main() -> None:
    """Run the benches that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0, help="length of each measurement")
    parser.add_argument("--connections", type=int, default=1000, help="due connections of the refresh benches")
    parser.add_argument("--audit-rows", type=int, default=AUDIT_ROWS, help="audit rows of the growth bench")
    parser.add_argument("--rows", type=int, default=MANY, help="connections of the bench of the admin")
    parser.add_argument("--rotated", type=int, default=ROTATED, help="connections of the bench of keys")
    parser.add_argument("--only", choices=BENCHES)
    detours = [*ON_VENDS, *ON_PROXIED, *ON_REFRESHES]
    parser.add_argument("--detours", nargs="+", choices=detours, default=detours)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="latchkey-bench-", dir="/var/tmp") as folder:
        if options.only in (None, "vend_fresh"):
            print(json.dumps(vend_fresh(Path(folder) / "vend", seconds=options.seconds)), flush=True)
        if options.only in (None, "isolation"):
            for figures in isolation(Path(folder) / "isolation", seconds=options.seconds):
                print(json.dumps(figures), flush=True)
        for name in ("refresh", "refresh_https"):
            if options.only in (None, name):
                is_https = name == "refresh_https"
                figures = refresh(Path(folder) / name, count=options.connections, https=is_https)
                print(json.dumps(figures), flush=True)
        if options.only in (None, "sweep"):
            print(json.dumps(sweep(Path(folder) / "sweep")), flush=True)
        if options.only in (None, "growth"):
            print(json.dumps(growth(Path(folder) / "growth", audit_rows=options.audit_rows)), flush=True)
        if options.only in (None, "watching"):
            figures = watching(Path(folder) / "watching", audit_rows=options.audit_rows, seconds=options.seconds)
            print(json.dumps(figures), flush=True)
        if options.only in (None, "proxy"):
            for figures in proxy(Path(folder) / "proxy", seconds=options.seconds):
                print(json.dumps(figures), flush=True)
        if options.only in (None, "webhooks"):
            print(json.dumps(webhooks(Path(folder) / "webhooks")), flush=True)
        if options.only in (None, "pages"):
            print(json.dumps(pages(Path(folder) / "pages", seconds=options.seconds)), flush=True)
        if options.only in (None, "admin"):
            print(json.dumps(admin(Path(folder) / "admin", many=options.rows, seconds=options.seconds)), flush=True)
        if options.only in (None, "start"):
            print(json.dumps(start(Path(folder) / "start")), flush=True)
        if options.only in (None, "catalogue"):
            print(json.dumps(catalogue()), flush=True)
        if options.only in (None, "keys"):
            print(json.dumps(rotation(Path(folder) / "keys", count=options.rotated)), flush=True)
        if options.only == "detours":
            for figures in detours_bench.measure(Path(folder), options.detours, seconds=options.seconds):
                print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
