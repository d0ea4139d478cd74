"""What is stored and waits: the database, the broker, the clocks, the processes in the background."""

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

import psycopg
import redis
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from connections.database.clock import database_now
from connections.database.pool import usual_parameters
from connections.database.server import ServerTooOld, check_server
from connections.dispatch import waiting_tasks
from connections.lifecycle.quarantine.standing import standing
from connections.lifecycle.refresh import presence
from connections.management.doctor.findings import Finding, Level, fault, fine, warning
from connections.management.doctor.rights import rights
from connections.models import FiguresTaken
from connections.valkey import client_of

_AUDIT = "connections_auditevent"
_AWAY = "It cannot be reached"
_MOST_SKEW_SECONDS = 2.0
_STALE = timedelta(minutes=30)
_LONG_SECONDS = 60.0
_ROUNDS = 3
# As the notes of refreshes ask which run of the server it is; without an answer they never become whole.
_ASKS = "return redis.call('INFO', 'server')"
_SHOWN = 5


def database() -> Iterator[Finding]:
    """Look at the server, and at what it is asked to promise. Its clock is compared with this machine's."""
    try:
        with connection.cursor() as cursor:
            before = time.time()
            cursor.execute("SELECT extract(epoch FROM clock_timestamp()), current_setting('server_version_num')::int")
            clock, version = cursor.fetchone()
            after = time.time()
            cursor.execute(
                "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'full_page_writes',"
                " 'synchronous_commit', 'server_encoding', 'max_connections', 'transaction_isolation')"
            )
            says = dict(cursor.fetchall())
            cursor.execute("SELECT pg_has_role(relowner, 'MEMBER') FROM pg_class WHERE oid = to_regclass(%s)", [_AUDIT])
            owns = cursor.fetchone()
    except (OperationalError, InterfaceError) as error:
        yield fault("database", f"{_AWAY} ({type(error).__name__}).", "Check DATABASE_URL, and whether it runs.")
        return
    found = list(_server(version, says))
    skew = max(before - float(clock), float(clock) - after, 0.0)
    if skew > _MOST_SKEW_SECONDS:
        found.append(
            fault(
                "clocks",
                f"This machine's clock and the database's are {skew:.0f} s apart: tokens and signatures seem too old or"
                " too new.",
                "Keep both by NTP.",
            )
        )
    found += _pooler()
    if lacking := list(rights()):
        yield from [*found, *lacking]
        return  # which migrations are applied may be among what it cannot read
    executor = MigrationExecutor(connection)
    if pending := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        found.append(fault("database", f"{len(pending)} migrations are not applied.", "Run manage.py migrate."))
    elif owns and owns[0] and not settings.DEVELOPMENT:
        found.append(
            warning(
                "database",
                "These processes own the tables, so they could take away what protects the audit trail.",
                "Run migrate as the owner, and all else as another role (OPERATIONS.md, Two roles).",
            )
        )
    named = f"PostgreSQL {version // 10_000}.{version % 10_000}"
    yield from found or [fine("database", f"{named}, all migrations applied.")]


def _pooler() -> Iterator[Finding]:
    """Look whether a pooler stands between, and whether the settings know. A few queries, and two sessions."""
    is_pooled = _backend() != connection.connection.info.backend_pid
    if is_pooled and not settings.DATABASE_POOLED and _is_shared():
        yield fault(
            "database",
            "A pooler gives each transaction another session: statements that were prepared in one fail in the next.",
            "Set DATABASE_POOLED=true, and DATABASE_DIRECT_URL past the pooler; or pool by session.",
        )
    if (is_pooled or settings.DATABASE_POOLED) and not settings.DATABASE_DIRECT:
        yield warning(
            "database",
            "Behind a pooler no process can hold a lock without DATABASE_DIRECT_URL: its death is noticed after 60 s.",
            "Name the database past the pooler.",
        )
    if settings.DATABASE_DIRECT:
        yield from _direct()


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    return int(pid)


def _is_shared() -> bool:
    """Whether the pooler gives one session to two of its clients, or two to one. Opens a session; False without one.

    One that pools by session never does. One that pools by transaction does so at once, whether it hands out next what
    was used last or what has waited longest: two that ask by turns, and twice each, get the same, or one gets several.
    """
    own = {"autocommit": True, "prepare_threshold": None, "connect_timeout": 3}
    ours, theirs = set[int](), set[int]()
    try:
        with psycopg.connect(**usual_parameters() | own) as other:
            for _ in range(_ROUNDS):
                ours |= {_backend(), _backend()}
                theirs |= {other.execute("SELECT pg_backend_pid()").fetchall()[0][0] for _ in range(2)}
    except psycopg.Error:
        return False
    return bool(ours & theirs) or len(ours) > 1 or len(theirs) > 1


def _direct() -> Iterator[Finding]:
    """Look whether the address past the pooler leads to the same database. One session, and one query."""
    try:
        leads_here = presence.leads_here()
    except psycopg.Error as error:
        says = f"{_AWAY} at DATABASE_DIRECT_URL ({type(error).__name__}): no process can hold a lock."
        yield warning("database", says, "Check DATABASE_DIRECT_URL.")
        return
    if not leads_here:
        yield fault(
            "database",
            "DATABASE_DIRECT_URL leads to another database than DATABASE_URL, where no lock of a process is seen.",
            "Name the same database of the same server, the primary, past the pooler.",
        )


def _server(version: int, says: dict[str, str]) -> Iterator[Finding]:
    try:
        check_server(version)
    except ServerTooOld as error:
        yield fault(
            "database",
            str(error),
            "Restore a backup at such a server, and run doctor there.",
        )
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        if says.get(name) == "off" and not settings.DEVELOPMENT:
            yield fault(
                "database",
                f"{name} is off: a crash can lose a refresh token that was rotated, and with it the grant.",
                f"Set {name} = on in postgresql.conf.",
            )
    if says.get("server_encoding") != "UTF8":
        yield fault(
            "database",
            f"Its encoding is {says.get('server_encoding')}: not every name can be stored.",
            "Make the database with ENCODING 'UTF8'.",
        )
    if says.get("transaction_isolation") != "read committed":
        yield fault(
            "database",
            f"Transactions begin as {says.get('transaction_isolation')}: refreshes would fail under load.",
            "Set default_transaction_isolation = 'read committed' for this role and database.",
        )


def is_away(found: Sequence[Finding]) -> bool:
    """Whether the database could not be asked, or lacks tables."""
    return any(
        finding.level is Level.FAULT and (finding.says.startswith(_AWAY) or "migrations" in finding.says)
        for finding in found
    )


def broker() -> Iterator[Finding]:
    """Look at Redis or Valkey, and at what waits there."""
    try:
        with client_of(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            told = client.info()
            client.eval(_ASKS, 0)
            policy = _policy(client)
    except redis.ResponseError as error:
        yield fault(
            "broker",
            f"It refuses what these processes have to do there: {error}.",
            "Give that user its rights (OPERATIONS.md, The broker's user), and name a database that is there.",
        )
        return
    except redis.RedisError as error:
        yield fault("broker", f"{_AWAY} ({type(error).__name__}).", "Check REDIS_URL, and whether it runs.")
        return
    found = []
    if policy not in (None, "noeviction"):
        found.append(
            fault(
                "broker",
                f"Its maxmemory-policy is {policy}: it drops tasks when memory is short.",
                "Set maxmemory-policy noeviction.",
            )
        )
    for queue, (count, seconds) in (waiting_tasks() or {}).items():
        if seconds > _LONG_SECONDS:
            found.append(
                warning(
                    "broker",
                    f"{count} tasks wait in the queue {queue}, the oldest for {seconds:.0f} s.",
                    "Start workers, or more of them.",
                )
            )
    name = "Valkey" if "valkey_version" in told else "Redis"
    version = told.get("valkey_version") or told.get("redis_version")
    yield from found or [fine("broker", f"{name} {version} answers, and nothing waits for long.")]


def _policy(client: "redis.Redis") -> str | None:
    """Return what happens when memory is short; None from a service that keeps its configuration to itself."""
    try:
        return str(client.config_get("maxmemory-policy").get("maxmemory-policy"))
    except redis.ResponseError:
        return None


def workers() -> Iterator[Finding]:
    """Look whether workers run, by the sessions that each holds at the database. One query.

    They take no remote control, so nobody can ask them by the broker. Whether they do anything ``background`` says.
    """
    if settings.DATABASE_POOLED and not settings.DATABASE_DIRECT:
        yield fine("workers", "They cannot be seen behind a pooler without DATABASE_DIRECT_URL: see when the last ran.")
        return
    names = [one.process.removeprefix(f"{presence.WORKER}:") for one in presence.present() if one.is_worker]
    if not names:
        yield fault("workers", "None runs: nothing is refreshed before somebody asks.", "Start a worker.")
        return
    told = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    yield fine("workers", f"{len(names)} run{'s' if len(names) == 1 else ''}: {told}.")


def quarantine() -> Iterator[Finding]:
    """Look whether refreshes wait because the database was put back. A few queries."""
    found = standing(now=database_now())
    if found.waits_for_redis_since is not None:
        yield fault(
            "quarantine",
            f"No refresh is sent, and nothing can be sorted: Redis does not answer since {found.waits_for_redis_since}."
            f" {found.says}",
            "Bring Redis back, which remembers what is safe; where it is lost: manage.py quarantine sort"
            " --without-redis.",
        )
    elif found.is_everything_held:
        yield warning(
            "quarantine",
            f"No refresh is sent. {found.says}",
            "Start a worker, which sorts within seconds what is safe; else see manage.py quarantine status.",
        )
    elif found.is_unfinished:
        yield warning(
            "quarantine",
            f"{found.waits} connections wait to refresh, and of {found.used} the refresh token is known to be used."
            f" {found.says}",
            "Release what is safe, tenant by tenant (manage.py quarantine), and let the other end users connect again.",
        )
    else:
        yield fine("quarantine", "No refresh waits.")


def background() -> Iterator[Finding]:
    """Look when the figures were counted last, which beat orders and a worker does."""
    taken = FiguresTaken.objects.first()
    if taken is None:
        yield warning("beat", "Nothing was ever done in the background.", "Start beat and a worker.")
        return
    age = database_now() - taken.taken_at
    if age > _STALE:
        yield fault(
            "beat",
            f"Nothing was done in the background for {age.total_seconds() / 60:.0f} minutes.",
            "Start beat; if it runs, read the log of a worker.",
        )
    else:
        yield fine("beat", f"The figures were counted {age.total_seconds():.0f} s ago.")
