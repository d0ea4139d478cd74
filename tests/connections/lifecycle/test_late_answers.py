"""An answer that comes late, when its refresh was given up, refused or no longer wanted."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from connections.lifecycle import spool
from connections.lifecycle.audit import SYSTEM
from connections.lifecycle.clock import database_now
from connections.lifecycle.disconnect import disconnect
from connections.lifecycle.promote_query import store_received
from connections.lifecycle.recover import recover_unfinished
from connections.lifecycle.refresh import refresh
from connections.lifecycle.revoke import revoke
from connections.lifecycle.versions import SealedVersion
from connections.models import AttemptState, Connection, CredentialVersion, OutboxEvent, Revocation
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.unfinished import answered, open_attempt
from tests.sandbox_control import SandboxProcess


@pytest.mark.parametrize("keep", [store_received, spool.write], ids=["stored", "spooled"])
def test_is_promoted_before_a_refusal_is_believed(
    connection: Connection,
    sandbox: SandboxProcess,
    settings: Any,
    tmp_path: Path,
    keep: Callable[[SealedVersion], object],
) -> None:
    settings.SPOOL_DIR = tmp_path
    age(connection.id, hours=1)
    late = answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox)
    sandbox.control.settings(delay_seconds={"token": 1})
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        while not sandbox.control.log(grant_type="refresh_token") and thread.is_alive():
            time.sleep(0.02)
        keep(late)
        thread.join()
    finally:
        sandbox.control.settings(delay_seconds={"token": 0})
    row = Connection.objects.get(id=connection.id)
    assert (row.status, row.current_version_id) == ("active", late.id)
    assert not OutboxEvent.objects.filter(type="connection.needs_reauth").exists()


def test_is_revoked_where_the_connection_has_ended_and_its_revocation_is_over(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    attempt = open_attempt(connection)
    late = answered(attempt, sandbox)
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    assert revoke(connection.id) is Revocation.CONFIRMED
    store_received(late)
    age(connection.id, seconds=6)
    recover_unfinished(now=database_now())
    row = Connection.objects.get(id=connection.id)
    assert (row.status, row.revocation) == ("disconnected", "pending")
    assert revoke(connection.id) is Revocation.CONFIRMED
    assert not CredentialVersion.objects.filter(connection=connection).exists()
