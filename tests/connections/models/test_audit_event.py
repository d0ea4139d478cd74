"""The audit trail: the rows about one connection are found, and by the index that is there for it."""

import uuid

from django.db import connection as database
from django.db import transaction

from connections.models import AuditEvent
from connections.models.audit_event import PART_BITS


def test_finds_the_rows_about_one_connection_in_every_part_of_the_trail(transactional_db: None) -> None:
    mine, other = uuid.uuid4(), uuid.uuid4()
    ids = [number << PART_BITS for number in (1, 2, 5)]
    for number in ids:
        for connection_id in (other, mine):
            AuditEvent.objects.create(
                id=number + (connection_id == mine), action="a", decision="b", connection_id=connection_id
            )
    found = AuditEvent.objects.of_connection(mine)
    assert list(found.values_list("id", flat=True)) == [number + 1 for number in reversed(ids)], "the newest first"
    assert found.filter(id=ids[1]).first() is None


def test_finds_none_in_an_empty_trail(transactional_db: None) -> None:
    assert not AuditEvent.objects.of_connection(uuid.uuid4()).exists()


def test_reads_the_index_of_parts(transactional_db: None) -> None:
    """PostgreSQL takes an index of an expression only for the very same expression."""
    AuditEvent.objects.create(action="a", decision="b", connection_id=uuid.uuid4())
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        wholly = AuditEvent.objects.of_connection(uuid.uuid4())
        in_portions = AuditEvent.objects.of_connection_by_parts(uuid.uuid4(), before=None)
        plans = [rows.order_by().explain() for rows in (wholly, *in_portions)]
    assert len(plans) == 2
    for plan in plans:
        assert "audit_by_part_and_connection" in plan
        assert "Index Cond" in plan and "Filter" not in plan
