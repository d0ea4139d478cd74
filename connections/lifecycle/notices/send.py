"""Send: hand the notices that are due to the mail server.

A claim is a conditional UPDATE, so that of two workers one gets it. It lapses, and the notice is due again, as long as
nothing was handed over. Before the first byte of the mail goes out, the notice is marked as *being handed over*; from
there on only its own process can end it, and if that dies the notice is *perhaps sent*.
"""

import threading
import time
import uuid
from datetime import datetime, timedelta

import structlog
from django.db.models import F

from connections.database.pool import release_database, short_transaction
from connections.journal.notices import mail_is_on
from connections.lifecycle.notices.hand_over import NotTaken, Unclear, hand_over, mail_server
from connections.models import Notice, NoticeState

logger = structlog.get_logger(__name__)

LEASE = timedelta(seconds=120)
RUN_SECONDS = 30.0
MOST_ATTEMPTS = 78  # three days
_FIRST_SECONDS = 15.0
_LONGEST_SECONDS = 3600.0
_LEFT = "its process ended, or stood still, while it was handed over"

_turn = threading.Lock()  # a mail server that hangs takes one thread of a worker and no more


def wait_after(attempts: int) -> timedelta:
    """Return how long to wait after the ``attempts``-th failure: 15 s, 45 s, 135 s… up to an hour. No I/O."""
    return timedelta(seconds=min(_LONGEST_SECONDS, _FIRST_SECONDS * 3.0 ** min(attempts - 1, 12)))


def send_due() -> int:
    """Mail the notices that are due, one after the other, for half a minute at most. Return how many were sent.

    Network I/O, and short transactions beside it. While another thread of this process does the same, this does
    nothing. Stops at the first failure: the others find the same server, and the next run tries one of them.
    """
    if not _turn.acquire(blocking=False):
        return 0
    try:
        begun_by, sent = time.monotonic() + RUN_SECONDS, 0
        _settle_left()
        while time.monotonic() < begun_by and (claimed := _claim()) is not None:
            if not _send(*claimed):
                break
            sent += 1
        return sent
    finally:
        _turn.release()


def _settle_left() -> None:
    """End what a process left while it was handed over, and all that waits where mail was switched off."""
    with short_transaction() as now:
        left = Notice.objects.filter(state=NoticeState.HANDING, due_at__lte=now)
        left.update(state=NoticeState.UNKNOWN, due_at=None, ended_at=now, error=_LEFT)
        if not mail_is_on():
            waiting = Notice.objects.filter(state=NoticeState.WAITING)
            waiting.update(state=NoticeState.OFF, due_at=None, ended_at=now)


def _claim() -> tuple[Notice, uuid.UUID] | None:
    with short_transaction() as now:
        due = Notice.objects.filter(state=NoticeState.WAITING, due_at__lte=now)
        for notice in due.order_by("due_at", "id")[:10]:  # others may have been quicker with the first of them
            claim_id = uuid.uuid4()
            claimed = {"claim_id": claim_id, "due_at": now + LEASE, "attempts": F("attempts") + 1}
            if due.filter(id=notice.id).update(**claimed):
                return notice, claim_id
    return None


def _send(notice: Notice, claim_id: uuid.UUID) -> bool:
    """Mail one claimed notice. Return whether the server has taken it."""
    mine = Notice.objects.filter(id=notice.id, claim_id=claim_id)
    release_database()
    try:
        with mail_server() as line:
            with short_transaction() as now:
                handing = {"state": NoticeState.HANDING, "due_at": now + LEASE}
                if not mine.filter(state=NoticeState.WAITING).update(**handing):
                    return False  # it took so long to reach the server that the claim has lapsed
            release_database()
            hand_over(line, notice)
            with short_transaction() as now:
                # Also after it was taken for left: now it is known.
                ours = mine.filter(state__in=(NoticeState.HANDING, NoticeState.UNKNOWN))
                ours.update(state=NoticeState.SENT, due_at=None, ended_at=now, error="")
    except NotTaken as failure:
        _fail(notice, claim_id, str(failure))
        return False
    except Unclear as failure:
        with short_transaction() as now:
            unclear = {"state": NoticeState.UNKNOWN, "due_at": None, "ended_at": now, "error": str(failure)[:100]}
            mine.filter(state=NoticeState.HANDING).update(**unclear)
        logger.warning("notice_unclear", notice=str(notice.id), error=str(failure))
        return False
    logger.info("notice_sent", notice=str(notice.id))
    return True


def _fail(notice: Notice, claim_id: uuid.UUID, error: str) -> None:
    with short_transaction() as now:
        mine = Notice.objects.filter(id=notice.id, claim_id=claim_id, ended_at=None)
        mine.update(error=error[:100], **_after_failure(notice.attempts + 1, now=now))
    logger.warning("notice_not_sent", notice=str(notice.id), error=error)


def _after_failure(attempts: int, *, now: datetime) -> dict[str, object]:
    if attempts >= MOST_ATTEMPTS:
        return {"state": NoticeState.FAILED, "due_at": None, "ended_at": now}
    return {"state": NoticeState.WAITING, "due_at": now + wait_after(attempts)}
