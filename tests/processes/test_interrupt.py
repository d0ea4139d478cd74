"""Ctrl-C ends every process, also where a shell has started it in the background: there SIGINT is ignored at first."""

import http.client
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.local.demo.stack import LocalStack
from config.local.services.ports import any_free_port
from config.local.supervisor.state import PROJECT_ROOT
from config.local.supervisor.watchdog import is_alive
from providers.sandbox.waiting import until
from tests.campaigns.stacks import database, own_databases, running_stack, scalar

README = (PROJECT_ROOT / "README.md").read_text(encoding="utf-8")
# What a shell without job control does for a command that ends in "&".
_IN_THE_BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable)
_UNDER_NOHUP = """
import runpy, signal
signal.signal(signal.SIGHUP, signal.SIG_IGN)
runpy.run_module("config.local", run_name="__main__")
"""
_ENDS_WITHIN_SECONDS = 120.0


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with running_stack(tmp_path_factory.mktemp("interrupt") / "stack", "sandbox") as running:
        yield running


def from_readme(beginning: str) -> list[str]:
    """Return the arguments of the one command of the README that begins so, for ``python -m``."""
    (line,) = [line for line in README.splitlines() if line.startswith(f"$ .venv/bin/{beginning}")]
    return shlex.split(line.removeprefix("$ .venv/bin/"))


@contextmanager
def in_the_background(
    *arguments: str, environment: dict[str, str], folder: Path
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run Python with SIGINT ignored; its output goes to ``folder``, and what is left of it is killed at the end."""
    with (folder / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [*_IN_THE_BACKGROUND, *arguments],
            cwd=PROJECT_ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            left = is_alive(process.pid)
            if left:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for_line(process: "subprocess.Popen[bytes]", folder: Path, words: str, *, seconds: float = 90) -> None:
    def output() -> str:
        return (folder / "output.txt").read_text(errors="replace")

    def is_there() -> bool:
        has_ended = process.poll() is not None
        found = words in output()
        assert found or not has_ended, output()[-3000:]
        return found

    until(is_there, lambda: f"{words!r} in {output()[-3000:]}", seconds=seconds, pause=0.1)


def ignores_interrupts(pid: int) -> bool:
    """Whether the process has SIGINT ignored now."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask, 16) & 1 << signal.SIGINT - 1)


def interrupted(process: "subprocess.Popen[bytes]", folder: Path) -> int:
    """Send SIGINT to the process alone, and return its exit code."""
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(_ENDS_WITHIN_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.fail((folder / "output.txt").read_text(errors="replace")[-3000:])


def test_this_way_of_starting_does_ignore_it(stack: LocalStack, tmp_path: Path) -> None:
    """Otherwise the tests below would pass with nothing done for it."""
    code = "import time; print('ready', flush=True); time.sleep(60)"
    with in_the_background("-c", code, environment=stack.environment, folder=tmp_path) as process:
        wait_for_line(process, tmp_path, "ready")
        assert ignores_interrupts(process.pid)


class ToSocket(http.client.HTTPConnection):
    """A connection to a server that listens on a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))

    def ask(self, method: str, path: str, headers: dict[str, str]) -> int:
        """Send a request, and return the status of the answer."""
        self.request(method, path, headers=headers)
        answer = self.getresponse()
        answer.read()
        return answer.status


def test_the_web_server_answers_at_a_unix_socket_and_ends(stack: LocalStack, tmp_path: Path) -> None:
    """As it does behind a proxy of the same machine, which says whose request it is."""
    given = {"GRANIAN_UDS": str(tmp_path / "web"), "GRANIAN_UDS_PERMISSIONS": "0660", "TRUSTED_PROXY_COUNT": "1"}
    command = ["-m", *from_readme("granian")]
    del command[command.index("--host") : command.index("--host") + 2]
    with in_the_background(*command, environment=stack.environment | given, folder=tmp_path) as process:
        for worker in (1, 2):
            wait_for_line(process, tmp_path, f"Started worker-{worker}")
        path = tmp_path / "web"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        named = {"Host": urlsplit(stack.environment["PUBLIC_URL"]).netloc, "X-Forwarded-For": "203.0.113.9"}
        assert [ToSocket(path).ask("GET", at, named) for at in ("/healthz", "/readyz")] == [200, 200]
        refused = ToSocket(path).ask("GET", "/api/v1/connections", named | {"Authorization": "Bearer lk_nobody"})
        assert refused == 401
        with database(stack) as connected:
            seen = scalar(connected, "SELECT host(address) FROM connections_auditevent ORDER BY id DESC LIMIT 1")
        assert seen == "203.0.113.9"
        healthy = subprocess.run([sys.executable, PROJECT_ROOT / "config/web/healthy.py"], env=given, check=False)
        assert healthy.returncode == 0
        assert interrupted(process, tmp_path) == 0
    assert not path.exists()
    dead = subprocess.run([sys.executable, PROJECT_ROOT / "config/web/healthy.py"], env=given, check=False)
    assert dead.returncode == 1


@pytest.mark.parametrize(("kind", "ready", "code"), [("worker", "ready.", 1), ("beat", "beat: Starting", 0)])
def test_celery_ends(kind: str, ready: str, code: int, stack: LocalStack, tmp_path: Path) -> None:
    """With the exit code that Celery gives an interrupted worker wherever it was started."""
    command = ["-m", *from_readme(f"celery -A config {kind}"), "-l", "INFO"]
    with in_the_background(*command, environment=stack.environment, folder=tmp_path) as process:
        wait_for_line(process, tmp_path, ready)
        assert interrupted(process, tmp_path) == code


@pytest.mark.parametrize("module", ["providers.sandbox", "config.local.demo.customer_app"])
def test_the_small_servers_end(module: str, stack: LocalStack, tmp_path: Path) -> None:
    environment = stack.environment | {"LATCHKEY_API_KEY": "lk_not_a_real_one"}
    command = ["-m", module, "--port", str(any_free_port())]
    with in_the_background(*command, environment=environment, folder=tmp_path) as process:
        wait_for_line(process, tmp_path, "listening on")
        assert interrupted(process, tmp_path) == 0


def test_a_command_ends(stack: LocalStack, tmp_path: Path) -> None:
    command = ("manage.py", "shell", "--no-imports", "-c", "import time; print('ready', flush=True); time.sleep(60)")
    with in_the_background(*command, environment=stack.environment, folder=tmp_path) as process:
        wait_for_line(process, tmp_path, "ready")
        assert interrupted(process, tmp_path) != 0


def test_the_whole_stack_ends_at_an_interrupt_and_outlives_its_terminal_under_nohup(tmp_path: Path) -> None:
    with own_databases() as databases:
        environment = dict(os.environ) | databases | {"LATCHKEY_STATE": str(tmp_path / "state")}
        with in_the_background("-c", _UNDER_NOHUP, environment=environment, folder=tmp_path) as process:
            wait_for_line(process, tmp_path, "Latchkey is ready")
            process.send_signal(signal.SIGHUP)
            time.sleep(0.5)
            assert process.poll() is None
            assert interrupted(process, tmp_path) == 0
