"""The databases of a test run: a private PostgreSQL and a private Valkey, started once and gone with the run.

The plain pytest process, or the xdist controller, calls ``start_services`` and puts ``environment`` into its own, which
the workers inherit; each worker takes ``worker_environment``. What the servers are is in ``config.local``.
"""

import atexit
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from config.local.services.postgres import PrivatePostgres
from config.local.services.valkey import DATABASES, PrivateValkey
from config.local.supervisor.environment import development_settings, generate_secrets
from config.local.supervisor.state import PROJECT_ROOT, make_folder
from config.local.supervisor.watchdog import Watchdog

# Django's test client calls the site by this name, and any other name is redirected to PUBLIC_URL.
PUBLIC_URL = "http://testserver"
_NOT_RUNNING = "http://127.0.0.1:1"
_MIGRATED = "latchkey_migrated"


@dataclass(slots=True)
class Services:
    """The running servers, and every setting that Latchkey needs to use them."""

    environment: dict[str, str]
    folder: Path
    postgres: PrivatePostgres | None
    valkey: PrivateValkey | None
    _cleanup: contextlib.ExitStack = field(repr=False)

    def stop(self) -> None:
        """Stop the servers and remove their data. Idempotent."""
        self._cleanup.close()


def start_services() -> Services:
    """Start what ``DATABASE_URL`` and ``REDIS_URL`` do not name already, with fresh secrets, in a new temporary folder.

    Everything is stopped and removed by ``stop``, at the exit of this process, and even when it is killed.
    """
    cleanup = contextlib.ExitStack()
    atexit.register(cleanup.close)
    try:
        folder = make_folder(Path(tempfile.mkdtemp(prefix="latchkey-tests-")))
        for name in ("spool", "static"):
            make_folder(folder / name)
        watchdog = Watchdog()
        watchdog.remove(folder)
        cleanup.callback(watchdog.close)
        postgres = valkey = None
        with ThreadPoolExecutor() as pool:
            if not os.environ.get("DATABASE_URL"):
                postgres = PrivatePostgres(home=folder / "postgres", durable=False, watchdog=watchdog)
                cleanup.callback(postgres.destroy)
                starting = pool.submit(postgres.start)
            if not os.environ.get("REDIS_URL"):
                valkey = PrivateValkey(home=folder / "valkey", durable=False, watchdog=watchdog)
                cleanup.callback(valkey.stop)
                valkey.start()
            if postgres:
                starting.result()
                watchdog.remove(postgres.place)
    except BaseException:
        cleanup.close()
        raise
    urls = {
        "database": postgres.url if postgres else os.environ["DATABASE_URL"],
        "redis": valkey.url if valkey else os.environ["REDIS_URL"],
        "web": PUBLIC_URL,
        "sandbox": _NOT_RUNNING,
        "customer_app": _NOT_RUNNING,
    }
    environment = generate_secrets() | development_settings(folder=folder, urls=urls)
    return Services(environment, folder, postgres, valkey, cleanup)


def worker_environment(environment: Mapping[str, str], worker: str) -> dict[str, str]:
    """Return what differs for the xdist worker (``gw0``, ``gw1``…): a Redis database and a spool of its own.

    PostgreSQL needs nothing here: pytest-django gives each worker its own test database, a copy of
    ``migrated_database``.
    """
    number = int(worker.removeprefix("gw")) + 1
    redis = urlsplit(environment["REDIS_URL"])._replace(path=f"/{number % DATABASES}")
    return {"REDIS_URL": redis.geturl(), "LATCHKEY_SPOOL_DIR": f"{environment['LATCHKEY_SPOOL_DIR']}-{worker}"}


def migrated_database() -> str:
    """Return the name of an empty, migrated database of the run's PostgreSQL to copy: to migrate takes seven seconds.

    The first of the run's processes that comes here makes it, under a lock for which the others wait.
    """
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connected:
        connected.execute("SELECT pg_advisory_lock(hashtext(%s))", [_MIGRATED])
        if connected.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_MIGRATED]).fetchone():
            return _MIGRATED
        half_made = f"{_MIGRATED}_soon"
        connected.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(half_made)))
        connected.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(half_made)))
        url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{half_made}").geturl()
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--noinput", "--skip-checks", "-v0"],
            cwd=PROJECT_ROOT,
            env=os.environ | {"DATABASE_URL": url},
            check=True,
        )
        connected.execute(
            sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(half_made), sql.Identifier(_MIGRATED))
        )
    return _MIGRATED
