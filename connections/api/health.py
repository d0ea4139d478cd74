"""``/healthz`` and ``/readyz``: is the process alive, and can it do its work?

Neither needs a key. Their answers hold only the name of each check, with "ok" or one word for what is wrong. Anybody
may call them, so frequent calls must cost nothing: a process checks at most once a second, in one thread, and answers
every caller with that result.
"""

import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from connections.access.key_checks import most_open
from connections.valkey import client_of
from providers.catalog.loader import CatalogError, faulty_files


def healthz() -> HttpResponse:
    """Answer 200: the process runs and can serve a request. Asked in the event loop. No I/O."""
    return JsonResponse({"status": "ok"})


class Readiness:
    """Whether one process can do its work. The result is kept for one second."""

    LASTS_SECONDS = 1.0

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._checks: dict[str, str] = {}
        self._stale_at = 0.0  # by the monotonic clock

    def checks(self) -> dict[str, str]:
        """Return "ok" or what is wrong, by the name of the check. Concurrent callers wait for one result and share it.

        Asks the database and the broker.
        """
        with self._looking:
            if not self._checks or time.monotonic() >= self._stale_at:
                self._checks = _look()
                self._stale_at = time.monotonic() + self.LASTS_SECONDS
            return self._checks


_readiness = Readiness()


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if database, migrations, keys and broker are in order, else 503 naming what is not.

    A broker that is down does not make a web process unready: vends go on without it, refreshing inline. Nor does a
    file of the operator's own catalogue that is not in force (``manage.py providers check`` says what is wrong with
    it), or a file of keys: those before stay in force (``manage.py doctor`` says why). Nor do rows that do not open
    while most do, which are every process's: doctor names them.
    """
    checks = _readiness.checks()
    ready = all(result == "ok" for name, result in checks.items() if name not in _MAY_FAIL or result == _UNREADABLE)
    return JsonResponse({"status": "ok" if ready else "unready", "checks": checks}, status=200 if ready else 503)


def _look() -> dict[str, str]:
    checks: dict[str, str] = {}
    try:
        for name, check in _CHECKS.items():
            # If the database is down, each further check would only wait as long as the first.
            skipped = name in _ASK_THE_DATABASE and checks["database"] != "ok"
            checks[name] = "unknown" if skipped else check()
    finally:
        connection.close()
    return checks


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return "unknown"
    return f"{len(pending)} to apply" if pending else "ok"


def _keys() -> str:
    try:
        return "ok" if most_open() else "stored keys do not open"
    except DatabaseError:
        return "unknown"


def _key_files() -> str:
    settings.KEY_FILES.look()
    return "not in force" if settings.KEY_FILES.problem else "ok"


def _broker() -> str:
    try:
        with client_of(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except redis.RedisError:
        return "unreachable"
    return "ok"


def _catalogue() -> str:
    try:
        faulty = len(faulty_files())
    except CatalogError:
        return _UNREADABLE
    return f"{faulty} file{'s' if faulty > 1 else ''} not in force" if faulty else "ok"


_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "keys": _keys,
    "key_files": _key_files,
    "broker": _broker,
    "catalogue": _catalogue,
}
_MAY_FAIL = ("key_files", "broker", "catalogue")
_UNREADABLE = "unreadable"  # nothing can be connected or vended then
_ASK_THE_DATABASE = ("migrations", "keys")
