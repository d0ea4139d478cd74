"""Deliver: one run of one endpoint, under its lease.

The lease is longer than a run and its last request together, and no request leaves once the rest of it is shorter than
a request may take (``providers.send_window``). So no second run of the same endpoint sends anything while a request of
the first is under way; only a process that stands still in the middle of a request may come late with it, and then the
receiver gets an event twice. A run that dies is followed by another when its lease ends: it sends again what was sent
and not noted yet, in the same order.

Requests are made by threads of the run's own, which hold no database connection; the outcomes are stored by the run.
"""

import queue
import threading
import time
import uuid
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db.models import Exists, Min, OuterRef, Q, QuerySet
from pydantic import SecretStr

from connections.access.secrets import open_webhook_secret
from connections.database.locks import lock_webhook_endpoint
from connections.database.pool import release_database, short_transaction
from connections.lifecycle.webhooks.content import contents_of
from connections.lifecycle.webhooks.message import body_of
from connections.lifecycle.webhooks.post import TOTAL_SECONDS, post
from connections.lifecycle.webhooks.settle import Attempted, settle
from connections.lifecycle.webhooks.signing import signed_headers
from connections.lifecycle.webhooks.spread import spread
from connections.models import DeliveryState, Tenant, WebhookDelivery, WebhookEndpoint
from connections.vault.sealing import Unreadable

logger = structlog.get_logger(__name__)

RUN_SECONDS = 5.0
LEASE_SECONDS = 30.0
_SPARE_SECONDS = 5.0  # between the last request's end and the lease's: to store what came of it
LANES_AT_ONCE = 8
BATCH = 200


@dataclass(frozen=True, slots=True)
class _Run:
    """One run. By ``time.monotonic()``, no lane goes on after ``begin_by`` and no request leaves after ``leave_by``.

    ``claimed_at`` is the database's clock at ``began``. ``is_trial``: the endpoint was held, so one request tries it.
    """

    endpoint_id: uuid.UUID
    lease_id: uuid.UUID
    url: str
    keys: tuple[SecretStr, ...]
    claimed_at: datetime
    began: float
    is_trial: bool

    @property
    def begin_by(self) -> float:
        return self.began + RUN_SECONDS

    @property
    def leave_by(self) -> float:
        return self.began + LEASE_SECONDS - TOTAL_SECONDS - _SPARE_SECONDS

    def now(self) -> datetime:
        """Return the database's clock, as far as this process can tell."""
        return self.claimed_at + timedelta(seconds=time.monotonic() - self.began)


@dataclass(frozen=True, slots=True)
class _Letter:
    """One delivery, ready to be sent."""

    delivery_id: uuid.UUID
    lane: uuid.UUID
    message_id: str
    body: bytes = field(repr=False)


def deliver(endpoint_id: uuid.UUID) -> int:
    """Deliver to one endpoint what waits for it, for about five seconds, and return how many events it took.

    Does nothing if another run holds its lease, or if it is disabled, held back or of a suspended tenant. HTTP, with
    short transactions before and after.
    """
    run = _claim(endpoint_id)
    if run is None:
        return 0
    taken = 0
    try:
        limit = 1 if run.is_trial else BATCH
        while time.monotonic() < run.begin_by:
            has_all = spread(run.endpoint_id, run.lease_id)
            letters = _letters(run, limit=limit)
            if letters:
                count, goes_on = _send(run, letters)
                taken += count
                if not goes_on:
                    break
            elif has_all:
                break
            limit = BATCH
    finally:
        _release(run)
    return taken


def _claim(endpoint_id: uuid.UUID) -> _Run | None:
    """Take the lease. One short transaction, and a query for each secret."""
    began = time.monotonic()
    with short_transaction() as now:
        endpoint = lock_webhook_endpoint(endpoint_id)
        if endpoint is None or not may_deliver(endpoint, now=now):
            return None
        lease_id, is_trial = uuid.uuid4(), endpoint.held_until is not None
        endpoint.lease(lease_id, until=now + timedelta(seconds=LEASE_SECONDS), now=now)
        keys = usable_keys(endpoint, now=now)
    if not keys:  # the vault is misconfigured: its checks say so, and nothing unsigned leaves
        logger.error("webhook_secret_unreadable", endpoint=str(endpoint_id))
        return None
    return _Run(endpoint.id, lease_id, endpoint.url, keys, now, began, is_trial)


def may_deliver(endpoint: WebhookEndpoint, *, now: datetime) -> bool:
    """Whether a run may begin. No I/O if the tenant is loaded."""
    return (
        endpoint.is_on
        and (endpoint.lease_until is None or endpoint.lease_until <= now)
        and (endpoint.held_until is None or endpoint.held_until <= now)
    )


def usable_keys(endpoint: WebhookEndpoint, *, now: datetime) -> tuple[SecretStr, ...]:
    """Return the secrets that sign now, the newest first; none if the current one cannot be opened. A few queries."""
    usable = endpoint.secrets.filter(Q(ends_at=None) | Q(ends_at__gt=now)).order_by("-created_at")
    try:
        return tuple(open_webhook_secret(endpoint, secret) for secret in usable)
    except Unreadable:
        return ()


def _waiting(endpoint_id: uuid.UUID, *, now: datetime) -> QuerySet[WebhookDelivery]:
    """Return the deliveries that may be made now, of lanes that do not wait."""
    pending = WebhookDelivery.objects.filter(endpoint_id=endpoint_id, state=DeliveryState.PENDING)
    held = pending.filter(lane=OuterRef("lane"), next_attempt_at__gt=now)
    return pending.filter(~Exists(held))


def _letters(run: _Run, *, limit: int) -> list[_Letter]:
    """Return the first deliveries that may be made now, in the order of their events.

    Two queries, and more for what providers pushed.
    """
    rows = list(_waiting(run.endpoint_id, now=run.now()).select_related("event").order_by("event_id")[:limit])
    tenants = {row.event.tenant_id for row in rows if row.event.tenant_id is not None}
    contents = contents_of(row.event for row in rows)
    slugs: dict[uuid.UUID | None, str] = dict(Tenant.objects.filter(id__in=tenants).values_list("id", "slug"))
    return [
        _Letter(
            row.id,
            row.lane,
            str(row.event.event_id),
            body_of(row.event, tenant=slugs.get(row.event.tenant_id), content=contents.get(row.event_id)),
        )
        for row in rows
    ]


def _send(run: _Run, letters: list[_Letter]) -> tuple[int, bool]:
    """Send ``letters``, and return how many were taken, and whether the endpoint takes more."""
    lanes: dict[uuid.UUID, list[_Letter]] = {}
    for letter in letters:
        lanes.setdefault(letter.lane, []).append(letter)
    outcomes: queue.SimpleQueue[Attempted | None] = queue.SimpleQueue()
    stop = threading.Event()
    taken, left, goes_on = 0, len(lanes), True
    release_database()
    with ThreadPoolExecutor(min(LANES_AT_ONCE, left), thread_name_prefix="webhook") as pool:
        sending = [pool.submit(_send_lane, run, lane, stop, outcomes) for lane in lanes.values()]
        try:
            while left:
                found = [outcomes.get()]
                while not outcomes.empty():
                    found.append(outcomes.get())
                left -= found.count(None)
                attempted = [one for one in found if one is not None]
                taken += sum(one.outcome.is_taken for one in attempted)
                if attempted and not settle(run.endpoint_id, run.lease_id, attempted, now=run.now()):
                    goes_on = False
                    stop.set()
                release_database()
        finally:
            stop.set()
    for lane in sending:
        lane.result()
    return taken, goes_on


def _send_lane(
    run: _Run,
    lane: Iterable[_Letter],
    stop: threading.Event,
    outcomes: "queue.SimpleQueue[Attempted | None]",
) -> None:
    """Send the letters of a lane one after the other, until one is not taken; None tells the end."""
    try:
        for letter in lane:
            if stop.is_set() or time.monotonic() > run.begin_by:
                return
            headers = signed_headers(letter.body, message_id=letter.message_id, at=run.now(), keys=run.keys)
            outcome = post(run.url, letter.body, headers, leave_by=run.leave_by)
            if outcome is None:
                return
            outcomes.put(Attempted(letter.delivery_id, outcome))
            if not outcome.is_taken:
                return
    finally:
        outcomes.put(None)


def _release(run: _Run) -> None:
    """Give the lease back, and note when there is something to send. One short transaction."""
    with short_transaction() as now:
        endpoint = lock_webhook_endpoint(run.endpoint_id)
        if endpoint is None or endpoint.lease_id != run.lease_id:
            return
        wake_at: datetime | None = now
        if not _waiting(endpoint.id, now=now).exists():
            held = endpoint.deliveries.filter(state=DeliveryState.PENDING)
            wake_at = held.aggregate(first=Min("next_attempt_at"))["first"]
        endpoint.release(wake_at=wake_at)
