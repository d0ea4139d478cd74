"""``/healthz`` and ``/readyz``: is the process alive, and can it do its work?

Neither needs a key, and neither says more than a name and "ok" or what is wrong in a word.
"""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse

from connections.lifecycle.sealing import keys_open


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200: the process runs and can serve a request."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 if database, migrations, keys and broker are in order, else 503 naming what is not.

    A broker that is down does not make a web process unready: vends go on without it, refreshing inline.
    """
    checks: dict[str, str] = {}
    try:
        for name, check in _CHECKS.items():
            # Where it cannot be reached, each further question would only wait as long as the first.
            skipped = name in _ASK_THE_DATABASE and checks["database"] != "ok"
            checks[name] = "unknown" if skipped else check()
    finally:
        connection.close()
    ready = all(result == "ok" for name, result in checks.items() if name != "broker")
    return JsonResponse({"status": "ok" if ready else "unready", "checks": checks}, status=200 if ready else 503)


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
