"""Together: the refreshes of one message, claimed with one commit and sent at the same time.

A sweep puts several connections of one provider app into a message. The thread of its task claims as many of them as
can be sent at once: one by this thread, and one by each helper thread that it gets (``helpers``). Whatever is not
plain, or is not admitted by the throttle, goes the way of ``refresh``, in the same threads: so a party that does not
answer keeps none of the others waiting.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import structlog
from django.db import Error

from connections.database.pool import release_database, replace_broken_connections
from connections.lifecycle.refresh.claim import Claim, RefreshReport, claim_plainly
from connections.lifecycle.refresh.claim_query import AppRow
from connections.lifecycle.refresh.helpers import helpers_of_process
from connections.lifecycle.refresh.refresh import exchange, note_sent, refresh
from connections.lifecycle.throttle import admission
from connections.models import Trigger

logger = structlog.get_logger(__name__)


def refresh_together(rows: Sequence[AppRow], *, begin_by: float) -> list[Exception]:
    """Refresh these connections of one provider app for a sweep, those that are due. Return what has failed.

    HTTP; blocks until all are done, and begins none after ``begin_by``, a moment of ``time.monotonic()``. Opens short
    transactions, none of which spans HTTP. Call it without a database connection.
    """
    helpers = helpers_of_process()
    waiting = deque(rows)
    failures: list[Exception] = []

    def attempt(act: Callable[[], RefreshReport]) -> None:
        try:
            act()
        except Exception as failure:  # noqa: BLE001 (the caller gets them all)
            failures.append(failure)
            # The database connection itself may be broken: the next call must get a fresh one.
            release_database()
            replace_broken_connections()

    while waiting and time.monotonic() <= begin_by:
        places = helpers.take(len(waiting) - 1)
        batch = [waiting.popleft() for _ in range(places + 1)]
        claims = _claim(batch) if places else []
        claimed_ids = {claimed.connection_id for claimed in claims}
        others = [row for row in batch if row.connection_id not in claimed_ids]
        noted = note_sent(claims)
        acts: list[Callable[[], RefreshReport]] = [
            partial(exchange, claimed, noted=noted.get(claimed.connection_id)) for claimed in claims
        ]
        acts += [partial(refresh, row.connection_id, trigger=Trigger.SWEEP, app=row) for row in others]
        sent = [helpers.run(act) for act in acts[1:]]
        attempt(acts[0])
        for future in sent:
            attempt(future.result)
    return failures


def _claim(batch: Sequence[AppRow]) -> list[Claim]:
    """Claim those of ``batch`` that the throttle admits and whose case is plain."""
    by_party: dict[uuid.UUID, list[AppRow]] = {}
    for row in batch:
        by_party.setdefault(row.party_or_app, []).append(row)
    claims = []
    for party_id, rows in by_party.items():
        claims += _claim_at(party_id, rows)
    return claims


def _claim_at(party_id: uuid.UUID, rows: Sequence[AppRow]) -> list[Claim]:
    admitted = admission.admit_many(party_id, count=len(rows), budget=admission.budget_of(rows[0].provider))
    claims: list[Claim] = []
    try:
        if admitted:
            claims = claim_plainly([row.connection_id for row in rows[:admitted]], trigger=Trigger.SWEEP)
    except Error as error:  # each is claimed on its own, so that one failure does not stop the others
        logger.warning("refreshes_claimed_apart", connections=len(rows), error=type(error).__name__)
        replace_broken_connections()
    finally:
        release_database()
    if len(claims) < admitted:
        admission.give_back(party_id, count=admitted - len(claims))
    return claims
