"""Lost: a connection whose refresh token was replaced since, and whose access token has run out, has to be renewed.

The token that replaced it was in what the database has forgotten. Nobody can bring it back, and the older one must not
be sent. So its end user connects again, and is told so as soon as nothing is left to vend.
"""

from contextlib import suppress
from datetime import datetime

from connections.database.locks import lock_connection
from connections.database.pool import LockTimeout, short_transaction
from connections.lifecycle.health.status import change_status
from connections.models import VENDS, HeldConnection, Reason, Status, TokenVerdict
from connections.models.quarantine import held

LOCK_TIMEOUT_SECONDS = 1.0
_WHY = "The database was restored to a moment before the last refresh, so the newer refresh token is lost."


def end_lost(*, now: datetime, limit: int = 500) -> int:
    """Ask for the renewal of up to ``limit`` such connections, and return of how many. No HTTP.

    Locks each in a short transaction of its own; one that stays locked by another is left for the next run.
    """
    over = HeldConnection.objects.filter(
        held(),
        verdict=TokenVerdict.USED,
        connection__status__in=VENDS,
        connection__access_expires_at__lte=now,
    )
    ended = 0
    for connection_id in list(over.values_list("connection_id", flat=True)[:limit]):
        with suppress(LockTimeout), short_transaction(lock_timeout_seconds=LOCK_TIMEOUT_SECONDS):
            connection = lock_connection(connection_id)
            if connection is not None and over.filter(connection=connection).exists():
                evidence = {"expired_at": str(connection.access_expires_at), "detail": _WHY}
                change_status(connection, Status.NEEDS_REAUTH, Reason.LOST_IN_FLIGHT, evidence=evidence, now=now)
                connection.rest()
                ended += 1
    return ended
