"""Presence: a lock says that this process lives, for as long as it does and no longer."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections

from connections.database.clock import database_now
from connections.lifecycle.credentials import spool
from connections.lifecycle.refresh import presence
from connections.management.doctor import storage
from connections.models import Connection, CredentialVersion
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.refresh.pooler import shared_sessions
from tests.connections.lifecycle.sessions import session
from tests.connections.lifecycle.unfinished import received

# Holds its lock, forks, and says both keys; the child says its own only if it is asked to claim.
FORKING = """
import os, sys, time
import django
django.setup()
from connections.lifecycle.refresh import presence
def held():
    while (key := presence.key()) is None:
        time.sleep(0.02)
    return key
parent = held()
reader, writer = os.pipe()
child = os.fork()
if child == 0:
    os.write(writer, b"%d" % (held() if sys.argv[1] == "claims" else 0))
else:
    print(parent, os.read(reader, 30).decode(), child, flush=True)
time.sleep(60)
"""


@pytest.fixture
def own_key(transactional_db: None) -> Iterator[int]:
    """The key of this process, which holds its lock."""
    presence.stop()
    yield until(presence.key, "a key")
    presence.stop()


def is_free(key: int) -> bool:
    return presence.absence(key, since=database_now()) is not None


@contextmanager
def forking(mode: str) -> Iterator[tuple["subprocess.Popen[str]", int, int, int]]:
    """Run a process that forks; gives it, both keys and the child's process id."""
    server = settings.DATABASES["default"]
    url = f"postgresql://{server['USER']}:{server['PASSWORD']}@{server['HOST']}:{server['PORT']}/{server['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "-c", FORKING, mode],
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        parent, child, pid = (int(word) for word in process.stdout.readline().split())
        yield process, parent, child, pid
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_the_first_call_starts_to_hold_the_lock_and_waits_for_nothing(transactional_db: None) -> None:
    presence.stop()
    assert presence.key() is None
    key = until(presence.key, "a key")
    assert not is_free(key)
    presence.stop()
    until(lambda: is_free(key), "a free lock")
    assert presence.key() is None
    assert until(presence.key, "a key") != key
    presence.stop()


def test_nobody_is_absent_from_before_the_server_started(transactional_db: None) -> None:
    now = database_now()
    assert presence.absence(4_711, since=now) is not None
    assert presence.absence(4_711, since=now - timedelta(days=3650)) is None


def test_a_lost_session_is_replaced_at_once_under_the_same_key(own_key: int) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name ^@ 'latchkey presence' AND datname = current_database()"
        )
        assert cursor.fetchall() == [(True,)]
    until(lambda: not is_free(own_key), "the lock again")
    assert until(presence.key, "a key") == own_key


def test_behind_a_pooler_that_shares_sessions_there_is_no_key(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    presence.stop()
    server = connections.settings["default"]
    with shared_sessions(server["HOST"], int(server["PORT"])) as port:
        monkeypatch.setitem(server, "PORT", port)
        presence.start()
        until(lambda: "presence_off" in caplog.text, "presence_off in the log")
        assert presence.key() is None
        presence.stop()


def test_in_another_database_there_is_no_key_until_the_address_leads_here(
    transactional_db: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    presence.stop()
    here = connections["default"].settings_dict["NAME"]
    settings.DATABASE_DIRECT = {"NAME": "postgres"} | _address()
    assert not presence.leads_here()
    assert told_by_doctor()
    presence.start()
    until(lambda: "leads to another database" in caplog.text, "presence_off in the log")
    assert presence.key() is None
    settings.DATABASE_DIRECT = {"NAME": here} | _address()
    assert presence.leads_here()
    assert not told_by_doctor()
    key = until(presence.key, "a key")
    assert not is_free(key)
    presence.stop()


def told_by_doctor() -> bool:
    return any("DATABASE_DIRECT_URL leads to another database" in found.says for found in storage.database())


def _address() -> dict[str, Any]:
    return {name: connections["default"].settings_dict[name] for name in ("USER", "PASSWORD", "HOST", "PORT")}


def test_a_child_has_a_key_of_its_own(transactional_db: None) -> None:
    with forking("claims") as (_, parent, child, _):
        assert child not in (0, parent)
        assert (is_free(parent), is_free(child)) == (False, False)


def test_a_child_that_ends_leaves_its_parent_s_lock(transactional_db: None) -> None:
    with forking("waits") as (_, parent, _, pid):
        os.kill(pid, signal.SIGTERM)
        time.sleep(1.5)
        assert not is_free(parent)


def test_a_child_does_not_keep_the_lock_of_a_dead_parent(transactional_db: None) -> None:
    with forking("waits") as (process, parent, _, pid):
        process.kill()
        process.wait()
        os.kill(pid, 0)
        until(lambda: is_free(parent), "the free lock of the dead parent")


def test_what_a_process_left_in_the_spool_is_stored_by_the_next_that_starts(
    connection: Connection, sandbox: SandboxProcess, settings: Any, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = tmp_path
    presence.stop()
    sealed = received(connection, sandbox)
    path = spool.write(sealed)
    path.rename(f"{path}.aside")
    presence.start()
    until(lambda: CredentialVersion.objects.filter(id=sealed.id).exists(), "the spooled version in the database")
    presence.stop()
    assert list(tmp_path.iterdir()) == []


def test_what_is_spooled_while_a_process_lives_is_stored_by_it(
    connection: Connection,
    sandbox: SandboxProcess,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.SPOOL_DIR = tmp_path
    monkeypatch.setattr(presence, "_SPOOL_SECONDS", 0.1)
    presence.stop()
    until(presence.key, "a key")
    sealed = received(connection, sandbox)
    spool.write(sealed)
    until(lambda: CredentialVersion.objects.filter(id=sealed.id).exists(), "the spooled version in the database")
    presence.stop()


def test_the_pool_is_rid_of_connections_that_broke_with_the_session(own_key: int) -> None:
    database_now()
    connections["default"].close()
    pool = connections["default"].pool  # type: ignore[attr-defined]  # PostgreSQL's has one
    lost = pool.get_stats().get("connections_lost", 0)
    with session("postgres") as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM (SELECT pid FROM pg_stat_activity WHERE datname = %s"
            " ORDER BY application_name ^@ 'latchkey presence') AS sessions",
            [connections.settings["default"]["NAME"]],
        )
    until(lambda: pool.get_stats().get("connections_lost", 0) > lost, "a connection that the pool gave up")
    assert until(presence.key, "a key") == own_key
    pool.wait()
    assert database_now() is not None
