"""Starting processes by having them forked: ``with Warm() as warm``, and then ``warm(…)`` like ``subprocess.Popen(…)``.

Linux only. Elsewhere, and for another environment than that in which Django was set up, they are started as usual.
"""

import ctypes
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from config.local.supervisor.state import PROJECT_ROOT
from tests.warm.imports import STACK

_PR_SET_CHILD_SUBREAPER = 36


class Warm:
    """Starts processes whose imports are done. Their parent is started by the first call, and ends with the block.

    It imports ``modules``. With ``sets_up`` it sets Django up as well, in the environment ``env`` (None: that of the
    first process), and serves that environment alone. Threads may share it. A command line is that of a script, or of a
    module (``-m``).
    """

    def __init__(
        self, modules: Iterable[str] = STACK, *, sets_up: bool = True, env: Mapping[str, str] | None = None
    ) -> None:
        self._modules, self._sets_up = tuple(modules), sets_up
        self._lock = threading.Lock()
        self._environment = None if env is None else dict(env)
        self._parent: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._orders is not None and self._parent is not None:
            self._orders.close()
            self._parent.terminate()
            self._parent.wait()
            with _guard:
                _running.discard(self)
                _adopt_orphans()

    def __call__(self, argv: Any, *, env: Mapping[str, str], **options: Any) -> "subprocess.Popen[Any]":
        """Start a process. Options are those of ``subprocess.Popen``."""
        with self._lock:
            is_other = self._sets_up and self._environment not in (None, dict(env))
            if is_other or not sys.platform.startswith("linux"):
                return subprocess.Popen(argv, env=env, **options)
            if self._orders is None:
                self._start(dict(env) if self._sets_up else dict(os.environ))
            return _Forked(argv, self._orders, env=env, **options)

    def run(
        self,
        *words: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = PROJECT_ROOT,
        seconds: float = 180,
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``python WORDS`` and return what came of it. Raises ``subprocess.TimeoutExpired``, having killed it.

        Without ``env``, in the environment in which Django was set up, else in that of this process.
        """
        argv = [sys.executable, *map(str, words)]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with self(argv, env=env or self._environment or os.environ, cwd=cwd, text=True, **pipes) as process:
            try:
                said = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return subprocess.CompletedProcess(argv, process.returncode, *said)

    def _start(self, environment: dict[str, str]) -> None:
        with _guard:
            _running.add(self)
            _adopt_orphans()
        self._environment = environment if self._sets_up else None
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            words = ["-m", "tests.warm.parent", str(theirs.fileno()), str(int(self._sets_up)), *self._modules]
            self._parent = subprocess.Popen(
                [sys.executable, *words],
                cwd=PROJECT_ROOT,
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )


class _Forked(subprocess.Popen[Any]):
    """A process that is forked where ``Popen`` forks and executes."""

    def __init__(self, argv: Any, orders: "socket.socket | None", **options: Any) -> None:
        self._orders = orders
        super().__init__(argv, **options)

    def _execute_child(  # what ``Popen`` calls once it has made the pipes
        self, args: Any, executable: Any, preexec_fn: Any, close_fds: Any, pass_fds: Any, cwd: Any, env: Any,
        startupinfo: Any, creationflags: Any, shell: Any, p2cread: int, p2cwrite: int, c2pread: int, c2pwrite: int,
        errread: int, errwrite: int, restore_signals: Any, gid: Any, gids: Any, uid: Any, umask: int,
        start_new_session: bool, *_: Any,
    ) -> None:  # fmt: skip
        assert not pass_fds and not preexec_fn and self._orders is not None
        order = {
            "argv": [os.fspath(one) for one in args[1:]],
            "environment": dict(env),
            "cwd": os.fspath(cwd or Path.cwd()),
            "umask": umask,
            "is_leader": bool(start_new_session),
        }
        streams = [given if given != -1 else own for own, given in enumerate((p2cread, c2pwrite, errwrite))]
        socket.send_fds(self._orders, [json.dumps(order).encode()], streams)
        answer = self._orders.recv(64)
        if not answer:
            raise RuntimeError("The parent of warm processes has ended.")
        self.pid = int(answer)
        self._child_created = True
        close_pipes = self._close_pipe_fds  # type: ignore[attr-defined] # typeshed leaves this method out
        close_pipes(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)


_guard = threading.Lock()
_running: set[Warm] = set()


def _adopt_orphans() -> None:
    """Have what a parent forks become children of this process, which can wait for them, while there are parents."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, int(bool(_running)), 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
