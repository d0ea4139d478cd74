"""Housekeeping: delete rows whose retention is over, in small batches that keep no other transaction waiting.

The setting ``RETENTION_DAYS`` has one value for each kind of row; 0 keeps the rows for ever. Rows on which a promise
depends are never deleted: an attempt that is open or was made with the current refresh token, an event that is younger
than its retention, a connection whose revocation is under way. Audit rows are never swept; an operator prunes them
deliberately (``prune_audit``). ``connect.hold`` ends held grants sooner, and ``connect.burn`` deletes burnt codes.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import takewhile

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.db.models import Exists, Max, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from connections.database.clock import database_now
from connections.database.locks import lock_if_free_of
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.models import (
    OPEN_STATES,
    AttemptState,
    AuditEvent,
    Connection,
    ConnectSession,
    CredentialVersion,
    Incident,
    OutboxEvent,
    RefreshAttempt,
    Revocation,
    SessionState,
    Status,
    Tenant,
)

logger = structlog.get_logger(__name__)

BATCH = 1000
AUDIT_STAYS = timedelta(days=30)  # the database insists on it
RUN_SECONDS = 20.0


def _attempts_before(moment: datetime) -> QuerySet[RefreshAttempt]:
    """Return old attempts that nothing needs: neither open, nor of the current version, nor of a stored answer."""
    of_current = Connection.objects.filter(
        id=OuterRef("connection_id"), current_version_id=OuterRef("parent_version_id")
    )
    answers = CredentialVersion.objects.filter(attempt_id=OuterRef("id"))
    ended = RefreshAttempt.objects.filter(claimed_at__lt=moment).exclude(
        state__in=(*OPEN_STATES, AttemptState.RECEIVED)
    )
    return ended.filter(~Exists(of_current), ~Exists(answers)).order_by("claimed_at")


# By kind of row: the rows that may be deleted, the oldest first, given the moment before which a row is old.
_OLD: dict[str, Callable[[datetime], QuerySet[Model]]] = {
    "attempts": _attempts_before,
    "connect_sessions": lambda moment: ConnectSession.objects.filter(
        state__in=(SessionState.COMPLETED, SessionState.FAILED), expires_at__lt=moment
    ).order_by("expires_at"),
    "incidents": lambda moment: Incident.objects.filter(closed_at__lt=moment).order_by("closed_at"),
    "connections": lambda moment: Connection.objects.filter(
        status=Status.DISCONNECTED, status_changed_at__lt=moment
    ).exclude(revocation=Revocation.PENDING),
}


def sweep_old(*, now: datetime) -> dict[str, int]:
    """Delete old rows, for 20 s at the most. Return how many rows of each kind were deleted.

    Each batch is one short transaction, which skips rows that another transaction has locked. The keys of the answer
    are the kinds of ``RETENTION_DAYS`` whose rows are not kept for ever, and "operators' logins".
    """
    give_up_at = time.monotonic() + RUN_SECONDS
    gone = {}
    for kind, days in settings.RETENTION_DAYS.items():
        if days:
            gone[kind] = _sweep(kind, now - timedelta(days=days), give_up_at=give_up_at)
    gone["operators' logins"] = _sweep("operators' logins", now, give_up_at=give_up_at)
    if any(gone.values()):
        logger.info("old_rows_deleted", **{kind: count for kind, count in gone.items() if count})
    return gone


def _sweep(kind: str, moment: datetime, *, give_up_at: float) -> int:
    gone = 0
    while time.monotonic() < give_up_at:
        with short_transaction():
            if kind == "events":
                count = _delete_events(moment)
            elif kind == "operators' logins":
                count = _delete(Session.objects.filter(expire_date__lt=moment).order_by("expire_date"))
            else:
                count = _delete(_OLD[kind](moment))
        gone += count
        if count < BATCH:
            break
    return gone


def _delete(old: QuerySet[Model]) -> int:
    """Delete one batch and the rows that depend on it. Return how many rows of the batch's own kind it had."""
    keys = [row.pk for row in lock_if_free_of(old, limit=BATCH)]
    old.model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _delete_events(moment: datetime) -> int:
    """Delete the oldest events. Record for each tenant the last one deleted, so that an older cursor is refused."""
    oldest = OutboxEvent.objects.order_by("id").values_list("id", "created_at")[:BATCH]
    ids = [key for key, _ in takewhile(lambda event: event[1] < moment, oldest)]
    ends = OutboxEvent.objects.filter(id__in=ids).order_by().values("tenant_id").annotate(last=Max("id"))
    for end in sorted(ends, key=lambda found: found["tenant_id"]):
        Tenant.objects.filter(id=end["tenant_id"]).update(events_gone_to=Greatest("events_gone_to", end["last"]))
    OutboxEvent.objects.filter(id__in=ids).delete()
    return len(ids)


def prune_audit(*, before: datetime, actor: audit.Actor) -> int:
    """Delete the audit rows that are older than ``before``, which an operator has to name. Return how many.

    The trail itself records the deletion. One row before it is the order, without which the database refuses to delete
    audit rows; one row after it has the number. Rows of the last 30 days stay, and an order is valid for a day. Batches
    of short transactions.
    """
    detail = {"before": before.isoformat()}
    order = audit.record("audit.prune", actor=actor, detail=detail)
    before = min(before, database_now() - AUDIT_STAYS)
    gone = 0
    while True:
        with short_transaction():
            with database.cursor() as cursor:
                # The trigger allows deletions only under this order, and only in this transaction.
                cursor.execute("SELECT set_config('latchkey.audit_prune', %s, true)", [str(order.pk)])
            keys = AuditEvent.objects.filter(at__lt=before).order_by("id").values_list("id", flat=True)[:BATCH]
            count = AuditEvent.objects.filter(Q(id__in=list(keys))).delete()[0]
        gone += count
        if count < BATCH:
            break
    audit.record("audit.pruned", actor=actor, detail=detail | {"rows": gone})
    return gone
