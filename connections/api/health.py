"""``/healthz`` and ``/readyz``: is the process alive, and can it do its work?

Neither needs a key, and neither says more than a name and "ok" or what is wrong in a word. As anybody may ask, asking
often costs nothing: a process looks once a second at the most, in one thread, and answers everybody with what it saw.
"""

import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from connections.access.secrets import keys_open


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process runs and can serve a request."""
    return JsonResponse({"status": "ok"})


class Readiness:
    """What one process knows of whether it can do its work; looked up anew when that is a second old."""

    LASTS_SECONDS = 1.0

    def __init__(self) -> None:
        self._looking = threading.Lock()
        self._checks: dict[str, str] = {}
        self._stale_at = 0.0  # by the monotonic clock

    def checks(self) -> dict[str, str]:
        """Return "ok" or what is wrong, by name of the check. Who asks while somebody looks waits for the same."""
        with self._looking:
            if not self._checks or time.monotonic() >= self._stale_at:
                self._checks = _look()
                self._stale_at = time.monotonic() + self.LASTS_SECONDS
            return self._checks


_readiness = Readiness()


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if database, migrations, keys and broker are in order, else 503 naming what is not.

    A broker that is down does not make a web process unready: vends go on without it, refreshing inline.
    """
    checks = _readiness.checks()
    ready = all(result == "ok" for name, result in checks.items() if name != "broker")
    return JsonResponse({"status": "ok" if ready else "unready", "checks": checks}, status=200 if ready else 503)


def _look() -> dict[str, str]:
    checks: dict[str, str] = {}
    try:
        for name, check in _CHECKS.items():
            # Where it cannot be reached, each further question would only wait as long as the first.
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
        return "ok" if keys_open() else "stored keys do not open"
    except DatabaseError:
        return "unknown"


def _broker() -> str:
    try:
        client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        with client:
            client.ping()
    except redis.RedisError:
        return "unreachable"
    return "ok"


_CHECKS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "keys": _keys,
    "broker": _broker,
}
_ASK_THE_DATABASE = ("migrations", "keys")
