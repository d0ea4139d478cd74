"""Long work whose processes are killed (SIGKILL), one after the other: another goes on, and nothing is done twice."""

import os
import subprocess
import sys
import uuid
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.db import connection as database

from config.local.supervisor.state import PROJECT_ROOT
from connections.database.clock import database_now
from connections.journal import sealing
from connections.journal.audit import SYSTEM, Actor, record
from connections.journal.sealing import seal_settled
from connections.journal.verifications import order_verification
from connections.lifecycle.steer.bulk import order_bulk
from connections.models import AuditEvent, AuditSeal, BulkAct, BulkRow, Connection
from tests.connections.api.stored import make_connection
from tests.factories import make_tenant

pytestmark = pytest.mark.django_db(transaction=True)


def go_on_and_kill(work: str) -> int:
    """Run processes that are killed until one is not. Return how many were."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    command = [sys.executable, "-m", "tests.processes.killed_jobs", work]
    environment = os.environ | {"DATABASE_URL": url}
    ran = subprocess.run(command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    return int(ran.stdout.strip().splitlines()[-1])


def test_a_bulk_job_does_each_row_once_whatever_is_killed() -> None:
    acme = make_tenant("acme")
    User.objects.create_superuser("olga")
    for number in range(6):
        make_connection(acme, end_user=f"user-{number}")
    job = order_bulk(
        BulkAct.PAUSE, Connection.objects.all(), tenant_id=acme.id, now=database_now(), actor=Actor(operator="olga")
    )
    assert go_on_and_kill("bulk") > 3
    job.refresh_from_db()
    assert job.finished_at is not None and job.claimed_until is None
    assert not Connection.objects.filter(paused_at=None).exists()
    paused = AuditEvent.objects.filter(action="connection.paused").values_list("connection_id", "operator")
    assert sorted(paused) == sorted((one.id, "olga") for one in Connection.objects.all())
    # One that was killed between an act and its note finds the act done, and says so.
    assert set(BulkRow.objects.values_list("code", "is_success")) <= {("turned", True), ("done_before", True)}
    assert BulkRow.objects.filter(job=job).count() == job.total == 6
    assert AuditEvent.objects.filter(action="bulk.finished").count() == 1


def test_a_verification_counts_each_row_once_whatever_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "BATCH", 4)
    for number in range(30):
        record("connection.status", connection_id=uuid.uuid4(), actor=SYSTEM, detail={"number": number})
    sealed = seal_settled(seconds=10, at_once=True)
    run = order_verification(now=database_now())
    assert run is not None
    assert go_on_and_kill("verify") > 3
    run.refresh_from_db()
    assert run.finished_at is not None
    assert (run.finding, run.reached, run.rows) == ({}, AuditSeal.objects.count(), sealed)
    assert sealed >= 30
