"""A database that can be put back to an earlier moment, beside a Redis of its own that remembers."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import redis
from django.db import connection as database
from django.db import transaction

from connections.database.clock import database_now
from connections.lifecycle.quarantine.pulse import beat
from connections.models import Installation
from providers.sandbox.waiting import until

_TABLES = ("installation", "heldconnection", "connection", "credentialversion", "refreshattempt")


class Backup:
    """What the tables about refreshes hold now."""

    def __init__(self) -> None:
        self.taken_at = database_now()
        with database.cursor() as cursor:
            cursor.execute("DROP SCHEMA IF EXISTS backup CASCADE; CREATE SCHEMA backup")
            for table in _TABLES:
                cursor.execute(f"CREATE TABLE backup.{table} AS TABLE connections_{table}")

    def restore(self) -> None:
        """Put these tables back, as a snapshot of the disk puts back everything."""
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            for table in _TABLES:
                cursor.execute(f"DELETE FROM connections_{table}")
                cursor.execute(f"INSERT INTO connections_{table} TABLE backup.{table}")


@pytest.fixture
def remembering(redis_of_its_own: "redis.Redis", transactional_db: None) -> datetime:
    """Redis has noted every refresh for an hour, in which the database has beaten."""
    since = database_now() - timedelta(hours=1)
    beat(now=since)
    Installation.objects.update(beaten_at=database_now())
    return since


@pytest.fixture
def backup(transactional_db: None) -> Iterator[type[Backup]]:
    """Makes a backup when it is called; what it kept goes at the end."""
    yield Backup
    with database.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS backup CASCADE")


class Beside:
    """Work in another thread, which waits for a lock of the transaction that is open here. ``result`` ends it."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._result = self._pool.submit(self._run, work)
        until(self._waits, "the other thread, waiting for a lock")

    def _run(self, work: Callable[[], object]) -> object:
        try:
            return work()
        finally:
            database.close()

    def _waits(self) -> bool:
        with database.cursor() as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid)))")
            return bool(cursor.fetchone()[0])

    @property
    def result(self) -> object:
        """What the work returned. Raises what it has raised."""
        with self._pool:
            return self._result.result()
