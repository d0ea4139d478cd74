import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.local.services.ports import is_free
from config.local.services.postgres import PrivatePostgres
from config.local.services.postgres_binaries import SOURCES
from config.local.supervisor.state import PROJECT_ROOT, LocalStackError, read_record
from config.local.supervisor.watchdog import is_alive
from providers.sandbox.waiting import until

SYSTEM_IS_INSTALLED = any(Path("/usr/lib/postgresql").glob("*/bin/postgres"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivatePostgres]:
    # The folder of pytest may be entered by its owner only, as a clone of root's may.
    server = PrivatePostgres(home=tmp_path / "a state" / "postgres", durable=False)
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivatePostgres]:
    server = PrivatePostgres(home=tmp_path_factory.mktemp("postgres"), durable=False)
    yield server
    server.destroy()


@pytest.fixture
def running(shared: PrivatePostgres) -> PrivatePostgres:
    """A server that earlier tests may have used, stopped and started; making one takes a second."""
    shared.start()
    return shared


def _ask(server: PrivatePostgres, query: str) -> str:
    with psycopg.connect(server.url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("source", SOURCES)
def test_a_server_of_either_source_speaks_utf8(
    server: PrivatePostgres, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "system" and not SYSTEM_IS_INSTALLED:
        pytest.skip("no system packages of PostgreSQL")
    monkeypatch.setenv("LATCHKEY_POSTGRES", source)
    server.start()
    assert server.description.endswith(f"({source})")
    assert _ask(server, "SHOW server_encoding") == "UTF8"
    assert _ask(server, "SELECT upper('é')") == "É"
    server.stop()
    server.start()
    assert _ask(server, "SELECT 1") == "1"


def test_a_wrong_source_is_named(server: PrivatePostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LATCHKEY_POSTGRES", "docker")
    with pytest.raises(LocalStackError, match="can be `system` or `wheel`"):
        server.start()


def test_data_of_a_version_that_is_not_installed_says_so(running: PrivatePostgres) -> None:
    running.stop()
    version = running.place / "data" / "PG_VERSION"
    installed = version.read_text()
    version.write_text("9\n")
    try:
        with pytest.raises(LocalStackError, match="install postgresql-9, or delete the state folder"):
            running.start()
    finally:
        version.write_text(installed)


def test_a_password_is_needed_and_on_no_command_line(running: PrivatePostgres) -> None:
    password = str(read_record(running.home / "server.json")["password"])
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        psycopg.connect(running.url.replace(password, "wrong"))
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(password.encode() in command for command in commands)
    assert not list(running.place.glob("password*"))


def test_it_listens_on_loopback_alone(running: PrivatePostgres) -> None:
    assert _ask(running, "SHOW listen_addresses") == "127.0.0.1"
    assert _ask(running, "SHOW unix_socket_directories") == ""
    assert (
        _ask(
            running,
            "SELECT auth_method FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256' UNION ALL SELECT ''",
        )
        == ""
    )


def test_values_of_failing_statements_are_not_logged(running: PrivatePostgres) -> None:
    with psycopg.connect(running.url) as connection, pytest.raises(psycopg.Error):
        connection.execute("SELECT 'canary-of-this-test'::int")
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE once (word text PRIMARY KEY)")
        for _ in range(2):
            try:
                connection.execute("INSERT INTO once VALUES ('canary-of-this-test')")
            except psycopg.errors.UniqueViolation:
                break
    log = (running.home / "postgres.log").read_text()
    assert "once_pkey" in log
    assert log.count("canary-of-this-test") <= 1, "the message of a cast names its input, nothing else may"


@pytest.mark.parametrize("immediate", [False, True])
def test_a_restart_keeps_url_and_committed_data(running: PrivatePostgres, immediate: bool) -> None:
    with psycopg.connect(running.url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    url = running.url
    assert running.restart(immediate=immediate) == url
    assert _ask(running, "SELECT answer FROM kept") == "42"


def test_a_killed_server_starts_again_on_its_port(running: PrivatePostgres) -> None:
    url, pid = running.url, running.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: running.has_crashed, "the crash")
    assert running.start() == url
    assert _ask(running, "SELECT 1") == "1"


def test_a_server_that_an_earlier_run_left_is_replaced(running: PrivatePostgres) -> None:
    left = running.pid
    assert left is not None
    successor = PrivatePostgres(home=running.home, durable=False)
    try:
        assert successor.start() == running.url
        assert successor.pid != left
        assert not is_alive(left)
        assert _ask(successor, "SELECT 1") == "1"
    finally:
        successor.stop()


def test_a_pid_file_that_names_another_process_does_not_stop_a_start(running: PrivatePostgres) -> None:
    pid = running.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    running.stop()
    pid_file = running.place / "data" / "postmaster.pid"
    lines = pid_file.read_text().split("\n")
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as bystander:
        pid_file.write_text("\n".join([str(bystander.pid), *lines[1:]]))
        try:
            running.start()
            assert bystander.poll() is None
        finally:
            bystander.kill()
    assert _ask(running, "SELECT 1") == "1"


def test_half_made_data_of_an_interrupted_start_is_replaced(server: PrivatePostgres) -> None:
    server.home.mkdir(parents=True)
    (server.home / "unfinished-data").mkdir()
    (server.home / "unfinished-data" / "PG_VERSION").write_text("15\n")
    server.start()
    assert not (server.place / "unfinished-data").exists()
    assert _ask(server, "SELECT 1") == "1"


def test_a_lost_password_is_said(running: PrivatePostgres) -> None:
    running.stop()
    record = running.home / "server.json"
    content = record.read_text()
    record.write_text("{}")
    try:
        with pytest.raises(LocalStackError, match="lacks PostgreSQL's password"):
            PrivatePostgres(home=running.home, durable=False).start()
    finally:
        record.write_text(content)


def test_the_callers_own_postgresql_settings_have_no_say(
    running: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"PGHOSTADDR": "192.0.2.1", "PGSSLMODE": "verify-full", "PGOPTIONS": "-c nonsense=1"}.items():
        monkeypatch.setenv(name, value)
    running.restart()
    assert running.pid is not None


def test_a_server_ends_with_a_killed_owner(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from config.local.services.postgres import PrivatePostgres\n"
        "from config.local.supervisor.watchdog import Watchdog\n"
        "server = PrivatePostgres(home=Path(sys.argv[1]), durable=False, watchdog=Watchdog())\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    home = tmp_path / "postgres"
    argv = [sys.executable, "-c", code, str(home)]
    result = subprocess.run(argv, cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    pid = int(result.stdout)
    until(lambda: not is_alive(pid), "the end of the server")
    port = int(read_record(home / "server.json")["port"])
    assert is_free(port)
    PrivatePostgres(home=home, durable=False).destroy()
