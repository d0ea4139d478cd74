"""Sweep: find what is due and have it done once, however many sweeps run at once.

A sweep locks rows with SKIP LOCKED and marks them, so that two beats send each task only once. A lost task is sent
again when its mark has expired. The cost depends on how much is due, because every sweep reads a partial index. A sweep
leaves out the parties that the throttle holds back, and sends none more than its budget allows in the time from
one beat to the next; the rest stays due. Where there is more to do than one worker has threads, connections of the same
app share a task, so that a provider that does not answer keeps no other app waiting. Where they name parties of their
own, only those of one tenant share a task.

How much a sweep sends follows the workers. It sends batch after batch for as long as batches are full, until the next
beat; but none while many tasks wait in the queue, so that a backlog stays in the database, where it costs nothing.
"""

import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from django.db.models import Exists, OuterRef, Q, QuerySet

from connections import dispatch
from connections.database.locks import lock_due
from connections.database.pool import release_database, short_transaction
from connections.lifecycle.throttle.admission import (
    LEFT_TO_REFRESHES,
    Restraints,
    Server,
    budget_of,
    restraints,
)
from connections.models import VENDS, Connection, HeldConnection, Revocation
from connections.models.connection_rows import ConnectionQuerySet
from connections.models.quarantine import held, holding

BATCH = 500
MOST_LOOKS = 8
RESEND_AFTER = timedelta(seconds=60)

# Up to TASKS_APART connections get a task each. If more are due, up to MOST_TOGETHER of one provider app share a task.
TASKS_APART = 32
MOST_TOGETHER = 16

# Of the parties that connections of one tenant have named themselves, so many are asked in one sweep for each app. Each
# may be one that never answers, and none of them opens the breaker of another.
MOST_PARTIES = 32

# A sweep sends no further batch while so many tasks wait for a worker. It looks at the queue again and again, and gives
# up when the queue has not become shorter for STALLED_SECONDS: then the workers need the thread that it holds.
LONG_QUEUE = 64
LOOK_AGAIN_SECONDS = 0.1
STALLED_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of work. ``mark`` keeps rows out of ``due`` until a moment.

    ``server`` is whom the throttle restrains (None: nobody), ``part`` how much of an app's budget this work may use.
    """

    task: dispatch.Task
    send: Callable[..., None]
    due: Callable[[datetime], "QuerySet[Connection]"]
    mark: Callable[[ConnectionQuerySet, datetime], int]
    server: Server | None
    part: float = 1.0


_REFRESHES = _Kind(
    dispatch.Task.REFRESH,
    dispatch.refresh_later,
    lambda now: (
        Connection.objects.filter(refresh_due_at__lte=now, status__in=VENDS)
        .working()
        .filter(
            Q(next_attempt_at=None) | Q(next_attempt_at__lte=now),
            Q(refresh_enqueued_until=None) | Q(refresh_enqueued_until__lte=now),
            ~Exists(HeldConnection.objects.filter(held(), connection=OuterRef("pk"))),
        )
        .order_by("refresh_due_at")
    ),
    mark=ConnectionQuerySet.skip_refresh,
    server=Server.AUTHORIZATION,
)
_PROBES = _Kind(
    dispatch.Task.PROBE,
    dispatch.probe_later,
    lambda now: Connection.objects.filter(probe_due_at__lte=now, status__in=VENDS).working().order_by("probe_due_at"),
    mark=ConnectionQuerySet.probe_next,
    server=Server.RESOURCE,
    part=1 - LEFT_TO_REFRESHES,
)
_REVOCATIONS = _Kind(
    dispatch.Task.REVOKE,
    dispatch.revoke_later,
    lambda now: Connection.objects.filter(revocation_due_at__lte=now, revocation=Revocation.PENDING).order_by(
        "revocation_due_at"
    ),
    mark=ConnectionQuerySet.revoke_next,
    server=None,
)


def sweep_refreshes(*, now: datetime, seconds: float = 0.0) -> int:
    """Send the refreshes that are due to the workers, and return how many.

    Sends batches of up to 500 while they are full and few tasks wait in the queue, for ``seconds`` at most; with 0 at
    most one. Marks no more than one batch if the broker does not answer. Each batch is a short transaction; none is
    open in between. Sends none while the database was put back and it is not known yet whose tokens wait.
    """
    if holding().exists():
        return 0
    return _sweep(_REFRESHES, now=now, seconds=seconds)


def sweep_probes(*, now: datetime, seconds: float = 0.0) -> int:
    """Send the probes that are due, as ``sweep_refreshes`` does, and leave each app's refreshes their part."""
    return _sweep(_PROBES, now=now, seconds=seconds)


def sweep_revocations(*, now: datetime, seconds: float = 0.0) -> int:
    """Send the revocations that are due, as ``sweep_refreshes`` does, however many they are for one app."""
    return _sweep(_REVOCATIONS, now=now, seconds=seconds)


def _sweep(kind: _Kind, *, now: datetime, seconds: float) -> int:
    began = time.monotonic()
    shares = _Shares(kind, seconds)
    sent, is_first = 0, True
    while _is_room(kind.task, give_up_at=began + seconds, if_unknown=is_first):
        is_first = False
        shares.look()
        found = _send_batch(kind, shares, now=now + timedelta(seconds=time.monotonic() - began))
        sent += found
        if found < BATCH or time.monotonic() >= began + seconds:
            break
    return sent


def _is_room(task: dispatch.Task, *, give_up_at: float, if_unknown: bool) -> bool:
    """Wait until few tasks of this kind wait for a worker. Return False if that does not come about.

    Returns ``if_unknown`` if the broker does not answer.
    """
    fewest, fell_at = None, time.monotonic()
    while (waiting := dispatch.count_waiting(task)) is not None:
        if waiting < LONG_QUEUE:
            return True
        now = time.monotonic()
        if fewest is None or waiting < fewest:
            fewest, fell_at = waiting, now
        if now >= give_up_at or now >= fell_at + STALLED_SECONDS:
            return False
        release_database()
        time.sleep(LOOK_AGAIN_SECONDS)
    return if_unknown


@dataclass(slots=True)
class _Shares:
    """How many connections to each party one sweep may send, and how many it has sent."""

    kind: _Kind
    seconds: float
    _restraints: Restraints = field(default_factory=Restraints)
    _budgets: dict[uuid.UUID, int] = field(default_factory=dict)
    _sent: "Counter[uuid.UUID]" = field(default_factory=Counter)
    _named: defaultdict[tuple[uuid.UUID, uuid.UUID], set[uuid.UUID]] = field(default_factory=lambda: defaultdict(set))

    def look(self) -> None:
        """Ask anew what the throttle holds back. One round trip to Redis."""
        if self.kind.server is not None:
            self._restraints = restraints(self.kind.server)

    def used_up(self) -> Q:
        """Return the condition for the connections to parties to which nothing more may be sent now."""
        used_up = {*self._restraints.held, *(party for party, sent in self._sent.items() if sent >= self._share(party))}
        condition = Q(party__in=used_up) | Q(party=None, provider_app_id__in=used_up)
        for (app, tenant), named in self._named.items():
            if len(named) >= MOST_PARTIES:
                of_tenant = Q(provider_app_id=app, tenant_id=tenant, party__isnull=False)
                condition |= of_tenant & ~Q(party__in=named)
        return condition

    def take(self, rows: list[Connection]) -> Iterator[Connection]:
        """Yield those of ``rows`` that the parties' shares allow, and count them. No I/O beyond the catalogue."""
        for row in rows:
            party = row.party_or_app
            if party not in self._budgets:
                self._budgets[party] = budget_of(row.provider)
            named = self._named[row.provider_app_id, row.tenant_id] if row.party is not None else set()
            if self._sent[party] < self._share(party) and (party in named or len(named) < MOST_PARTIES):
                self._sent[party] += 1
                named.add(party)
                yield row

    def _share(self, party: uuid.UUID) -> float:
        """Return what the budget of a party allows until the next beat; never more than may be sent at once."""
        if self.kind.server is None:
            return float("inf")
        budget = self._budgets[party]
        at_once = self._restraints.most_at_once(party, budget=budget)
        until_next = ceil(budget * self.seconds / 60) if self.seconds else at_once
        return min(at_once, max(1, int(self.kind.part * min(at_once, until_next))))


def _send_batch(kind: _Kind, shares: _Shares, *, now: datetime) -> int:
    """Mark and send up to 500 of what is due, in its order, and return how many.

    Where a party has had its share, the batch looks again without it. So one to which very much is due keeps no other
    waiting.
    """
    taken: list[Connection] = []
    with short_transaction():
        for _ in range(MOST_LOOKS):
            due = kind.due(now).exclude(shares.used_up())
            rows = list(lock_due(due, limit=BATCH - len(taken)))
            fitting = list(shares.take(rows))
            kind.mark(Connection.objects.filter(id__in=[row.id for row in fitting]), now + RESEND_AFTER)
            taken += fitting
            if len(fitting) == len(rows) or len(taken) >= BATCH:
                break
        _send_together(taken, kind.send)
    return len(taken)


def _send_together(rows: list[Connection], send: Callable[..., None]) -> None:
    """Send ``rows`` in their order, when the transaction commits. Where they are many, one message carries several."""
    most = min(MOST_TOGETHER, max(1, ceil(len(rows) / TASKS_APART)))
    groups: dict[tuple[uuid.UUID, uuid.UUID | None], list[uuid.UUID]] = {}
    for row in rows:
        # What a party does not answer may keep connections waiting of the tenant that has chosen it, and no others.
        key = (row.provider_app_id, None if row.party is None else row.tenant_id)
        group = groups.setdefault(key, [])
        group.append(row.id)
        if len(group) == most:
            send(*groups.pop(key))
    for group in groups.values():
        send(*group)
