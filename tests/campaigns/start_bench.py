"""How soon after their start the web and the worker work, and what memory each of their processes takes.

The commands are those of ``config.local.demo.stack``. The yardstick is two Pythons that import Django's
and Celery's machinery and nothing of Latchkey: on a slower machine both take longer.
"""

import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
import requests
from celery import Celery

from config.local.demo.stack import LocalStack
from connections.dispatch import Task
from providers.sandbox.waiting import until

ROUNDS = 5
CALLS = 40
MOST_YARDSTICKS = 4.0
MOST_MB = 120.0
_YARDSTICK = "import django.db.models, django.core.handlers.wsgi, celery.worker, kombu.transport.redis"
_QUEUE = "refresh"


def start(folder: Path) -> dict[str, Any]:
    """Start the web and the worker several times; return median seconds, MB of each process, and whether it is ok.

    The web works when ``/readyz`` and then the API answer, and the worker when it has done a task that waited for it.
    """
    seconds: dict[str, list[float]] = {"web": [], "worker": [], "yardstick": []}
    with (
        LocalStack(state_dir=folder, processes=("web", "worker"), seed=False) as stack,
        redis.Redis.from_url(stack.environment["REDIS_URL"]) as broker,
        Celery(broker=stack.environment["REDIS_URL"], set_as_current=False) as sender,
    ):
        for _ in range(ROUNDS):
            stack.stop_process("worker")
            stack.stop_process("web")
            seconds["yardstick"].append(_timed(_import_machinery))
            seconds["web"].append(_timed(lambda: _start_web(stack)))
            # It names no connection, so there is nothing to do; it is acknowledged when it is done.
            sender.send_task(Task.REFRESH, args=[str(uuid.uuid4())], queue=_QUEUE)
            seconds["worker"].append(_timed(lambda: _start_worker(stack, broker)))
        for _ in range(CALLS):
            _call(stack)  # until each of the web's processes has answered
        shares_of_memory = _megabytes(stack.pid("web"), "Pss")
        memory = {name: _megabytes(stack.pid(name), "Rss") for name in ("web", "worker")}
    medians = {name: round(statistics.median(taken), 2) for name, taken in seconds.items()}
    shares = {name: round(medians[name] / medians["yardstick"], 2) for name in ("web", "worker")}
    return {
        "bench": "start",
        "web_seconds": medians["web"],
        "worker_seconds": medians["worker"],
        "yardstick_seconds": medians["yardstick"],
        "web_yardsticks": shares["web"],
        "worker_yardsticks": shares["worker"],
        "web_share_mb": shares_of_memory,
        "web_mb": memory["web"],
        "worker_mb": memory["worker"],
        "ok": max(shares.values()) <= MOST_YARDSTICKS and max(shares_of_memory) <= MOST_MB,
    }


def _import_machinery() -> None:
    # Two at once, as the web has two processes: they share what processors there are.
    started = [subprocess.Popen([sys.executable, "-c", _YARDSTICK]) for _ in range(2)]
    exit_codes = [process.wait() for process in started]
    if any(exit_codes):
        raise SystemExit("start: the yardstick failed")


def _start_web(stack: LocalStack) -> None:
    stack.start_process("web")
    _call(stack)


def _call(stack: LocalStack) -> None:
    answer = requests.get(f"{stack.urls['web']}/api/v1/providers", timeout=10)
    if answer.status_code != 401:
        raise SystemExit(f"start: unexpected status {answer.status_code}")


def _start_worker(stack: LocalStack, broker: redis.Redis) -> None:
    stack.start_process("worker")
    until(lambda: not broker.llen(_QUEUE) and not broker.hlen("unacked"), "a task done by the worker", pause=0.01)


def _timed(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


def _megabytes(parent: int | None, kind: str) -> list[float]:
    """Return the memory in MB of a process, and then of each process that it started.

    Of ``kind`` ``Rss`` all that it sees, of ``Pss`` its share: what several processes use is divided among them.
    """
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()
    return [_megabytes_of(process, kind) for process in (str(parent), *children)]


def _megabytes_of(process: str, kind: str) -> float:
    lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith(f"{kind}:"))
    return round(int(kilobytes) / 1024, 1)
