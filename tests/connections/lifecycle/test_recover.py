"""Recovery: what a dead process or a lost database left behind is picked up, and nothing is lost."""

import threading
import time
import uuid
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection as database
from django.db import connections
from pydantic import SecretStr
from pytest_django import Settings

from connections.lifecycle import spool
from connections.lifecycle.clock import database_now
from connections.lifecycle.recover import recover_unfinished
from connections.lifecycle.refresh import refresh
from connections.lifecycle.sealing import current_data_key
from connections.lifecycle.versions import SealedVersion, seal_version
from connections.models import AttemptState, Connection, CredentialVersion, RefreshAttempt
from providers.values import Credential, Obtained
from tests.connections.lifecycle.clockwork import age
from tests.flows import EndUser
from tests.sandbox_control import SandboxProcess


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A spool of the test's own."""
    settings.SPOOL_DIR = tmp_path / "spool"
    return tmp_path / "spool"


def open_attempt(connection: Connection) -> RefreshAttempt:
    now = database_now()
    row = Connection.objects.get(id=connection.id)
    assert row.current_version_id is not None
    return RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=row.current_version_id,
        state=AttemptState.SENT,
        claimed_at=now,
        deadline_at=now,
    )


def received(connection: Connection, sandbox: SandboxProcess) -> SealedVersion:
    """A version that a refresh received, sealed but not stored."""
    attempt = open_attempt(connection)
    (tokens,) = sandbox.control.mint(connection.provider_app.client_id)
    row = Connection.objects.get(id=connection.id)
    assert row.grant_id is not None
    return seal_version(
        Obtained(
            Credential(
                access_token=SecretStr(tokens["access_token"]), refresh_token=SecretStr(tokens["refresh_token"])
            ),
            60,
        ),
        tenant_id=connection.tenant_id,
        connection_id=connection.id,
        grant_id=row.grant_id,
        key=current_data_key(connection.tenant_id),
        scopes=("profile.read",),
        is_refreshable=True,
        received_at=database_now(),
        parent_id=attempt.parent_version_id,
        attempt_id=attempt.id,
    )


def test_a_spooled_version_is_stored_and_promoted(
    alice: EndUser, connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    path = spool.write(sealed)
    assert path.stat().st_mode & 0o777 == 0o600
    assert recover_unfinished(now=database_now()) == 1
    row = Connection.objects.get(id=connection.id)
    assert (row.current_version_id, row.status) == (sealed.id, "active")
    assert list(folder.iterdir()) == []
    assert RefreshAttempt.objects.get(id=sealed.attempt_id).state == AttemptState.PROMOTED
    assert alice.vend(str(connection.id)).status_code == 200


def test_a_spooled_version_is_stored_once(connection: Connection, sandbox: SandboxProcess) -> None:
    sealed = received(connection, sandbox)
    spool.write(sealed)
    assert spool.replay() == [connection.id]
    spool.write(sealed)
    assert spool.replay() == []
    assert CredentialVersion.objects.filter(id=sealed.id).count() == 1


def test_a_torn_or_foreign_file_is_set_aside_and_blocks_nobody(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    sealed = received(connection, sandbox)
    path = spool.write(sealed)
    torn = folder / f"{uuid.uuid4()}.version"
    torn.write_bytes(path.read_bytes()[:-20])
    foreign = folder / "00-foreign.version"
    foreign.write_text("hello")
    assert spool.replay() == [connection.id]
    assert sorted(item.suffix for item in folder.iterdir()) == [".aside", ".aside"]
    assert spool.replay() == []


def test_a_spool_file_shows_nothing(connection: Connection, sandbox: SandboxProcess) -> None:
    sealed = received(connection, sandbox)
    content = spool.write(sealed).read_bytes()
    assert str(connection.id).encode() not in content
    assert content.startswith(b"gAAAA")


def test_a_version_of_a_deleted_connection_is_dropped(
    connection: Connection, sandbox: SandboxProcess, folder: Path
) -> None:
    spool.write(received(connection, sandbox))
    Connection.objects.filter(id=connection.id).update(status="pending", reason="awaiting_confirmation")
    RefreshAttempt.objects.all().delete()
    CredentialVersion.objects.all().delete()
    Connection.objects.all().delete()
    assert spool.replay() == []
    assert list(folder.iterdir()) == []


def test_an_unanswered_attempt_is_made_due(connection: Connection) -> None:
    open_attempt(connection)
    assert recover_unfinished(now=database_now()) == 1
    row = Connection.objects.get(id=connection.id)
    assert row.refresh_due_at is not None and row.refresh_due_at <= database_now()
    assert RefreshAttempt.objects.get().state == AttemptState.IN_DOUBT
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"


def test_the_answer_is_stored_although_the_database_dropped_every_connection_meanwhile(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    age(connection.id, hours=1)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=1)
    outcomes = []

    def run() -> None:
        outcomes.append(refresh(connection.id, trigger="sweep").outcome)
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not sandbox.control.log(grant_type="refresh_token"):
        time.sleep(0.02)
    test_database = settings.DATABASES["default"]
    with psycopg.connect(
        host=test_database["HOST"],
        port=test_database["PORT"],
        user=test_database["USER"],
        password=test_database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [test_database["NAME"]]
        )
    thread.join()
    connections.close_all()
    database.close_pool()  # type: ignore[attr-defined]
    assert outcomes == ["refreshed"]
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1
