"""Sweep: find what is due and send one task for each, however many sweeps run at once.

Rows are locked with SKIP LOCKED and marked, so that two beats send each task once; a task that is lost is sent again
when its mark has passed. The cost follows what is due: every sweep reads a partial index. Provider apps that the
throttle holds back are left out, and none gets more at once than its budget: what is left stays due.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from connections import dispatch
from connections.lifecycle.clock import database_now
from connections.lifecycle.locking import lock_due, short_transaction
from connections.lifecycle.throttle import Restraints, Server, budget_of, restraints
from connections.models import VENDS, Connection, ProviderApp, Revocation, Tenant

BATCH = 500
MOST_BATCHES = 8
RESEND_AFTER = timedelta(seconds=60)
PROBES_AN_APP = 50


def sweep_refreshes(*, now: datetime) -> int:
    """Send a refresh task for each connection that is due, at most 500, and return how many there were."""
    due = _working(Connection.objects.filter(refresh_due_at__lte=now, status__in=VENDS)).filter(
        Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
        Q(refresh_enqueued_until=None) | Q(refresh_enqueued_until__lte=now),
    )
    return _sweep(
        due.order_by("refresh_due_at"),
        mark={"refresh_enqueued_until": now + RESEND_AFTER},
        send=dispatch.refresh_later,
        restrained=restraints(Server.AUTHORIZATION),
    )


def sweep_probes(*, now: datetime) -> int:
    """Send a probe task for each connection that is due, at most 50 for a provider app, and return how many."""
    due = _working(Connection.objects.filter(probe_due_at__lte=now, status__in=VENDS))
    return _sweep(
        due.order_by("probe_due_at"),
        mark={"probe_due_at": now + RESEND_AFTER},
        send=dispatch.probe_later,
        restrained=restraints(Server.RESOURCE),
        most_an_app=PROBES_AN_APP,
    )


def sweep_revocations(*, now: datetime) -> int:
    """Send a revocation task for each connection that is due, and return how many."""
    due = Connection.objects.filter(revocation_due_at__lte=now, revocation=Revocation.PENDING)
    with short_transaction():
        ids = [row.id for row in lock_due(due.order_by("revocation_due_at"), limit=BATCH)]
        _mark_and_send(ids, {"revocation_due_at": now + RESEND_AFTER}, dispatch.revoke_later)
    return len(ids)


def postpone_refresh(connection_id: uuid.UUID, *, seconds: float) -> None:
    """Have the sweeps pass over one connection for so long: its task was held back. A vend may refresh it meanwhile."""
    until = database_now() + timedelta(seconds=seconds)
    Connection.objects.filter(id=connection_id).update(refresh_enqueued_until=until)


def _sweep(
    due: "QuerySet[Connection]",
    *,
    mark: dict[str, datetime],
    send: Callable[[uuid.UUID], None],
    restrained: Restraints,
    most_an_app: int = BATCH,
) -> int:
    """Mark and send what is due, in order, up to what each provider app may get.

    An app that has had its share is left out of the next batch of the same sweep, so that however much of it is due
    keeps nobody else waiting. What ``mark`` sets takes a row out of ``due``.
    """
    sent: Counter[uuid.UUID] = Counter()
    left_out = set(restrained.held)
    with short_transaction():
        for _ in range(MOST_BATCHES):
            rows = list(lock_due(due.exclude(provider_app_id__in=left_out), limit=BATCH - sent.total()))
            shares = _shares({row.provider_app_id for row in rows}, restrained, most_an_app)
            ids = []
            for row in rows:
                if sent[row.provider_app_id] < shares[row.provider_app_id]:
                    sent[row.provider_app_id] += 1
                    ids.append(row.id)
                else:
                    left_out.add(row.provider_app_id)
            _mark_and_send(ids, mark, send)
            if len(ids) == len(rows) or sent.total() >= BATCH:
                break
    return sent.total()


def _shares(apps: set[uuid.UUID], restrained: Restraints, most_an_app: int) -> dict[uuid.UUID, int]:
    found = ProviderApp.objects.filter(id__in=apps).values_list("id", "provider")
    return {app: min(most_an_app, restrained.most_at_once(app, budget=budget_of(provider))) for app, provider in found}


def _mark_and_send(ids: list[uuid.UUID], mark: dict[str, datetime], send: Callable[[uuid.UUID], None]) -> None:
    Connection.objects.filter(id__in=ids).update(**mark)
    for connection_id in ids:
        send(connection_id)


def _working(due: "QuerySet[Connection]") -> "QuerySet[Connection]":
    """Leave out what an operator has paused or switched off.

    The tenants and apps are looked up as lists: joined, they tempt a planner whose statistics are old to go through
    the connections app by app.
    """
    off = Q(paused_at__isnull=False) | Q(suspended_at__isnull=False)
    return due.filter(paused_at=None, suspended_at=None).exclude(
        Q(tenant_id__in=Tenant.objects.filter(suspended_at__isnull=False).values("id"))
        | Q(provider_app_id__in=ProviderApp.objects.filter(off).values("id"))
    )
