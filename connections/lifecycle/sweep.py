"""Sweep: find what is due and send one task for each, however many sweeps run at once.

Rows are locked with SKIP LOCKED and marked, so that two beats send each task once; a task that is lost is sent again
when its mark has passed. The cost follows what is due: every sweep reads a partial index.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from connections import dispatch
from connections.lifecycle.locking import lock_due, short_transaction
from connections.models import VENDS, Connection, Revocation

BATCH = 500
RESEND_AFTER = timedelta(seconds=60)
PROBES_AN_APP = 50


def sweep_refreshes(*, now: datetime) -> int:
    """Send a refresh task for each connection that is due, at most 500, and return how many there were."""
    due = _working(Connection.objects.filter(refresh_due_at__lte=now, status__in=VENDS)).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        Q(refresh_enqueued_until=None) | Q(refresh_enqueued_until__lte=now),
    )
    with short_transaction():
        ids = [row.id for row in lock_due(due.order_by("refresh_due_at"), limit=BATCH)]
        Connection.objects.filter(id__in=ids).update(refresh_enqueued_until=now + RESEND_AFTER)
        _send_each(ids, dispatch.refresh_later)
    return len(ids)


def sweep_probes(*, now: datetime) -> int:
    """Send a probe task for each connection that is due, at most 50 for a provider app, and return how many."""
    due = _working(Connection.objects.filter(probe_due_at__lte=now, status__in=VENDS))
    with short_transaction():
        sent: Counter[uuid.UUID] = Counter()
        ids = []
        for row in lock_due(due.order_by("probe_due_at"), limit=BATCH):
            sent[row.provider_app_id] += 1
            if sent[row.provider_app_id] <= PROBES_AN_APP:
                ids.append(row.id)
        Connection.objects.filter(id__in=ids).update(probe_due_at=now + RESEND_AFTER)
        _send_each(ids, dispatch.probe_later)
    return len(ids)


def sweep_revocations(*, now: datetime) -> int:
    """Send a revocation task for each connection that is due, and return how many."""
    due = Connection.objects.filter(revocation_due_at__lte=now, revocation=Revocation.PENDING)
    with short_transaction():
        ids = [row.id for row in lock_due(due.order_by("revocation_due_at"), limit=BATCH)]
        Connection.objects.filter(id__in=ids).update(revocation_due_at=now + RESEND_AFTER)
        _send_each(ids, dispatch.revoke_later)
    return len(ids)


def _working(due: "QuerySet[Connection]") -> "QuerySet[Connection]":
    """Leave out what an operator has paused or switched off."""
    return due.filter(
        paused_at=None,
        suspended_at=None,
        tenant__suspended_at=None,
        provider_app__paused_at=None,
        provider_app__suspended_at=None,
    )


def _send_each(ids: Iterable[uuid.UUID], send: Callable[[uuid.UUID], None]) -> None:
    for connection_id in ids:
        send(connection_id)
