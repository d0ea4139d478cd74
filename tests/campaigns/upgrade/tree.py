"""A tree of the project, as it stands here or as git has it, and the processes that run its code."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.local.services.ports import HOST, any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from tests.campaigns.stacks import wait_for_port

_COMMANDS = {
    "web": "-m granian --interface asgi --host {host} --port {port} --workers 2 --backpressure 4096 --no-access-log"
    " --log-level error config.asgi:application",
    "worker": "-m celery -q -A config worker -n {name}@%h -P threads -c 32 -l WARNING --without-gossip"
    " --without-mingle -Q celery,refresh,probe,webhooks",
    "beat": "-m celery -q -A config beat -S celery.beat:Scheduler -l WARNING",
}
_ENDS_WITHIN_SECONDS = 60.0
_MIGRATIONS = "connections/migrations"


def earlier_ref() -> str:
    """Return the newest tag, or else the commit before the one that brought the newest migration."""
    if tags := _git("tag", "--list", "v*", "--sort=-creatordate").split():
        return tags[0]
    return f"{_git('log', '-1', '--format=%H', '--diff-filter=A', '--', _MIGRATIONS).strip()}~1"


def describe(ref: str) -> str:
    """Return the commit that ``ref`` names, in short, with its subject."""
    return _git("log", "-1", "--format=%h %s", ref).strip()


def taken_out(ref: str, folder: Path) -> Path:
    """Write the tree of ``ref`` below ``folder``, and return where it is."""
    packed = subprocess.run(["git", "archive", ref], cwd=PROJECT_ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def migrations_between(earlier: Path) -> list[str]:
    """Return the names of the migrations that this tree has and ``earlier`` has not."""
    here, there = ({one.stem for one in (root / _MIGRATIONS).glob("0*.py")} for root in (PROJECT_ROOT, earlier))
    return sorted(here - there)


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=PROJECT_ROOT, capture_output=True, text=True, check=True).stdout


@dataclass
class Tree:
    """The code in ``folder``, run in ``environment``. ``name`` goes into the names of logs and workers."""

    name: str
    folder: Path
    environment: Mapping[str, str]
    logs: Path
    web_url: str = ""
    _running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def run(self, *arguments: str) -> str:
        """Run Python once with ``arguments``, to its end, and return what it printed."""
        ran = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise RuntimeError(f"{' '.join(arguments)} of the {self.name} tree failed:\n{ran.stderr[-3000:]}")
        return ran.stdout

    def populated(self, count: int, *, lifetime: int) -> dict[str, Any]:
        """Fill the installation with connections; return the API key and their ids."""
        words = ("--count", str(count), "--lifetime", str(lifetime))
        made: dict[str, Any] = json.loads(self.run("-m", "tests.campaigns.populate", *words).strip().splitlines()[-1])
        return made

    def start(self, *kinds: str) -> None:
        """Start processes of these kinds, and return when the web server listens."""
        for kind in kinds:
            port = any_free_port()
            command = _COMMANDS[kind].format(host=HOST, port=port, name=f"{self.name}-{kind}")
            with (self.logs / f"{self.name}-{kind}.log").open("ab") as log:
                self._running[kind] = subprocess.Popen(
                    [sys.executable, *command.split()],
                    cwd=self.folder,
                    env=dict(self.environment),
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if kind == "web":
                self.web_url = f"http://{HOST}:{port}"
                wait_for_port(port, seconds=60)

    def stop(self, *kinds: str) -> None:
        """Have processes of these kinds end what they have begun (SIGTERM), and wait for that."""
        for kind in kinds:
            self._running[kind].send_signal(signal.SIGTERM)
        for kind in kinds:
            process = self._running.pop(kind)
            try:
                process.wait(_ENDS_WITHIN_SECONDS)
            finally:
                _kill(process)

    def close(self) -> None:
        """Kill what still runs."""
        for process in self._running.values():
            _kill(process)
        self._running.clear()


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
