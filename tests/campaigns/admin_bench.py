"""How long the operators' pages take with a million connections: ``admin``, against the same pages with a few thousand.

Both are measured in one stack, one page at a time, without a worker. ``times_few`` says how many times as long each
takes when there are 200 times as many rows; ``first_page_ms`` is the dashboard's, whose counts are kept and not made.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config.local.demo.stack import LocalStack
from tests.campaigns.load import request_bytes, run_load

FEW, MANY = 5_000, 1_000_000
MOST_TIMES_FEW = 6.0  # of 200 times as many rows: 1 to 4.5 on two busy cores, the most for a search
MOST_FIRST_PAGE_MS = 300.0


def admin(folder: Path, *, many: int = MANY, seconds: float = 6.0) -> dict[str, Any]:
    """Measure each page with few rows and with ``many``, and return medians in milliseconds."""
    overrides = {"DJANGO_SETTINGS_MODULE": "tests.campaigns.bench_settings"}
    with LocalStack(state_dir=folder, processes=("web",), seed=False, overrides=overrides, durable=False) as stack:
        stack.run("showcase", "manage.py", "seed_showcase", "--connections", str(FEW), "--unpaused", seconds=120)
        few = _measure(stack, _fill(stack), seconds)
        known = _fill(stack, "--connections", str(many))
        lots = _measure(stack, known, seconds)
    times = {name: round(lots[name] / few[name], 2) for name in few}
    return {
        "bench": "admin",
        "connections": [FEW, known["connections"]],
        "p50_ms_few": few,
        "p50_ms": lots,
        "times_few": times,
        "first_page_ms": lots["dashboard"],
        "counted_in_seconds": known["counted_seconds"],
        "ok": max(times.values()) <= MOST_TIMES_FEW and lots["dashboard"] <= MOST_FIRST_PAGE_MS,
    }


def _fill(stack: LocalStack, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.campaigns.admin_fill", *arguments]
    printed = subprocess.run(command, env=stack.environment, check=True, capture_output=True, text=True).stdout
    known: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
    return known


def _measure(stack: LocalStack, known: dict[str, Any], seconds: float) -> dict[str, float]:
    web = stack.urls["web"]
    rows = f"{web}/admin/connections/connection/"
    pages = {
        "dashboard": f"{web}/admin/",
        "list": rows,
        "deep": f"{rows}?after={quote(known['after'])}",
        "oldest": f"{rows}?oldest=1",
        "tenant": f"{rows}?tenant={known['tenant']}",
        "provider": f"{rows}?provider={known['provider']}",
        "status": f"{rows}?status__exact=needs_reauth",
        "failing": f"{rows}?health=failing",
        "ending": f"{rows}?health=ending",
        "search_end_user": f"{rows}?q={quote(known['end_user'])}",
        "search_tenant": f"{rows}?q={known['tenant']}",
        "search_nothing": f"{rows}?q=nobody-is-called-so",
        "connection": f"{rows}{known['connection']}/change/",
        "canaries": f"{rows}?health=canary",
        "forecast": f"{web}/admin/forecast/?days=365",
        "findings": f"{web}/admin/connections/finding/",
        "pushes": f"{web}/admin/connections/receivedpush/",
        "notices": f"{web}/admin/connections/notice/",
        "jobs": f"{web}/admin/connections/bulkjob/",
        "everything": f"{web}/admin/search/?q={quote(known['end_user'][:9])}",
    }
    headers = {"Cookie": known["cookie"]}
    return {
        name: round(_median(web, request_bytes("GET", url, headers=headers), seconds / len(pages)), 1)
        for name, url in pages.items()
    }


def _median(web: str, request: bytes, seconds: float) -> float:
    run_load(web, [request], connections=1, seconds=0.2)  # warms up
    load = run_load(web, [request], connections=1, seconds=max(0.4, seconds))
    if load.unexpected:
        raise SystemExit(f"unexpected answer {load.unexpected[0]!r} to {request.splitlines()[0]!r}")
    return load.p50_ms
