"""A credential that does not open: an alert that ends when it opens again, and no word on the grant."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection as database

from connections.lifecycle.audit import SYSTEM
from connections.lifecycle.claim import Outcome
from connections.lifecycle.clock import database_now
from connections.lifecycle.disconnect import disconnect
from connections.lifecycle.probe import probe
from connections.lifecycle.refresh import refresh
from connections.lifecycle.undecryptable import retry_undecryptable
from connections.models import AuditEvent, Connection, OutboxEvent, Tenant
from tests.connections.api.stored import make_connection
from tests.connections.lifecycle.clockwork import age
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


def events() -> list[str]:
    return list(OutboxEvent.objects.filter(type__contains="credential_").values_list("type", flat=True))


def test_a_vend_that_finds_it_tells_once_until_it_opens_again(alice: EndUser, connection: Connection) -> None:
    with damaged(connection):
        for _ in range(3):
            assert alice.vend(str(connection.id)).json()["code"] == "credential_unreadable"
        assert is_marked(connection)
        assert retry_undecryptable() == 0
    assert events() == ["connection.credential_undecryptable"]
    assert is_marked(connection)
    assert retry_undecryptable() == 1
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
    assert retry_undecryptable() == 1
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


def test_rows_that_stay_damaged_keep_no_other_marked(acme: Tenant, connection: Connection) -> None:
    other = make_connection(acme, end_user="bob")
    with damaged(other):
        with damaged(connection):
            for row in (connection, other):
                probe(row.id, trigger="sweep")
        assert retry_undecryptable() == 1
        assert not is_marked(connection)
        assert is_marked(other)
