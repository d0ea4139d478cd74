"""Housekeeping: delete rows whose retention is over, in small batches that keep no other transaction waiting.

The setting ``RETENTION_DAYS`` has one value for each kind of row; 0 keeps the rows for ever. Rows on which a promise
depends are never deleted: an attempt that is open or was made with the current refresh token, an event that is younger
than its retention, a connection whose revocation is under way. Audit rows are never swept; an operator prunes them
deliberately (``prune_audit``). A key of a provider app goes once its public half is not published any more.
``connect.hold`` ends held grants sooner, and ``connect.burn`` deletes burnt codes.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any

import structlog
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection as database
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest

from connections.database.clock import database_now
from connections.database.locks import lock_audit_chain, lock_if_free_of
from connections.database.pool import short_transaction
from connections.journal import audit
from connections.journal.sealing import drop_leaves, last_seal, seal_settled, sign_pruning
from connections.lifecycle.answers import useless_answers
from connections.lifecycle.credentials.subject_tokens import useless_tokens
from connections.lifecycle.webhooks.content import CONTENT_STAYS
from connections.lifecycle.webhooks.missed import note_missed
from connections.models import (
    OPEN_STATES,
    SESSION_ENDED,
    AppKey,
    Approval,
    AttemptState,
    AuditEvent,
    Connection,
    ConnectSession,
    CredentialVersion,
    Finding,
    GuessCount,
    ImportRow,
    ImportRun,
    Incident,
    ManagementSession,
    Notice,
    OutboxEvent,
    ProvenToken,
    PushContent,
    PushState,
    ReceivedPush,
    RefreshAttempt,
    Revocation,
    Status,
    Tenant,
    UsedAssertion,
    WebhookDelivery,
    WebhookSecret,
)

logger = structlog.get_logger(__name__)

BATCH = 1000
AUDIT_STAYS = timedelta(days=30)  # the database insists on it
APPROVALS_STAY = timedelta(days=90)  # the trail has what was asked and answered
VISITS_STAY = timedelta(days=1)  # the trail has who was invited, and came
PROOFS_STAY = timedelta(days=1)  # proxied calls that are under way stand on them
IMPORTS_STAY = timedelta(days=90)  # the report; by the rows of connections that are there a credential is known again
FINDINGS_STAY = timedelta(days=365)  # settled ones; the trail has who settled them
GUESSES_STAY = timedelta(days=2)  # by then every count has run down
PUSHES_STAY = timedelta(days=30)  # a dated one that comes again after that is refused for its age
UNDATED_STAY = timedelta(days=400)  # by these rows alone is it known that it came before
RUN_SECONDS = 60.0


def _attempts_before(moment: datetime) -> QuerySet[RefreshAttempt]:
    """Return old attempts that nothing needs: neither open, nor of the current version, nor of a stored answer."""
    of_current = Connection.objects.filter(
        id=OuterRef("connection_id"), current_version_id=OuterRef("parent_version_id")
    )
    answers = CredentialVersion.objects.filter(attempt_id=OuterRef("id"))
    ended = RefreshAttempt.objects.filter(claimed_at__lt=moment).exclude(
        state__in=(*OPEN_STATES, AttemptState.RECEIVED)
    )
    return ended.filter(~Exists(of_current), ~Exists(answers))


def _rows_of_imports_before(moment: datetime) -> QuerySet[ImportRow]:
    """Return the rows of old imports from which no connection is left."""
    return ImportRow.objects.filter(run__finished_at__lt=moment, connection=None)


def _imports_before(moment: datetime) -> QuerySet[ImportRun]:
    """Return the old imports that have no rows any more."""
    return ImportRun.objects.filter(~Exists(ImportRow.objects.filter(run=OuterRef("pk"))), finished_at__lt=moment)


def _pushes_before(now: datetime) -> QuerySet[ReceivedPush]:
    """Return the old pushes by which no repetition is to be known any more."""
    is_over = Q(received_at__lt=now - PUSHES_STAY) & (Q(is_dated=True) | Q(state=PushState.REFUSED))
    done = ReceivedPush.objects.exclude(state=PushState.WAITING)
    return done.filter(is_over | Q(received_at__lt=now - UNDATED_STAY))


@dataclass(slots=True)
class _Kind:
    """One kind of row: those that may be deleted, and the column by which the oldest of them is known.

    ``reached`` is how far this run has come in that column. Without it, each batch would pass anew over what the
    earlier ones deleted, and over old rows that stay.
    """

    old: "QuerySet[Any]"
    by: str
    reached: Any = None

    def delete_batch(self) -> int:
        """Delete one batch and the rows that depend on it. Return how many rows of its own kind it had."""
        old = self.old if self.reached is None else self.old.filter(**{f"{self.by}__gte": self.reached})
        rows = list(lock_if_free_of(old.order_by(self.by).only("pk", self.by), limit=BATCH))
        if rows:
            self.reached = getattr(rows[-1], self.by)
        old.model._default_manager.filter(pk__in=[row.pk for row in rows]).delete()
        return len(rows)


@dataclass(slots=True)
class _Events:
    """The events before ``moment``. The stream loses its beginning and nothing from its middle."""

    moment: datetime
    reached: int = 0

    def delete_batch(self) -> int:
        """Delete the oldest events. Record for each tenant the last one deleted, so that an older cursor is refused."""
        rows = OutboxEvent.objects.filter(id__gt=self.reached).order_by("id").values_list("id", "created_at")
        ids = [key for key, _ in takewhile(lambda event: event[1] < self.moment, rows[:BATCH])]
        ends = OutboxEvent.objects.filter(id__in=ids).order_by().values_list("tenant_id").annotate(last=Max("id"))
        for tenant_id, last in sorted((tenant_id, last) for tenant_id, last in ends if tenant_id is not None):
            Tenant.objects.filter(id=tenant_id).update(events_gone_to=Greatest("events_gone_to", last))
        if ids:
            note_missed(ids)
        OutboxEvent.objects.filter(id__in=ids).delete()
        self.reached = max(ids, default=self.reached)
        return len(ids)


# By kind of row, given the moment before which a row is old.
_KINDS: dict[str, Callable[[datetime], _Kind | _Events]] = {
    "attempts": lambda moment: _Kind(_attempts_before(moment), by="claimed_at"),
    "events": _Events,
    "webhook_deliveries": lambda moment: _Kind(WebhookDelivery.objects.filter(ended_at__lt=moment), by="ended_at"),
    "connect_sessions": lambda moment: _Kind(
        ConnectSession.objects.filter(state__in=SESSION_ENDED, expires_at__lt=moment),
        by="expires_at",
    ),
    "incidents": lambda moment: _Kind(Incident.objects.filter(closed_at__lt=moment), by="closed_at"),
    "notices": lambda moment: _Kind(Notice.objects.filter(ended_at__lt=moment), by="ended_at"),
    "connections": lambda moment: _Kind(
        Connection.objects.filter(status=Status.DISCONNECTED, status_changed_at__lt=moment).exclude(
            revocation=Revocation.PENDING
        ),
        by="status_changed_at",
    ),
}


def sweep_old(*, now: datetime) -> dict[str, int]:
    """Delete old rows, for a minute at the most. Return how many rows of each kind were deleted.

    Each batch is one short transaction, which skips rows that another transaction has locked. The kinds take turns, so
    that one with very many rows keeps no other waiting. The keys of the answer are the kinds of ``RETENTION_DAYS``
    whose rows are not kept for ever, "keys of apps", "operators' logins", "operators' places", "subject tokens",
    "answers", "approvals", "visits", "callers' tokens", "rows of imports", "imports", "webhook secrets",
    "wrong guesses", "findings", "pushes", "contents of pushes" and "used assertions".
    """
    give_up_at = time.monotonic() + RUN_SECONDS
    left: dict[str, _Kind | _Events] = {
        kind: _KINDS[kind](now - timedelta(days=days)) for kind, days in settings.RETENTION_DAYS.items() if days
    }
    left["keys of apps"] = _Kind(AppKey.objects.filter(published_until__lt=now), by="published_until")
    left["operators' logins"] = _Kind(Session.objects.filter(expire_date__lt=now), by="expire_date")
    ended = now - timedelta(seconds=settings.SESSION_SECONDS)
    left["operators' places"] = _Kind(UserSession.objects.filter(last_seen_at__lt=ended), by="last_seen_at")
    left["subject tokens"] = _Kind(useless_tokens(now=now), by="kept_until")
    left["answers"] = _Kind(useless_answers(now=now), by="kept_until")
    left["approvals"] = _Kind(Approval.objects.filter(expires_at__lt=now - APPROVALS_STAY), by="expires_at")
    left["visits"] = _Kind(ManagementSession.objects.filter(expires_at__lt=now - VISITS_STAY), by="expires_at")
    left["callers' tokens"] = _Kind(ProvenToken.objects.filter(expires_at__lt=now - PROOFS_STAY), by="expires_at")
    left["rows of imports"] = _Kind(_rows_of_imports_before(now - IMPORTS_STAY), by="pk")
    left["imports"] = _Kind(_imports_before(now - IMPORTS_STAY), by="finished_at")
    left["webhook secrets"] = _Kind(WebhookSecret.objects.filter(ends_at__lt=now), by="ends_at")
    left["wrong guesses"] = _Kind(GuessCount.objects.filter(counted_at__lt=now - GUESSES_STAY), by="counted_at")
    left["findings"] = _Kind(Finding.objects.filter(resolved_at__lt=now - FINDINGS_STAY), by="resolved_at")
    left["used assertions"] = _Kind(UsedAssertion.objects.filter(expires_at__lt=now), by="expires_at")
    left["pushes"] = _Kind(_pushes_before(now), by="received_at")
    left["contents of pushes"] = _Kind(PushContent.objects.filter(created_at__lt=now - CONTENT_STAYS), by="created_at")
    gone = dict.fromkeys(left, 0)
    while left and time.monotonic() < give_up_at:
        for kind, rows in list(left.items()):
            with short_transaction():
                count = rows.delete_batch()
            gone[kind] += count
            if count < BATCH:
                del left[kind]
    if any(gone.values()):
        logger.info("old_rows_deleted", **{kind: count for kind, count in gone.items() if count})
    return gone


def prune_audit(*, before: datetime, actor: audit.Actor) -> int:
    """Delete the audit rows that are older than ``before``, which an operator has to name. Return how many.

    The trail itself records the deletion. One row before it is the order, without which the database refuses to delete
    audit rows; one row after it has the number. Rows of the last 30 days stay, and an order is valid for a day. Batches
    of short transactions. Only sealed rows go, so all is sealed first; the seals stay, and a signed order with them,
    so that what is left can be verified as before.
    """
    detail = {"before": before.isoformat()}
    before = min(before, database_now() - AUDIT_STAYS)
    with short_transaction():
        order = audit.record("audit.prune", actor=actor, detail=detail)
        sign_pruning(order.id, before=before)
    seal_settled(seconds=RUN_SECONDS, at_once=True)
    newest = last_seal()
    to = 0 if newest is None else newest.last_id
    gone = last = 0
    while True:
        with short_transaction():
            with database.cursor() as cursor:
                # The trigger allows deletions only under this order, and only in this transaction.
                cursor.execute("SELECT set_config('latchkey.audit_prune', %s, true)", [str(order.id)])
            old = AuditEvent.objects.filter(id__gt=last, id__lte=to, at__lt=before).order_by("id")
            keys = list(old.values_list("id", flat=True)[:BATCH])
            count = AuditEvent.objects.filter(Q(id__in=keys)).delete()[0]
        gone, last = gone + count, max(keys, default=last)
        if count < BATCH:
            break
    with short_transaction():
        lock_audit_chain()
        drop_leaves(before=before)
    audit.record("audit.pruned", actor=actor, detail=detail | {"rows": gone})
    return gone
