"""The store, with the database away when the answer comes: it is held on to, and stored on a new connection."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import connection as database
from pytest_django import Settings

from connections.lifecycle.claim import Outcome
from connections.lifecycle.refresh import refresh
from connections.models import Connection, CredentialVersion
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.sandbox_control import SandboxProcess

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"


@contextmanager
def sent_off(connection: Connection, sandbox: SandboxProcess) -> Iterator[tuple[threading.Thread, list[Outcome]]]:
    """Have a refresh wait for its answer, which takes a second; it has ended when the block has."""
    age(connection.id, hours=1)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=1)
    outcomes: list[Outcome] = []

    def run() -> None:
        outcomes.append(refresh(connection.id, trigger="sweep").outcome)
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not sandbox.control.log(grant_type="refresh_token") and thread.is_alive():
        time.sleep(0.02)
    yield thread, outcomes
    thread.join()
    database.close()
    database.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one, which holds what was cut off


def test_an_answer_is_stored_although_the_database_dropped_every_connection_meanwhile(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    with sent_off(connection, sandbox) as (_, outcomes), session("postgres") as other:
        other.execute(CUT_OFF, [project.DATABASES["default"]["NAME"]])
    assert outcomes == ["refreshed"]
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1


def test_an_answer_outlives_a_database_that_is_away_and_a_spool_that_takes_nothing(
    connection: Connection, sandbox: SandboxProcess, settings: Settings, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = tmp_path / "file"
    settings.SPOOL_DIR.write_text("no folder can be made here")
    name = project.DATABASES["default"]["NAME"]
    with sent_off(connection, sandbox) as (thread, outcomes), session("postgres") as other:
        try:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            other.execute(CUT_OFF, [name])
            thread.join(2.5)  # the answer comes after a second, and the first tries to store it fail
            assert thread.is_alive()
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert outcomes == ["refreshed"]
    assert CredentialVersion.objects.filter(connection=connection, stage="current", parent_id__isnull=False).exists()
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1
