"""The measuring half of ``sweep_bench``: ``python -m tests.campaigns.sweep_passes CONNECTIONS DUE``.

Fills the database of its environment, says so, and then does what each line of its standard input asks for: ``pass``
(sweep until nothing is left), ``share`` (two sweeps at once), ``memory`` (the most that this process has held).
"""

import base64
import json
import resource
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import django

django.setup()

import redis  # noqa: E402 - the apps must be ready
from django.conf import settings  # noqa: E402 - the apps must be ready
from django.db import connection as database  # noqa: E402 - the apps must be ready

from connections.database.clock import database_now  # noqa: E402 - the apps must be ready
from connections.lifecycle import sweep  # noqa: E402 - the apps must be ready
from connections.models import Connection, CredentialVersion  # noqa: E402 - the apps must be ready
from tests.campaigns.copies import copies  # noqa: E402 - the apps must be ready
from tests.connections.api.stored import make_connection  # noqa: E402 - the apps must be ready
from tests.factories import make_tenant  # noqa: E402 - the apps must be ready

TENANTS = 40
_TABLE = Connection._meta.db_table


def fill(count: int, due: int) -> None:
    """Insert that many connections of 40 tenants, each with an app of its own, of which ``due`` are due.

    They are copies of one that the product made, with ids and times of their own; the others are due within a day.
    """
    origins = [make_connection(make_tenant(f"tenant-{number}")) for number in range(TENANTS)]
    Connection.objects.update(refresh_due_at=None, probe_due_at=None)
    own = {
        "id": "planned.connection_id",
        "end_user": "'user-' || number",
        "current_version_id": "planned.version_id",
        "grant_id": "gen_random_uuid()",
        # One of each %(every)s, and in all those turns another one: so the apps have equal shares of it.
        "refresh_due_at": "CASE WHEN number %% %(every)s = number / %(every)s %% %(every)s"
        " THEN now() - random() * interval '10 minutes'"
        " ELSE now() + interval '1 hour' + random() * interval '23 hours' END",
        "probe_due_at": "now() + interval '1 hour' + random() * interval '6 hours'",
    }
    of_version = {"id": "planned.version_id", "connection_id": "planned.connection_id"}
    statement = (
        "WITH planned AS MATERIALIZED ("
        "SELECT number, turn.id AS origin_id, gen_random_uuid() AS connection_id, gen_random_uuid() AS version_id"
        " FROM generate_series(1, %(count)s) AS number"
        " JOIN unnest(%(origins)s::uuid[]) WITH ORDINALITY AS turn (id, place) ON place = 1 + number %% %(tenants)s"
        f"), stored AS ({copies(Connection, own, of='id')}) {copies(CredentialVersion, of_version, of='connection_id')}"
    )
    given = {"count": count, "every": count // due, "tenants": TENANTS, "origins": [row.id for row in origins]}
    with database.cursor() as cursor:
        cursor.execute(statement, given)
        cursor.execute("VACUUM ANALYZE")


def one_pass() -> dict[str, float]:
    """Sweep until nothing is left, and return what that took: all of it, and the database's part, in seconds."""
    reset()
    spent = 0.0

    def timed(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal spent
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            spent += time.perf_counter() - began

    began = time.perf_counter()
    with database.execute_wrapper(timed):
        sent = drain()
    return {"sent": sent, "seconds": time.perf_counter() - began, "database": spent}


def two_at_once() -> dict[str, Any]:
    """Sweep in two threads at once, and return how many connections each sent, and how many were sent twice."""
    reset()
    ready = threading.Barrier(2)
    shares: list[int] = []

    def run() -> None:
        database_now()
        ready.wait()
        shares.append(drain())
        database.close()

    threads = [threading.Thread(target=run) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        queued = [
            connection_id
            for raw in broker.lrange("refresh", 0, -1)
            for connection_id in json.loads(base64.b64decode(json.loads(raw)["body"]))[0]
        ]
    return {
        "sent": len(queued),
        "shares": sorted(shares),
        "twice": len(queued) - len(set(queued)),
        "ms": round(1000 * seconds, 1),
    }


def drain() -> int:
    """Sweep until a sweep finds nothing; return how many were sent."""
    sent = 0
    while found := sweep.sweep_refreshes(now=database_now()):
        sent += found
    return sent


def reset() -> None:
    """Take the marks and the queued tasks away, and leave the table as tidy as it was."""
    with database.cursor() as cursor:
        cursor.execute(f"UPDATE {_TABLE} SET refresh_enqueued_until = NULL WHERE refresh_due_at <= now()")
        cursor.execute(f"VACUUM {_TABLE}")
    with redis.Redis.from_url(settings.REDIS_URL) as broker:
        broker.delete("refresh")


def main() -> None:
    """Do what standard input says, a line of JSON for each."""
    count, due = map(int, sys.argv[1:])
    sweep.LONG_QUEUE = due  # no worker takes anything up here
    fill(count, due)
    print(json.dumps({"filled": count}), flush=True)
    for line in sys.stdin:
        match line.strip():
            case "pass":
                found: dict[str, Any] = one_pass()
            case "share":
                found = two_at_once()
            case _:
                found = {"rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
