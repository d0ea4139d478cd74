"""A private PostgreSQL server for one local stack or one test run: made, started, stopped and restarted here.

It listens on a port of loopback, with a password (SCRAM) and no Unix socket. Which programs run is decided in
``postgres_binaries``, as whom and where in ``account``.
"""

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg

from config.local.services.account import Account, reachable_place, remove_place, server_account
from config.local.services.ports import HOST, any_free_port, is_free
from config.local.services.postgres_binaries import Installation, find_installation
from config.local.services.private_server import PrivateServer
from config.local.supervisor.state import LocalStackError, make_folder, read_record, write_private, write_record
from config.local.supervisor.watchdog import Watchdog

STOP_STAGE = 3
_NAME = "latchkey"
_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LOG_BYTES = 5_000_000
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "200",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Failing statements and their DETAIL hold values.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Commits still reach the kernel before they are answered: only a crash of the machine can lose one.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


class PrivatePostgres(PrivateServer):
    """One server with its data in ``home``, or in a folder that ``home`` leads to (see ``account``).

    ``durable=False`` trades safety against a crash of the machine, not of the server, for speed. Methods may be called
    from several threads; they block until the server is ready or gone.
    """

    def __init__(self, *, home: Path, durable: bool, watchdog: Watchdog | None = None) -> None:
        super().__init__(home=home, durable=durable, watchdog=watchdog)
        self.place = self.home
        self._account: Account
        self._data: Path
        self._installation: Installation
        self._password = ""
        self._port = 0

    @property
    def description(self) -> str:
        """Which PostgreSQL this is, for a log line."""
        return f"PostgreSQL {self._installation.major} ({self._installation.source})"

    def start(self) -> str:
        """Start the server, making its data first if there is none, and return the URL of its database.

        A server that an earlier run left behind is stopped first. The port of the last run is used if it is free.
        Raises ``LocalStackError``.
        """
        with self._lock:
            if self.pid is not None:
                return self.url
            self.stop()
            try:
                self._prepare()
                self._launch_until_ready()
            except BaseException:
                self.stop()
                raise
            return self.url

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server: sessions are cut and transactions rolled back, or with ``immediate`` as in a crash."""
        first = signal.SIGQUIT if immediate else signal.SIGINT
        self._end((first, _STOP_SECONDS), (signal.SIGQUIT, 5.0), (signal.SIGKILL, None))

    def restart(self, *, immediate: bool = False) -> str:
        """Stop and start on the same port; ``immediate`` makes the next start recover from the log."""
        with self._lock:
            self.stop(immediate=immediate)
            return self.start()

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        with self._lock:
            self.stop(immediate=True)
            remove_place(self.home)

    def _prepare(self) -> None:
        make_folder(self.home)
        record_path = self.home / "server.json"
        record = read_record(record_path)
        link = self.home / "place"
        self._account = server_account((link.readlink() if link.is_symlink() else self.home) / "data")
        place = self.place = reachable_place(self.home, self._account)
        self._data = place / "data"
        if not self._data.exists():
            record["password"] = secrets.token_hex(24)
            write_record(record_path, record)
            self._installation = find_installation(account=self._account, place=place)
            self._create(place, str(record["password"]))
        else:
            major = int((self._data / "PG_VERSION").read_text().split(".")[0])
            self._installation = find_installation(account=self._account, place=place, major=major)
        self._password = str(record.get("password", ""))
        self._port = self._port or int(record.get("port", 0))
        self._stop_leftover()

    def _create(self, place: Path, password: str) -> None:
        """Make the data folder under another name first: an interrupted start leaves nothing that looks whole."""
        unfinished, password_file = place / "unfinished-data", place / "password"
        shutil.rmtree(unfinished, ignore_errors=True)
        password_file.unlink(missing_ok=True)
        unfinished.mkdir(mode=0o700)
        self._account.own(unfinished)
        write_private(password_file, password + "\n")
        self._account.own(password_file)
        initdb: list[str | Path] = [self._installation.programs / "initdb", "-D", unfinished]
        initdb += ["-U", _NAME, "-A", "scram-sha-256", "--pwfile", password_file, "--encoding", "UTF8", "--no-sync"]
        try:
            for locale in ("C.UTF-8", "C"):
                result = self._account.run([*initdb, f"--locale={locale}"])
                if result.returncode == 0:
                    break
            else:
                raise LocalStackError(f"PostgreSQL's data cannot be made in {place}: {_last_line(result.stdout)}")
        finally:
            password_file.unlink(missing_ok=True)
        unfinished.rename(self._data)

    def _launch_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        is_first = not self.url
        while True:
            # A port that others were told is kept, and waited for.
            if not self._port or (is_first and not is_free(self._port)):
                self._port = any_free_port()
            log_offset = self._launch()
            problem = self._wait_until_ready(deadline)
            if problem is None:
                break
            said = self._log_after(log_offset)
            self.stop(immediate=True)
            # Another process took the port, or the last server's children have not all gone yet.
            passing = "could not bind" in said or "shared memory block" in said or '"postmaster.pid" already' in said
            if not passing or time.monotonic() > deadline:
                raise LocalStackError(f"PostgreSQL does not start: {_last_line(said) or problem} (see {self._log})")
            if is_first and "could not bind" in said:
                self._port = 0
            time.sleep(0.2)
        self.url = f"postgresql://{_NAME}:{self._password}@{HOST}:{self._port}/{_NAME}"
        record = read_record(self.home / "server.json")
        if record.get("port") != self._port:
            write_record(self.home / "server.json", {**record, "port": self._port})

    def _launch(self) -> int:
        settings = _SETTINGS | {"port": str(self._port)} | ({} if self._durable else _NOT_DURABLE)
        argv: list[str | Path] = [self._installation.programs / "postgres", "-D", self._data]
        for name, value in settings.items():
            argv += ["-c", f"{name}={value}"]
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.unlink()
        with os.fdopen(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            offset = log.seek(0, os.SEEK_END)
            self._process = self._account.popen(argv, stdout=log, stderr=log)
        if self._watchdog:
            self._watchdog.watch(self._process.pid, stage=STOP_STAGE, stop_signal=signal.SIGINT, seconds=_STOP_SECONDS)
        return offset

    def _wait_until_ready(self, deadline: float) -> str | None:
        """Return None once the database can be used, or what is wrong."""
        problem = "it does not answer"
        while self.pid is not None and time.monotonic() < deadline:
            try:
                # Every parameter that matters is given, so that no PG* variable of the caller's has a say.
                with psycopg.connect(
                    host=HOST,
                    hostaddr=HOST,
                    port=self._port,
                    sslmode="disable",
                    gssencmode="disable",
                    options="",
                    user=_NAME,
                    password=self._password,
                    dbname="postgres",
                    connect_timeout=5,
                    autocommit=True,
                ) as connection:
                    if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_NAME]).fetchone():
                        connection.execute(f"CREATE DATABASE {_NAME}")
                return None
            except psycopg.OperationalError as error:
                problem = _last_line(str(error))
                if "password" in problem:
                    record = self.home / "server.json"
                    raise LocalStackError(f"{record} lacks PostgreSQL's password: delete {self.home}.") from None
            time.sleep(0.03)
        return problem

    def _stop_leftover(self) -> None:
        """Stop a server that still runs on this data, and clear a pid file whose number now means another process."""
        pid_file = self._data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if pid in _processes_in(self._data):
            pg_ctl: list[str | Path] = [
                self._installation.programs / "pg_ctl",
                "-D",
                self._data,
                "-w",
                "-t",
                "20",
                "stop",
            ]
            if any(self._account.run([*pg_ctl, "-m", mode]).returncode == 0 for mode in ("fast", "immediate")):
                return
            raise LocalStackError(f"An earlier PostgreSQL (process {pid}) does not stop: end it first.")
        # The sessions of a killed server end by themselves; until then the data is theirs.
        deadline = time.monotonic() + _STOP_SECONDS
        while _processes_in(self._data):
            if time.monotonic() > deadline:
                raise LocalStackError(f"Processes of an earlier PostgreSQL still use {self._data}: end them first.")
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    @property
    def _log(self) -> Path:
        return self.home / "postgres.log"

    def _log_after(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read(100_000).decode(errors="replace")


def check_given_database(url: str) -> None:
    """Raise ``LocalStackError`` with the reason if no session can be had at ``url`` within 5 s."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise LocalStackError(f"DATABASE_URL cannot be used: {_last_line(str(error))}") from None


def _processes_in(data: Path) -> set[int]:
    """Return the processes of a server of this data folder: it is the working directory of each of them."""
    if not Path("/proc/self").exists():
        listed = subprocess.run(["ps", "-axo", "pid=,command="], capture_output=True, text=True, check=False).stdout
        return {int(line.split()[0]) for line in listed.splitlines() if f"-D {data}" in line}
    found = set()
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if link.readlink() == data.resolve():
                found.add(int(link.parent.name))
    return found


def _last_line(text: str) -> str:
    """Return the most telling line: the last FATAL or ERROR one, else the last one that is not blank."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|[Ee]rror:|ERROR", line)]
    return (telling or lines or [""])[-1]
