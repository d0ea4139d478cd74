"""An answer that comes late, when its refresh was given up, refused or no longer wanted."""

import threading
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.database.locks import lock_connection
from connections.database.pool import short_transaction
from connections.journal.audit import SYSTEM
from connections.lifecycle.credentials import spool
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.promote import promote_orphan, promote_plainly
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.versions import SealedVersion
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.end.revoke import revoke
from connections.lifecycle.health.strikes import record_proof, strike_credential
from connections.lifecycle.refresh.claim import Claim, Need, claim
from connections.lifecycle.refresh.judge_refusal import judge_refusal
from connections.lifecycle.refresh.recover import recover_unfinished
from connections.lifecycle.refresh.refresh import refresh
from connections.lifecycle.refresh.settle import settle_failure
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    OutboxEvent,
    RefreshAttempt,
    Revocation,
)
from providers.errors import Evidence, ProviderUnavailable
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.observed import current, reload
from tests.connections.lifecycle.unfinished import answered, open_attempt
from tests.flows import EndUser


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
        until(
            lambda: sandbox.control.log(grant_type="refresh_token") or not thread.is_alive(), "the refresh", pause=0.02
        )
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


def test_is_destroyed_where_the_connection_has_ended_and_nothing_can_be_revoked(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    late = answered(open_attempt(connection), sandbox)
    disconnect(connection.id, now=database_now(), actor=SYSTEM)
    assert revoke(connection.id) is Revocation.CONFIRMED
    Connection.objects.update(revocation=Revocation.UNSUPPORTED)
    store_received(late)
    age(connection.id, seconds=6)
    recover_unfinished(now=database_now())
    assert not CredentialVersion.objects.exists()
    row = reload(connection)
    assert (row.status, row.revocation, row.revocation_due_at) == ("disconnected", "unsupported", None)


def test_a_failure_that_comes_late_touches_nothing_of_a_newer_token(connection: Connection) -> None:
    age(connection.id, hours=1)
    claimed = claim(connection.id, trigger="sweep", need=Need())
    assert isinstance(claimed, Claim)
    RefreshAttempt.objects.update(state=AttemptState.ABORTED)  # it was taken for dead
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"
    before = reload(connection)
    for _ in range(3):
        settle_failure(claimed, ProviderUnavailable(Evidence("The provider cannot answer.", status=503)))
    after = reload(connection)
    assert (after.failures, after.next_attempt_at, after.refresh_failing_at) == (0, None, None)
    assert (after.refresh_due_at, after.updated_at) == (before.refresh_due_at, before.updated_at)


def test_takes_the_place_of_nothing_newer_than_its_parent(connection: Connection, sandbox: SandboxProcess) -> None:
    """Nothing but its parent tells it from a plain refresh; the newer token must not be demoted, and lost thereby."""
    late = answered(open_attempt(connection), sandbox)
    age(connection.id, hours=1)
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed"
    newer = current(connection)
    store_received(late)
    assert promote_plainly([(late, GrantLifetimes())]) == set()
    assert reload(connection).current_version_id == newer.id
    assert (current(connection).id, CredentialVersion.objects.get(id=late.id).stage) == (newer.id, "received")


def test_of_an_older_grant_is_destroyed(alice: EndUser, connection: Connection, sandbox: SandboxProcess) -> None:
    late = answered(open_attempt(connection), sandbox)
    alice.connect(connection=str(connection.id), scopes=["profile.read", "files.read"])
    renewed = current(connection)
    store_received(late)
    age(connection.id, seconds=6)
    recover_unfinished(now=database_now())
    assert not CredentialVersion.objects.filter(id=late.id).exists()
    assert current(connection).id == renewed.id
    assert RefreshAttempt.objects.get(id=late.attempt_id).state == AttemptState.SUPERSEDED


def test_is_tried_before_a_refusal_of_the_current_token_is_believed(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    orphan = as_orphan(answered(open_attempt(connection, state=AttemptState.SUPERSEDED), sandbox))
    RefreshAttempt.objects.update(state=AttemptState.ABORTED)  # no doubt about it any more
    sandbox.control.fault("error", grant_type="refresh_token", error="invalid_grant")
    age(connection.id, hours=1)
    assert refresh(connection.id, trigger="sweep").outcome == "refused"
    row = reload(connection)
    assert (row.status, row.current_version_id, row.refused_at) == ("active", orphan.id, None)
    assert refresh(connection.id, trigger="sweep").outcome == "refreshed", "with the orphan's refresh token, at once"


@pytest.mark.parametrize("grant", ["this", "another"])
def test_of_another_grant_is_never_tried(connection: Connection, sandbox: SandboxProcess, grant: str) -> None:
    orphan = as_orphan(answered(open_attempt(connection, state=AttemptState.ABORTED), sandbox))
    if grant == "another":
        CredentialVersion.objects.filter(id=orphan.id).update(grant_id=uuid.uuid4())
    with short_transaction() as now:
        locked = lock_connection(connection.id)
        assert locked is not None
        assert promote_orphan(locked, now=now) is (grant == "this")


def test_a_refusal_of_a_token_that_was_replaced_meanwhile_judges_nothing(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    stale = open_attempt(connection)
    as_orphan(answered(open_attempt(connection, state=AttemptState.ABORTED), sandbox))
    stale.parent_version_id = uuid.uuid4()
    before = reload(connection)
    with short_transaction() as now:
        locked = lock_connection(connection.id)
        assert locked is not None
        judge_refusal(locked, stale, evidence={}, now=now)
        strike_credential(locked, stale.parent_version_id, evidence={}, now=now)
        record_proof(locked, stale.parent_version_id, by="probe", now=now)
    after = reload(connection)
    assert after.current_version_id == before.current_version_id, "and no orphan is put in its place"
    assert (after.status, after.refused_at, after.verified_at) == ("active", None, before.verified_at)
    assert (after.refresh_due_at, after.next_attempt_at) == (before.refresh_due_at, before.next_attempt_at)
    assert not OutboxEvent.objects.filter(type="connection.suspect").exists()


def as_orphan(sealed: SealedVersion) -> CredentialVersion:
    """Store what came too late to be needed."""
    store_received(sealed)
    CredentialVersion.objects.filter(id=sealed.id).update(stage="orphan")
    return CredentialVersion.objects.get(id=sealed.id)
