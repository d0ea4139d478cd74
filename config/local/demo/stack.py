"""The whole of Latchkey on one machine without any service installed: databases, migrations, demo data and processes.

Owns the order of things. How the databases run is in ``postgres`` and ``valkey``, how processes are kept running in
``processes``, what they find in their environment in ``environment``. The command line is ``python -m config.local``.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from config.local.services.ports import HOST, choose_ports
from config.local.services.postgres import PrivatePostgres, check_given_database
from config.local.services.valkey import PrivateValkey, check_given_redis
from config.local.supervisor.attach import published, withdraw
from config.local.supervisor.environment import demo_intervals, development_settings, inherited, stored_secrets
from config.local.supervisor.processes import LogSink, ProcessSpec, Supervisor
from config.local.supervisor.state import LocalStackError, locked, make_folder
from config.local.supervisor.watchdog import Watchdog
from providers.sandbox.client import command_line

DEFAULT_PORTS = {"web": 8000, "sandbox": 9400, "customer_app": 8080}
_MODULES = {
    # The access log stays off: its lines would hold paths with ids.
    "web": "granian --interface asgi --host {host} --port {port} --workers 2 --backpressure 4096 --no-access-log"
    " --log-level error config.asgi:application",
    "worker": "celery -q -A config worker -n {name}@%h -P threads -c 64 -l INFO --without-gossip --without-mingle"
    " -Q celery,refresh,probe,webhooks",
    "beat": "celery -q -A config beat -S celery.beat:Scheduler -l WARNING",
    "customer_app": "config.local.demo.customer_app --port {port}",
}
PROCESSES = ("sandbox", *_MODULES)
_READY_SECONDS = 60.0
_ONCE_SECONDS = 300.0
_REVIVE_SECONDS = 0.5


class LocalStack:
    """One running Latchkey, with its state in ``state_dir``.

    ``quiet`` sends each process's output to ``state_dir/logs/<name>.log`` instead of standard output. ``overrides`` are
    environment variables that win over the generated ones; with DATABASE_URL or REDIS_URL (here or in the caller's
    environment) that service is used as it is, and not started. ``processes`` is a subset of ``PROCESSES``; ``seed``
    runs the demo's seeding, which needs the sandbox; ``migrate=False`` is for a given database that is migrated.
    ``fixed_ports`` prefers the usual ports; without it any free ones are taken. ``durable=False`` is for tests. What
    crashes is started again unless ``restart`` is False.

    A worker uses one processor, so ``workers`` of them are started: ``worker``, ``worker-2``…, each under its own name.
    ``popen`` starts every process but the databases: ``subprocess.Popen``, or what is called like it.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        quiet: bool = True,
        overrides: Mapping[str, str] | None = None,
        processes: Iterable[str] = PROCESSES,
        seed: bool = True,
        migrate: bool = True,
        fixed_ports: bool = False,
        durable: bool = True,
        restart: bool = True,
        workers: int = 1,
        popen: "Callable[..., subprocess.Popen[Any]]" = subprocess.Popen,
    ) -> None:
        self.state_dir = state_dir.absolute()
        self.environment: dict[str, str] = {}
        self.urls: dict[str, str] = {}
        self.seeded: dict[str, Any] = {}
        self.postgres: PrivatePostgres | None = None
        self.valkey: PrivateValkey | None = None
        self._overrides = dict(overrides or {})
        self._processes = frozenset(processes)
        if unknown := self._processes - set(PROCESSES):
            raise LocalStackError(
                f"There is no process {', '.join(sorted(unknown))}: choose from {', '.join(PROCESSES)}."
            )
        self._seed = seed
        self._migrate = migrate
        self._workers = ("worker", *(f"worker-{number}" for number in range(2, workers + 1)))
        self._ports = DEFAULT_PORTS if fixed_ports else dict.fromkeys(DEFAULT_PORTS)
        self._durable = durable
        self._restart = restart
        self.popen = popen
        self._sink = LogSink(folder=self.state_dir / "logs", quiet=quiet)
        self._supervisor: Supervisor | None = None
        self._stopping = threading.Event()
        self._cleanup = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and return when all answers. Raises ``LocalStackError``, having stopped it all."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything in order: entrances and worker, sandbox, then the databases. Idempotent."""
        self._stopping.set()
        self._cleanup.close()

    def destroy(self) -> None:
        """Stop everything and remove the state folder, and PostgreSQL's data where that had to lie elsewhere."""
        self.stop()
        if self.postgres:
            self.postgres.destroy()
        shutil.rmtree(self.state_dir, ignore_errors=True)

    def hurry(self) -> None:
        """Make a ``stop`` that is under way kill what it waits for; for a second Ctrl-C."""
        if self._supervisor:
            self._supervisor.hurry()

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to one process (with all that it started) or to ``postgres`` or ``valkey``."""
        service = {"postgres": self.postgres, "valkey": self.valkey}.get(name)
        if service is not None:
            if (pid := service.pid) is not None:
                os.kill(pid, number)
        else:
            self._running().kill(name, number)

    def pid(self, name: str) -> int | None:
        """Return the process id of a process or service while it runs."""
        service = {"postgres": self.postgres, "valkey": self.valkey}.get(name)
        return service.pid if service is not None else self._running().pid(name)

    def stop_process(self, name: str) -> None:
        """Stop one process and keep it stopped."""
        self._running().stop(name)

    def start_process(self, name: str) -> None:
        """Start one of ``PROCESSES``, or a further ``worker-N``, and wait until it answers."""
        self._running().start(self._spec(name))
        self._wait_ready(name)

    def run(self, name: str, *arguments: str, seconds: float = _ONCE_SECONDS) -> str:
        """Run Python once with ``arguments`` (``-m``, ``module``…) in the stack's environment; returns its output."""
        return self._running().run(ProcessSpec(name, (sys.executable, *arguments)), seconds=seconds)

    def _start(self) -> None:
        self._cleanup.callback(self._sink.close)
        for name in ("", "logs", "spool", "static", "sandbox"):
            make_folder(self.state_dir / name)
        lock = self._cleanup.enter_context(locked(self.state_dir))
        withdraw(self.state_dir)
        # The watchdog keeps the lock if this process is killed, until it has stopped what is left.
        watchdog = Watchdog(keep_open=(lock,))
        self._cleanup.callback(watchdog.close)
        with ThreadPoolExecutor() as pool:
            database = pool.submit(self._start_postgres, watchdog)
            redis = pool.submit(self._start_valkey, watchdog)
            services = {"database": database.result(), "redis": redis.result()}
        settings = self._compose_environment(services)
        supervisor = Supervisor(
            environment=self.environment,
            sink=self._sink,
            watchdog=watchdog,
            restart=self._restart,
            popen=self.popen,
        )
        self._supervisor = supervisor
        self._cleanup.callback(supervisor.close)
        if self._restart:
            reviver = threading.Thread(target=self._revive_services, name="services", daemon=True)
            reviver.start()
            self._cleanup.callback(reviver.join)
        # They boot, which needs no database, while the database is prepared.
        self._start_processes("sandbox", "web")
        if self._migrate:
            # The checks have their place in `make check`; here they would double the wait.
            for line in self.run("migrate", "manage.py", "migrate", "--noinput", "--skip-checks").splitlines():
                if line.strip().startswith("Applying"):
                    self._sink.line("migrate", line.strip())
        if self._seed:
            self._wait_ready("sandbox")
            self.seeded = _parse_seeded(self.run("seed", "-m", "config.local.demo.seed"))
        self._start_processes("customer_app")
        for name in self.urls:
            self._wait_ready(name)
        # Nobody waits for these: what they do in the background may begin a moment later.
        self._start_processes(*self._workers, "beat")
        if self._seed and "customer_app" in self._processes:
            # The app serves the file now: the widget can vouch for its host from the first page on.
            host = urlsplit(self.urls["customer_app"]).netloc
            self.run("verify", "manage.py", "tenants", "verify", self.seeded["tenant"], host)
        self._cleanup.enter_context(published(self.state_dir, settings))

    def _start_processes(self, *names: str) -> None:
        for name in names:
            if _kind(name) in self._processes:
                self._running().start(self._spec(name))

    def _start_postgres(self, watchdog: Watchdog) -> str:
        if given := self._overrides.get("DATABASE_URL") or os.environ.get("DATABASE_URL"):
            check_given_database(given)
            return given
        server = PrivatePostgres(home=self.state_dir / "postgres", durable=self._durable, watchdog=watchdog)
        self._cleanup.callback(server.stop)
        url = server.start()
        self.postgres = server
        self._sink.line("postgres", f"{server.description} listens on {HOST}:{urlsplit(url).port}")
        return url

    def _start_valkey(self, watchdog: Watchdog) -> str:
        if given := self._overrides.get("REDIS_URL") or os.environ.get("REDIS_URL"):
            check_given_redis(given)
            return given
        server = PrivateValkey(home=self.state_dir / "valkey", durable=self._durable, watchdog=watchdog)
        self._cleanup.callback(server.stop)
        url = server.start()
        self.valkey = server
        self._sink.line("valkey", f"Valkey listens on {HOST}:{urlsplit(url).port}")
        return url

    def _compose_environment(self, services: Mapping[str, str]) -> dict[str, str]:
        """Decide what the processes find in their environment; returns the part that is not the caller's."""
        ports = choose_ports(self.state_dir / "ports.json", self._ports)
        self.urls = {name: f"http://{HOST}:{port}" for name, port in ports.items()}
        settings = {
            **development_settings(folder=self.state_dir, urls=self.urls | dict(services)),
            **demo_intervals(),
            **stored_secrets(self.state_dir),
            "LATCHKEY_PIN_WEB": "true",
            **self._overrides,
        }
        self.environment = inherited() | settings
        return settings

    def _spec(self, name: str) -> ProcessSpec:
        port = urlsplit(self.urls.get(name, "")).port or 0
        if name == "sandbox":
            arguments = command_line(port=port, state=self.state_dir / "sandbox")
        else:
            arguments = f"-m {_MODULES[_kind(name)].format(name=name, host=HOST, port=port)}".split()
        return ProcessSpec(
            name,
            (sys.executable, *arguments),
            stage=1 if name == "sandbox" else 0,
            stop_seconds=30 if _kind(name) == "worker" else 10,
        )

    def _wait_ready(self, name: str) -> None:
        if name not in self._processes or name not in self.urls:
            return
        is_ready: Callable[[int | None], bool] = (lambda status: status == 200) if name == "web" else _answered
        deadline = time.monotonic() + _READY_SECONDS
        while not is_ready(status := _status(self.urls[name], "/readyz" if name == "web" else "/")):
            if problem := self._running().failure(name):
                raise LocalStackError(f"{name} does not start: {problem}")
            if time.monotonic() > deadline:
                seen = "no answer" if status is None else f"status {status}"
                raise LocalStackError(
                    f"{name} is not ready after {_READY_SECONDS:.0f} s ({seen} at {self.urls[name]})."
                )
            time.sleep(0.05)

    def _revive_services(self) -> None:
        while not self._stopping.wait(_REVIVE_SECONDS):
            for name, service in (("postgres", self.postgres), ("valkey", self.valkey)):
                if service is not None and service.has_crashed and not self._stopping.is_set():
                    self._sink.line(name, "ended unexpectedly, started again")
                    try:
                        service.start()
                    except LocalStackError as error:
                        self._sink.line(name, str(error))

    def _running(self) -> Supervisor:
        if self._supervisor is None:
            raise LocalStackError("The stack has not been started.")
        return self._supervisor


def _kind(name: str) -> str:
    """Return which of ``PROCESSES`` a name stands for."""
    return name.partition("-")[0]


def _answered(status: int | None) -> bool:
    return status is not None


def _status(url: str, path: str) -> int | None:
    """Return the status of a GET, or None when nothing answers within 5 s."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or HOST, address.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def _parse_seeded(output: str) -> dict[str, Any]:
    lines = [line for line in output.splitlines() if line.strip()]
    try:
        seeded = json.loads(lines[-1] if lines and lines[-1].startswith("{") else output)
    except ValueError:
        seeded = None
    if not isinstance(seeded, dict):
        raise LocalStackError("seed failed: it printed no JSON object.")
    return seeded
