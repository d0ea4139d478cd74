"""``python -m tests.warm.parent DESCRIPTOR SETS_UP MODULE…``: import these, then fork what is ordered at that socket.

With ``SETS_UP`` 1, Django is set up before, and all that is forked has this process's settings.

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
import threading
from pathlib import Path
from typing import Any


def main(descriptor: int, modules: list[str], *, sets_up: bool) -> None:
    """Fork until nobody can give orders any more; in a forked process, run what was ordered."""
    gc.disable()
    with socket.socket(fileno=descriptor) as orders:
        _import(modules, sets_up=sets_up)
        gc.collect()
        gc.freeze()
        order = _serve(orders)
    gc.enable()
    if order is not None:
        _run(order["argv"])


def _import(modules: list[str], *, sets_up: bool) -> None:
    if sets_up:
        importlib.import_module("django").setup(set_prefix=False)
    for name in modules:
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
        assert threading.active_count() == 1, "what other threads hold would be held for ever in a child"
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
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["cwd"])
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for stream in streams:
        os.close(stream)


def _run(argv: list[str]) -> None:
    """Be what ``python`` is when it begins with these words."""
    match argv:
        case ["-m", module, *rest]:
            sys.argv, sys.path[0] = [module, *rest], str(Path.cwd())
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [path, *rest]:
            sys.argv, sys.path[0] = [path, *rest], str(Path(path).resolve().parent)
            runpy.run_path(path, run_name="__main__")


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[3:], sets_up=sys.argv[2] == "1")
