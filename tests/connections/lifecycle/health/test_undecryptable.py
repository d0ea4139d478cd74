"""A credential that does not open: an alert that ends when it opens again, and no word on the grant."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection as database

from connections.database.clock import database_now
from connections.journal.audit import SYSTEM
from connections.lifecycle.end.disconnect import disconnect
from connections.lifecycle.health.undecryptable import MARKED_FOR, note_undecryptable, retry_undecryptable
from connections.lifecycle.probe.probe import probe
from connections.lifecycle.refresh.claim import Outcome
from connections.lifecycle.refresh.refresh import refresh
from connections.models import AuditEvent, Connection, OutboxEvent, Tenant
from providers.sandbox.waiting import until
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.clockwork import age
from tests.connections.lifecycle.sessions import session
from tests.flows import EndUser, call


@contextmanager
def damaged(*connections: Connection) -> Iterator[None]:
    """Let the current credentials not open within the block."""
    with database.cursor() as cursor:
        ids = [connection.current_version_id for connection in connections]
        cursor.execute("SELECT id, secrets FROM connections_credentialversion WHERE id = ANY(%s)", [ids])
        kept = cursor.fetchall()
        cursor.execute("UPDATE connections_credentialversion SET secrets = 'damaged' WHERE id = ANY(%s)", [ids])
        yield
        for version_id, secrets in kept:
            cursor.execute("UPDATE connections_credentialversion SET secrets = %s WHERE id = %s", [secrets, version_id])


def is_marked(connection: Connection) -> bool:
    connection.refresh_from_db()
    assert connection.status == "active"
    return connection.undecryptable_at is not None


def retry() -> int:
    """Retry what is marked as it is done five minutes from now."""
    return retry_undecryptable(now=database_now() + MARKED_FOR)


def events() -> list[str]:
    return list(OutboxEvent.objects.filter(type__contains="credential_").values_list("type", flat=True))


def test_a_vend_that_finds_it_tells_once_until_it_opens_again(alice: EndUser, connection: Connection) -> None:
    with damaged(connection):
        for _ in range(3):
            assert alice.vend(str(connection.id)).json()["code"] == "credential_unreadable"
        assert is_marked(connection)
        assert retry() == 0
    assert events() == ["connection.credential_undecryptable"]
    assert retry_undecryptable(now=database_now()) == 0, "a mark lasts: another process may not have the key yet"
    assert is_marked(connection)
    assert retry() == 1
    assert not is_marked(connection)
    assert events() == ["connection.credential_undecryptable", "connection.credential_restored"]
    assert AuditEvent.objects.filter(action="credential.undecryptable").count() == 1
    assert AuditEvent.objects.filter(action="credential.restored").count() == 1
    assert alice.vend(str(connection.id)).status_code == 200


def test_a_refresh_and_a_probe_find_it_as_well(connection: Connection) -> None:
    with damaged(connection):
        age(connection.id, hours=1)
        assert refresh(connection.id, trigger="sweep").outcome is Outcome.UNREADABLE
        assert is_marked(connection)
    assert retry() == 1
    with damaged(connection):
        assert probe(connection.id, trigger="sweep").verdict is None
        assert is_marked(connection)


def test_the_api_shows_it(alice: EndUser, connection: Connection) -> None:
    def shown() -> bool:
        answer = call(alice.backend, "GET", f"/connections/{connection.id}")
        return bool(answer.json()["health"]["undecryptable"])

    assert not shown()
    with damaged(connection):
        alice.vend(str(connection.id))
    assert shown()


def test_a_new_credential_ends_it(connection: Connection) -> None:
    with damaged(connection):
        probe(connection.id, trigger="sweep")
    age(connection.id, hours=1)
    assert is_marked(connection)
    assert refresh(connection.id, trigger="sweep").outcome is Outcome.REFRESHED
    assert not is_marked(connection)


@pytest.mark.parametrize("keep", [True, False])
def test_what_was_ended_is_no_alert(connection: Connection, keep: bool) -> None:
    with damaged(connection):
        probe(connection.id, trigger="sweep")
        disconnect(connection.id, now=database_now(), actor=SYSTEM, keep=keep)
    connection.refresh_from_db()
    assert connection.undecryptable_at is None


def test_what_has_ended_is_not_marked_by_whoever_read_it_before(connection: Connection) -> None:
    version_id = connection.current_version_id
    assert version_id is not None
    disconnect(connection.id, now=database_now(), actor=SYSTEM, keep=False)
    note_undecryptable(connection.id, version_id)
    connection.refresh_from_db()
    assert connection.undecryptable_at is None
    assert events() == []


def test_what_is_replaced_is_not_marked(connection: Connection) -> None:
    note_undecryptable(connection.id, uuid.uuid4())
    assert not is_marked(connection)


def test_a_row_that_is_locked_or_stays_damaged_keeps_no_other_marked(acme: Tenant, connection: Connection) -> None:
    damaged_one, locked = (make_connection(acme, end_user=name) for name in ("bob", "carol"))
    with damaged(damaged_one):
        with damaged(connection, locked):
            for row in (connection, damaged_one, locked):
                probe(row.id, trigger="sweep")
        with session("") as other:
            other.execute("BEGIN")
            other.execute("SELECT FROM connections_connection WHERE id = %s FOR UPDATE", [locked.id])
            assert retry() == 1
            other.execute("ROLLBACK")
        assert not is_marked(connection)
        assert is_marked(damaged_one)
        assert is_marked(locked)
        assert retry() == 1


def test_other_processes_that_lack_the_key_keep_no_run_from_its_end(acme: Tenant, connection: Connection) -> None:
    rows = [connection, *(make_connection(acme, end_user=f"user-{number}") for number in range(5))]
    over = threading.Event()

    def find() -> None:
        while not over.is_set():
            for row in rows:
                assert row.current_version_id is not None
                note_undecryptable(row.id, row.current_version_id)
        database.close()

    thread = threading.Thread(target=find)
    thread.start()
    try:
        until(lambda: not Connection.objects.filter(undecryptable_at=None).exists(), "every mark", pause=0.01)
        assert retry() <= len(rows)
    finally:
        over.set()
        thread.join()
    assert len(events()) <= 3 * len(rows)
