"""Expire: end connections whose credential cannot be refreshed and has run out, even if nobody vends from them.

A vend would notice the end as well. With this sweep, the lists, the figures and the events show it too, also where the
provider has no call that proves a credential. Where it has one, the probe comes first: it is due as soon as the
credential has run out, and a proof that it still works counts for more than the announced end (``versions.outlive``).

A connection that cannot be refreshed has no ``refresh_due_at`` (``due.refresh_moment``). Among the connections that
vend, only those have none.
"""

from contextlib import suppress
from datetime import datetime, timedelta

from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, short_transaction
from connections.lifecycle.health.status import change_status
from connections.models import VENDS, Connection, Reason, Status

LOCK_TIMEOUT_SECONDS = 1.0
PROBED_WITHIN = timedelta(minutes=5)


def end_expired(*, now: datetime, limit: int = 500) -> int:
    """End up to ``limit`` connections whose credential has run out. Return how many were ended.

    Locks each in a short transaction of its own; a connection that stays locked by another is left for the next run.
    With nothing to end this is one query of a partial index. No HTTP.
    """
    overdue = Connection.objects.filter(status__in=VENDS, refresh_due_at=None, access_expires_at__lte=now)
    ended = 0
    for connection_id in list(overdue.order_by("access_expires_at").values_list("id", flat=True)[:limit]):
        with suppress(LockTimeout), short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS):
            connection = lock_connection(connection_id)
            if connection is not None and _has_expired(connection, now=now):
                evidence = {"expired_at": str(connection.access_expires_at)}
                change_status(connection, Status.NEEDS_REAUTH, Reason.EXPIRED, evidence=evidence, now=now)
                connection.rest()
                ended += 1
    return ended


def _has_expired(connection: Connection, *, now: datetime) -> bool:
    if connection.status not in VENDS or connection.refresh_due_at is not None:
        return False
    if connection.access_expires_at is None or connection.access_expires_at > now:
        return False
    return connection.probe_due_at is None or connection.access_expires_at <= now - PROBED_WITHIN
