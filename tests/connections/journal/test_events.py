"""Events: a reader by id passes over nothing, whatever transactions do, and every type is in the list."""

import re
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection as database
from django.db.models import Q

import connections
from connections.journal import events
from connections.journal.event_types import EventType
from connections.models import OutboxEvent, Tenant

ALL = Q()


def elsewhere() -> "psycopg.Connection[Any]":
    """Open a transaction of another process."""
    return psycopg.connect(**{**database.get_connection_params(), "cursor_factory": psycopg.Cursor})


def write(session: "psycopg.Connection[Any]", type_: str) -> None:
    session.execute(
        "INSERT INTO connections_outboxevent (event_id, type, tenant_id, payload, created_at) "
        "VALUES (gen_random_uuid(), %s, %s, '{}', now())",
        [type_, uuid.uuid4()],
    )


def types(after: int = 0) -> list[str]:
    return [event.type for event in events.read_settled(ALL, after=after, limit=10).events]


@pytest.mark.django_db(transaction=True)
def test_a_later_transaction_may_have_the_earlier_id_and_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SETTLE_SECONDS", 0.05)
    with elsewhere() as older, elsewhere() as younger:
        older.execute("SELECT txid_current()")
        younger.execute("SELECT txid_current()")
        write(younger, "first")
        write(older, "second")
        older.commit()
        assert types() == []
        younger.commit()
        assert types() == ["first", "second"]


@pytest.mark.django_db(transaction=True)
def test_a_short_transaction_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SETTLE_SECONDS", 30.0)
    with elsewhere() as other:
        write(other, "first")
        ending = threading.Thread(target=lambda: (time.sleep(0.05), other.commit()))
        ending.start()
        assert types() == ["first"]
        ending.join()


@pytest.mark.django_db(transaction=True)
def test_what_was_written_well_before_a_long_transaction_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "SETTLE_SECONDS", 0.05)
    with elsewhere() as writer:
        write(writer, "old")
        writer.execute("UPDATE connections_outboxevent SET created_at = now() - interval '2 minutes'")
    with elsewhere() as long:
        write(long, "open")
        with elsewhere() as writer:
            write(writer, "new")
        settled = events.read_settled(ALL, after=0, limit=10)
        assert [event.type for event in settled.events] == ["old"]
        assert settled.to == settled.events[0].id
    assert types(after=settled.to) == ["open", "new"]


def test_where_nothing_is_asked_for_the_reader_moves_on(acme: Tenant) -> None:
    events.emit_of_tenant("a.b", acme.id, payload={})
    settled = events.read_settled(Q(type="c.d"), after=0, limit=10)
    assert (settled.events, settled.to) == ([], OutboxEvent.objects.get().id)


def test_every_type_that_is_written_is_in_the_list() -> None:
    written = set()
    for path in Path(connections.__file__).parent.rglob("*.py"):
        written |= set(re.findall(r"emit(?:_of_tenant)?\(\s*\"([a-z_]+\.[a-z_]+)\"", path.read_text(encoding="utf-8")))
    assert len(written) > 12
    assert written <= {*EventType}
