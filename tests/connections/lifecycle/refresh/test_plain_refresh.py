"""The plain path of a refresh: taken where all is usual only, and ending in the same rows as the rules."""

import random
import threading
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction

from connections.access.secrets import current_data_key, open_credential
from connections.database.clock import database_now
from connections.database.locks import lock_connection, lock_free
from connections.database.pool import release_database, short_transaction
from connections.lifecycle.credentials.due import GrantLifetimes
from connections.lifecycle.credentials.promote import promote, promote_plainly
from connections.lifecycle.credentials.store import store_received
from connections.lifecycle.credentials.versions import SealedVersion, seal_version
from connections.lifecycle.refresh.claim import LEASE, Claim, Need, claim
from connections.lifecycle.refresh.claim_query import insert_plain_claims
from connections.lifecycle.refresh.refresh import refresh
from connections.models import (
    AttemptState,
    Connection,
    CredentialVersion,
    DataKey,
    Incident,
    IncidentKind,
    OutboxEvent,
    ProviderApp,
    RefreshAttempt,
    Scope,
    Stage,
    Tenant,
    Trigger,
)
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.clockwork import age
from tests.factories import Caller
from tests.flows import EndUser

Change = Callable[[Connection], object]


def is_plain(connection: Connection) -> bool:
    """Whether the statement would claim; what it inserted is rolled back."""
    with transaction.atomic():
        assert lock_free([connection.id]) == [connection.id]
        rows = insert_plain_claims(
            [connection.id], trigger=Trigger.SWEEP, claimed_by="test", claimant_key=None, lease=LEASE
        )
        inserted = RefreshAttempt.objects.filter(connection=connection, claimed_by="test").count()
        assert inserted == len(rows)
        transaction.set_rollback(True)
    return bool(rows)


def _row(**values: Any) -> Change:
    return lambda connection: Connection.objects.filter(id=connection.id).update(**values)


def _attempt(state: AttemptState) -> Change:
    return lambda connection: RefreshAttempt.objects.create(
        connection=connection,
        parent_version_id=connection.current_version_id,
        state=state,
        claimed_at=connection.created_at,
        deadline_at=connection.created_at,
    )


def _received(connection: Connection) -> None:
    version = CredentialVersion.objects.get(id=connection.current_version_id)
    version.id, version.stage, version.attempt_id = uuid.uuid4(), Stage.RECEIVED, uuid.uuid4()
    version.save(force_insert=True)


def _incident(connection: Connection) -> None:
    now = database_now()
    Incident.objects.create(
        provider_app=connection.provider_app, kind=IncidentKind.CLIENT_REJECTED, opened_at=now, last_seen_at=now
    )


UNUSUAL: dict[str, Change] = {
    "not due": _row(refresh_due_at="2999-01-01T00:00:00Z"),
    "never due": _row(refresh_due_at=None),
    "backing off": _row(next_attempt_at="2999-01-01T00:00:00Z"),
    "paused": _row(paused_at="2020-01-01T00:00:00Z"),
    "suspended": _row(suspended_at="2020-01-01T00:00:00Z"),
    "app paused": lambda _: ProviderApp.objects.update(paused_at="2020-01-01T00:00:00Z"),
    "app suspended": lambda _: ProviderApp.objects.update(suspended_at="2020-01-01T00:00:00Z"),
    "tenant suspended": lambda _: Tenant.objects.update(suspended_at="2020-01-01T00:00:00Z"),
    "needs reauth": _row(status="needs_reauth", reason="grant_rejected"),
    "disconnected": _row(status="disconnected", reason="disconnected_by_request"),
    "attempt sent": _attempt(AttemptState.SENT),
    "attempt in doubt": _attempt(AttemptState.IN_DOUBT),
    "after a doubt": _attempt(AttemptState.SUPERSEDED),
    "version left over": _received,
    "client incident": _incident,
    "answer unread": _row(answer_unread_at="2020-01-01T00:00:00Z"),
    "no data key to seal with": lambda _: DataKey.objects.update(is_current=False),
}


@pytest.mark.parametrize("change", UNUSUAL.values(), ids=UNUSUAL)
def test_leaves_whatever_is_unusual_to_the_rules(connection: Connection, change: Change) -> None:
    age(connection.id, hours=1)
    connection.refresh_from_db()
    assert is_plain(connection)
    change(connection)
    assert not is_plain(connection)


def test_what_the_claim_waited_for_makes_no_token_live_longer(connection: Connection) -> None:
    for _ in range(5):
        age(connection.id, hours=1)
        release_database()
        database.close()  # the next statement waits for a new connection
        claimed = claim(connection.id, trigger=Trigger.SWEEP, need=Need())
        assert isinstance(claimed, Claim)
        received_at = claimed.received_now()
        assert received_at <= database_now()
        RefreshAttempt.objects.filter(id=claimed.attempt_id).delete()


def test_leaves_a_locked_row_to_the_rules(connection: Connection) -> None:
    age(connection.id, hours=1)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_connection(connection.id)
            locked.set()
            done.wait(60)
        database.close()

    thread = threading.Thread(target=hold)
    thread.start()
    assert locked.wait(60)
    with transaction.atomic():
        assert lock_free([connection.id]) == []
    done.set()
    thread.join()


def exchanged(connection: Connection, *, scopes: tuple[str, ...] | None = None) -> SealedVersion:
    """Claim, exchange and store one refresh; what is left is to promote it."""
    age(connection.id, hours=1)
    claimed = claim(connection.id, trigger="sweep", need=Need())
    assert isinstance(claimed, Claim)
    release_database()
    obtained = claimed.access.strategy.refresh(claimed.access.target, claimed.credential)
    sealed = seal_version(
        obtained,
        tenant_id=claimed.tenant_id,
        connection_id=claimed.connection_id,
        grant_id=claimed.grant_id,
        key=claimed.key,
        scopes=scopes or claimed.scopes,
        is_refreshable=True,
        received_at=claimed.claimed_at,
        grantor=claimed.access.target.grantor,
        parent_id=claimed.parent_version_id,
        attempt_id=claimed.attempt_id,
    )
    store_received(sealed)
    return sealed


def test_a_successor_is_sealed_under_the_newest_data_key(connection: Connection) -> None:
    earlier = DataKey.objects.get(tenant=connection.tenant, is_current=True)
    earlier.give_way()
    current = current_data_key(connection.tenant_id)
    age(connection.id, hours=1)
    assert is_plain(connection), "a rotation is not unusual"
    sealed = exchanged(connection)
    assert sealed.data_key_id == current.id != earlier.id
    assert is_promoted_plainly(sealed)
    connection.refresh_from_db()
    assert open_credential(connection, CredentialVersion.objects.get(id=sealed.id)).refresh_token


def is_promoted_plainly(sealed: SealedVersion) -> bool:
    """Promote a stored version in one statement, if its case is plain, and return whether it was."""
    return promote_plainly([(sealed, GrantLifetimes())]) == {sealed.id}


def told(connection_id: uuid.UUID) -> dict[str, Any]:
    """Return what the rows of a connection say, with ids by their role and moments by their distance."""
    row = Connection.objects.values().get(id=connection_id)
    versions = list(CredentialVersion.objects.filter(connection_id=connection_id).values())
    roles = {version["id"]: version["stage"] for version in versions}
    received = next(version["received_at"] for version in versions if version["stage"] == Stage.CURRENT)
    attempt = RefreshAttempt.objects.values().get(connection_id=connection_id)
    events = list(OutboxEvent.objects.filter(connection_id=connection_id).order_by("id").values("type", "payload"))

    def plain(record: dict[str, Any], *names: str) -> dict[str, Any]:
        return {name: value for name, value in record.items() if name not in names}

    due = (row["refresh_due_at"] - received) / (row["access_expires_at"] - received)
    return {
        "connection": plain(
            row,
            *("id", "grant_id", "current_version_id", "created_at", "updated_at", "status_changed_at"),
            *("access_expires_at", "refresh_due_at", "probe_due_at", "verified_at", "provider_account_id", "end_user"),
            *("provider_account_name", "authorized_at"),
        )
        | {
            "current": roles[row["current_version_id"]],
            "lifetime": row["access_expires_at"] - received,
            "due": 0.70 <= due <= 0.85,
            "probe": timedelta(minutes=9) < row["probe_due_at"] - database_now() <= timedelta(minutes=10),
            "verified": row["verified_at"] == received,
        },
        "versions": sorted(
            (version["stage"], tuple(version["scopes"]), version["lifetime_seconds"], version["is_refreshable"])
            for version in versions
        ),
        "attempt": plain(
            attempt, "id", "connection_id", "parent_version_id", "claimant_key", "claimed_at", "deadline_at", "ended_at"
        )
        | {"ended": attempt["ended_at"] is not None, "lease": attempt["deadline_at"] - attempt["claimed_at"]},
        "events": [(event["type"], plain(event["payload"], "connection", "end_user")) for event in events[1:]],
        "scopes": sorted(
            Scope.objects.filter(connection_id=connection_id).values_list("name", "is_requested", "is_granted")
        ),
    }


def test_promotes_to_the_same_rows_as_the_rules(backend: Caller, app: ProviderApp) -> None:
    plainly, by_rule = (
        Connection.objects.get(id=EndUser(name, backend).connect(scopes=["profile.read", "files.read"])["id"])
        for name in ("alice", "bob")
    )
    assert is_promoted_plainly(exchanged(plainly))
    sealed = exchanged(by_rule)
    with short_transaction() as now:
        locked = lock_connection(by_rule.id)
        assert locked is not None
        assert promote(locked, CredentialVersion.objects.get(id=sealed.id), now=now)
    assert told(plainly.id) == told(by_rule.id)


def test_promotes_nothing_plainly_where_scopes_or_health_changed(alice: EndUser, connection: Connection) -> None:
    assert not is_promoted_plainly(exchanged(connection, scopes=("profile.read",)))
    other = Connection.objects.get(id=alice.connect(scopes=["profile.read"])["id"])
    sealed = exchanged(other)
    Connection.objects.filter(id=other.id).update(status="suspect", reason="refresh_refused")
    assert not is_promoted_plainly(sealed)
    assert CredentialVersion.objects.get(id=sealed.id).stage == Stage.RECEIVED


def test_stores_a_credential_before_it_asks_how_long_it_lives(connection: Connection, sandbox: SandboxProcess) -> None:
    age(connection.id, hours=1)
    sandbox.control.fault("expires_in", grant_type="refresh_token", value=None)
    sandbox.control.fault("stall", endpoint="introspect", seconds=15)

    def run() -> None:
        refresh(connection.id, trigger="sweep")
        database.close()

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: sandbox.control.log(path="/introspect"), "the introspection", pause=0.02)
    stored = CredentialVersion.objects.filter(connection=connection, stage=Stage.RECEIVED).count()
    sandbox.control.release()
    thread.join()
    assert stored == 1
    version = CredentialVersion.objects.get(connection=connection, stage=Stage.CURRENT)
    connection.refresh_from_db()
    assert version.lifetime_seconds is not None and 30 <= version.lifetime_seconds <= 60
    assert connection.access_expires_at == version.access_expires_at


@pytest.mark.parametrize(("spread", "share"), [(0.0, 0.70), (0.5, 0.775), (0.99, 0.8485)])
def test_the_next_refresh_is_spread_over_the_lifetime_either_way(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, spread: float, share: float
) -> None:
    monkeypatch.setattr(random, "random", lambda: spread)

    def promoted_by_rule(sealed: SealedVersion) -> bool:
        with short_transaction() as now:
            locked = lock_connection(sealed.connection_id)
            assert locked is not None
            return promote(locked, CredentialVersion.objects.get(id=sealed.id), now=now)

    for way in (is_promoted_plainly, promoted_by_rule):
        sealed = exchanged(connection)
        assert way(sealed)
        row = Connection.objects.get(id=connection.id)
        version = CredentialVersion.objects.get(id=sealed.id)
        assert row.refresh_due_at is not None and version.access_expires_at is not None
        lifetime = version.access_expires_at - version.received_at
        assert (row.refresh_due_at - version.received_at) / lifetime == pytest.approx(share, abs=0.001)
