"""Presence: other processes learn within seconds that a process with claimed refreshes is dead, before its lease ends.

Each process that claims holds a PostgreSQL session advisory lock under a random key of its own, on a direct connection
outside the pool. One daemon thread keeps the lock: it queries the server every second, notices at once when the
connection ends, and takes the lock again under the same key. A claim writes the key to its attempt. A process that
meets the open attempt later checks whether the lock is free (``recover`` decides what that means). The server frees the
lock when the process ends, killed or not; when the whole machine vanishes, keepalives end the session after about 11 s.
A process that is merely stopped keeps its lock, because the kernel answers for it.

A free lock alone is no proof of death. Two more conditions have to hold:

- The lock was seen free twice, at least 3 s apart. A living process that lost its connection has its lock again by
  then.
- The server has not been restarted since the claim. A restart also frees the locks of living processes; after one, only
  the lease counts, as it does for an attempt without a key (the lock was not held at the moment of the claim).

Known limits:

- A process cut off from the database but not from the provider looks dead after about 14 s. If its request still runs
  then, a second one overlaps with it at the provider. A request ends 25 s after its claim at the latest, so this takes
  a partition and a slow answer together.
- The same holds for a machine that is suspended whole and resumed, for a process that finds no free connection slot
  for seconds when it comes back, and for the seconds after a failover to a standby that has been running for long.
- Behind a pooler that shares sessions between clients a lock means nothing, and whether one does nobody can tell for
  sure. So behind any, the process holds no lock; ``DATABASE_DIRECT_URL`` leads past it.
- Neither does a lock in another database than the one that claims ask, to which ``DATABASE_DIRECT_URL`` may lead: a
  standby after a failover, another name. So where it is set, a lock counts only while it is seen through Django's own
  connection. The process looks every few seconds, and connects anew until it is.

None of this can lose a token. A response is stored whatever happened to its attempt, and promoted if its parent version
is still current (``promote``): the fence is the version, never this lock.

The thread notices first when the database is back. So it also removes broken connections from the pool and replays the
spool (``spool``): when it starts, whenever it takes the lock anew, and every few seconds.

The session's name in the server's activity says which process it is and of which kind, and the mark of the lists of
keys that it follows (``access.key_lists``): so whoever is to store something under a newer key sees whether all others
have it, and whoever looks after an installation sees its workers (``manage.py doctor``).

Forking is safe. A child closes its copy of the socket without a message to the server (an open copy would keep the lock
of a dead parent), and has a key of its own from its first claim on.
"""

import os
import secrets
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import Error, connection

from connections.access.key_lists import mark
from connections.database.pool import direct_parameters, release_database, replace_broken_connections
from connections.lifecycle.credentials import spool

logger = structlog.get_logger(__name__)

GONE_AFTER = timedelta(seconds=3)
_PING_SECONDS = 1.0
_RETRY_SECONDS = 0.25
_STALE_SECONDS = 3.0
_SPOOL_SECONDS = 5.0
_LOOK_SECONDS = 5.0

_NAME = "latchkey presence"
_NAME_BYTES = 63  # PostgreSQL cuts longer ones off
WORKER = "worker"  # what the processes say that run tasks; others say nothing

# Keepalives by which the client notices a vanished server, and the server a client. Seconds; the last: milliseconds.
_OWN_PARAMETERS: dict[str, Any] = {
    "autocommit": True,
    "application_name": _NAME,
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 3000,
}

_SERVER_SETTINGS = """
SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false),
       set_config('tcp_keepalives_count', '3', false), set_config('idle_session_timeout', '0', false)
"""

HELD_KEYS = """
SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

_PRESENT = """
SELECT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE %s ORDER BY application_name
"""

_SEEN = f"SELECT %s IN ({HELD_KEYS})"
_LOOK = f"SELECT clock_timestamp(), pg_postmaster_start_time() <= %s AND %s NOT IN ({HELD_KEYS})"


def key() -> int | None:
    """Return this process's key if it holds its lock now, else None. The first call starts the thread.

    Cheap, without I/O, and callable from any thread. For an attempt that is claimed after None, only the lease counts.
    """
    holder = _process.holder
    if holder is None or not holder.is_running:
        start()
        return None
    return holder.key if holder.is_held else None


def start(kind: str = "") -> None:
    """Begin to hold this process's lock, in a thread of its own. Returns at once; repeating it changes nothing.

    Others see the ``kind`` of process, if it says one.
    """
    with _guard:
        _process.kind = kind or _process.kind
        if _process.holder is None:
            _process.holder = _Holder()
        if not _process.holder.is_running:
            _process.holder.run_in_thread()


def stop() -> None:
    """Release the lock and close its connection. A later ``key`` begins anew. For an orderly end, such as in tests."""
    with _guard:
        holder, _process.holder = _process.holder, None
    if holder is not None:
        holder.stop()


def absence(of: int, *, since: datetime) -> datetime | None:
    """Return the moment (the database's clock) at which the lock with the key ``of`` was seen to be free. One query.

    None where the lock is held, and where it proves nothing because the server was started after ``since``.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [since, of])
        seen_at, is_absent = cursor.fetchone()
    return seen_at if is_absent else None


@dataclass(frozen=True, slots=True)
class Present:
    """A process that runs, as ``pid@host`` or ``kind:pid@host``, and the ``mark`` of its lists of keys.

    "" each where it does not say.
    """

    process: str
    mark: str

    @property
    def is_worker(self) -> bool:
        """Whether it runs tasks."""
        return self.process.startswith(f"{WORKER}:")


def present() -> list[Present]:
    """Return the processes that hold their locks now, but for this one. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT, [f"{_NAME}%"])
        names = [name.removeprefix(_NAME).split() for (name,) in cursor.fetchall()]
    found = [Present(words[1], words[0]) if len(words) == 2 else Present("", "") for words in names]
    return [one for one in found if one.process != _process_name()]


def _process_name() -> str:
    kind = f"{_process.kind}:" if _process.kind else ""
    name = f"{kind}{os.getpid()}@"
    # Pods of one kind differ in the end of their names.
    return name + socket.gethostname().partition(".")[0][len(name) + len(_NAME) + 14 - _NAME_BYTES :]


def leads_here() -> bool:
    """Whether a lock that is taken past the pooler is seen through Django's connection: both are of one database.

    Opens a session. Raises ``psycopg.Error``.
    """
    key = secrets.randbelow(2**63 - 1) + 1
    with psycopg.connect(**direct_parameters() | _OWN_PARAMETERS) as session:
        return _row(session, f"SELECT pg_try_advisory_lock({key})") == (True,) and _is_seen(key)


def _is_seen(of: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_SEEN, [of])
        return bool(cursor.fetchone() == (True,))


class _Holder:
    """The lock of this process, and the thread that keeps it."""

    def __init__(self) -> None:
        self.key = secrets.randbelow(2**63 - 1) + 1
        self._confirmed_at: float | None = None
        self._session: psycopg.Connection[tuple[Any, ...]] | None = None
        self._last_word = ""
        self._told = ""
        self._spool = spool.folder()
        self._spool_due_at = 0.0
        self._retries_aside = True
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread lives."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def is_held(self) -> bool:
        """Whether the server has confirmed lately that the session, and with it the lock, is alive."""
        confirmed_at = self._confirmed_at
        return confirmed_at is not None and time.monotonic() - confirmed_at < _STALE_SECONDS

    def run_in_thread(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and its session; takes about a second."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def leave_to_parent(self) -> None:
        """Close a forked child's copy of the socket; closing the session itself would end it for the parent."""
        if self._session is not None:
            with suppress(psycopg.Error, OSError):
                os.close(self._session.fileno())

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                self._hold()
            except psycopg.Error as error:
                self._say("presence_lost", error=type(error).__name__)
            self._confirmed_at = None
            self._ending.wait(_RETRY_SECONDS)

    def _hold(self) -> None:
        """Connect, take the lock and keep it until told to stop. Raises ``psycopg.Error`` when the session ends."""
        with _guard:  # no fork while there is a socket that a child could not know of
            session = self._session = psycopg.connect(**direct_parameters() | _OWN_PARAMETERS)
        try:
            _row(session, _SERVER_SETTINGS)
            is_direct = _row(session, "SELECT pg_backend_pid()") == (session.info.backend_pid,)
            if not is_direct:
                self._say("presence_off", reason="a pooler stands between this process and PostgreSQL")
            # Nobody holds the lock, or our own last session does: the server may not know yet that it has ended.
            while is_direct and _row(session, f"SELECT pg_try_advisory_lock({self.key})") == (False,):
                if self._ending.wait(_RETRY_SECONDS):
                    return
            replace_broken_connections()
            self._told = ""
            self._keep(session, is_direct=is_direct)
        finally:
            with _guard:
                self._session = None
                session.close()

    def _keep(self, session: "psycopg.Connection[tuple[Any, ...]]", *, is_direct: bool) -> None:
        asked_at = time.monotonic()
        self._spool_due_at = asked_at
        is_seen, look_due_at = not settings.DATABASE_DIRECT, asked_at
        while not self._ending.is_set():
            if is_direct and settings.DATABASE_DIRECT and time.monotonic() >= look_due_at:
                is_seen, look_due_at = self._look(), time.monotonic() + _LOOK_SECONDS
            if is_direct and is_seen:
                self._confirmed_at = asked_at
                self._say("presence_held")
            self._tell(session)
            self._replay_spool()
            if is_direct and not is_seen:
                self._confirmed_at = None
                self._ending.wait(_LOOK_SECONDS)
                return  # to connect anew: the name may lead elsewhere by then
            for _ in session.notifies(timeout=_PING_SECONDS):
                pass  # no notification ever comes: this waits, and notices at once when the connection ends
            asked_at = time.monotonic()
            _row(session, "SELECT 1")

    def _look(self) -> bool:
        """Return whether the database that claims ask has this lock."""
        try:
            is_seen = _is_seen(self.key)
        except Error as error:
            self._say("presence_lost", error=type(error).__name__)
            return False
        finally:
            release_database()
        if not is_seen:
            self._say("presence_off", reason="DATABASE_DIRECT_URL leads to another database")
        return is_seen

    def _tell(self, session: "psycopg.Connection[tuple[Any, ...]]") -> None:
        """Give the session its name, where that has changed."""
        name = f"{_NAME} {mark()} {_process_name()}"
        if name != self._told:
            session.execute("SELECT set_config('application_name', %s, false)", [name])
            self._told = name

    def _replay_spool(self) -> None:
        if time.monotonic() < self._spool_due_at:
            return
        self._spool_due_at = time.monotonic() + _SPOOL_SECONDS
        try:
            spool.replay(self._spool, retries_aside=self._retries_aside)
            self._retries_aside = False
        except (Error, OSError) as error:
            logger.warning("spool_not_replayed", error=type(error).__name__)
        finally:
            release_database()

    def _say(self, event: str, **values: str) -> None:
        """Log a change of state once, not at every repetition."""
        if event != self._last_word:
            self._last_word = event
            (logger.info if event == "presence_held" else logger.warning)(event, **values)


def _row(session: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> tuple[Any, ...] | None:
    return session.execute(statement).fetchone()


def _in_child() -> None:
    holder, _process.holder = _process.holder, None
    if holder is not None:
        holder.leave_to_parent()
    _guard.release()


@dataclass(slots=True)
class _Process:
    holder: _Holder | None = None
    kind: str = ""


_process = _Process()

# Locked while a session begins or ends and while the process forks: a child always knows the socket that it inherits.
_guard = threading.Lock()

os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_in_child)
