import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.local.demo.stack import LocalStack
from config.local.services.ports import HOST
from config.local.supervisor.state import PROJECT_ROOT, LocalStackError, default_state_folder
from config.local.supervisor.watchdog import is_alive
from providers.sandbox.waiting import until

_OWN = ("DATABASE_URL", "REDIS_URL")
# Starts a stack, prints the ids of its processes and dies without a word.
_KILLED = """
import os, signal, sys
from pathlib import Path
from config.local.demo.stack import LocalStack
stack = LocalStack(state_dir=Path(sys.argv[1]), processes=["sandbox"], seed=False, durable=False)
stack.start()
print(*[stack.pid(name) for name in ("postgres", "valkey", "sandbox")], stack.postgres.place, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    state = tmp_path_factory.mktemp("a stack")
    with pytest.MonkeyPatch.context() as patch:
        for name in _OWN:
            patch.delenv(name, raising=False)
        stack = LocalStack(
            state_dir=state, processes=["sandbox"], seed=False, durable=False, overrides={"HSTS_SECONDS": "17"}
        )
        stack.start()
    yield stack
    assert stack.postgres is not None
    place = stack.postgres.place
    stack.destroy()
    assert not place.exists()
    assert not state.exists()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def test_everything_answers_once_it_has_started(stack: LocalStack) -> None:
    with psycopg.connect(stack.environment["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT count(*) > 0 FROM django_migrations").fetchone() == (True,)
    with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
        assert client.ping()
    assert _answers(stack.urls["sandbox"])


def test_overrides_win_and_secrets_are_private(stack: LocalStack) -> None:
    assert stack.environment["HSTS_SECONDS"] == "17"
    assert stack.environment["PUBLIC_URL"] == stack.urls["web"]
    readable = [path for path in stack.state_dir.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
    assert readable == []


def test_output_goes_to_a_file_for_each_process(stack: LocalStack) -> None:
    logs = stack.state_dir / "logs"
    assert stack.urls["sandbox"] in (logs / "sandbox.log").read_text()
    assert "Applying connections.0001_tables" in (logs / "migrate.log").read_text()


def test_a_killed_process_comes_back_on_its_port(stack: LocalStack) -> None:
    before = stack.pid("sandbox")
    stack.kill("sandbox")
    until(lambda: stack.pid("sandbox") not in (None, before), "another sandbox")
    until(lambda: _answers(stack.urls["sandbox"]), "a sandbox that answers")


@pytest.mark.parametrize("service", ["postgres", "valkey"])
def test_a_killed_service_comes_back_at_its_url(stack: LocalStack, service: str) -> None:
    before = stack.pid(service)
    stack.kill(service)
    until(lambda: stack.pid(service) not in (None, before), f"another {service}")

    def usable() -> bool:
        try:
            psycopg.connect(stack.environment["DATABASE_URL"]).close()
            with redis.Redis.from_url(stack.environment["REDIS_URL"]) as client:
                return bool(client.ping())
        except (psycopg.OperationalError, redis.RedisError):
            return False

    until(usable, "services that answer")


def test_a_process_that_was_stopped_stays_stopped_until_it_is_started(stack: LocalStack) -> None:
    stack.stop_process("sandbox")
    assert not _answers(stack.urls["sandbox"])
    stack.start_process("sandbox")
    assert _answers(stack.urls["sandbox"])


def test_a_command_runs_in_the_stacks_environment(stack: LocalStack) -> None:
    printed = stack.run("once", "-c", "import os; print(os.environ['LATCHKEY_ENV'], os.environ['LATCHKEY_STATE'])")
    assert printed == f"development {stack.state_dir}\n"


def test_a_second_start_in_the_same_folder_is_refused(stack: LocalStack) -> None:
    second = LocalStack(state_dir=stack.state_dir, processes=["sandbox"], seed=False)
    with pytest.raises(LocalStackError, match=f"already runs from .* \\(process {os.getpid()}\\)"):
        second.start()
    assert _answers(stack.urls["sandbox"])


def test_nothing_is_left_of_a_stack_whose_supervisor_is_killed(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in _OWN}
    result = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path / "state")],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    *pids, place = result.stdout.split()
    until(lambda: not any(is_alive(int(pid)) for pid in pids), "the end of every process")
    if not place.startswith(str(tmp_path)):
        subprocess.run(["rm", "-r", place], check=True)


def test_an_unknown_process_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalStackError, match="There is no process workers: choose from sandbox, web, worker"):
        LocalStack(state_dir=tmp_path, processes=["workers"])


@pytest.mark.parametrize("setting", ["DATABASE_URL", "REDIS_URL"])
def test_a_given_service_that_does_not_answer_is_said_without_its_password(tmp_path: Path, setting: str) -> None:
    with socket.create_server((HOST, 0)) as closed:
        port = closed.getsockname()[1]
    scheme = "postgresql" if setting == "DATABASE_URL" else "redis"
    stack = LocalStack(state_dir=tmp_path / "s", overrides={setting: f"{scheme}://someone:canary@127.0.0.1:{port}/1"})
    with pytest.raises(LocalStackError, match=f"^{setting} cannot be used: ") as caught:
        stack.start()
    assert "canary" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_state_folder_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_STATE", str(tmp_path))
    assert default_state_folder() == tmp_path
    monkeypatch.delenv("LATCHKEY_STATE")
    assert default_state_folder() == PROJECT_ROOT / ".local"
