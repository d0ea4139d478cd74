"""How soon after their start web, worker, beat and a command work, and what memory each of their processes takes.

The commands are those of ``config.local.demo.stack``. The yardstick is two Pythons that import Django's
and Celery's machinery and nothing of Latchkey: on a slower machine both take longer.
"""

import os
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
_COMMAND = ("manage.py", "providers", "show", "hubspot", "--json")  # asks the catalogue and the database
_OFTEN = {"LATCHKEY_RECOVER_SECONDS": "0.05"}  # so that the beat has something to send as soon as it works
_ROOT = Path(__file__).parents[2]
_YARDSTICK = "import django.db.models, django.core.handlers.wsgi, celery.worker, kombu.transport.redis"
_QUEUE = "refresh"


def start(folder: Path) -> dict[str, Any]:
    """Start the web and the worker several times; return median seconds, MB of each process, and whether it is ok.

    The web works when ``/readyz`` and then the API answer, the worker when it has done a task that waited for it, the
    beat when it has sent its first task, and a command when it has ended.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ("web", "worker", "beat", "command", "yardstick")}
    command_mb = 0.0
    with (
        LocalStack(state_dir=folder, processes=("web", "worker", "beat"), seed=False, overrides=_OFTEN) as stack,
        redis.Redis.from_url(stack.environment["REDIS_URL"]) as broker,
        Celery(broker=stack.environment["REDIS_URL"], set_as_current=False) as sender,
    ):
        stack.stop_process("beat")
        for _ in range(ROUNDS):
            stack.stop_process("worker")
            stack.stop_process("web")
            seconds["yardstick"].append(_timed(_import_machinery))
            seconds["web"].append(_timed(lambda: _start_web(stack)))
            broker.flushdb()
            seconds["beat"].append(_timed(lambda: _start_beat(stack, broker)))
            memory_of_beat = _megabytes(stack.pid("beat"), "Rss")
            stack.stop_process("beat")
            broker.flushdb()
            began = time.monotonic()
            command_mb = _run_command(stack)
            seconds["command"].append(time.monotonic() - began)
            # It names no connection, so there is nothing to do; it is acknowledged when it is done.
            sender.send_task(Task.REFRESH, args=[str(uuid.uuid4())], queue=_QUEUE)
            seconds["worker"].append(_timed(lambda: _start_worker(stack, broker)))
        for _ in range(CALLS):
            _call(stack)  # until each of the web's processes has answered
        shares_of_memory = _megabytes(stack.pid("web"), "Pss")
        memory = {name: _megabytes(stack.pid(name), "Rss") for name in ("web", "worker")}
    medians = {name: round(statistics.median(taken), 2) for name, taken in seconds.items()}
    parts = ("web", "worker", "beat", "command")
    shares = {name: round(medians[name] / medians["yardstick"], 2) for name in parts}
    return {
        "bench": "start",
        **{f"{name}_seconds": medians[name] for name in (*parts, "yardstick")},
        **{f"{name}_yardsticks": shares[name] for name in parts},
        "web_share_mb": shares_of_memory,
        "web_mb": memory["web"],
        "worker_mb": memory["worker"],
        "beat_mb": memory_of_beat,
        "command_mb": command_mb,
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


def _start_beat(stack: LocalStack, broker: redis.Redis) -> None:
    stack.start_process("beat")
    until(lambda: any(broker.llen(name) for name in ("celery", "refresh", "probe")), "a task sent", pause=0.01)


def _run_command(stack: LocalStack) -> float:
    """Run a command, and return the most memory that it took, in MB."""
    command = [sys.executable, *_COMMAND]
    process = subprocess.Popen(command, cwd=_ROOT, env=stack.environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit("start: the command failed")
    return round(usage.ru_maxrss / 1024, 1)


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
