"""End connect sessions that somebody's leaving leaves open, and destroy what they hold."""

import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from django.db.models import QuerySet

from connections.database.locks import lock_session
from connections.database.pool import LockTimeout, short_transaction
from connections.models import ConnectSession
from connections.models.failures import Failure


def end_sessions(
    sessions: QuerySet[ConnectSession],
    *,
    now: datetime,
    give_up_at: float,
    note: Callable[[uuid.UUID], None] = lambda session_id: None,
) -> None:
    """End those of ``sessions`` that may end, in the order of their ids, each in a short transaction. No HTTP.

    One whose exchange is under way, or that another transaction has locked, is left for the next run. ``note`` is
    called in the transaction of each that was ended. ``give_up_at`` is a moment of ``time.monotonic()``.
    """
    for session_id in list(sessions.order_by("id").values_list("id", flat=True)):
        if time.monotonic() > give_up_at:
            return
        with suppress(LockTimeout), short_transaction():
            session = lock_session(id=session_id)
            if session is not None and session.may_end(now=now):
                session.fail(Failure.SUSPENDED)
                note(session_id)
