"""Release: somebody lets connections refresh again."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from connections.database.locks import lock_connections
from connections.journal import audit
from connections.journal.audit import Actor
from connections.models import HeldConnection, TokenVerdict
from connections.models.quarantine import holding

BATCH = 500


class Unsorted(Exception):
    """Everything is held, until it is known which connections have to be: there is nothing yet to choose from."""


def release(which: Q, *, with_used: bool, actor: Actor, now: datetime) -> int:
    """Let the held connections of ``which`` (a condition of held rows) refresh again. Return how many.

    Leaves those alone whose refresh token is known to be used, unless ``with_used``: at a strict provider their next
    refresh ends the grant. Each batch is a short transaction that locks its connections; an audit row for each. Raises
    ``Unsorted``.
    """
    if holding().exists():
        raise Unsorted
    wanted = HeldConnection.objects.filter(which)
    if not with_used:
        wanted = wanted.exclude(verdict=TokenVerdict.USED)
    released = 0
    while ids := list(wanted.order_by("connection").values_list("connection_id", flat=True)[:BATCH]):
        with transaction.atomic(durable=True):
            connections = lock_connections(ids)
            rows = list(wanted.filter(connection__in=connections))  # a sorting may have found one to be used meanwhile
            for row in rows:
                connection = connections[row.connection_id]
                connection.hasten_refresh(connection.refresh_due_at or now)  # a sweep may have marked it as sent
                audit.record("quarantine.release", actor=actor, connection=connection, detail={"verdict": row.verdict})
                released += 1
            HeldConnection.objects.filter(connection__in=[row.connection_id for row in rows]).delete()
    return released
