"""The store, with the database away when the answer comes: it is held on to, and stored on a new connection."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as project
from django.db import OperationalError
from django.db import connection as database
from pytest_django import Settings

from connections.database.clock import database_now
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.refresh import arrivals, settle
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.models import Connection, CredentialVersion
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.connections.lifecycle.unfinished import answered, open_attempt

CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> None:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"


@contextmanager
def sent_off(connection: Connection, sandbox: SandboxProcess) -> Iterator[tuple[threading.Thread, list[Outcome]]]:
    """Have a refresh wait for its answer until it is released; it has ended when the block has."""
    age(connection.id, hours=1)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=15)
    outcomes: list[Outcome] = []

    def run() -> None:
        outcomes.append(refresh(connection.id, trigger="sweep").outcome)
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: sandbox.control.log(grant_type="refresh_token") or not thread.is_alive(), "the refresh", pause=0.02)
    yield thread, outcomes
    thread.join()
    database.close()
    database.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one, which holds what was cut off


def test_an_answer_is_stored_although_the_database_dropped_every_connection_meanwhile(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    with sent_off(connection, sandbox) as (_, outcomes), session("postgres") as other:
        other.execute(CUT_OFF, [project.DATABASES["default"]["NAME"]])
        sandbox.control.release()
    assert outcomes == ["refreshed"]
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1


def test_an_answer_outlives_a_database_that_is_away_and_a_spool_that_takes_nothing(
    connection: Connection,
    sandbox: SandboxProcess,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.SPOOL_DIR = tmp_path / "file"
    settings.SPOOL_DIR.write_text("no folder can be made here")
    name = project.DATABASES["default"]["NAME"]
    with sent_off(connection, sandbox) as (thread, outcomes), session("postgres") as other:
        try:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            other.execute(CUT_OFF, [name])
            sandbox.control.release()
            until(lambda: "version_not_spooled" in caplog.text, "the first try to store it", pause=0.02)
            assert thread.is_alive()
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert outcomes == ["refreshed"]
    assert CredentialVersion.objects.filter(connection=connection, stage="current", parent_id__isnull=False).exists()
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1


def test_an_answer_is_on_disk_before_the_first_pause(
    connection: Connection, sandbox: SandboxProcess, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill within the pauses, seconds in all, must not find the only copy in memory."""
    seen: list[list[str]] = []

    def away(_: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(arrivals, "store_free", away)
    monkeypatch.setattr(
        settle.time, "sleep", lambda _: seen.append([path.suffix for path in settings.SPOOL_DIR.iterdir()])
    )
    age(connection.id, hours=1)
    assert refresh(connection.id, trigger="sweep").outcome == "unavailable"
    assert seen == [[".version"]] * len(settle.STORE_RETRY_SECONDS)
    monkeypatch.undo()
    assert recover_unfinished(now=database_now()) == 1
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1
    assert CredentialVersion.objects.filter(connection=connection, stage="current", parent_id__isnull=False).exists()


@pytest.mark.parametrize(
    ("state", "afterwards"),
    [
        ("sent", "received"),
        ("in_doubt", "received"),
        ("superseded", "received"),
        ("promoted", "promoted"),
        ("rejected", "rejected"),
        ("aborted", "aborted"),
    ],
)
def test_what_was_answered_after_all_is_received_and_what_was_settled_stays_so(
    connection: Connection, sandbox: SandboxProcess, state: str, afterwards: str
) -> None:
    attempt, other = open_attempt(connection, state=state), open_attempt(connection, state="superseded")
    store_received(answered(attempt, sandbox))
    attempt.refresh_from_db()
    other.refresh_from_db()
    assert (attempt.state, other.state) == (afterwards, "superseded")
