"""Sweep: find what is due and have it done once, however many sweeps run at once.

A sweep locks rows with SKIP LOCKED and marks them, so that two beats send each task only once. A lost task is sent
again when its mark has expired. The cost depends on how much is due, because every sweep reads a partial index. A sweep
leaves out the provider apps that the throttle holds back, and sends no app more at once than its budget; the rest stays
due. Where there is more to do than one worker has threads, connections of the same app share a task, so that a provider
that does not answer keeps no other app waiting.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Q, QuerySet

from connections import dispatch
from connections.database.locks import lock_due
from connections.database.pool import short_transaction
from connections.lifecycle.throttle.admission import Restraints, Server, budget_of, restraints
from connections.models import VENDS, Connection, ProviderApp, Revocation

BATCH = 500
MOST_BATCHES = 8
RESEND_AFTER = timedelta(seconds=60)
PROBES_AN_APP = 50

# Up to TASKS_APART connections get a task each. If more are due, up to MOST_TOGETHER of one provider app share a task.
TASKS_APART = 64
MOST_TOGETHER = 8

_Send = Callable[..., None]


def sweep_refreshes(*, now: datetime) -> int:
    """Send the refreshes that are due, at most 500, to the workers. Return how many. Short transactions, no HTTP."""
    due = (
        Connection.objects.filter(refresh_due_at__lte=now, status__in=VENDS)
        .working()
        .filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
            Q(refresh_enqueued_until=None) | Q(refresh_enqueued_until__lte=now),
        )
    )
    return _sweep(
        due.order_by("refresh_due_at"),
        mark={"refresh_enqueued_until": now + RESEND_AFTER},
        send=dispatch.refresh_later,
        restrained=restraints(Server.AUTHORIZATION),
    )


def sweep_probes(*, now: datetime) -> int:
    """Send the probes that are due, at most 50 for each provider app. Return how many. Short transactions, no HTTP."""
    due = Connection.objects.filter(probe_due_at__lte=now, status__in=VENDS).working()
    return _sweep(
        due.order_by("probe_due_at"),
        mark={"probe_due_at": now + RESEND_AFTER},
        send=dispatch.probe_later,
        restrained=restraints(Server.RESOURCE),
        most_an_app=PROBES_AN_APP,
    )


def sweep_revocations(*, now: datetime) -> int:
    """Send the revocations that are due to the workers. Return how many. Short transactions, no HTTP."""
    due = Connection.objects.filter(revocation_due_at__lte=now, revocation=Revocation.PENDING)
    with short_transaction():
        rows = list(lock_due(due.order_by("revocation_due_at"), limit=BATCH))
        _mark(rows, {"revocation_due_at": now + RESEND_AFTER})
        _send_together(rows, dispatch.revoke_later)
    return len(rows)


def _sweep(
    due: "QuerySet[Connection]",
    *,
    mark: dict[str, datetime],
    send: _Send,
    restrained: Restraints,
    most_an_app: int = BATCH,
) -> int:
    """Mark and send the connections that are due, in their order, up to the share of each provider app.

    An app that has had its share is left out of the next batch of the same sweep. So an app with very much due keeps no
    other app waiting. ``mark`` maps columns to the values that take a row out of ``due``.
    """
    taken: list[Connection] = []
    of_app: Counter[uuid.UUID] = Counter()
    left_out = set(restrained.held)
    with short_transaction():
        for _ in range(MOST_BATCHES):
            rows = list(lock_due(due.exclude(provider_app_id__in=left_out), limit=BATCH - len(taken)))
            shares = _shares({row.provider_app_id for row in rows}, restrained, most_an_app)
            fitting = []
            for row in rows:
                if of_app[row.provider_app_id] < shares[row.provider_app_id]:
                    of_app[row.provider_app_id] += 1
                    fitting.append(row)
                else:
                    left_out.add(row.provider_app_id)
            _mark(fitting, mark)
            taken += fitting
            if len(fitting) == len(rows) or len(taken) >= BATCH:
                break
        _send_together(taken, send)
    return len(taken)


def _shares(apps: set[uuid.UUID], restrained: Restraints, most_an_app: int) -> dict[uuid.UUID, int]:
    found = ProviderApp.objects.filter(id__in=apps).values_list("id", "provider")
    return {app: min(most_an_app, restrained.most_at_once(app, budget=budget_of(provider))) for app, provider in found}


def _mark(rows: list[Connection], mark: dict[str, datetime]) -> None:
    Connection.objects.filter(id__in=[row.id for row in rows]).update(**mark)


def _send_together(rows: list[Connection], send: _Send) -> None:
    """Send ``rows`` in their order, when the transaction commits. Where they are many, one message carries several."""
    most = min(MOST_TOGETHER, max(1, ceil(len(rows) / TASKS_APART)))
    groups: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in rows:
        group = groups.setdefault(row.provider_app_id, [])
        group.append(row.id)
        if len(group) == most:
            send(*groups.pop(row.provider_app_id))
    for group in groups.values():
        send(*group)
