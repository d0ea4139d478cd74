"""``python -m tests.warm.parent DESCRIPTOR``: import the product, then fork what is ordered at that socket.

An order is one message of JSON with three descriptors, the streams of the process; its answer is the process id. What
is forked is orphaned at once, and so becomes a child of whoever adopts orphans: the one who gave the order.
"""

import gc
import importlib
import json
import os
import runpy
import select
import socket
import sys
from typing import Any

# What the processes of a stack import, none of which starts a thread or opens anything. Not the modules that are run.
_IMPORTED = (
    *("celery.bin.celery", "celery.bin.worker", "celery.bin.beat", "celery.apps.worker", "celery.apps.beat"),
    *("celery.worker.components", "celery.worker.strategy", "celery.worker.consumer", "celery.concurrency.thread"),
    *("kombu.transport.redis", "granian.cli", "granian.server", "psycopg_pool"),
    *("config.celery", "connections.tasks", "config.web.front", "config.urls", "config.web.request"),
    *("connections.api.proxy_desk", "connections.api.mcp.first_message", "connections.lifecycle.proxy.carry"),
    *("django.core.management.commands.migrate", "providers.sandbox.server", "tests.factories"),
    *("connections.drills.grants", "tests.connections.api.stored"),
)


def main(descriptor: int) -> None:
    """Fork until nobody can give orders any more; in a forked process, run what was ordered."""
    gc.disable()
    with socket.socket(fileno=descriptor) as orders:
        _import_all()
        gc.collect()
        gc.freeze()
        order = _serve(orders)
    gc.enable()
    if order is not None:
        _run(order["argv"])


def _import_all() -> None:
    import django

    django.setup(set_prefix=False)
    for name in _IMPORTED:
        importlib.import_module(name)


def _serve(orders: socket.socket) -> "dict[str, Any] | None":
    """Return what is to be run, in the process that is to run it, and None in this one."""
    starter = os.getppid()
    while True:
        if not select.select([orders], [], [], 2.0)[0]:
            if os.getppid() != starter:
                return None  # it was killed, while a child of its own still has the socket
            continue
        message, streams, _, _ = socket.recv_fds(orders, 1 << 20, 3)
        if not message:
            return None
        order: dict[str, Any] = json.loads(message)
        told, telling = os.pipe()
        if (between := os.fork()) == 0:
            if os.fork() == 0:
                os.close(told)
                _settle(order, streams)
                os.write(telling, str(os.getpid()).encode())
                os.close(telling)
                return order
            os._exit(0)
        os.close(telling)
        for stream in streams:
            os.close(stream)
        pid = os.read(told, 64)
        os.close(told)
        os.waitpid(between, 0)  # from now on the other one is an orphan
        orders.send(pid)


def _settle(order: dict[str, Any], streams: list[int]) -> None:
    """Make this process what it would be if it had been executed."""
    if order["is_leader"]:
        os.setsid()
    if order["umask"] >= 0:
        os.umask(order["umask"])
    os.chdir(order["cwd"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)


def _run(argv: list[str]) -> None:
    match argv:
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [path, *rest]:
            sys.argv = [path, *rest]
            runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]))
