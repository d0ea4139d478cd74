"""Row locks: strong enough to exclude one another, weak enough that whoever only refers to the row goes on."""

import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from psycopg import errors as pg

from connections.database import locks, pool
from connections.database.clock import database_now
from connections.database.prepared import execute_prepared
from connections.lifecycle.credentials.store import store_received
from connections.models import (
    ApiClient,
    Connection,
    ConnectSession,
    Finding,
    ImportRow,
    ImportRun,
    Installation,
    ManagementSession,
    Offboarding,
    ReceivedPush,
    RefreshAttempt,
    RegisteredClient,
    WatchPosition,
    WebhookEndpoint,
)
from providers.sandbox.client import SandboxProcess
from providers.sandbox.waiting import until
from tests.connections.lifecycle.sessions import session
from tests.connections.lifecycle.unfinished import open_attempt, received
from tests.flows import EndUser

# What locks one row, of which table: each function of the module whose name says so.
LOCKS: dict[str, tuple[str, Callable[[], Any]]] = {
    "lock_connection": (
        "connections_connection",
        lambda: locks.lock_connection(Connection.objects.get().id),
    ),
    "lock_to_compare": (
        "connections_connection",
        lambda: [locks.lock_to_compare(Connection.objects.get(), lambda row: None)],
    ),
    "lock_connections": (
        "connections_connection",
        lambda: locks.lock_connections([Connection.objects.get().id]),
    ),
    "lock_connections_of": (
        "connections_connection",
        lambda: locks.lock_connections_of(Q(id=Connection.objects.get().id)),
    ),
    "lock_free": (
        "connections_connection",
        lambda: locks.lock_free([Connection.objects.get().id]),
    ),
    "lock_unlocked_of": (
        "connections_connection",
        lambda: execute_prepared(locks.lock_unlocked_of("SELECT id FROM connections_connection"), {}),
    ),
    "lock_due": (
        "connections_connection",
        lambda: list(locks.lock_due(Connection.objects.all(), limit=5)),
    ),
    "lock_session": (
        "connections_connectsession",
        lambda: locks.lock_session(id=ConnectSession.objects.get().id),
    ),
    "lock_management_session": (
        "connections_managementsession",
        lambda: locks.lock_management_session(ManagementSession.objects.get().id),
    ),
    "lock_offboarding": (
        "connections_offboarding",
        lambda: locks.lock_offboarding(Offboarding.objects.get().id),
    ),
    "lock_import": (
        "connections_importrun",
        lambda: locks.lock_import(ImportRun.objects.get().id),
    ),
    "lock_import_rows": (
        "connections_importrow",
        lambda: locks.lock_import_rows(ImportRow.objects.all(), limit=1),
    ),
    "lock_session_alone": (
        "connections_connectsession",
        lambda: locks.lock_session_alone(ConnectSession.objects.get().id),
    ),
    "lock_sessions": (
        "connections_connectsession",
        lambda: list(locks.lock_sessions(Q(id=ConnectSession.objects.get().id))),
    ),
    "lock_installation": (
        "connections_installation",
        locks.lock_installation,
    ),
    "lock_attempt": (
        "connections_refreshattempt",
        lambda: locks.lock_attempt(RefreshAttempt.objects.get().id),
    ),
    "lock_to_reseal": (
        "connections_connection",
        lambda: locks.lock_to_reseal(Connection.objects.all(), limit=5),
    ),
    "lock_push": (
        "connections_receivedpush",
        lambda: locks.lock_push(ReceivedPush.objects.get().id),
    ),
    "lock_webhook_endpoint": (
        "connections_webhookendpoint",
        lambda: locks.lock_webhook_endpoint(WebhookEndpoint.objects.get().id),
    ),
    "lock_webhook_endpoints_behind": (
        "connections_webhookendpoint",
        lambda: locks.lock_webhook_endpoints_behind(1),
    ),
    "lock_due_endpoints": (
        "connections_webhookendpoint",
        lambda: locks.lock_due_endpoints(WebhookEndpoint.objects.all(), limit=5),
    ),
    "lock_watch_position": (
        "connections_watchposition",
        locks.lock_watch_position,
    ),
    "lock_finding": (
        "connections_finding",
        lambda: locks.lock_finding(Finding.objects.get().id),
    ),
    "lock_registered_client": (
        "connections_registeredclient",
        lambda: locks.lock_registered_client(id=RegisteredClient.objects.get().id),
    ),
}


def is_granted(table: str, strength: str) -> bool:
    """Whether another session gets a row lock of that strength on the only row, at once."""
    with session("") as other:
        try:
            other.execute(f"SELECT FROM {table} FOR {strength} NOWAIT")
        except pg.LockNotAvailable:
            return False
    return True


def test_every_lock_is_in_this_table() -> None:
    deletes = {"lock_if_free_of"}  # rows to be deleted, to which nobody may come to refer
    of_no_row = {"lock_own_entries", "lock_figures", "lock_audit_chain", "lock_first_operator"}
    assert {name for name in vars(locks) if name.startswith("lock_")} == set(LOCKS) | deletes | of_no_row


@pytest.mark.parametrize(
    ("lock", "name"), [(locks.lock_own_entries, "own_entries"), (locks.lock_audit_chain, "audit_chain")]
)
def test_one_at_a_time_stores_an_own_entry_or_adds_to_the_chain(db: None, lock: Callable[[], None], name: str) -> None:
    with session("") as other:
        other.execute("SET lock_timeout = '100ms'")
        with transaction.atomic():
            lock()
            with pytest.raises(pg.LockNotAvailable):
                other.execute(f"SELECT pg_advisory_xact_lock(hashtextextended('latchkey.{name}', 0))")


def test_one_transaction_at_a_time_counts_figures(db: None) -> None:
    held = "SELECT pg_try_advisory_xact_lock(hashtextextended('latchkey.figures', 0))"
    with session("") as other:
        with transaction.atomic():
            assert locks.lock_figures()
            assert other.execute(held).fetchone() == (False,)
        other.execute(held)


@pytest.mark.parametrize(("table", "lock"), LOCKS.values(), ids=LOCKS)
def test_a_lock_excludes_its_like_and_lets_references_through(
    connection: Connection, alice: EndUser, table: str, lock: Callable[[], Any]
) -> None:
    alice.invite()
    open_attempt(connection)
    WebhookEndpoint.objects.create(tenant=connection.tenant, url="https://hooks.example", position=0)
    ReceivedPush.objects.create(provider_app=connection.provider_app, state="waiting", received_at=database_now())
    Offboarding.objects.create(tenant=connection.tenant, end_user="zoe", mode="offboard", ordered_at=database_now())
    run = ImportRun.objects.create(tenant=connection.tenant, created_at=database_now())
    ImportRow.objects.create(id=uuid.uuid4(), run=run, line=1, state="accepted")
    at = {"issuer": "https://login.example", "redirect_uri": "https://x.example", "looked_at": database_now()}
    RegisteredClient.objects.create(provider_app=connection.provider_app, **at)
    ManagementSession.objects.create(
        tenant=connection.tenant,
        api_client=ApiClient.objects.get(),
        end_user=alice.name,
        return_url="https://x.example",
        token_hash=b"of a token",
        expires_at=database_now(),
    )
    now = database_now()
    WatchPosition.objects.create(began_at=now, audit_id=0, canary_id=0)
    moments = {"opened_at": now, "first_at": now, "last_at": now}
    Finding.objects.create(client=alice.backend.client, rule="wide_use", **moments)
    Installation.objects.create()
    with transaction.atomic():
        assert lock()
        assert not is_granted(table, "NO KEY UPDATE")
        assert is_granted(table, "KEY SHARE"), "a plain FOR UPDATE keeps out every insert that refers to the row"
        for beside in {"connections_connection", "connections_tenant", "connections_providerapp"} - {table}:
            assert is_granted(beside, "UPDATE"), "what is read with it is not locked"


def test_an_answer_is_stored_while_somebody_keeps_the_connection_locked(
    connection: Connection, sandbox: SandboxProcess
) -> None:
    sealed = received(connection, sandbox)
    stored = threading.Event()

    def store() -> None:
        store_received(sealed)
        database.close()
        stored.set()

    thread = threading.Thread(target=store)
    with transaction.atomic():
        assert locks.lock_connection(connection.id)
        thread.start()
        was_stored = stored.wait(60)
    thread.join()
    assert was_stored


def test_one_thread_looks_at_the_pool_while_many_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    looked, leave = [], threading.Event()

    class Slow:
        closed = False

        def check(self) -> None:
            looked.append(threading.current_thread())
            leave.wait(60)

    monkeypatch.setattr(type(database), "pool", Slow(), raising=False)
    monkeypatch.setattr(pool, "_look", pool._Look())
    monkeypatch.setattr(pool, "CHECKED_EVERY_SECONDS", 0.0)
    threads = [threading.Thread(target=pool.replace_broken_connections) for _ in range(20)]
    for thread in threads:
        thread.start()
    until(lambda: sum(thread.is_alive() for thread in threads) == 1, "all others to go on")
    leave.set()
    for thread in threads:
        thread.join(60)
    assert len(looked) == 1
    pool.replace_broken_connections()
    assert len(looked) == 2
    monkeypatch.setattr(pool, "CHECKED_EVERY_SECONDS", 3600.0)
    pool.replace_broken_connections()
    pool.replace_broken_connections()
    assert len(looked) == 3
