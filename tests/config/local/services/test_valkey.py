import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from config.local.services.ports import is_free
from config.local.services.valkey import DATABASES, PrivateValkey
from config.local.supervisor.state import read_record
from providers.sandbox.waiting import until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrivateValkey]:
    with PrivateValkey(home=tmp_path / 'a "state"' / "valkey", durable=True) as server:
        yield server


def test_it_wants_its_password_and_shows_it_nowhere(server: PrivateValkey) -> None:
    password = str(read_record(server.home / "server.json")["password"])
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(server.url.replace(password, "wrong")).ping()
    with pytest.raises(redis.AuthenticationError):
        redis.Redis.from_url(server.url.replace(f":{password}@", "")).ping()
    assert password.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
    assert (server.home / "valkey.conf").stat().st_mode & 0o777 == 0o600


def test_it_listens_on_loopback_alone(server: PrivateValkey) -> None:
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("bind")["bind"] == "127.0.0.1"
        assert client.config_get("databases")["databases"] == str(DATABASES)


def test_kill_minus_nine_loses_nothing_that_was_answered(server: PrivateValkey) -> None:
    url, pid = server.url, server.pid
    assert pid is not None
    with redis.Redis.from_url(url) as client:
        client.set("last", "write")
    os.kill(pid, signal.SIGKILL)
    until(lambda: server.has_crashed, "the crash")
    assert server.start() == url
    with redis.Redis.from_url(url) as client:
        assert client.get("last") == b"write"


def test_without_durability_a_restart_forgets(tmp_path: Path) -> None:
    with PrivateValkey(home=tmp_path / "valkey", durable=False) as server, redis.Redis.from_url(server.url) as client:
        client.set("last", "write")
        server.restart()
        assert client.get("last") is None


def test_a_server_that_an_earlier_run_left_is_replaced(server: PrivateValkey) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("last", "write")
    left = server.pid
    with PrivateValkey(home=server.home, durable=True) as successor, redis.Redis.from_url(successor.url) as client:
        assert successor.url == server.url
        assert successor.pid != left
        assert client.get("last") == b"write"
    assert server.has_crashed


def test_another_server_on_its_port_is_left_alone(server: PrivateValkey, tmp_path: Path) -> None:
    server.stop()
    port = int(read_record(server.home / "server.json")["port"])
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port)]
    with subprocess.Popen(argv, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as stranger:
        try:
            until(lambda: not is_free(port) or stranger.poll() is not None, "the stranger")
            assert stranger.poll() is None
            successor = PrivateValkey(home=server.home, durable=True)
            with successor:
                assert f":{port}/" not in successor.url
                assert stranger.poll() is None
        finally:
            stranger.kill()
