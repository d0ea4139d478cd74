"""Python programs that start warm: forked from a process that has imported Latchkey's packages already.

A fresh interpreter takes one to three seconds of a processor to import them. What is run here reads its settings, sets
Django up and runs as in a process of its own, which it is; only the packages that read no setting are there before.
That ``manage.py`` starts cold is shown by ``tests/config/test_manage.py``.
"""

import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from config.local.supervisor.state import PROJECT_ROOT

# What reads no setting while it is imported: other people's packages, and providers.
PACKAGES = (
    *("django.core.management", "django.contrib.postgres.fields", "django.db.backends.postgresql.base"),
    *("django.db.migrations.executor", "django.views.debug", "psycopg_pool", "structlog", "environ", "whitenoise"),
    *("celery.app.trace", "celery.schedules", "kombu.transport.redis", "redis.asyncio", "jwt", "PIL.Image", "pydantic"),
    *("prometheus_client", "mcp_types", "h11", "pyrage", "unittest.mock", "difflib"),
    *("providers.strategies", "providers.catalog.loader", "providers.custodians.custody", "providers.egress"),
    *("providers.sandbox.client", "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http.trace_exporter"),
)
_LARGEST_REQUEST = 1 << 17  # bytes: arguments and environment


class Warmed:
    """A process that has imported ``packages`` and forks for each program. Use as a context."""

    def __init__(
        self,
        packages: Iterable[str] = PACKAGES,
        *,
        environment: Mapping[str, str] | None = None,
        sets_up_django: bool = False,
    ) -> None:
        """Start it. With ``sets_up_django`` all programs have the settings of this ``environment``."""
        self._environment = dict(os.environ if environment is None else environment)
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warmed", str(other.fileno()), str(int(sets_up_django)), *packages],
                cwd=PROJECT_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        self._process.wait(60)

    def run(
        self,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        cwd: Path = PROJECT_ROOT,
        seconds: float = 180,
    ) -> "subprocess.CompletedProcess[str]":
        """Run ``python ARGUMENTS`` (a file, or ``-m`` and a module) and return what came of it."""
        words = list(map(str, arguments))
        given = dict(self._environment if environment is None else environment)
        request = json.dumps([words, given, str(cwd)]).encode()
        assert len(request) <= _LARGEST_REQUEST
        answers, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with answers, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            with answering:
                socket.send_fds(self._control, [request], [out.fileno(), err.fileno(), answering.fileno()])
            pid = int(answers.recv(64))
            answers.settimeout(seconds)
            try:
                code = int(answers.recv(64))
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                raise
            said = [file.seek(0) or file.read().decode() for file in (out, err)]
        return subprocess.CompletedProcess(words, code, *said)


def _next_program(control: socket.socket) -> tuple[Any, list[int]]:
    """Return in a child of this process, for each program that is asked for; here, end when nobody asks any more."""
    while True:
        message, files, _, _ = socket.recv_fds(control, _LARGEST_REQUEST, 3)
        if not message:
            sys.exit()
        answers = socket.socket(fileno=files.pop())
        assert threading.active_count() == 1, "what other threads hold would be held for ever in a child"
        if (pid := os.fork()) == 0:
            control.close()
            answers.close()
            return json.loads(message), files
        for file in files:
            os.close(file)
        with answers:
            answers.send(str(pid).encode(), socket.MSG_NOSIGNAL)
            _, status = os.waitpid(pid, 0)
            with contextlib.suppress(BrokenPipeError):  # it took too long
                answers.send(str(os.waitstatus_to_exitcode(status)).encode(), socket.MSG_NOSIGNAL)


def _become(words: list[str], environment: dict[str, str], cwd: str, files: list[int]) -> None:
    """Be what ``python`` is when it begins with these words."""
    for file, standard in zip(files, (1, 2), strict=True):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    if words[0] == "-m":
        sys.argv, sys.path[0] = words[1:], cwd
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv, sys.path[0] = words, str(Path(words[0]).resolve().parent)
        runpy.run_path(words[0], run_name="__main__")


def _main(number: str, sets_up_django: str, *packages: str) -> None:
    control = socket.socket(fileno=int(number))
    control.set_inheritable(False)
    if int(sets_up_django):
        importlib.import_module("django").setup()
    for package in packages:
        importlib.import_module(package)
    (words, environment, cwd), files = _next_program(control)
    _become(words, environment, cwd, files)


if __name__ == "__main__":
    _main(*sys.argv[1:])
