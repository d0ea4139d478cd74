"""Which rows of a table have settled: those with an id up to which no transaction can add another any more.

Ids come from a sequence, and transactions end in another order than they have drawn their ids. So whoever reads a table
by id, and goes on where it stopped, must not read past a transaction that is open.
"""

import time
from datetime import datetime
from typing import Any

from django.db import connection as database

_LOOK_AGAIN_SECONDS = 0.005

# The transaction id below which every transaction of this database has ended. ``txid_snapshot_xmin`` would say it for
# the whole server: a long transaction in any other database of the server would hold back everything. The lock that a
# transaction holds on its own id (32 bits of it) tells whose it is. It is taken a moment after the id is assigned, so
# one without a lock counts as ours. One that has ended since the snapshot is visible to the next query.
_HORIZON = """
SELECT coalesce(
    (
        SELECT min(open.id)
        FROM txid_snapshot_xip(taken.snapshot) AS open (id)
        WHERE txid_status(open.id) = 'in progress' AND mod(open.id, 4294967296) NOT IN (
            SELECT transactionid::text::bigint
            FROM pg_locks JOIN pg_stat_activity USING (pid)
            WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted
              AND datname IS DISTINCT FROM current_database()
        )
    ),
    txid_snapshot_xmax(taken.snapshot)
)
FROM (SELECT txid_current_snapshot() AS snapshot) AS taken
"""
# A fresh id, above every one that has been given: a snapshot's own bound lies below those that are still open.
_FRESH_TRANSACTION = "SELECT txid_current()"
_OLDEST_WRITER = """
SELECT CASE WHEN count(*) = count(xact_start) THEN coalesce(min(xact_start), clock_timestamp()) END
FROM pg_stat_activity WHERE datname = current_database() AND backend_xid IS NOT NULL
"""
# Statements that run now and have written nothing yet: one may have drawn an id a moment before its transaction gets
# its own. That is a matter of microseconds, so one that has run for half a minute is a long query and no such case.
_ABOUT_TO_WRITE = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
  AND state = 'active' AND backend_xid IS NULL
  AND query_start BETWEEN %s::timestamptz - interval '30 seconds' AND %s::timestamptz
"""


def last_given(sequence: str) -> int:
    """Return the highest id that ``sequence`` has given, whether its row is visible yet or not. One query."""
    name = database.ops.quote_name(sequence)
    return int(_value(f"SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}"))  # noqa: S608 (a quoted name)


def fresh_transaction() -> int:
    """Return a transaction id above every one that has been given. One query."""
    return int(_value(_FRESH_TRANSACTION))


def oldest_writer() -> datetime | None:
    """Return when the oldest transaction that has written began, now for none, None where nobody says. One query."""
    moment: datetime | None = _value(_OLDEST_WRITER)
    return moment


def have_ended(*, before: int, within_seconds: float) -> bool:
    """Wait until every transaction of this database with an id below ``before`` has ended. Return False if in vain.

    A few queries, which must not share a snapshot (READ COMMITTED).
    """
    give_up_at = time.monotonic() + within_seconds
    while int(_value(_HORIZON)) < before:
        if time.monotonic() > give_up_at:
            return False
        time.sleep(_LOOK_AGAIN_SECONDS)
    return True


def settled_to(sequence: str, *, within_seconds: float) -> int | None:
    """Return an id of ``sequence`` up to which every row there will ever be is visible now. None if in vain.

    Also where an id may be the first thing that a transaction draws. Waits at most ``within_seconds`` for those that
    are open. A few queries, which must not share a snapshot (READ COMMITTED).
    """
    last, moment = last_given(sequence), _value("SELECT clock_timestamp()")
    give_up_at = time.monotonic() + within_seconds
    while int(_value(_ABOUT_TO_WRITE, moment, moment)):
        if time.monotonic() > give_up_at:
            return None
        time.sleep(_LOOK_AGAIN_SECONDS)
    # Whoever was about to write has an id now, or has written nothing.
    return last if have_ended(before=fresh_transaction(), within_seconds=within_seconds) else None


def _value(statement: str, *parameters: datetime) -> Any:
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]
