"""The store with the database away and no spool to write to: the answer is held on to, and tried again."""

import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings as project
from django.db import connection as database

from connections.lifecycle.refresh import refresh
from connections.models import Connection, CredentialVersion
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.sandbox_control import SandboxProcess


def test_an_answer_outlives_a_database_that_is_away_and_a_spool_that_takes_nothing(
    connection: Connection, sandbox: SandboxProcess, settings: Any, tmp_path: Path
) -> None:
    settings.SPOOL_DIR = tmp_path / "file"
    settings.SPOOL_DIR.write_text("no folder can be made here")
    age(connection.id, hours=1)
    sandbox.control.fault("stall", grant_type="refresh_token", seconds=1)
    name = project.DATABASES["default"]["NAME"]
    outcomes = []

    def run() -> None:
        outcomes.append(refresh(connection.id, trigger="sweep").outcome)
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    while not sandbox.control.log(grant_type="refresh_token") and thread.is_alive():
        time.sleep(0.02)
    with session("postgres") as other:
        try:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            thread.join(2.5)  # the answer comes after a second, and the first tries to store it fail
            assert thread.is_alive()
        finally:
            other.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    thread.join()
    database.close()
    database.close_pool()  # type: ignore[attr-defined]  # PostgreSQL's has one, which holds what was cut off
    assert outcomes == ["refreshed"]
    assert CredentialVersion.objects.filter(connection=connection, stage="current", parent_id__isnull=False).exists()
    assert len(sandbox.control.log(grant_type="refresh_token")) == 1
