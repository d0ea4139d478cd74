"""Foretell: an early event of each connection that will end soon, once for each cause of one grant."""

from datetime import datetime, timedelta

from connections.database.locks import lock_due
from connections.database.pool import short_transaction
from connections.journal import events
from connections.lifecycle.forecast.causes import OF_CONNECTIONS, SOURCES, Cause
from connections.lifecycle.forecast.crowd import settle_crowds
from connections.models import Connection

AHEAD = timedelta(days=14)
LATE = timedelta(days=7)  # what ended so long ago, while no beat ran, is no news any more
BATCH = 200
MOST_BATCHES = 25


def foretell(*, now: datetime) -> int:
    """Warn of what ends within two weeks: an event ``connection.expiring`` each. Return how many were written.

    Reads the days in question from the index of each cause. Locks up to 200 connections in a short transaction of
    their own, and skips those that another transaction has locked: the next run warns of them. No HTTP.
    """
    settle_crowds(now=now)
    told = 0
    for cause in OF_CONNECTIONS:
        for _ in range(MOST_BATCHES):
            found = _foretell(cause, now=now)
            told += found
            if found < BATCH:
                break
    return told


def _foretell(cause: Cause, *, now: datetime) -> int:
    source = SOURCES[cause]
    due = source.rows(now).filter(**{f"{source.column}__lte": now + AHEAD - source.later})
    if source.has_date:
        due = due.filter(**{f"{source.column}__gt": now - LATE - source.later})
    due = due.exclude(foretold__has_key=cause.value).order_by(source.column)
    with short_transaction():
        rows: list[Connection] = list(lock_due(due, limit=BATCH))
        for row in rows:
            ends_at = getattr(row, source.column) + source.later if source.has_date else None
            row.foretell(cause.value, ends_at)
            told = None if ends_at is None else ends_at.isoformat()
            events.emit("connection.expiring", row, cause=cause.value, ends_at=told, detail=source.means)
    return len(rows)
