"""Sort: which connections have to wait, and which are safe.

Safe is what is not refreshed, what leads to a provider that does not rotate refresh tokens, and a refresh token of
which it is known that it was never sent: what was noted of the refreshes outside of the database is whole since before
the moment from which the data is (``refresh.sent``), and has nothing newer than what the database knows itself. All
else waits. A refresh token that was sent since is *used*; of others it is not known.

A Redis that does not answer may remember all of it, so nothing is concluded from that: everything is held until it
answers, for ``PATIENCE``. Then, or where somebody orders it, what may rotate waits as not known, and people are told.
"""

import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Max

from connections.access.targets import access_of
from connections.database.locks import lock_connections, lock_installation
from connections.database.pool import release_database
from connections.journal import audit, events, notices
from connections.journal.audit import SYSTEM, Actor
from connections.lifecycle.refresh import sent
from connections.lifecycle.throttle.shared import AWAY_SECONDS
from connections.models import (
    HARMLESS_STATES,
    VENDS,
    Connection,
    HeldConnection,
    Installation,
    RefreshAttempt,
    RewindCause,
    TokenVerdict,
)
from connections.models.quarantine import held
from connections.refusals import AppMisconfigured, EndpointMoved
from connections.vault.sealing import Unreadable

logger = structlog.get_logger(__name__)

BATCH = 500
# How long everything is held for a Redis that does not answer, and how often one batch asks it again.
PATIENCE = timedelta(minutes=10)
ASKED_AGAIN = 2
# The clocks of the servers that write the notes and the data may differ by so much.
CLOCKS_APART = timedelta(seconds=60)
_NOT_ROTATING, _NEVER_SENT = "not_rotating", "never_sent"


def sort_held(*, now: datetime, ordered_by: Actor | None = None) -> Counter[str] | None:
    """Name the connections that wait, in batches, and let all others go. Return how many are of each kind.

    None if there is nothing to sort, or if Redis does not answer. Each batch is a short transaction, after a round trip
    to Redis. No HTTP. One that is killed in between is repeated as a whole, and holds everything until then. With
    ``ordered_by`` somebody orders not to wait for Redis.
    """
    here = Installation.objects.filter(quarantined_at__isnull=False, sorted_at=None).first()
    if here is None or here.quarantined_at is None:
        return None
    is_told = here.cause == RewindCause.ORDERED and here.rewound_to is not None
    since = here.waits_for_redis_since
    needs_answer = ordered_by is None and (since is None or now - since < PATIENCE)
    sorting = _Sorting(here.quarantined_at, here.rewound_to, ends_doubts=is_told, needs_answer=needs_answer)
    last = uuid.UUID(int=0)
    while batch := _batch(sorting.began_at, after=last):
        if not sorting.take(batch, now=now):
            return None
        last = batch[-1].id
    with transaction.atomic(durable=True):
        here = lock_installation()
        if not sorting.is_of(here):
            return None
        here.finish_sorting(now=now)
        detail = dict(sorting.counts)
        if sorting.unanswered:
            detail["without_redis"] = sorting.unanswered
            _tell_unanswered(sorting, now=now)
        audit.record("quarantine.sorted", actor=ordered_by or SYSTEM, detail=detail)
        for tenant_id, waiting in sorting.by_tenant.items():
            payload = {"connections": waiting, "rewound_to": sorting.rewound_to and sorting.rewound_to.isoformat()}
            events.emit_of_tenant("quarantine.begun", tenant_id, payload=payload)
    return sorting.counts


def _tell_unanswered(sorting: "_Sorting", *, now: datetime) -> None:
    body = "\n".join(
        [
            f"Redis did not answer when the connections were sorted. Of {sorting.unanswered} connections it may",
            "remember whether their refresh tokens are safe. They wait, as nothing is known of them.",
            "",
            "What to do: where Redis comes back with what it held, say from when the database is, and they are sorted",
            "once more (`manage.py quarantine begin --rewound-to TIME`). Release none of them before: at a strict",
            "provider a token that was used ends its grant. Where Redis is lost, see `manage.py quarantine status`,",
            "and release tenant by tenant.",
        ]
    )
    subject = "Connections were sorted without an answer of Redis"
    notices.tell(f"quarantine.unanswered:{sorting.began_at.isoformat()}", subject, body, now=now)


def _batch(began_at: datetime, *, after: uuid.UUID) -> list[Connection]:
    older = Connection.objects.filter(
        status__in=VENDS, refresh_due_at__isnull=False, current_version__received_at__lt=began_at, id__gt=after
    )
    found = older.select_related("provider_app", "registered_client", "current_version").order_by("id")
    return list(found[:BATCH])


@dataclass(frozen=True, slots=True)
class _Said:
    """Why a connection waits. ``sent_at``: when its refresh token was sent last, if that is sure."""

    verdict: TokenVerdict
    sent_at: datetime | None = None


class _Sorting:
    """One run over all connections. ``unanswered`` were judged without an answer of Redis."""

    def __init__(
        self, began_at: datetime, rewound_to: datetime | None, *, ends_doubts: bool, needs_answer: bool
    ) -> None:
        self.began_at, self.rewound_to, self.ends_doubts = began_at, rewound_to, ends_doubts
        self.needs_answer, self.unanswered = needs_answer, 0
        self.counts: Counter[str] = Counter()
        self.by_tenant: Counter[uuid.UUID] = Counter()
        self._rotates: dict[uuid.UUID, bool] = {}

    def is_of(self, here: Installation) -> bool:
        """Whether the locked row is still about this quarantine, and nobody else has sorted it."""
        return here.quarantined_at == self.began_at and here.sorted_at is None

    def take(self, batch: Sequence[Connection], *, now: datetime) -> bool:
        """Name those of ``batch`` that wait. Return whether this run goes on: it is wanted still, and Redis answers."""
        rotating = [connection for connection in batch if self._may_rotate(connection)]
        noted = self._recall(rotating) if rotating else sent.Sent()
        if noted is None and self.needs_answer:
            self._wait(now=now)
            return False
        judged, is_whole = self._judge(rotating, noted or sent.Sent())
        with transaction.atomic(durable=True):
            if not self.is_of(lock_installation()):
                return False
            lock_connections([connection.id for connection in batch])
            waiting = self._with_earlier(judged, rotating, is_whole=is_whole)
            rows = [
                HeldConnection(connection_id=one, verdict=said.verdict, held_at=self.began_at, sent_at=said.sent_at)
                for one, said in waiting.items()
            ]
            HeldConnection.objects.bulk_create(
                rows,
                update_conflicts=True,
                unique_fields=["connection"],
                update_fields=["verdict", "held_at", "sent_at"],
            )
            HeldConnection.objects.filter(connection__in=batch).exclude(connection__in=waiting).delete()
            # To probe does no harm, and says which of them have ended meanwhile.
            Connection.objects.filter(id__in=waiting, probe_due_at__gt=now).probe_next(now)
        self.unanswered += len(rotating) if noted is None else 0
        self.counts[_NOT_ROTATING] += len(batch) - len(rotating)
        self.counts[_NEVER_SENT] += len(rotating) - len(waiting)
        self.counts.update(said.verdict for said in waiting.values())
        self.by_tenant.update(connection.tenant_id for connection in rotating if connection.id in waiting)
        return True

    def _with_earlier(
        self, judged: dict[uuid.UUID, _Said], rotating: Sequence[Connection], *, is_whole: bool
    ) -> dict[uuid.UUID, _Said]:
        """Return ``judged``, and those of ``rotating`` that wait since an earlier sorting.

        What was used stays used, whatever is noted today. A doubt ends where somebody names the moment of the data.
        """
        found = dict(judged)
        for row in HeldConnection.objects.filter(held(), connection__in=rotating):
            said = judged.get(row.connection_id)
            if row.verdict == TokenVerdict.USED:
                noted_at = said.sent_at if said else None
                found[row.connection_id] = _Said(TokenVerdict.USED, (noted_at or row.sent_at) if is_whole else None)
            elif said is None and not self.ends_doubts:
                found[row.connection_id] = _Said(TokenVerdict.UNKNOWN)
        return found

    def _may_rotate(self, connection: Connection) -> bool:
        """Whether the provider may replace refresh tokens, which its app decides. If nobody can say, it may."""
        app_id = connection.provider_app_id
        if app_id not in self._rotates:
            try:
                self._rotates[app_id] = access_of(connection).capabilities.rotates
            except (AppMisconfigured, EndpointMoved, Unreadable):
                return True
        return self._rotates[app_id]

    def _recall(self, rotating: Sequence[Connection]) -> sent.Sent | None:
        """Return what is remembered of them. Where an answer is needed, a slow one begins not all of the run anew."""
        ids = [connection.id for connection in rotating]
        noted = sent.recall(ids)
        for _ in range(ASKED_AGAIN if self.needs_answer else 0):
            if noted is not None:
                break
            release_database()
            time.sleep(AWAY_SECONDS)
            noted = sent.recall(ids)
        return noted

    def _wait(self, *, now: datetime) -> None:
        with transaction.atomic(durable=True):
            here = lock_installation()
            if self.is_of(here):
                here.wait_for_redis(now=now)
                logger.warning("quarantine_unsorted", waits_since=here.waits_for_redis_since)

    def _judge(self, rotating: Sequence[Connection], noted: sent.Sent) -> tuple[dict[uuid.UUID, _Said], bool]:
        """Return those that wait, by id, and whether the notes are whole since before the moment of the data."""
        is_whole = (
            noted.whole_since is not None
            and self.rewound_to is not None
            and noted.whole_since + CLOCKS_APART <= self.rewound_to
        )
        attempts = RefreshAttempt.objects.filter(connection__in=rotating, state__in=HARMLESS_STATES).order_by()
        known = dict(attempts.values_list("connection_id").annotate(last=Max("claimed_at")))
        found = {}
        for connection in rotating:
            version = connection.current_version
            sent_at, received_at = noted.at.get(connection.id), version.received_at if version else self.began_at
            if sent_at is not None and sent_at > max(received_at, known.get(connection.id, received_at)):
                found[connection.id] = _Said(TokenVerdict.USED, sent_at if is_whole else None)
            elif not is_whole:
                found[connection.id] = _Said(TokenVerdict.UNKNOWN)
        return found, is_whole
