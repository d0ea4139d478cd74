"""An erasure whose processes are killed, one after the other, each a few statements later."""

import os
import subprocess
import sys
import uuid
from urllib.parse import urlsplit

import pytest
from django.db import connection as database

from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.offboard import order_offboarding
from connections.models import (
    AuditEvent,
    Connection,
    Offboarding,
    OffboardingMode,
    OutboxEvent,
    OwnerKind,
    SharedFate,
    Tenant,
)
from tests.connections.api.grants import let
from tests.connections.api.stored import make_connection
from tests.connections.api.test_end_users import everything_stored, revocations_end, tell_much_of_alice
from tests.factories import Caller, make_tenant


@pytest.fixture
def acme(transactional_db: None) -> Tenant:
    """Other processes see what is stored."""
    return make_tenant("acme")


def go_on_and_kill(offboarding_id: uuid.UUID) -> int:
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.connections.lifecycle.end.killed", str(offboarding_id)]
    environment = os.environ | {"DATABASE_URL": url}
    ran = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return int(ran.stdout.strip().splitlines()[-1])


def test_whatever_was_killed_everything_is_done_once_and_nothing_is_left(
    connection: Connection, backend: Caller
) -> None:
    acme = connection.tenant
    tell_much_of_alice(connection, backend)
    own = [connection, *(make_connection(acme, account=name) for name in ("second", "third"))]
    shared = make_connection(acme, owner=OwnerKind.TENANT, granted_by="alice", provider_account_name="Alice of Acme")
    bobs = make_connection(acme, end_user="bob", account="bobs")
    let(bobs, "alice")
    ordered = order_offboarding(
        acme,
        "alice",
        mode=OffboardingMode.ERASE,
        shared=SharedFate.HAND_OVER,
        hand_over_to="bob",
        now=database_now(),
        actor=SYSTEM,
    )
    assert (killed := go_on_and_kill(ordered.id)) > 4, killed
    assert Connection.objects.filter(end_user="alice", status="disconnected").count() == len(own)
    revocations_end()
    assert (killed := go_on_and_kill(ordered.id)) > 4, killed
    receipt = Offboarding.objects.get()
    assert receipt.done_at is not None
    assert sorted(item["act"] for item in receipt.connections.values()) == ["disconnected"] * 3 + ["handed_over"]
    assert receipt.counts["connections_deleted"] == len(own)
    assert receipt.counts["connect_sessions_deleted"] == 1
    assert len(receipt.grants) == len(set(receipt.grants)) == 2
    once = {"end_user.offboarded": 1, "connection.disconnect": len(own), "access_grant.revoked": 3}
    assert {action: AuditEvent.objects.filter(action=action).count() for action in once} == once
    assert OutboxEvent.objects.filter(type="end_user.offboarded").count() == 1
    shared.refresh_from_db()
    assert (shared.granted_by, shared.provider_account_name) == ("bob", "")
    stored = everything_stored()
    for trace in ("alice", "Alice"):
        assert trace not in stored, [line for line in stored.splitlines() if trace in line]
    assert Connection.objects.get(id=bobs.id).status == "active"
