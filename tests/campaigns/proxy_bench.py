"""``proxy``: what the proxy adds to a call, streams beside vends, a gigabyte either way, and equal shares."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from config.local.demo.stack import LocalStack
from config.local.supervisor.state import PROJECT_ROOT
from tests.campaigns.load import Load, request_bytes, run_load
from tests.campaigns.stacks import populate
from tests.campaigns.vending import vend_requests

STREAMS = 32
PARTS_A_SECOND = 4  # of 64 KiB, for each stream
VENDING_CALLERS = 4
GIGABYTE = 1 << 30
MOST_GROWTH_MB = 64
MOST_ADDED_MS = 25.0
_PART = b"x" * 65_536


def proxy(folder: Path, *, seconds: float) -> Iterator[dict[str, Any]]:
    """Measure with a running stack and an API on loopback; each figure beside its yardstick of the same run."""
    with LocalStack(state_dir=folder, processes=("web", "sandbox"), seed=False) as stack, upstream() as api:
        web = stack.urls["web"]
        populated = populate(stack, 50)
        proxied = populate(stack, 1, "--api", api)
        base = f"{web}/api/v1/connections/{proxied['connections'][0]}/proxy"
        headers = {"Authorization": f"Bearer {proxied['key']}", "Latchkey-End-User": "user-0"}
        yield _latency(api, base, headers, seconds)
        yield _beside_vends(web, vend_requests(web, populated), base, headers, seconds)
        yield _gigabyte(stack, base, headers)
        yield _shares(stack)


@contextlib.contextmanager
def upstream() -> Iterator[str]:
    """Run an API on loopback, and yield its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.campaigns.proxy_upstream"], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield (process.stdout.readline() if process.stdout else "").strip()
        finally:
            process.terminate()


def _latency(api: str, base: str, headers: dict[str, str], seconds: float) -> dict[str, Any]:
    direct, through = request_bytes("GET", f"{api}/small"), request_bytes("GET", f"{base}/small", headers=headers)
    run_load(base, [through], connections=4, seconds=1.0)
    loads = {
        "direct": run_load(api, [direct], connections=1, seconds=seconds / 3),
        "proxied": run_load(base, [through], connections=1, seconds=seconds),
        "proxied_32_callers": run_load(base, [through], connections=32, seconds=seconds),
    }
    added = round(loads["proxied"].p50_ms - loads["direct"].p50_ms, 2)
    fine = not any(load.unexpected for load in loads.values()) and added <= MOST_ADDED_MS
    return {"bench": "proxy", **{name: _told(load) for name, load in loads.items()}, "added_p50_ms": added, "ok": fine}


def _beside_vends(web: str, vends: list[bytes], base: str, headers: dict[str, str], seconds: float) -> dict[str, Any]:
    run_load(web, vends, connections=VENDING_CALLERS, seconds=1.0)
    idle = run_load(web, vends, connections=VENDING_CALLERS, seconds=seconds)
    with _streams(f"{base}/paced/{PARTS_A_SECOND}", headers) as taken:
        time.sleep(1.0)
        before = sum(taken)
        beside = run_load(web, vends, connections=VENDING_CALLERS, seconds=seconds)
        streamed = sum(taken) - before
    return {
        "bench": "proxy_beside_vends",
        "streams": STREAMS,
        "streamed_mb_per_second": round(streamed / seconds / 1e6, 1),
        "idle": _told(idle),
        "beside_streams": _told(beside),
        "ok": not beside.unexpected and len(taken) == STREAMS and beside.p99_ms <= 2 * idle.p99_ms and streamed > 0,
    }


@contextlib.contextmanager
def _streams(url: str, headers: dict[str, str]) -> Iterator[list[int]]:
    """Keep ``STREAMS`` answers under way; yields how many bytes of each have come."""
    parts = urlsplit(url)
    request = request_bytes("GET", url, headers=headers)
    taken = [0] * STREAMS
    socks = [socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30) for _ in taken]

    def take(number: int) -> None:
        with contextlib.suppress(OSError):
            socks[number].sendall(request)
            while more := socks[number].recv(65_536):
                taken[number] += len(more)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    try:
        yield taken
    finally:
        for sock in socks:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()
        for sock in socks:
            sock.close()


def _gigabyte(stack: LocalStack, base: str, headers: dict[str, str]) -> dict[str, Any]:
    """Send and receive a gigabyte each, and see how the web processes grow meanwhile."""
    before = _peak_mb(stack)
    figures: dict[str, Any] = {"bench": "proxy_gigabyte"}
    parts = urlsplit(base)
    for name, method, path in (("down", "GET", f"/down/{GIGABYTE}"), ("up", "PUT", "/up")):
        began = time.monotonic()
        with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=60) as sock:
            head = request_bytes(method, f"{base}{path}", headers={**headers, "Connection": "close"})
            if name == "up":
                head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % GIGABYTE)
            sock.sendall(head)
            for _ in range(GIGABYTE // len(_PART) if name == "up" else 0):
                sock.sendall(_PART)
            taken, first = 0, b""
            while more := sock.recv(1 << 18):
                first = first or more
                taken += len(more)
        figures[f"{name}_mb_per_second"] = round(GIGABYTE / (time.monotonic() - began) / 1e6)
        figures[f"{name}_whole"] = first.startswith(b"HTTP/1.1 200") and (name == "up" or taken > GIGABYTE)
    figures["grown_mb"] = _peak_mb(stack) - before
    figures["ok"] = figures["down_whole"] and figures["up_whole"] and figures["grown_mb"] <= MOST_GROWTH_MB
    return figures


def _peak_mb(stack: LocalStack) -> int:
    """Return the largest peak of resident memory among the web processes."""
    root, peaks = stack.pid("web"), []
    parents = {path.name: path for path in Path("/proc").glob("[0-9]*")}
    for path in parents.values():
        with contextlib.suppress(OSError, ValueError):
            status = dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines() if ":\t" in line)
            if root in (int(path.name), int(status["PPid"])):
                peaks.append(int(status["VmHWM"].split()[0]) // 1024)
    return max(peaks)


def _shares(stack: LocalStack) -> dict[str, Any]:
    printed = subprocess.run(
        [sys.executable, "-m", "tests.campaigns.shares"],
        env=stack.environment,
        check=True,
        capture_output=True,
        text=True,
    )
    told: dict[str, Any] = json.loads(printed.stdout.strip().splitlines()[-1])
    return {"bench": "proxy_shares", **told, "ok": told["furthest_off_share"] <= 0.2}


def _told(load: Load) -> dict[str, Any]:
    return {
        "per_second": load.per_second,
        "p50_ms": load.p50_ms,
        "p99_ms": load.p99_ms,
        "errors": len(load.unexpected),
    }
